"""The problem, laid out for the passes: matrices by guest, limits as rows, prices and totals as small tables."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from regulars.allocation.limits import IntArray, Limit

EPS = float(np.finfo(np.float64).eps)
RETURN = "return"
GAIN, COST, ONE, EXTRA = 0, 1, 2, 3

Guests = NDArray[np.int64]
"""Which guests, by number."""
Choice = NDArray[np.int16]
"""The offer of each guest, -1 for nothing, shape (n,)."""
Rows = NDArray[np.float64]
"""One number for each row of each limit."""
Table = NDArray[np.float64]
"""Weights or sums, shape (cells, k, 3 + m)."""


class Offered(NamedTuple):
    """What each offer would bring and take at each guest."""

    gain: Any
    """(n, k)"""
    cost: Any
    """(n, k)"""
    extra: Any
    """(n, k, m): other consumptions, m = 0 where no limit has its own."""
    cells: Any
    """(n, 1) or (n, k): guests, or guests and offers, that are in the same groups of all limits share a cell."""


class Rules(NamedTuple):
    """Which rows of the limits a choice consumes, and how much."""

    rows: Any
    """(limits, cells, k): -1 where the limit does not count it."""
    takes: Any
    """(limits, k, 3 + m): factors of gain, cost, one and extra."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """Maximise the gain of one offer for each guest under limits.

    rules: the row each choice consumes of each limit, and how much of it.
    amounts: what each row may consume, shape (rows,); limits one after the other, the return floor last.
    guard: what is kept back of each row so that the limit holds in whatever order floats are added, shape (rows,).
    free_gain: the gain if nothing were limited.
    is_cost_whole: whether every cost is a whole number, so that sums of costs are exact.
    """

    offered: Offered
    limits: tuple[Limit, ...]
    rules: Rules
    amounts: Rows
    guard: Rows
    free_gain: float
    is_cost_whole: bool
    min_roi: float | None

    @property
    def guests(self) -> int:
        return int(self.offered.gain.shape[0])

    @property
    def guard_share(self) -> float:
        """More than the share by which two sums of the same numbers, in different order, can differ in float64."""
        return 4 * EPS * self.guests

    @property
    def table_shape(self) -> tuple[int, int, int]:
        """(cells, k, 3 + m): the shape of weights and sums."""
        return (*self.rules.rows.shape[1:], self.rules.takes.shape[2])

    def used(self, sums: Table) -> Rows:
        """What each row consumes, given the totals over the chosen."""
        taken = np.einsum("ckr,lkr->lck", sums, self.rules.takes)
        totals: Rows = np.bincount((self.rules.rows + 1).ravel(), taken.ravel(), len(self.amounts) + 1).astype(
            np.float64
        )
        return totals[1:]

    def weights(self, prices: Rows) -> Table:
        """Factors of gain, cost, one and extra whose sum is an offer's gain less what it consumes at these prices."""
        price = np.concatenate([[0.0], prices])[self.rules.rows + 1]
        weights = -np.einsum("lck,lkr->ckr", price, self.rules.takes)
        weights[..., GAIN] += 1.0
        return np.ascontiguousarray(weights)

    def dual(self, prices: Rows, sums: Table) -> float:
        """The Lagrangian at the best response to these prices: no allocation can bring more (weak duality)."""
        return float(self._payment(prices) + np.vdot(self.weights(prices), sums))

    def rounding(self, prices: Rows, chain: int) -> float:
        """More than float64 can have lost in `dual`, where no sum ran over more than `chain` terms.

        A guest's best value is at most his best gain, and the parts of it at most twice that, so every error is a small
        multiple of eps times the free gain (Higham, Accuracy and Stability of Numerical Algorithms, 2002, eq. 4.4).
        """
        steepest = float(self.weights(prices)[..., GAIN].max(initial=1.0))
        terms = 16 + 4 * len(self.rules.takes) + self.table_shape[2] + chain
        return 2 * EPS * (terms * steepest * self.free_gain + len(prices) * self._payment(prices))

    def _payment(self, prices: Rows) -> float:
        return float(np.where(prices > 0, prices, 0.0) @ np.where(prices > 0, self.amounts, 0.0))

    def is_kept(self, left: Rows) -> bool:
        """Whether every limit is kept that has so much left, the guard taken off."""
        return bool((left >= -self.guard).all())

    def split(self, rows: Rows) -> dict[str, Rows]:
        """One value for each row, under the names of their limits."""
        parts = np.split(rows, np.cumsum([len(limit.amounts) for limit in self.limits]))
        named = {limit.name: part for limit, part in zip(self.limits, parts, strict=False)}
        return named if self.min_roi is None else named | {RETURN: parts[-1]}

    def take(self, guests: IntArray) -> "Problem":
        """The same limits over some of the guests, in float64 and C order, so that the kernels that follow need only one form."""
        gain, cost, extra, cells = (array[guests] for array in self.offered)
        gain, cost, extra = (np.ascontiguousarray(array, dtype=np.float64) for array in (gain, cost, extra))
        offered = Offered(gain, cost, extra, cells)
        return replace(self, offered=offered)

    def with_budget(self, amount: float) -> "tuple[Problem, int]":
        """The same problem under another total budget, and the row of that budget."""
        row = 0
        for limit in self.limits:
            if limit.is_total_budget:
                break
            row += len(limit.amounts)
        else:
            return self._with_new_budget(amount)
        amounts, guard = self.amounts.copy(), self.guard.copy()
        amounts[row] = amount
        guard[row] = self._cost_guard(amount)
        return replace(self, amounts=amounts, guard=guard), row

    def _with_new_budget(self, amount: float) -> "tuple[Problem, int]":
        row = len(self.amounts)
        take = np.zeros((1, *self.rules.takes.shape[1:]))
        take[..., COST] = 1.0
        everybody = np.full((1, *self.rules.rows.shape[1:]), row, np.int32)
        rules = Rules(np.concatenate([self.rules.rows, everybody]), np.concatenate([self.rules.takes, take]))
        guard = np.append(self.guard, self._cost_guard(amount))
        return replace(self, rules=rules, amounts=np.append(self.amounts, amount), guard=guard), row

    def _cost_guard(self, amount: float) -> float:
        return 0.0 if self.is_cost_whole or not np.isfinite(amount) else self.guard_share * amount
