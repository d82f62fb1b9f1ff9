"""Bad input is refused with its place and the mend."""

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import regulars as rg
from regulars.effects.columns import MOST_CATEGORIES, Columns
from regulars.errors import DataError, DesignError

ROWS = 200


def fit(**changed: Any) -> Any:
    draw = np.random.default_rng(0)
    usual = {
        "features": {"visits": draw.normal(size=ROWS)},
        "action": np.arange(ROWS) % 3 - 1,
        "outcome": draw.normal(size=ROWS),
    }
    return rg.effects.fit(**(usual | changed))


def with_value(value: float, row: int = 7) -> np.ndarray:
    column = np.linspace(0.1, 0.9, ROWS)
    column[row] = value
    return column


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"action": np.arange(ROWS) % 2}, "response, not effect"),
        ({"action": np.full(ROWS, -1)}, "no row was given an offer"),
        ({"outcome": np.ones(ROWS)}, "outcome is 1 in every row"),
        (
            {"action": np.where(np.arange(ROWS) < 3, 0, -1)},
            "nothing to 197, offer 0 to 3; at least one offer and nothing need 20",
        ),
        ({"propensity": with_value(1)}, "row 7: 1 means there was no other choice"),
    ],
)
def test_a_design_that_cannot_answer_is_refused(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(DesignError, match=words):
        fit(**changed)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"outcome": with_value(np.nan)}, "outcome is missing or infinite in 1 rows, first in row 7; drop these rows"),
        ({"outcome": with_value(-np.inf)}, "outcome is missing or infinite in 1 rows, first in row 7"),
        ({"cost": with_value(np.inf)}, "cost is missing or infinite in 1 rows, first in row 7; give 0"),
        ({"action": np.append(np.arange(ROWS) % 3 - 1, 0)}, r"action has the shape \(201,\) and there are 200 rows"),
        ({"outcome": np.zeros(ROWS - 1)}, r"outcome has the shape \(199,\) and there are 200 rows"),
        ({"outcome": ["much"] * ROWS}, "outcome is not all numbers"),
        ({"cost": with_value(-5)}, "cost row 7: -5 is negative"),
        ({"action": with_value(0.5)}, "action row 0: 0.1 is no offer"),
        ({"action": with_value(-2)}, "is no offer; expected -1 for nothing"),
        ({"offers": ["tea"]}, "action names offer 1 and offers has 1 names"),
        ({"offers": ["tea", "tea"]}, "offers repeat a name"),
        ({"cluster": np.zeros(3)}, r"cluster has the shape \(3,\)"),
        ({"propensity": with_value(0)}, "propensity row 7: the action taken has 0"),
        ({"propensity": with_value(1.5)}, "propensity row 7: the action taken has 1.5"),
        ({"propensity": with_value(np.nan)}, "propensity is missing in 1 rows, first in row 7; leave it out"),
        ({"propensity": np.full((ROWS, 3), 0.3)}, "propensity row 0 adds up to 0.9"),
        ({"propensity": np.full((ROWS, 2), 0.5)}, r"expected \(200,\) or \(200, 3\)"),
        ({"features": {"visits": with_value(np.inf)}}, "features row 7, column 'visits': infinite"),
        ({"features": {}}, "features have no column"),
        (
            {"known_at": np.datetime64("2026-05-01") + np.arange(ROWS), "exposed_at": dt.date(2026, 5, 8)},
            "192 rows have features from after the exposure, first row 8: known at 2026-05-09",
        ),
        ({"known_at": "soon", "exposed_at": dt.date(2026, 5, 8)}, "known_at is no date"),
        ({"known_at": dt.date(2026, 5, 8), "exposed_at": np.full(ROWS, np.datetime64("NaT"))}, "exposed_at is missing"),
        (
            {"known_at": dt.date(2026, 5, 8)},
            "known_at is given without exposed_at, so nothing can be checked; give both",
        ),
        ({"exposed_at": dt.date(2026, 5, 8)}, "exposed_at is given without known_at"),
        ({"known_at": 9, "exposed_at": np.arange(ROWS)}, "known_at holds numbers, and of what day they count"),
        ({"known_at": dt.date(2026, 5, 8), "exposed_at": [12.5] * ROWS}, "exposed_at holds numbers"),
        ({"known_at": dt.timedelta(hours=3), "exposed_at": dt.date(2026, 5, 8)}, "known_at holds numbers"),
        ({"known_at": [dt.date(2026, 5, 8)] * (ROWS - 1) + [7], "exposed_at": "2026-05-09"}, "known_at holds numbers"),
        ({"known_at": [dt.date(2026, 5, 8)] * (ROWS - 1) + [None], "exposed_at": "2026-05-09"}, "missing in row 199"),
        ({"features": "visits"}, "features are str; give a frame"),
        ({"features": np.zeros(ROWS)}, r"features have the shape \(200,\)"),
        (
            {"features": pl.DataFrame({"joined": pl.Series(["2024-01-01"] * ROWS).str.to_date()})},
            "turn it into a number",
        ),
        ({"features": pd.DataFrame(np.zeros((ROWS, 2)), columns=["a", "a"])}, "two columns of one name"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_mend(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        fit(**changed)


def test_an_unknown_learner_is_a_wrong_argument() -> None:
    with pytest.raises(ValueError, match="learner 'forest' is none of auto, race, x, dr, t, s, pooled"):
        fit(learner="forest")


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, pl.LazyFrame, pa.table, pa.RecordBatch.from_pydict, dict])
def test_any_frame_gives_the_same_matrix(kind: Any) -> None:
    table = {"visits": [1, None, 3], "city": ["Rome", None, "Oslo"], "is_app": [True, False, True]}
    columns = Columns.learn(kind(table))
    np.testing.assert_array_equal(columns.matrix(kind(table)), [[1, 1, 1], [np.nan, np.nan, 0], [3, 0, 1]])
    assert columns.categories == {"city": ("Oslo", "Rome")}


def test_categories_unseen_at_the_fit_are_missing_and_rare_ones_too() -> None:
    often, rare = [f"c{number:03}" for number in range(MOST_CATEGORIES)], ["z"]
    columns = Columns.learn({"city": often * 2 + rare})
    assert np.isnan(columns.matrix({"city": ["new", "z", None]})).all()
    assert columns.matrix({"city": ["c002"]})[0, 0] == 2


def test_a_column_missing_at_prediction_is_named() -> None:
    with pytest.raises(DataError, match="features lack the column 'visits'"):
        fit().predict({"other": [1.0]})


def test_infinite_features_are_refused_at_prediction_too() -> None:
    with pytest.raises(DataError, match="features row 1, column 'visits': infinite; leave it empty if unknown"):
        fit().predict({"visits": [1.0, -np.inf]})


def test_a_category_unseen_at_the_fit_gets_the_prediction_of_one_that_is_not_known() -> None:
    model = fit(features={"city": np.array(["Rome", "Oslo"])[np.arange(ROWS) % 2]})
    unseen, unknown = model.predict({"city": ["Lima", None]}).gain
    np.testing.assert_array_equal(unseen, unknown)


def test_an_array_has_columns_without_names() -> None:
    assert Columns.learn(np.zeros((2, 3))).names == ("x0", "x1", "x2")


def test_constant_features_give_everybody_the_average() -> None:
    model = fit(features={"one": np.ones(ROWS)}, action=np.arange(ROWS) % 2 - 1)
    np.testing.assert_allclose(model.predict({"one": np.ones(3)}).gain, model.averages[0].gain, atol=1e-12)


def test_of_ten_thousand_columns_those_that_matter_are_kept() -> None:
    draw = np.random.default_rng(0)
    wide = draw.normal(size=(ROWS, 10_000))
    action = (draw.random(ROWS) < 1 / (1 + np.exp(-wide[:, 4321]))) - 1
    model = fit(features=wide, action=action, outcome=wide[:, 1234] + draw.normal(size=ROWS))
    assert len(model.columns.names) == 500
    assert {"x1234", "x4321"} <= set(model.columns.names)
    assert model.predict(wide[:5]).gain.shape == (5, 1)


def test_instants_of_other_zones_are_compared_as_instants() -> None:
    known = pd.Series(pd.to_datetime(["2026-05-08T23:30:00-04:00"] * ROWS), index=range(ROWS, 0, -1))
    exposed = pd.Timestamp("2026-05-09T03:29:00", tz="UTC")
    with pytest.raises(DataError, match="known at 2026-05-09T03:30:00"):
        fit(known_at=known, exposed_at=exposed)
    assert fit(known_at=known, exposed_at=exposed + pd.Timedelta(minutes=2)).left_out == ()
