"""A feature that was counted after the exposure is named, and what the draw shows is kept; benchmarks/effects_late.py has the long form."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import regulars as rg
from effects.conftest import Past
from regulars.effects.basis import Ground
from regulars.effects.trial import read_trial

ROWS, EFFECT = 2_000, 40.0


def lottery(
    seed: int, chance: tuple[float, ...] = (0.5, 0.5)
) -> tuple[dict[str, Any], np.ndarray, np.ndarray, np.ndarray]:
    """Visits, bills with a heavy tail, a city; the action, its outcome and the propensities."""
    draw = np.random.default_rng(seed)
    features = {
        "visits": draw.poisson(3, ROWS).astype(float),
        "spent": draw.lognormal(3, 1.5, ROWS),
        "city": draw.choice(["Rome", "Oslo"], ROWS),
    }
    action = draw.choice(len(chance), ROWS, p=chance) - 1
    outcome = 100 * features["visits"] + features["spent"] + EFFECT * (action >= 0) + draw.normal(0, 50, ROWS)
    return features, action, outcome, np.tile(chance, (ROWS, 1))


def late_column(kind: str, action: np.ndarray, outcome: np.ndarray) -> Any:
    draw = np.random.default_rng(len(kind))
    given = action >= 0
    return {
        "spend of the whole period": outcome + draw.normal(0, 30, ROWS),
        "pages seen": draw.poisson(2 + 0.7 * given).astype(float),
        "the outcome": outcome,
        "the arm": np.where(given, "sent", "kept"),
        "known for one arm": np.where(given, draw.normal(size=ROWS), np.nan),
        "constant in one arm": np.where(given, draw.normal(size=ROWS), 0.0),
    }[kind]


@pytest.mark.parametrize(
    "kind",
    ["spend of the whole period", "pages seen", "the outcome", "the arm", "known for one arm", "constant in one arm"],
)
@pytest.mark.parametrize("chance", [(0.5, 0.5), (0.5, 0.3, 0.2)])
def test_a_late_feature_is_named_and_the_draw_kept(kind: str, chance: tuple[float, ...]) -> None:
    for seed in range(3):
        features, action, outcome, propensity = lottery(seed, chance)
        table = features | {"late": late_column(kind, action, outcome)}
        model = rg.effects.fit(table, action, outcome, propensity=propensity, seed=seed)
        assert model.basis == "randomised"
        assert "late" in model.left_out
        assert "late" in " ".join(map(str, model.warnings))
        for effect in model.averages:
            assert abs(effect.gain - EFFECT) < 4 * effect.gain_se
            assert effect.gain_se < 20


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, pa.table])
def test_it_is_named_in_any_frame(kind: Any) -> None:
    features, action, outcome, propensity = lottery(1)
    table = kind(features | {"late": late_column("pages seen", action, outcome)})
    assert rg.effects.fit(table, action, outcome, propensity=propensity).left_out == ("late",)


def test_features_that_only_tell_together_are_named_together() -> None:
    """Spend of the past and of the whole period are alike in both arms, each by itself; their difference is what the offer did."""
    draw = np.random.default_rng(5)
    visits, action = draw.poisson(3, ROWS).astype(float), draw.integers(-1, 1, ROWS)
    outcome = 100 * visits + EFFECT * (action == 0) + draw.normal(0, 50, ROWS)
    features = {
        "visits": visits,
        "whole": outcome + 100 * visits + draw.normal(0, 30, ROWS),
        "luck": draw.normal(size=ROWS),
    }
    model = rg.effects.fit(features, action, outcome, propensity=np.full(ROWS, 0.5))
    assert model.left_out == ("visits", "whole")
    assert model.averages[0].gain == pytest.approx(model.averages[0].naive, abs=1)


def test_a_lottery_over_clean_features_keeps_them() -> None:
    """40 draws, one in twenty given the offer; one false alarm in a hundred is allowed, and two of 40 would be seven times that."""
    wrong = 0
    for seed in range(40):
        trial = read_trial(
            *lottery(seed, (0.95, 0.05))[:3],
            cost=None,
            propensity=lottery(seed, (0.95, 0.05))[3],
            offers=None,
            cluster=None,
        )
        wrong += bool(Ground.of(trial, is_dated=False).left_out)
    assert wrong <= 1


def test_stores_drawn_whole_may_differ() -> None:
    """Ten stores: their cities differ between arms, as few stores do."""
    features, _, outcome, propensity = lottery(3)
    store = np.random.default_rng(0).integers(0, 10, ROWS)
    features["city"] = np.array(["Rome", "Oslo"])[(store > 6).astype(int)]
    action = np.where(store % 2 == 0, 0, -1)
    arguments = {"cost": None, "propensity": propensity, "offers": None}
    clustered = read_trial(features, action, outcome, **arguments, cluster=store)
    assert not Ground.of(clustered, is_dated=False).left_out
    blind = read_trial(features, action, outcome, **arguments, cluster=None)
    assert Ground.of(blind, is_dated=False).left_out == ("city",)


def test_features_known_to_be_from_before_refute_the_draw_instead(lottery: Past) -> None:
    opened = (np.arange(len(lottery.action)) % 3 == 0) & (lottery.action >= 0)
    features = lottery.features | {"opened": opened * 1.0}
    late = rg.effects.fit(features, lottery.action, lottery.outcome, propensity=lottery.propensity)
    assert (late.basis, late.left_out) == ("randomised", ("opened",))
    dated = rg.effects.fit(
        features,
        lottery.action,
        lottery.outcome,
        propensity=lottery.propensity,
        known_at="2026-05-01",
        exposed_at="2026-05-02",
    )
    assert (dated.basis, dated.left_out) == ("adjusted", ())
    assert "opened differs from the average of all rows by more than chance" in dated.warnings[0]


def test_a_feature_that_holds_the_outcome_is_left_out_of_observed_data_too(targeted: Past) -> None:
    model = rg.effects.fit(targeted.features | {"sum": 2 * targeted.outcome + 1}, targeted.action, targeted.outcome)
    assert model.left_out == ("sum",)
    alone = rg.effects.fit(*targeted.data)
    assert [effect.gain for effect in model.averages] == [effect.gain for effect in alone.averages]


def test_a_feature_that_nobody_told_is_no_difference() -> None:
    features, action, outcome, propensity = lottery(4)
    unknown = {"age": np.full(ROWS, np.nan), "tag": pa.nulls(ROWS, pa.string()), "one": np.ones(ROWS)}
    model = rg.effects.fit(features | unknown, action, outcome, propensity=propensity)
    assert (model.basis, model.left_out) == ("randomised", ())


def test_where_nothing_but_late_features_is_given_the_plain_difference_is_left() -> None:
    _, action, outcome, propensity = lottery(2)
    model = rg.effects.fit({"late": outcome}, action, outcome, propensity=propensity)
    assert model.averages[0].gain == pytest.approx(model.averages[0].naive, rel=0.01)
    assert model.predict({"late": [1.0, 1e9]}).gain[0] == model.predict({"late": [7.0, -1e9]}).gain[1]
