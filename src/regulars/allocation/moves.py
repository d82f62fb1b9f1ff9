"""Moves: the compiled loops that change one guest's action after the other, for problems small enough to be gone over again.

left      (rows,)   what each row of each limit has left; below 0 where it is broken
choice    (n,)      the action of each guest, the number of actions standing for nothing
loss      by how much a move lowers the value at the prices
"""

from typing import Any

import numba
import numpy as np

from regulars.allocation.problem import Choice, Guests, Offered, Rows, Rules, Table

BEYOND = np.inf


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
def use(offered: Offered, rules: Rules, row: int, i: int, j: int) -> float:
    """What one row takes of offer j at guest i."""
    takes = rules.takes
    taken = takes[row, j, 0] * offered.gain[i, j] + takes[row, j, 1] * offered.cost[i, j] + takes[row, j, 2]
    for e in range(offered.extra.shape[2]):
        taken += takes[row, j, 3 + e] * offered.extra[i, j, e]
    return taken  # type: ignore[no-any-return]


@numba.njit(cache=True, nogil=True, inline="always")
def differ(offered: Offered, rules: Rules, i: int, old: int, new: int, row: Any, more: Any) -> int:
    """Which rows a move from `old` to `new` touches and how much more it takes of each; returns how many it touches."""
    pair = 1 if offered.cells.shape[1] > 1 else 0
    touched = 0
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
                while place < touched and row[place] != at:
                    place += 1
                if place == touched:
                    row[place], more[place] = at, 0.0
                    touched += 1
                more[place] += use(offered, rules, at, i, j) * (1.0 if is_new else -1.0)
    return touched


@numba.njit(cache=True, nogil=True)
def scratch(rules: Rules) -> Any:
    """Room for the rows that one move can touch."""
    most = 2 * rules.rows.shape[0] * rules.actions.shape[1]
    return np.empty(most, np.int64), np.empty(most)


@numba.njit(cache=True, nogil=True)
def fits(left: Rows, row: Any, more: Any, touched: int) -> bool:
    """Whether no limit ends broken that was kept, and no broken one gets worse."""
    for at in range(touched):  # noqa: SIM110
        if more[at] > 0.0 and left[row[at]] - more[at] < 0.0:
            return False
    return True


@numba.njit(cache=True, nogil=True)
def _mends(left: Rows, row: Any, more: Any, touched: int, is_wanted: Any) -> bool:
    for at in range(touched):  # noqa: SIM110
        if left[row[at]] < 0.0 and more[at] < 0.0 and is_wanted[row[at]]:
            return True
    return False


@numba.njit(cache=True, nogil=True)
def _spoils(left: Rows, row: Any, more: Any, touched: int, is_wanted: Any) -> bool:
    for at in range(touched):  # noqa: SIM110
        if more[at] > 0.0 and left[row[at]] - more[at] < 0.0 and is_wanted[row[at]]:
            return True
    return False


@numba.njit(cache=True, nogil=True)
def alternatives(
    offered: Offered, rules: Rules, weights: Table, choice: Choice, near: float, at: Guests, action: Choice, loss: Any
) -> int:
    """List every other action of each guest that loses less than `near`; returns how many."""
    listed = 0
    for i in range(len(choice)):
        now = value_of(offered, rules, weights, i, choice[i])
        for a in range(len(rules.actions) + 1):
            value = value_of(offered, rules, weights, i, a)
            if a != choice[i] and now - value < near and value > -np.inf:
                at[listed], action[listed], loss[listed] = i, a, now - value
                listed += 1
    return listed


@numba.njit(cache=True, nogil=True)
def relieve(
    offered: Offered, rules: Rules, left: Rows, guests: Guests, action: Choice, choice: Choice, is_wanted: Any
) -> None:
    """In the order given, make the moves that relieve a broken row, of those wanted, and break no other of them."""
    row, more = scratch(rules)
    for at in range(len(guests)):
        i = guests[at]
        touched = differ(offered, rules, i, choice[i], action[at], row, more)
        if _mends(left, row, more, touched, is_wanted) and not _spoils(left, row, more, touched, is_wanted):
            for t in range(touched):
                left[row[t]] -= more[t]
            choice[i] = action[at]


@numba.njit(cache=True, nogil=True)
def upgrades(
    offered: Offered, rules: Rules, weights: Table, aims: Table, choice: Choice, loss: Any, action: Choice
) -> None:
    """For each guest the move that brings more worth and loses least at the prices; loss inf where there is none."""
    for i in range(len(choice)):
        worth = value_of(offered, rules, aims, i, choice[i])
        now = value_of(offered, rules, weights, i, choice[i])
        loss[i], action[i] = BEYOND, choice[i]
        for a in range(len(rules.actions) + 1):
            if value_of(offered, rules, aims, i, a) > worth:
                lost = now - value_of(offered, rules, weights, i, a)
                if lost < loss[i]:
                    loss[i], action[i] = lost, a


@numba.njit(cache=True, nogil=True)
def upgrade(
    offered: Offered, rules: Rules, aims: Table, left: Rows, guests: Guests, action: Choice, choice: Choice
) -> int:
    """In the order given, make each move that fits and brings more worth; returns how many were made."""
    row, more = scratch(rules)
    made = 0
    for at in range(len(guests)):
        i, new = guests[at], action[at]
        if new == choice[i] or value_of(offered, rules, aims, i, new) <= value_of(offered, rules, aims, i, choice[i]):
            continue
        touched = differ(offered, rules, i, choice[i], new, row, more)
        if fits(left, row, more, touched):
            for t in range(touched):
                left[row[t]] -= more[t]
            choice[i] = new
            made += 1
    return made


@numba.njit(cache=True, nogil=True)
def best_fits(offered: Offered, rules: Rules, aims: Table, left: Rows, choice: Choice, best: Any) -> int:
    """One round of the single move of most worth in each cell that fits what is left; returns how many were made.

    best: scratch of shape (cells, 3): worth, guest, action.
    """
    row, more = scratch(rules)
    best[:, 0] = 0.0
    for i in range(len(choice)):
        c = offered.cells[i, 0]
        worth = value_of(offered, rules, aims, i, choice[i])
        for a in range(len(rules.actions) + 1):
            brought = value_of(offered, rules, aims, i, a) - worth
            if brought > best[c, 0] and fits(left, row, more, differ(offered, rules, i, choice[i], a, row, more)):
                best[c, 0], best[c, 1], best[c, 2] = brought, i, a
    made = 0
    for c in range(len(best)):
        i, a = int(best[c, 1]), int(best[c, 2])
        if best[c, 0] > 0.0 and fits(left, row, more, differ(offered, rules, i, choice[i], a, row, more)):
            for t in range(differ(offered, rules, i, choice[i], a, row, more)):
                left[row[t]] -= more[t]
            choice[i] = a
            made += 1
    return made


@numba.njit(cache=True, nogil=True)
def place(offered: Offered, rules: Rules, weights: Table, left: Rows, choice: Choice) -> None:
    """Guest after guest, let each take the action of highest value that still fits."""
    row, more = scratch(rules)
    for i in range(len(choice)):
        best, pick = value_of(offered, rules, weights, i, choice[i]), choice[i]
        for a in range(len(rules.actions)):
            value = value_of(offered, rules, weights, i, a)
            if value > best and fits(left, row, more, differ(offered, rules, i, choice[i], a, row, more)):
                best, pick = value, a
        for t in range(differ(offered, rules, i, choice[i], pick, row, more)):
            left[row[t]] -= more[t]
        choice[i] = pick
