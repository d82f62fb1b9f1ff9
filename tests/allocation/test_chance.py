"""Chance: budgets held with a probability, by simulation."""

import numpy as np
import pytest

from regulars.allocation import Limit
from regulars.allocation.chance import solve_surely

DRAWS = 4000


def problem(guests: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    payout = rng.integers(2, 9, (guests, 2)).astype(float)
    cost = payout * rng.uniform(0.05, 0.6, (guests, 2))
    return cost * rng.uniform(0.5, 4, (guests, 2)), cost, payout


@pytest.mark.parametrize(("guests", "budget", "is_exact"), [(40, 30.0, True), (20_000, 9_000.0, False)])
def test_the_budget_holds_as_often_as_asked(guests: int, budget: float, is_exact: bool) -> None:
    """Tolerance: 4 standard errors of a share over the draws."""
    gain, cost, payout = problem(guests)
    sure = solve_surely(gain, cost, budget, payout=payout, confidence=0.9)
    given = np.flatnonzero(sure.allocation.choice >= 0)
    offer = sure.allocation.choice[given]
    pay, probability = payout[given, offer], (cost / payout)[given, offer]
    rng = np.random.default_rng(1)
    spent = np.array([(pay * (rng.random(len(pay)) < probability)).sum() for _ in range(DRAWS)])
    assert sure.is_exact == is_exact
    assert sure.chance >= 0.9
    assert (spent <= budget).mean() == pytest.approx(sure.chance, abs=4 * np.sqrt(0.25 / DRAWS))
    assert (spent <= budget).mean() >= 0.9 - 4 * np.sqrt(0.09 / DRAWS)


def test_certainty_has_a_price_that_falls_with_the_number_of_guests() -> None:
    shares = []
    for guests in (200, 20_000):
        gain, cost, payout = problem(guests)
        sure = solve_surely(gain, cost, 0.45 * guests, payout=payout, confidence=0.95)
        shares.append(sure.price_of_certainty / sure.expected.worth)
    assert 0 < shares[1] < shares[0] / 3


def test_what_always_costs_the_same_needs_no_reserve() -> None:
    gain, cost, _ = problem(300)
    sure = solve_surely(gain, cost, 80.0, payout=cost, confidence=0.99)
    assert sure.allocation.spend == sure.expected.spend


def test_a_payout_below_the_expected_cost_is_named() -> None:
    with pytest.raises(ValueError, match="payout of guest 1, offer 0 is 1, less than its expected cost 2"):
        solve_surely([[1.0], [1.0]], [[1.0], [2.0]], 5.0, payout=1.0)


def test_a_confidence_that_is_no_probability_is_refused() -> None:
    with pytest.raises(ValueError, match=r"confidence is 1\.5"):
        solve_surely([[1.0]], [[1.0]], 5.0, payout=1.0, confidence=1.5)


def test_an_array_for_each_offer_is_the_same_as_one_for_all() -> None:
    rng = np.random.default_rng(3)
    gain, cost = rng.uniform(1, 4, (500, 3)), rng.uniform(0.5, 1.5, (500, 3))
    rows = solve_surely(gain, cost, 200.0, payout=5.0)
    columns = solve_surely(tuple(gain.T.copy()), tuple(cost.T.copy()), 200.0, payout=5.0)
    assert rows.allocation.choice.tolist() == columns.allocation.choice.tolist()
    assert rows.chance == columns.chance


def test_a_budget_without_end_is_surely_kept() -> None:
    sure = solve_surely([[2.0], [3.0]], [[1.0], [1.0]], np.inf, payout=4.0)
    assert (sure.chance, sure.price_of_certainty) == (pytest.approx(1.0), 0.0)


def test_an_infinite_payout_is_named() -> None:
    with pytest.raises(
        ValueError, match="payout of guest 0, offer 0 is inf, no amount; give what one redemption costs"
    ):
        solve_surely([[1.0]], [[1.0]], 5.0, payout=np.inf)


def test_a_search_for_certainty_passes_over_budgets_within_which_other_limits_cannot_hold() -> None:
    """Within half of what was found at first, three guests cannot be reached; within a little more, four can, surely enough."""
    gain, cost = np.random.default_rng(0).uniform(1, 4, (30, 1)), np.full((30, 1), 1.0)
    least = Limit.at_least(3, consumption=1.0, name="guests")
    sure = solve_surely(gain, cost, 10.0, payout=4.0, confidence=0.9, limits=[least])
    assert sure.chance >= 0.9
    assert sure.allocation.contacts == 4
