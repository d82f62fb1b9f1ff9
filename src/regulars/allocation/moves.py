"""Moves: one guest from one action to another, what it is worth and what it takes; compiled, for loops over few guests.

left      (rows,)   what each row of each limit has left; below 0 where it is broken
choice    (n,)      the action of each guest, the number of actions standing for nothing
"""

from typing import Any, NamedTuple

import numba
import numpy as np

from regulars.allocation.problem import Offered, Rows, Rules, Table


class Touched(NamedTuple):
    """Room for the rows that one move touches, and how much more it takes of each."""

    row: Any
    more: Any


@numba.njit(cache=True, nogil=True)
def room(rules: Rules) -> Touched:
    """As much as any move can need."""
    most = 2 * rules.rows.shape[0] * rules.actions.shape[1]
    return Touched(np.empty(most, np.int64), np.empty(most))


@numba.njit(cache=True, nogil=True)
def value_of(offered: Offered, rules: Rules, weights: Table, i: int, a: int) -> float:
    """What action a is worth at guest i: the sum over its offers, -inf if it is barred."""
    pair = 1 if offered.cells.shape[1] > 1 else 0
    value = rules.bars[offered.cells[i, 0], a]
    if a < len(rules.actions):
        for s in range(rules.actions.shape[1]):
            j = rules.actions[a, s]
            if j >= 0:
                c = offered.cells[i, j * pair]
                value += (
                    weights[c, j, 0] * offered.gain[i, j] + weights[c, j, 1] * offered.cost[i, j] + weights[c, j, 2]
                )
                for e in range(offered.extra.shape[2]):
                    value += weights[c, j, 3 + e] * offered.extra[i, j, e]
    return value  # type: ignore[no-any-return]


@numba.njit(cache=True, nogil=True, inline="always")
def count(offered: Offered, i: int, j: int, share: float, sums: Table) -> None:
    """Count a share of offer j at guest i in the totals."""
    c = offered.cells[i, j if offered.cells.shape[1] > 1 else 0]
    sums[c, j, 0] += share * offered.gain[i, j]
    sums[c, j, 1] += share * offered.cost[i, j]
    sums[c, j, 2] += share
    for e in range(offered.extra.shape[2]):
        sums[c, j, 3 + e] += share * offered.extra[i, j, e]


@numba.njit(cache=True, nogil=True, inline="always")
def _use(offered: Offered, rules: Rules, row: int, i: int, j: int) -> float:
    """What one row takes of offer j at guest i."""
    takes = rules.takes
    taken = takes[row, j, 0] * offered.gain[i, j] + takes[row, j, 1] * offered.cost[i, j] + takes[row, j, 2]
    for e in range(offered.extra.shape[2]):
        taken += takes[row, j, 3 + e] * offered.extra[i, j, e]
    return taken  # type: ignore[no-any-return]


@numba.njit(cache=True, nogil=True, inline="always")
def differ(offered: Offered, rules: Rules, i: int, old: int, new: int, touched: Touched) -> int:
    """Which rows a move from `old` to `new` touches and how much more it takes of each; returns how many it touches."""
    row, more = touched
    pair = 1 if offered.cells.shape[1] > 1 else 0
    found = 0
    for is_new in range(2):
        a = new if is_new else old
        if a >= len(rules.actions):
            continue
        for s in range(rules.actions.shape[1]):
            j = rules.actions[a, s]
            for limit in range(rules.rows.shape[0] if j >= 0 else 0):
                at = rules.rows[limit, offered.cells[i, j * pair], j]
                if at < 0:
                    continue
                place = 0
                while place < found and row[place] != at:
                    place += 1
                if place == found:
                    row[place], more[place] = at, 0.0
                    found += 1
                more[place] += _use(offered, rules, at, i, j) * (1.0 if is_new else -1.0)
    return found


@numba.njit(cache=True, nogil=True)
def fits(left: Rows, touched: Touched, found: int) -> bool:
    """Whether no limit ends broken that was kept, and no broken one gets worse."""
    for at in range(found):  # noqa: SIM110
        if touched.more[at] > 0.0 and left[touched.row[at]] - touched.more[at] < 0.0:
            return False
    return True


@numba.njit(cache=True, nogil=True)
def make(left: Rows, touched: Touched, found: int) -> None:
    """Make the move: take what it takes from what is left."""
    for at in range(found):
        left[touched.row[at]] -= touched.more[at]
