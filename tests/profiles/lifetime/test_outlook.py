"""The outlook is added to the profile the caller brought, of whatever kind."""

from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from regulars.errors import DataError
from regulars.profiles import build, lifetime

Frame = Callable[[pa.Table], Any]
Rows = Callable[[Any], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def profiles(cdnow: pl.DataFrame) -> pa.Table:
    alone = {"order_id": pl.lit("refund"), "guest_id": pl.lit("refund only"), "amount_minor": pl.lit(-500, pl.Int64)}
    refund_only = cdnow.head(1).with_columns(**alone)
    return build(pl.concat([cdnow, refund_only]).to_arrow(), as_of=date(1997, 9, 30), margin_rate=0.3)


@pytest.fixture(scope="module")
def models(profiles: pa.Table) -> tuple[lifetime.BgNbd, lifetime.GammaGamma]:
    return lifetime.fit_visits(profiles), lifetime.fit_values(profiles)


def test_what_goes_in_comes_out(as_frame: Frame, read: Rows, profiles: pa.Table, models: Any) -> None:
    frame = as_frame(profiles)
    outlook = lifetime.outlook(frame, *models)
    assert type(outlook) is type(frame)
    rows = read(outlook)
    assert len(rows) == 2_358
    known = [row for row in rows if row["guest_id"] != "refund only"]
    for row in known:
        assert row["expected_visits_90_low"] <= row["expected_visits_90_high"] <= row["expected_visits_365_high"]
        assert 0 < row["expected_visits_90"] < row["expected_visits_365"]
        assert 0 <= row["no_visit_30_probability"] <= 1
        assert row["expected_margin_90_minor"] > 0
        assert row["expected_margin_90_minor_low"] <= row["expected_margin_90_minor_high"]
        assert row["expected_margin_90_minor_high"] <= row["expected_margin_365_minor_high"]
        assert (row["expected_margin_90_minor_low"] == 0) == (row["expected_visits_90_low"] == 0)
    (empty,) = [row for row in rows if row["guest_id"] == "refund only"]
    assert (empty["alive_probability"], empty["expected_visits_90"], empty["expected_margin_365_minor"]) == (None,) * 3


def test_each_guest_gets_his_own_numbers(profiles: pa.Table, models: Any) -> None:
    backwards = profiles.sort_by([("guest_id", "descending")])
    forth, back = (pl.from_arrow(lifetime.outlook(frame, *models)).sort("guest_id") for frame in (profiles, backwards))
    assert forth.equals(back)
    ratio = forth["expected_margin_90_minor"] / forth["expected_visits_90"]
    assert ratio.drop_nulls().n_unique() > 1_000


def test_an_unknown_margin_counts_as_the_crowds(profiles: pa.Table, models: Any) -> None:
    visits, values = models
    index = profiles.column_names.index("margin_minor")
    unknown = profiles.set_column(index, "margin_minor", pa.nulls(profiles.num_rows, pa.int64()))
    outlook = pl.from_arrow(lifetime.outlook(unknown, visits, values)).drop_nulls("expected_visits_90")
    worth = outlook["expected_margin_90_minor"] / outlook["expected_visits_90"]
    assert worth.to_numpy() == pytest.approx(float(values.expected_value()))


def test_without_a_value_model_no_margin_is_made_up(profiles: pa.Table, models: Any) -> None:
    names = lifetime.outlook(profiles, models[0], horizons=[30]).column_names
    assert names[len(profiles.column_names) :] == [
        "alive_probability", "no_visit_30_probability",
        "expected_visits_30", "expected_visits_30_low", "expected_visits_30_high",
    ]  # fmt: skip


def test_a_frame_that_is_no_profile_is_refused() -> None:
    with pytest.raises(DataError, match="no column recency_days, tenure_days"):
        lifetime.fit_visits(pa.table({"visits": [1]}))


def test_a_holdout_needs_one_prediction_for_each_guest() -> None:
    with pytest.raises(DataError, match="one of each for every guest"):
        lifetime.holdout_check([1.0, 2.0], [1])
