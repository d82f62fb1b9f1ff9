"""Search: what prices cannot decide when guests are few.

A choice at the prices loses, against the dual, each guest's regret (their best value less the value of what they get)
and the price of all that is left over. So an allocation that beats the one at hand has regrets below the gap, and a
depth-first search over a few guests that stops there is short. Where they are not all guests, neighbourhoods of
guests are searched one after the other, close calls more often (large neighbourhood search: Shaw 1998).
"""

from collections.abc import Iterator
from typing import Any

import numba
import numpy as np

from regulars.allocation.limits import FloatArray
from regulars.allocation.moves import differ, scratch, value_of
from regulars.allocation.passes import Passes
from regulars.allocation.problem import Choice, Guests, Offered, Problem, Rows, Rules, Table

FEW, MANY, TOGETHER = 1 << 16, 64, 24
GOOD_ENOUGH = 1e-4
NODES, ALL_NODES = 20_000, 6_000_000
NEIGHBOURHOODS, ROUNDS = 64, 4


def improve(problem: Problem, prices: Rows, choice: Choice, *, seed: int) -> Choice:
    """Search around `choice`, which keeps the limits, and change it where something better is found."""
    if problem.guests > FEW or not problem.guests or problem.nothing > MANY:
        return choice
    sums = Passes(problem).add_up(choice)
    left = problem.amounts - problem.guard - problem.used(sums)
    offered, rules, priced = problem.offered, problem.rules, np.where(prices > 0, prices, 0.0)
    regrets, actions = _options(offered, rules, problem.weights(prices))
    aims = problem.weights(np.zeros_like(prices))
    regret = regrets[np.arange(problem.guests), np.argmax(actions == choice[:, None], axis=1)]
    gap = float(regret.sum() + priced @ np.where(prices > 0, left, 0.0))
    enough = GOOD_ENOUGH * abs(float((sums @ problem.aim).sum()))
    only_takes = (rules.takes >= 0).all(axis=(1, 2))
    floors = np.minimum(left, np.where(only_takes, 0.0, -1.01 * problem.guard))
    nodes = ALL_NODES if problem.guests <= TOGETHER else NODES
    closeness = 1e-9 + 1.0 / (1e-9 + regrets[:, 1] + gap / problem.guests)
    for some in _neighbourhoods(problem, closeness, np.random.default_rng(seed)):
        some = some[np.argsort(-regrets[some, 1], kind="stable")]
        rows = np.unique(rules.rows[:, offered.cells[some], np.arange(problem.offers)])
        rows = rows[(rows >= 0) & (priced[rows] > 0)]
        most = float(regret[some].sum() + priced[rows] @ left[rows])
        gap -= _search(
            offered, rules, aims, some, regrets, actions, regret, left, choice, floors, only_takes, most, nodes
        )
        if gap <= enough:
            break
    return choice


def _neighbourhoods(problem: Problem, closeness: FloatArray, rng: np.random.Generator) -> Iterator[Guests]:
    """Guests to search among: some of all, and then again and again some of each cell with some of another; close calls more often.

    Guests of one cell compete for its budgets; those of another can give back what both take of the limits on everybody.
    """
    if problem.guests <= TOGETHER:
        yield np.arange(problem.guests)
        return
    for _ in range(NEIGHBOURHOODS):
        yield rng.choice(problem.guests, TOGETHER, replace=False, p=closeness / closeness.sum())
    cells = problem.offered.cells[:, 0]
    for _ in range(ROUNDS if np.ptp(cells) else 0):
        cell = rng.permutation(int(cells.max()) + 1)[cells]
        order = np.lexsort((rng.exponential(1.0 / closeness), cell))  # the first of a cell are drawn by closeness
        place = np.arange(problem.guests) - np.searchsorted(cell[order], cell[order])
        order = order[place < TOGETHER // 2]
        yield from np.split(order, range(TOGETHER, len(order), TOGETHER))


@numba.njit(cache=True, nogil=True)
def _options(offered: Offered, rules: Rules, weights: Table) -> tuple[Any, Any]:
    """Every action of every guest, best at the prices first, and its regret."""
    kinds = len(rules.actions) + 1
    regrets, actions = np.empty((len(offered.cells), kinds)), np.empty((len(offered.cells), kinds), np.int16)
    values = np.empty(kinds)
    for i in range(len(regrets)):
        for a in range(kinds):
            values[a] = value_of(offered, rules, weights, i, a)
        order = np.argsort(-values, kind="mergesort")
        for at in range(kinds):
            regrets[i, at] = values[order[0]] - values[order[at]]
            actions[i, at] = order[at]
    return regrets, actions


@numba.njit(cache=True, nogil=True)
def _is_beyond(left: Any, row: Any, more: Any, touched: int, only_takes: Any) -> bool:
    """Whether a move breaks a limit that nothing later can mend, because all that is taken of it is positive."""
    for t in range(touched):  # noqa: SIM110
        if only_takes[row[t]] and more[t] > left[row[t]]:
            return True
    return False


@numba.njit(cache=True, nogil=True)
def _give_back(offered: Offered, rules: Rules, aims: Table, guests: Any, left: Any, choice: Choice) -> float:
    """Take from these guests what they have; returns the worth that goes with it."""
    row, more = scratch(rules)
    worth = 0.0
    for i in guests:
        if choice[i] < len(rules.actions):
            worth += value_of(offered, rules, aims, i, choice[i])
        for t in range(differ(offered, rules, i, choice[i], len(rules.actions), row, more)):
            left[row[t]] -= more[t]
    return worth


@numba.njit(cache=True, nogil=True)
def _search(
    offered: Offered, rules: Rules, aims: Table, guests: Any, regrets: Any, actions: Any, regret: Any, left: Any,
    choice: Any, floors: Any, only_takes: Any, gap: float, nodes: int,
) -> float:  # fmt: skip
    """Depth-first over the options of these guests, all others staying; returns by how much the worth grew."""
    nothing, end = len(rules.actions), len(guests)
    lefts, spent, brought = np.empty((end + 1, len(left))), np.empty(end + 1), np.empty(end + 1)
    option, best_option = np.full(end, -1), np.full(end, -1)
    row, more = scratch(rules)
    lefts[0], brought[0] = left, 0.0
    now = _give_back(offered, rules, aims, guests, lefts[0], choice)
    spent[0], best, depth = 0.0, now, 0
    while depth >= 0 and nodes > 0:
        if depth == end:
            if brought[depth] > best + 1e-12 * abs(best) and (lefts[depth] >= floors).all():
                best = brought[depth]
                best_option[:] = option
            depth -= 1
            continue
        nodes -= 1
        i = guests[depth]
        option[depth] += 1
        at = option[depth]
        if at > nothing or spent[depth] + regrets[i, at] >= gap - (best - now):
            option[depth] = -1
            depth -= 1
            continue
        a = actions[i, at]
        touched = differ(offered, rules, i, nothing, a, row, more)
        if _is_beyond(lefts[depth], row, more, touched, only_takes):
            continue
        lefts[depth + 1] = lefts[depth]
        for t in range(touched):
            lefts[depth + 1, row[t]] -= more[t]
        spent[depth + 1] = spent[depth] + regrets[i, at]
        brought[depth + 1] = brought[depth] + (value_of(offered, rules, aims, i, a) if a < nothing else 0.0)
        depth += 1
    if best > now:
        _move(offered, rules, guests, best_option, regrets, actions, regret, left, choice)
    return best - now


@numba.njit(cache=True, nogil=True)
def _move(
    offered: Offered, rules: Rules, guests: Any, option: Any, regrets: Any, actions: Any, regret: Any, left: Any,
    choice: Choice,
) -> None:  # fmt: skip
    """Give these guests the options found, and keep the book of what is left."""
    row, more = scratch(rules)
    for at in range(len(guests)):
        i = guests[at]
        a = actions[i, option[at]]
        for t in range(differ(offered, rules, i, choice[i], a, row, more)):
            left[row[t]] -= more[t]
        choice[i], regret[i] = a, regrets[i, option[at]]
