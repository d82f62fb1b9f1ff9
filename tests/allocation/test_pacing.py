"""Pacing: spend lands on the budget whoever comes, in rehearsal."""

import numpy as np
import pytest

from regulars.allocation import Limit, solve
from regulars.allocation.pacing import Pacer

DAYS, TICKS, DAILY, BUDGET = 14, 4, 800, 6_000.0


def guests(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    cost = rng.uniform(0.5, 5, (count, 2))
    return rng.gamma(2, 0.5, (count, 1)) * np.sqrt(cost) * rng.uniform(0.5, 1.5, (count, 2)) - 0.3, cost


def spend_of(choice: np.ndarray, cost: np.ndarray) -> float:
    given = np.flatnonzero(choice >= 0)
    return float(cost[given, choice[given]].sum())


def rehearse(seed: int, shock: np.ndarray) -> tuple[float, float]:
    """The spend of a paced campaign, and of the same at the prices of the plan, as shares of the budget."""
    rng = np.random.default_rng(seed)
    plan = solve(*guests(rng, DAYS * DAILY), [Limit.total(BUDGET)])
    pacer, paced, fixed, price = Pacer.of(plan, periods=DAYS), 0.0, 0.0, float(plan.prices["total"][0])
    for day in range(DAYS):
        for tick in range(TICKS):
            gain, cost = guests(rng, int(DAILY * shock[day] / TICKS))
            choice = pacer.offer(gain, cost, [Limit.total(0)], still_to_come=1 - (tick + 1) / TICKS)
            paced += spend_of(choice, cost)
            value = gain - price * cost
            fixed += spend_of(np.where(value.max(axis=1) > 0, value.argmax(axis=1), -1), cost)
        pacer.end_period()
    return paced / BUDGET, fixed / BUDGET


SHOCKS = {
    "half": np.full(DAYS, 0.5),
    "half as much again": np.full(DAYS, 1.5),
    "from low to high": np.linspace(0.5, 1.5, DAYS),
    "from high to low": np.linspace(1.5, 0.5, DAYS),
    "a step down": np.repeat([1.5, 0.5], DAYS // 2),
    "any day": np.random.default_rng(9).uniform(0.5, 1.5, DAYS),
}


@pytest.mark.parametrize("name", SHOCKS)
def test_spend_lands_within_two_percent_of_the_budget_under_shocks(name: str) -> None:
    paced, fixed = rehearse(3, SHOCKS[name])
    assert 0.98 <= paced <= 1.0
    assert name not in ("half", "half as much again") or abs(1 - fixed) > 0.2


def test_no_limit_is_ever_broken_and_what_redeemed_more_is_saved_later() -> None:
    rng = np.random.default_rng(0)
    pacer = Pacer.of(solve(*guests(rng, 2000), [Limit.total(500)]), periods=2)
    gain, cost = guests(rng, 1000)
    spent = spend_of(pacer.offer(gain, cost, [Limit.total(0)]), cost)
    pacer.spent("total", 120.0)
    pacer.end_period()
    gain, cost = guests(rng, 1000)
    spent += spend_of(pacer.offer(gain, cost, [Limit.total(0)]), cost)
    assert 330 <= spent <= 380


def test_a_campaign_that_is_over_offers_nothing_more() -> None:
    pacer = Pacer.of(solve([[1.0]], [[1.0]], [Limit.total(5)]), periods=1)
    pacer.end_period()
    with pytest.raises(ValueError, match="the 1 periods are over"):
        pacer.offer([[1.0]], [[1.0]], [Limit.total(5)])


def test_a_limit_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="no limit is called 'store'; there is 'total'"):
        Pacer.of(solve([[1.0]], [[1.0]], [Limit.total(5)]), periods=1).spent("store", 1.0)
