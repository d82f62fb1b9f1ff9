"""A fitted model says what an offer changed, on what that rests, and what a naive reading would have said."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

import regulars as rg
from effects.conftest import Past, make_past
from regulars.effects.race import CLEARLY
from regulars.errors import DesignError


@pytest.fixture(scope="module")
def randomised(lottery: Past) -> rg.effects.EffectModel:
    return rg.effects.fit(*lottery.data, propensity=lottery.propensity, offers=["half", "none", "some"])


@pytest.fixture(scope="module")
def adjusted(targeted: Past) -> rg.effects.EffectModel:
    return rg.effects.fit(*targeted.data, offers=["half", "none", "some"])


def test_logged_propensities_make_a_randomised_basis(randomised: rg.effects.EffectModel, lottery: Past) -> None:
    assert (randomised.basis, str(randomised.basis_words)) == ("randomised", "randomised")
    assert randomised.warnings == ()
    for effect, true in zip(randomised.averages, lottery.truth.mean(axis=0), strict=True):
        assert abs(effect.gain - true) < 3 * effect.gain_se
        assert effect.gain_se < 0.09


def test_propensity_of_the_action_taken_is_enough(randomised: rg.effects.EffectModel, lottery: Past) -> None:
    taken = lottery.propensity[np.arange(len(lottery.action)), lottery.action + 1]
    model = rg.effects.fit(*lottery.data, propensity=taken)
    assert model.basis == "randomised"
    for effect, other in zip(model.averages, randomised.averages, strict=True):
        assert effect.gain == pytest.approx(other.gain)


def test_targeted_offers_are_adjusted_and_the_naive_difference_stands_beside(
    adjusted: rg.effects.EffectModel, targeted: Past
) -> None:
    assert (adjusted.basis, str(adjusted.basis_words)) == ("adjusted", "observational (adjusted)")
    for effect, true in zip(adjusted.averages, targeted.truth.mean(axis=0), strict=True):
        assert abs(effect.gain - true) < 3.5 * effect.gain_se
        assert effect.naive - true > 10 * effect.gain_se
    assert "it flatters the offer by" in adjusted.report
    assert "A hidden cause that explained" in adjusted.report


def test_adjustment_balances_what_targeting_unbalanced(adjusted: rg.effects.EffectModel) -> None:
    half = adjusted.balance[0]
    assert half.worst_before[0] == "spend"
    assert half.worst_before[1] > 0.5
    assert abs(half.after[half.features.index("spend")]) < 0.25 * half.worst_before[1]


def test_propensities_that_do_not_agree_with_the_rows_are_not_believed(targeted: Past) -> None:
    claimed = np.tile([0.4, 0.2, 0.2, 0.2], (len(targeted.action), 1))
    model = rg.effects.fit(*targeted.data, propensity=claimed)
    assert model.basis == "adjusted"
    assert "the logged propensities do not agree with the rows" in model.warnings[0]


def test_features_that_differ_between_arms_are_not_believed_to_be_drawn_by_lot(targeted: Past) -> None:
    shares = np.bincount(targeted.action + 1) / len(targeted.action)
    model = rg.effects.fit(*targeted.data, propensity=np.tile(shares, (len(targeted.action), 1)))
    assert "differs from the average of all rows by more than chance" in model.warnings[0]


def test_the_same_seed_gives_the_same_answer_and_a_model_survives_pickling(
    randomised: rg.effects.EffectModel, lottery: Past
) -> None:
    again = rg.effects.fit(*lottery.data, propensity=lottery.propensity, offers=["half", "none", "some"])
    revived = pickle.loads(pickle.dumps(randomised))  # noqa: S301
    expected = randomised.predict(lottery.features)
    for model in (again, revived):
        found = model.predict(lottery.features)
        np.testing.assert_array_equal(found.gain, expected.gain)
        np.testing.assert_array_equal(found.gain_se, expected.gain_se)


def test_few_guests_are_pooled_and_it_is_said(randomised: rg.effects.EffectModel, lottery: Past) -> None:
    assert randomised.learner == "pooled"
    assert "exposed guests are fewer than 10,000" in randomised.pooling
    found = randomised.predict(lottery.features)
    error = found.gain - lottery.truth
    assert (np.sqrt((error**2).mean(axis=0)) < [0.35, 0.2, 0.45]).all()
    assert (np.abs(error) < 1.96 * found.gain_se).mean() > 0.9


def test_individual_effects_find_who_is_moved_and_say_how_wrong_they_may_be(lottery: Past) -> None:
    past = make_past(12_000, seed=3)
    model = rg.effects.fit(*past.data, propensity=past.propensity, learner="dr")
    found, fresh = model.predict(lottery.features), lottery.truth
    assert [line.is_found for line in model.heterogeneity] == [True, False, True]
    assert "offer 1: these guests do not differ measurably in their response" in model.report
    assert np.corrcoef(found.gain[:, 0], fresh[:, 0])[0, 1] > 0.9
    assert (np.abs(found.gain - fresh) < 1.96 * found.gain_se).mean() > 0.9


def test_the_race_prefers_what_explains_guests_it_has_not_seen() -> None:
    past = make_past(6000, seed=8)
    model = rg.effects.fit(*past.data, propensity=past.propensity, learner="race")
    assert {contender.learner for contender in model.race} == {"s", "t", "x", "dr", "pooled"}
    picked = next(contender for contender in model.race if contender.learner == model.learner)
    assert picked.behind < CLEARLY
    assert model.race[-1].behind > model.race[0].behind == 0
    assert [contender.score for contender in model.race] == sorted((c.score for c in model.race), reverse=True)
    best, worst = (
        rg.effects.fit(*past.data, propensity=past.propensity, learner=end.learner) for end in model.race[::4]
    )
    fresh = make_past(3000, seed=9)
    error = [((found.predict(fresh.features).gain - fresh.truth) ** 2).sum() for found in (best, worst)]
    assert error[0] < error[1]


def test_repeated_guests_widen_the_error() -> None:
    past = make_past(4000, seed=4, guests=300)
    clustered = rg.effects.fit(*past.data, propensity=past.propensity, cluster=past.guest)
    assert "exposed guests are fewer" in clustered.pooling
    assert clustered.averages[0].guests <= 300 < clustered.averages[0].exposures


def test_a_duplicated_table_is_no_more_certain_when_clustered() -> None:
    lottery = make_past(1500, seed=7)
    twice = {name: np.tile(column, 2) for name, column in lottery.features.items()}
    guest = np.tile(np.arange(len(lottery.action)), 2)
    action, outcome = np.tile(lottery.action, 2), np.tile(lottery.outcome, 2)
    propensity = np.tile(lottery.propensity, (2, 1))
    once = rg.effects.fit(*lottery.data, propensity=lottery.propensity).averages[1]
    honest = rg.effects.fit(twice, action, outcome, propensity=propensity, cluster=guest).averages[1]
    blind = rg.effects.fit(twice, action, outcome, propensity=propensity).averages[1]
    assert honest.gain_se == pytest.approx(once.gain_se, rel=0.15)
    assert blind.gain_se < 0.9 * once.gain_se


def test_an_offer_with_three_exposures_borrows_from_the_others_and_is_named(lottery: Past) -> None:
    keep = (lottery.action != 2) | (np.cumsum(lottery.action == 2) <= 3)
    features = {name: column[keep] for name, column in lottery.features.items()}
    model = rg.effects.fit(
        features, lottery.action[keep], lottery.outcome[keep], offers=["half", "none", "rare", "never"]
    )
    half, none, rare, never = model.averages
    assert (rare.exposures, never.exposures, rare.is_borrowed, half.is_borrowed) == (3, 0, True, False)
    assert rare.gain == pytest.approx((half.gain + none.gain) / 2)
    assert rare.gain_se > 3 * half.gain_se
    assert "rare was given to 3 guests: too few, its effect is taken from the other offers" in map(str, model.warnings)
    found = model.predict(lottery.features)
    assert np.isfinite(found.gain).all()
    assert (found.gain_se[:, 2:] > found.gain_se[:, :2].max(axis=1, keepdims=True) / 2).all()


def test_guests_who_could_never_get_an_offer_are_left_out_of_its_average() -> None:
    past = make_past(4000, seed=5, targeted=5.0)
    model = rg.effects.fit(*past.data)
    assert model.averages[0].overlap < 0.5
    assert any("could have gone either way" in warning for warning in model.warnings)


def test_targeting_without_any_overlap_is_refused() -> None:
    past = make_past(2000, seed=6)
    chosen = past.features["spend"] > 0
    with pytest.raises(DesignError, match="too few comparable guests"):
        rg.effects.fit(past.features, np.where(chosen, 0, -1), past.outcome)


def test_zero_one_outcomes_and_missing_values_are_taken(lottery: Past) -> None:
    gaps = {
        name: np.where(np.arange(len(column)) % 7 == 0, np.nan, column) for name, column in lottery.features.items()
    }
    past = replace(lottery, features=gaps, outcome=(lottery.outcome > 0).astype(float))
    model = rg.effects.fit(*past.data, propensity=past.propensity)
    assert np.isfinite(model.predict(gaps).gain_se).all()
    assert 0 < model.averages[0].gain < 0.3


def test_many_rows_are_raced_on_some_of_their_guests_and_learned_from_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regulars.effects.race.RACED", 1500)
    past = make_past(4000, seed=12, guests=2500)
    model = rg.effects.fit(*past.data, propensity=past.propensity, cluster=past.guest, learner="race")
    alone = rg.effects.fit(*past.data, propensity=past.propensity, cluster=past.guest, learner=model.learner)
    assert len(model.race) == 5
    np.testing.assert_array_equal(model.predict(past.features).gain, alone.predict(past.features).gain)
