"""The problem, laid out for the passes: matrices by guest, limits as rows, prices and totals as small tables."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from regulars.allocation.limits import IntArray, Limit

EPS = float(np.finfo(np.float64).eps)
GAIN, COST, ONE, EXTRA = 0, 1, 2, 3

Guests = NDArray[np.int64]
"""Which guests, by number."""
Choice = NDArray[np.int16]
"""The action of each guest, the number of actions standing for nothing, shape (n,)."""
Rows = NDArray[np.float64]
"""One number for each row of each limit."""
Table = NDArray[np.float64]
"""Weights or sums, shape (cells, k, resources)."""


class Offered(NamedTuple):
    """What each offer would bring and take at each guest."""

    gain: Any
    """(n, k), or a tuple of k arrays of shape (n,)"""
    cost: Any
    """as gain"""
    extra: Any
    """(n, k, m): other resources, m = 0 where there are none."""
    cells: Any
    """(n, 1) or (n, k): guests, or guests and offers, that are in the same groups of all limits share a cell."""


class Rules(NamedTuple):
    """What an action is, and which rows of the limits it takes how much of."""

    rows: Any
    """(limits, cells, k): -1 where the limit does not count it."""
    takes: Any
    """(rows, k, resources): what each row takes of gain, cost, one and extra."""
    actions: Any
    """(actions, most): the offers of each action, -1 where it has fewer."""
    bars: Any
    """(cells, actions + 1): -inf where an action, or at last nothing, is out of the question, else 0."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """Maximise the worth of one action for each guest under limits.

    aim: what a unit of each resource is worth: 1 for gain, less the price of a contact, less caution.
    amounts: what each row may take, shape (rows,); limits one after the other.
    guard: what is kept back of each row so that the limit holds in whatever order floats are added, shape (rows,).
    free_worth: the worth if nothing were limited.
    """

    offered: Offered
    limits: tuple[Limit, ...]
    rules: Rules
    aim: NDArray[np.float64]
    amounts: Rows
    guard: Rows
    free_worth: float
    is_cost_whole: bool

    @property
    def guests(self) -> int:
        return len(self.offered.cells)

    @property
    def offers(self) -> int:
        return int(self.rules.rows.shape[2])

    @property
    def nothing(self) -> int:
        """The number of the action that gives nothing."""
        return len(self.rules.actions)

    @property
    def is_single(self) -> bool:
        """Whether each guest gets one offer at most, so that actions are offers."""
        return bool(self.rules.actions.shape[1] == 1)

    @property
    def holds(self) -> NDArray[np.bool_]:
        """Which offers each action has, shape (actions, k)."""
        return held(self.rules.actions, self.offers)

    @property
    def table_shape(self) -> tuple[int, int, int]:
        """(cells, k, resources): the shape of weights and sums."""
        return (*self.rules.rows.shape[1:], self.rules.takes.shape[2])

    @property
    def is_least(self) -> NDArray[np.bool_]:
        """Rows of what must be reached at least, shape (rows,)."""
        return self._is_kind("least")

    def _is_kind(self, kind: str) -> NDArray[np.bool_]:
        kinds = [np.full(len(limit.amounts), limit.kind == kind) for limit in self.limits]
        return np.concatenate([np.zeros(0, np.bool_), *kinds])

    def name(self, row: int) -> str:
        """What reports call one row."""
        for limit in self.limits:
            if row < len(limit.amounts):
                return repr(limit.label(row))
            row -= len(limit.amounts)
        raise IndexError(row)

    def used(self, sums: Table) -> Rows:
        """What each row takes, given the totals over the chosen."""
        return self._total(sums, self.rules.takes)

    def counts(self, sums: Table) -> NDArray[np.float64]:
        """What each row takes, and the gain and the cost that it counts, shape (3, rows)."""
        return np.stack(
            [self.used(sums), *(self._total(sums, self._unit_takes(resource)) for resource in (GAIN, COST))]
        )

    def reached(self, counts: NDArray[np.float64]) -> Rows:
        """What is taken in the unit of the amounts: what must be reached counts above 0, and a return is gain per cost."""
        used, gain, cost = counts
        returns = np.divide(gain, cost, out=np.full_like(gain, np.inf), where=cost > 0)
        reached = np.where(self.is_least, -used, used) + 0.0
        return np.asarray(np.where(self._is_kind("returns"), returns, reached))

    def by_row(self, table: NDArray[np.float64]) -> Rows:
        """The entries, shape (cells, k), that each row counts, added up."""
        rows, total = self.rules.rows, np.zeros(len(self.amounts))
        np.add.at(total, rows[rows >= 0], np.broadcast_to(table, rows.shape)[rows >= 0])
        return total

    def _unit_takes(self, resource: int) -> Table:
        takes: Table = np.zeros_like(self.rules.takes)
        takes[..., resource] = 1.0
        return takes

    def _total(self, sums: Table, takes: Table) -> Rows:
        total = np.zeros(len(self.amounts))
        add_rows(self.rules.rows, takes, np.ascontiguousarray(sums), total)
        return total

    def weights(self, prices: Rows) -> Table:
        """Factors of the resources whose sum is an offer's worth less what it takes at these prices."""
        weights = np.empty(self.table_shape)
        weigh(self.rules.rows, self.rules.takes, self.aim, prices, weights)
        return weights

    def dual(self, prices: Rows, sums: Table) -> float:
        """The Lagrangian at the best response to these prices: no allocation can bring more (weak duality)."""
        return float(self._payment(prices) + np.vdot(self.weights(prices), sums))

    def rounding(self, prices: Rows, chain: int, precision: float) -> float:
        """More than rounding can have lost in `dual`, where no sum ran over more than `chain` terms.

        The parts of a guest's best value are at most a few times their best worth, so every error is a small multiple of eps
        times the free worth (Higham, Accuracy and Stability of Numerical Algorithms, 2002, eq. 4.4). Where values are compared
        in less than float64, of that `precision`, what is picked can be short of the best by the errors of two values, each
        at most three roundings and that of the price.
        """
        steepest = float(np.abs(self.weights(prices)[..., GAIN]).max(initial=1.0))
        terms = 16 + 4 * len(self.rules.rows) + self.table_shape[2] + chain
        payment = float(np.abs(np.where(prices > 0, prices, 0.0) * np.where(prices > 0, self.amounts, 0.0)).sum())
        gains = self.free_worth + self.guests * float(np.abs(self.aim[ONE:]).sum())
        return (
            2 * EPS * (terms * (steepest * self.free_worth + payment) + len(prices) * payment)
            + 4 * precision * steepest * gains
        )

    def _payment(self, prices: Rows) -> float:
        return float(np.where(prices > 0, prices, 0.0) @ np.where(prices > 0, self.amounts, 0.0))

    def is_kept(self, left: Rows) -> bool:
        """Whether every limit is kept that has so much left, the guard taken off."""
        return bool((left >= -self.guard).all())

    @property
    def rows_by_limit(self) -> dict[str, slice]:
        """Where the rows of each limit are, under its name."""
        ends = np.cumsum([len(limit.amounts) for limit in self.limits]).tolist()
        return {limit.name: slice(end - len(limit.amounts), end) for limit, end in zip(self.limits, ends, strict=True)}

    def split(self, rows: Rows) -> dict[str, Rows]:
        """One value for each row, under the names of their limits."""
        return {name: rows[own] for name, own in self.rows_by_limit.items()}

    def joined(self, parts: Mapping[str, Rows]) -> Rows:
        """The values of each limit as one for each row; the other way round."""
        return np.concatenate([[], *(parts[limit.name] for limit in self.limits)])

    def offers_of(self, choice: Choice) -> Choice:
        """Actions as offers, -1 for nothing: shape (n,), or (n, most) where an action is a set of offers."""
        if self.is_single:
            choice[choice == self.nothing] = -1
            return choice
        none = np.full((1, self.rules.actions.shape[1]), -1, np.int16)
        return np.concatenate([self.rules.actions, none])[choice]

    def actions_of(self, choice: Choice) -> Choice:
        """Offers, -1 for nothing, as actions; the other way round."""
        if self.is_single:
            return np.where(choice < 0, self.nothing, choice).astype(np.int16)
        known = {tuple(some): action for action, some in enumerate(self.rules.actions.tolist())}
        return np.array([known.get(tuple(some), self.nothing) for some in choice.tolist()], np.int16)

    def take(self, guests: IntArray) -> "Problem":
        """The same limits over some of the guests, in float64 and C order, so that the kernels that follow need only one form."""
        offered = self.offered
        gain, cost = rows_of(offered.gain, guests), rows_of(offered.cost, guests)
        extra = np.ascontiguousarray(_taken(offered.extra, guests), dtype=np.float64)
        return replace(self, offered=Offered(gain, cost, extra, np.ascontiguousarray(_taken(offered.cells, guests))))

    def with_amount(self, row: int, amount: float) -> "Problem":
        """The same problem with another amount of one row."""
        amounts, guard = self.amounts.copy(), self.guard.copy()
        amounts[row] = amount
        guard[row] = 0.0 if self.is_cost_whole or not np.isfinite(amount) else guard_share(self.guests) * abs(amount)
        return replace(self, amounts=amounts, guard=guard)

    def budget_row(self) -> int | None:
        """The row of the total budget, None where there is none."""
        firsts = np.cumsum([0, *(len(limit.amounts) for limit in self.limits)])
        return next(
            (int(first) for first, limit in zip(firsts, self.limits, strict=False) if limit.is_total_budget), None
        )


@numba.njit(cache=True, nogil=True)
def weigh(rows: Any, takes: Any, aim: Any, prices: Rows, weights: Table) -> None:
    for c in range(weights.shape[0]):
        for j in range(weights.shape[1]):
            weights[c, j] = aim
            for limit in range(len(rows)):
                row = rows[limit, c, j]
                if row >= 0:
                    for r in range(weights.shape[2]):
                        weights[c, j, r] -= prices[row] * takes[row, j, r]


@numba.njit(cache=True, nogil=True)
def add_rows(rows: Any, takes: Any, sums: Table, total: Rows) -> None:
    for limit in range(len(rows)):
        for c in range(sums.shape[0]):
            for j in range(sums.shape[1]):
                row = rows[limit, c, j]
                if row >= 0:
                    for r in range(sums.shape[2]):
                        total[row] += takes[row, j, r] * sums[c, j, r]


def held(actions: NDArray[np.int16], offers: int) -> NDArray[np.bool_]:
    """Which offers each action has, shape (actions, k)."""
    return np.asarray((actions[:, :, None] == np.arange(offers)).any(axis=1))


def rows_of(matrix: Any, guests: IntArray) -> NDArray[np.float64]:
    """The rows of these guests, whether the matrix is one array or one for each offer."""
    if isinstance(matrix, tuple):
        return np.stack([_taken(column, guests).astype(np.float64, copy=False) for column in matrix], axis=1)
    return np.ascontiguousarray(_taken(matrix, guests), dtype=np.float64)


def _taken(array: Any, guests: IntArray) -> Any:
    """Three times as fast as an index where rows lie one after the other; where they do not, all of them would be copied."""
    return array.take(guests, axis=0) if array.flags.c_contiguous else array[guests]


def guard_share(guests: int) -> float:
    """More than the share by which two sums of the same numbers, in different order, can differ in float64."""
    return 4 * EPS * guests
