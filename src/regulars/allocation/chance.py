"""Chance: budgets that hold with a probability, since what offers cost is only known when they are redeemed.

An offer that pays out v when it is redeemed, with expected cost c, is redeemed with probability c / v, and its cost has the
variance c (v - c). Guests decide on their own, so the spend of many is about normal, and it stays within a budget B with
probability 1 - alpha where

    sum of c  +  z sqrt(sum of c (v - c))  <=  B,      z the 1 - alpha quantile.

The root is concave, so its tangent at a variance V lies above it: sum of c + z c (v - c) / (2 sqrt V) <= B - z sqrt(V) / 2
keeps the budget too, is linear, and is exact where V is the variance of the answer, which a few rounds find. Where few guests
redeem, the chance is worked out exactly instead, by the distribution of the sum, and the budget is tuned until it holds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.allocation.allocation import Allocation, Columns, solve
from regulars.allocation.limits import Limit
from regulars.allocation.matrices import as_array, as_matrices
from regulars.errors import BudgetError

ROUNDS, STEADY = 6, 1e-4
FEW, MOST_STEPS, TUNINGS = 2000, 1 << 20, 16

FloatArray = NDArray[np.float64]
Within = Callable[[float, float], Allocation]
"""The best allocation within an amount where cost counts more by so much of its variance."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sure:
    """An allocation whose spend stays within the budget with at least the probability asked for.

    expected: what would be allocated if the budget had to hold in expectation only. chance: that the spend stays within the
    budget, by the exact distribution where `is_exact`. spread: the standard deviation of the spend.
    """

    allocation: Allocation
    expected: Allocation
    chance: float
    spread: float
    is_exact: bool

    @property
    def price_of_certainty(self) -> float:
        """What is given up against the budget that holds in expectation only."""
        return self.expected.worth - self.allocation.worth


def solve_surely(
    gain: ArrayLike | Columns,
    cost: ArrayLike | Columns,
    budget: float,
    *,
    payout: ArrayLike,
    confidence: float = 0.95,
    limits: Sequence[Limit] = (),
    **options: Any,
) -> Sure:
    """As `solve` with a total budget that the spend exceeds with a probability of at most 1 - confidence.

    payout: what one redemption costs, broadcasting to (n, k), at least the expected cost. Other limits hold in expectation.

    >>> gain, cost = np.full((400, 1), 3.0), np.full((400, 1), 1.0)
    >>> sure = solve_surely(gain, cost, 200.0, payout=5.0, confidence=0.9)
    >>> sure.allocation.spend < sure.expected.spend == 200.0, sure.chance >= 0.9
    (True, True)
    """
    if not 0.5 <= confidence < 1:
        raise ValueError(f"confidence is {confidence}; give a probability from 0.5 to below 1, such as 0.95")
    spend = Spend.of(gain, cost, payout, budget)

    def within(amount: float, slope: float) -> Allocation:
        consumption = spend.costs + slope * spend.variance
        total = Limit.total(max(0.0, amount), consumption=consumption, name="total, surely")
        return solve(gain, cost, [total, *limits], **options)

    expected = solve(gain, cost, [Limit.total(budget), *limits], **options)
    found = _by_tangents(within, expected, spend, NormalDist().inv_cdf(confidence))
    sure = _tuned(within, found, spend, confidence)
    chance, is_exact = spend.chance(sure)
    return Sure(allocation=sure, expected=expected, chance=chance, spread=spend.spread(sure), is_exact=is_exact)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spend:
    """What redemptions cost at random. costs: expected, pays: of one redemption, variance: of the cost, shape (n, k)."""

    budget: float
    costs: FloatArray
    pays: FloatArray
    variance: FloatArray

    @classmethod
    def of(cls, gain: Any, cost: Any, payout: ArrayLike, budget: float) -> "Spend":
        """Raises ValueError naming a guest whose payout cannot be."""
        costs = np.asarray(as_array(as_matrices(gain, cost)[1]), dtype=np.float64)
        pays = np.broadcast_to(np.asarray(payout, dtype=np.float64), costs.shape)
        if (bad := np.isfinite(costs) & ~((pays >= costs) & np.isfinite(pays))).any():
            guest, offer = np.argwhere(bad)[0]
            pay, cost = pays[guest, offer], costs[guest, offer]
            why = f"less than its expected cost {cost:g}" if pay < cost else "no amount"
            raise ValueError(
                f"payout of guest {guest}, offer {offer} is {pay:g}, {why}; give what one redemption costs, at least {cost:g}"
            )
        return cls(budget=budget, costs=costs, pays=pays, variance=costs * (pays - costs))

    def spread(self, allocation: Allocation) -> float:
        """The standard deviation of the spend."""
        return float(np.sqrt(_chosen(allocation, self.variance).sum()))

    def chance(self, allocation: Allocation) -> tuple[float, bool]:
        """The probability that the spend stays within the budget, and whether it is exact."""
        cost, pay = _chosen(allocation, self.costs), _chosen(allocation, self.pays)
        cost, pay = cost[pay > 0], pay[pay > 0]
        if len(pay) <= FEW and pay.sum() < MOST_STEPS and (pay == np.floor(pay)).all():
            most = int(min(self.budget, pay.sum()))
            return float(_distribution(cost / pay, pay.astype(np.int64))[: most + 1].sum()), True
        spread = self.spread(allocation)
        return (NormalDist(float(cost.sum()), spread).cdf(self.budget) if spread > 0 else 1.0), False


def _by_tangents(within: Within, expected: Allocation, spend: Spend, z: float) -> Allocation:
    """The allocation where tangent and root touch; every round keeps the budget, the best is kept."""
    spread, best = spend.spread(expected), None
    for _ in range(ROUNDS):
        if spread <= 0:
            return expected if best is None else best
        found = within(spend.budget - z * spread / 2, z / (2 * spread))
        best = found if best is None or found.worth > best.worth else best
        before, spread = spread, spend.spread(found)
        if abs(spread - before) <= STEADY * before:
            break
    assert best is not None
    return best


def _tuned(within: Within, found: Allocation, spend: Spend, confidence: float) -> Allocation:
    """Where the exact chance can be worked out: the largest expected spend at which it is what was asked for."""
    chance, is_exact = spend.chance(found)
    if not is_exact:
        return found
    best, low, high = (found, found.spend, spend.budget) if chance >= confidence else (None, 0.0, found.spend)
    for _ in range(TUNINGS):
        middle = (low + high) / 2
        tried = _tried(within, middle)
        if tried is None or spend.chance(tried)[0] >= confidence:
            low = middle
            best = tried if best is None or (tried is not None and tried.worth > best.worth) else best
        else:
            high = middle
    return within(0.0, 0.0) if best is None else best


def _tried(within: Within, amount: float) -> Allocation | None:
    """None where other limits cannot hold within so little."""
    try:
        return within(amount, 0.0)
    except BudgetError:
        return None


def _distribution(probability: FloatArray, pay: NDArray[np.int64]) -> FloatArray:
    """The distribution of the sum of independent payments, one entry for each unit from 0 on."""
    unit = int(np.gcd.reduce(pay)) if len(pay) else 1
    steps = pay // unit
    chances = np.zeros(int(steps.sum()) + 1)
    chances[0], reached = 1.0, 0
    for p, step in zip(probability, steps, strict=True):
        reached += int(step)
        chances[step : reached + 1] = (1 - p) * chances[step : reached + 1] + p * chances[: reached + 1 - step]
        chances[:step] *= 1 - p
    spread = np.zeros((len(chances) - 1) * unit + 1)
    spread[::unit] = chances
    return spread


def _chosen(allocation: Allocation, table: FloatArray) -> FloatArray:
    """The entries of a table, shape (n, k), at the offers given."""
    choice = allocation.choice.reshape(len(table), -1)
    guest, place = np.nonzero(choice >= 0)
    return np.asarray(table[guest, choice[guest, place]])
