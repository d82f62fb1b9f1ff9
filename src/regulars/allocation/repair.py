"""Repair: the compiled loops that move one guest after the other, until limits are kept and what is left is used.

left      (rows,)   what each row of each limit has left; below 0 where it is broken
choice    (n,)      the action of each guest, the number of actions standing for nothing
loss      by how much a move lowers the value at the prices
"""

from typing import Any

import numba
import numpy as np

from regulars.allocation.moves import Touched, differ, fits, make, room, value_of
from regulars.allocation.problem import Choice, Guests, Offered, Rows, Rules, Table


@numba.njit(cache=True, nogil=True)
def _mends(left: Rows, touched: Touched, found: int, is_wanted: Any) -> bool:
    for at in range(found):
        row = touched.row[at]
        if left[row] < 0.0 and touched.more[at] < 0.0 and is_wanted[row]:
            return True
    return False


@numba.njit(cache=True, nogil=True)
def _spoils(left: Rows, touched: Touched, found: int, is_wanted: Any) -> bool:
    for at in range(found):
        row = touched.row[at]
        if touched.more[at] > 0.0 and left[row] - touched.more[at] < 0.0 and is_wanted[row]:
            return True
    return False


@numba.njit(cache=True, nogil=True)
def _move_if_it_fits(
    offered: Offered, rules: Rules, left: Rows, choice: Choice, i: int, a: int, touched: Touched
) -> int:
    """Returns how many moves were made, 1 or none."""
    found = differ(offered, rules, i, choice[i], a, touched)
    if not fits(left, touched, found):
        return 0
    make(left, touched, found)
    choice[i] = a
    return 1


@numba.njit(cache=True, nogil=True)
def alternatives(
    offered: Offered, rules: Rules, weights: Table, choice: Choice, at: Guests, action: Choice, loss: Any
) -> int:
    """List every other action of each guest that is not barred, and what it loses; returns how many."""
    listed = 0
    for i in range(len(choice)):
        now = value_of(offered, rules, weights, i, choice[i])
        for a in range(len(rules.actions) + 1):
            value = value_of(offered, rules, weights, i, a)
            if a != choice[i] and value > -np.inf:
                at[listed], action[listed], loss[listed] = i, a, now - value
                listed += 1
    return listed


@numba.njit(cache=True, nogil=True)
def relieve(
    offered: Offered, rules: Rules, left: Rows, guests: Guests, action: Choice, choice: Choice, is_wanted: Any
) -> None:
    """In the order given, make the moves that relieve a broken row, of those wanted, and break no other of them."""
    touched = room(rules)
    for at in range(len(guests)):
        i = guests[at]
        found = differ(offered, rules, i, choice[i], action[at], touched)
        if _mends(left, touched, found, is_wanted) and not _spoils(left, touched, found, is_wanted):
            make(left, touched, found)
            choice[i] = action[at]


@numba.njit(cache=True, nogil=True)
def upgrades(
    offered: Offered, rules: Rules, weights: Table, aims: Table, choice: Choice, loss: Any, action: Choice
) -> None:
    """For each guest the move that brings more worth and loses least at the prices; loss inf where there is none."""
    for i in range(len(choice)):
        worth = value_of(offered, rules, aims, i, choice[i])
        now = value_of(offered, rules, weights, i, choice[i])
        loss[i], action[i] = np.inf, choice[i]
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
    touched = room(rules)
    made = 0
    for at in range(len(guests)):
        i, new = guests[at], action[at]
        if new == choice[i] or value_of(offered, rules, aims, i, new) <= value_of(offered, rules, aims, i, choice[i]):
            continue
        made += _move_if_it_fits(offered, rules, left, choice, i, new, touched)
    return made


@numba.njit(cache=True, nogil=True)
def best_fits(offered: Offered, rules: Rules, aims: Table, left: Rows, choice: Choice, best: Any) -> int:
    """One round of the single move of most worth in each cell that fits what is left; returns how many were made.

    best: scratch of shape (cells, 3): worth, guest, action.
    """
    touched = room(rules)
    best[:, 0] = 0.0
    for i in range(len(choice)):
        c = offered.cells[i, 0]
        worth = value_of(offered, rules, aims, i, choice[i])
        for a in range(len(rules.actions) + 1):
            brought = value_of(offered, rules, aims, i, a) - worth
            if brought > best[c, 0] and fits(left, touched, differ(offered, rules, i, choice[i], a, touched)):
                best[c, 0], best[c, 1], best[c, 2] = brought, i, a
    made = 0
    for c in range(len(best)):
        if best[c, 0] > 0.0:
            made += _move_if_it_fits(offered, rules, left, choice, int(best[c, 1]), int(best[c, 2]), touched)
    return made


@numba.njit(cache=True, nogil=True)
def place(offered: Offered, rules: Rules, weights: Table, left: Rows, choice: Choice) -> None:
    """Guest after guest, let each take the action of highest value that still fits."""
    touched = room(rules)
    for i in range(len(choice)):
        best, pick = value_of(offered, rules, weights, i, choice[i]), choice[i]
        for a in range(len(rules.actions)):
            value = value_of(offered, rules, weights, i, a)
            if value > best and fits(left, touched, differ(offered, rules, i, choice[i], a, touched)):
                best, pick = value, a
        make(left, touched, differ(offered, rules, i, choice[i], pick, touched))
        choice[i] = pick
