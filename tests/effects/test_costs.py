"""Costs are of all who redeem."""

import numpy as np
import pytest

import regulars as rg
from effects.conftest import Past


def redeemed(past: Past, *, seed: int = 0) -> np.ndarray:
    """Habitual guests redeem more; an offer costs 100, 200 or 300."""
    chance = 1 / (1 + np.exp(1.5 - past.features["habit"]))
    took = (np.random.default_rng(seed).random(len(chance)) < chance) & (past.action >= 0)
    return np.where(took, 100.0 * (past.action + 1), 0.0)


def test_cost_is_the_probability_of_redemption_times_the_amount(targeted: Past) -> None:
    cost = redeemed(targeted)
    effects = rg.effects.fit(*targeted.data, cost=cost).predict(targeted.features)
    chance = 1 / (1 + np.exp(1.5 - targeted.features["habit"]))
    np.testing.assert_allclose(effects.redemption.mean(axis=0), chance.mean(), rtol=0.15)
    np.testing.assert_allclose(effects.cost.mean(axis=0), chance.mean() * np.array([100, 200, 300]), rtol=0.15)
    assert np.corrcoef(effects.redemption[:, 0], chance)[0, 1] > 0.9


def test_expected_cost_of_past_exposures_is_what_was_paid(targeted: Past) -> None:
    cost = redeemed(targeted)
    effects = rg.effects.fit(*targeted.data, cost=cost).predict(targeted.features)
    exposed = targeted.action >= 0
    expected = effects.cost[exposed, targeted.action[exposed]].sum()
    assert expected == pytest.approx(cost.sum(), rel=0.03)


def test_few_redemptions_give_every_guest_the_rate_of_the_offer(targeted: Past) -> None:
    cost = np.where((targeted.action == 0) & (np.cumsum(targeted.action == 0) <= 30), 500.0, 0.0)
    effects = rg.effects.fit(*targeted.data, cost=cost).predict(targeted.features)
    assert (np.ptp(effects.redemption, axis=0) == 0).all()
    assert effects.redemption[0, 0] == pytest.approx(30 / (targeted.action == 0).sum(), rel=0.05)
    assert 0 < effects.redemption[0, 1] < effects.redemption[0, 0] / 10
    np.testing.assert_allclose(effects.cost[0], effects.redemption[0] * 500)


def test_without_costs_they_are_not_known(lottery: Past) -> None:
    effects = rg.effects.fit(*lottery.data, propensity=lottery.propensity).predict(lottery.features)
    assert np.isnan(effects.cost).all()
    assert np.isnan(effects.redemption).all()
