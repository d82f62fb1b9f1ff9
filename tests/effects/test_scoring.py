"""Scoring a frame of any size gives what `predict` gives, on DuckDB and on Spark."""

from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import regulars as rg
from effects.conftest import Past
from regulars.errors import DataError
from regulars.tables.engines import Engine, open_engine


@pytest.fixture(params=["duckdb", "spark"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    if request.param == "spark":
        request.getfixturevalue("spark")
    return open_engine(request.param, memory="1GB", scratch=tmp_path)


@pytest.fixture(scope="module")
def model(lottery: Past) -> rg.effects.EffectModel:
    features = lottery.features | {"city": np.where(lottery.features["zone"] > 0, "Rome", "Oslo")}
    cost = np.where(lottery.action >= 0, 100.0, 0.0) * (np.arange(len(lottery.action)) % 3 == 0)
    return rg.effects.fit(features, lottery.action, lottery.outcome, cost=cost, propensity=lottery.propensity)


@pytest.fixture
def guests(lottery: Past) -> dict[str, Any]:
    city = np.where(lottery.features["zone"] > 0, "Rome", "Oslo")
    return {"guest_id": [f"G{row}" for row in range(len(city))], **lottery.features, "city": city}


def scan(guests: dict[str, Any], engine: Engine, folder: Path) -> Any:
    table = pa.table(guests)
    pq.write_table(table, folder / "guests.parquet")
    return engine.scan([str(folder / "guests.parquet")], table.schema)


def test_every_engine_brings_what_predict_brings(
    model: rg.effects.EffectModel, guests: dict[str, Any], engine: Engine, tmp_path: Path
) -> None:
    scored = rg.effects.score(model, scan(guests, engine, tmp_path), engine)
    found = engine.stream(scored).read_all().to_pandas().pivot(index="guest_id", columns="offer")
    expected = model.predict(guests)
    for name in ("gain", "gain_se", "cost"):
        columns = found[name].loc[guests["guest_id"], list(model.offers)]
        np.testing.assert_allclose(columns.to_numpy(), getattr(expected, name), rtol=1e-12)


def test_costs_that_are_not_known_are_null(lottery: Past, engine: Engine, tmp_path: Path) -> None:
    model = rg.effects.fit(*lottery.data, propensity=lottery.propensity)
    guests = {"guest_id": ["a"], **{name: column[:1] for name, column in lottery.features.items()}}
    scored = engine.stream(rg.effects.score(model, scan(guests, engine, tmp_path), engine)).read_all()
    assert scored["cost"].null_count == scored.num_rows == len(model.offers)


def test_a_column_that_is_missing_is_named(model: rg.effects.EffectModel, engine: Engine, tmp_path: Path) -> None:
    frame = scan({"guest_id": ["a"], "habit": [1.0]}, engine, tmp_path)
    with pytest.raises(DataError, match="the frame lacks the columns distance, spend, zone, city"):
        rg.effects.score(model, frame, engine)
    assert isinstance(frame, nw.LazyFrame)
