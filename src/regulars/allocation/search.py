"""Search: what prices cannot decide when guests are few.

A choice at the prices loses, against the dual, each guest's regret (his best value less the value of what he gets)
and the price of all that is left over. So an allocation that beats the one at hand has regrets below the gap, and a
depth-first search over a few guests that stops there is short. Where they are not all guests, neighbourhoods of
guests are searched one after the other, close calls more often (large neighbourhood search: Shaw 1998).
"""

from typing import Any

import numba
import numpy as np

from regulars.allocation.kernels import use, value_of
from regulars.allocation.problem import Choice, Offered, Problem, Rows, Rules, Table

FEW = 4096
TOGETHER = 24
NODES = 20_000
NEIGHBOURHOODS = 64


def improve(problem: Problem, prices: Rows, left: Rows, choice: Choice, *, seed: int) -> None:
    """Search around `choice`, which keeps the limits with `left` over, and change it where something better is found."""
    if problem.guests > FEW or not problem.guests:
        return
    weights, rng = problem.weights(prices), np.random.default_rng(seed)
    regrets, offers = _options(problem.offered, weights)
    now = np.where(choice >= 0, choice, problem.offered.gain.shape[1])
    regret = regrets[np.arange(problem.guests), np.argmax(offers == now[:, None], axis=1)]
    gap = float(regret.sum() + prices @ np.where(prices > 0, left, 0.0))
    closeness = 1.0 / (1e-9 + regrets[:, 1] + gap / problem.guests)
    whole = problem.guests <= TOGETHER
    for _ in range(1 if whole else NEIGHBOURHOODS):
        some = rng.choice(problem.guests, min(TOGETHER, problem.guests), replace=False, p=closeness / closeness.sum())
        some = some[np.argsort(-regrets[some, 1], kind="stable")]
        nodes = NODES * (NEIGHBOURHOODS if whole else 1)
        gap -= _search(problem.offered, problem.rules, some, regrets, offers, regret, left, choice, gap, nodes)


@numba.njit(cache=True, nogil=True)
def _options(offered: Offered, weights: Table) -> tuple[Any, Any]:
    """Every action of every guest, best at the prices first: its regret and its offer, k standing for nothing."""
    n, k = offered.gain.shape
    pair = 1 if offered.cells.shape[1] > 1 else 0
    regrets, offers = np.empty((n, k + 1)), np.empty((n, k + 1), np.int16)
    values = np.empty(k + 1)
    for i in range(n):
        for j in range(k):
            values[j] = value_of(offered, weights, i, j, offered.cells[i, j * pair])
        values[k] = 0.0
        order = np.argsort(-values, kind="mergesort")
        for at in range(k + 1):
            regrets[i, at] = values[order[0]] - values[order[at]]
            offers[i, at] = order[at]
    return regrets, offers


@numba.njit(cache=True, nogil=True)
def _take(offered: Offered, rules: Rules, left: Any, i: int, j: int, sign: float) -> None:
    pair = 1 if offered.cells.shape[1] > 1 else 0
    for limit in range(rules.rows.shape[0]):
        row = rules.rows[limit, offered.cells[i, j * pair], j]
        if row >= 0:
            left[row] -= sign * use(rules, limit, offered, i, j)


@numba.njit(cache=True, nogil=True)
def _is_beyond(rules: Rules, offered: Offered, left: Any, i: int, j: int) -> bool:
    """Whether offer j at guest i breaks a limit that nothing later can mend, because all that is taken of it is positive."""
    pair = 1 if offered.cells.shape[1] > 1 else 0
    for limit in range(rules.rows.shape[0]):
        row = rules.rows[limit, offered.cells[i, j * pair], j]
        if row >= 0 and rules.takes[limit, j].min() >= 0.0 and use(rules, limit, offered, i, j) > left[row]:
            return True
    return False


@numba.njit(cache=True, nogil=True)
def _give_back(
    offered: Offered, rules: Rules, guests: Any, regret: Any, left: Any, choice: Choice
) -> tuple[float, float]:
    """Take from these guests what they have: the gain that goes with it, and the regret."""
    gain, freed = 0.0, 0.0
    for i in guests:
        freed += regret[i]
        if choice[i] >= 0:
            gain += offered.gain[i, choice[i]]
            _take(offered, rules, left, i, choice[i], -1.0)
    return gain, freed


@numba.njit(cache=True, nogil=True)
def _search(
    offered: Offered, rules: Rules, guests: Any, regrets: Any, offers: Any, regret: Any, left: Any, choice: Any,
    gap: float, nodes: int,
) -> float:  # fmt: skip
    """Depth-first over the options of these guests, all others staying; returns by how much the gain grew."""
    k, depth_end = offered.gain.shape[1], len(guests)
    lefts, spent, brought = np.empty((depth_end + 1, len(left))), np.empty(depth_end + 1), np.empty(depth_end + 1)
    option, best_option = np.full(depth_end, -1), np.full(depth_end, -1)
    lefts[0], brought[0] = left, 0.0
    gain_now, freed = _give_back(offered, rules, guests, regret, lefts[0], choice)
    spent[0], best, depth = regret.sum() - freed, gain_now, 0
    while depth >= 0 and nodes > 0:
        if depth == depth_end:
            if brought[depth] > best + 1e-12 * abs(best) and (lefts[depth] >= np.minimum(left, 0.0)).all():
                best = brought[depth]
                best_option[:] = option
            depth -= 1
            continue
        nodes -= 1
        i = guests[depth]
        option[depth] += 1
        at = option[depth]
        if at > k or spent[depth] + regrets[i, at] >= gap - (best - gain_now):
            option[depth] = -1
            depth -= 1
            continue
        j = offers[i, at]
        if j < k and _is_beyond(rules, offered, lefts[depth], i, j):
            continue
        lefts[depth + 1] = lefts[depth]
        spent[depth + 1] = spent[depth] + regrets[i, at]
        brought[depth + 1] = brought[depth]
        if j < k:
            brought[depth + 1] += offered.gain[i, j]
            _take(offered, rules, lefts[depth + 1], i, j, 1.0)
        depth += 1
    if best > gain_now:
        _move(offered, rules, guests, best_option, regrets, offers, regret, left, choice)
    return best - gain_now


@numba.njit(cache=True, nogil=True)
def _move(
    offered: Offered, rules: Rules, guests: Any, option: Any, regrets: Any, offers: Any, regret: Any, left: Any, choice: Choice
) -> None:  # fmt: skip
    """Give these guests the options found, and keep the book of what is left."""
    k = offered.gain.shape[1]
    for at in range(len(guests)):
        i = guests[at]
        j = offers[i, option[at]]
        if choice[i] >= 0:
            _take(offered, rules, left, i, choice[i], -1.0)
        choice[i] = j if j < k else -1
        regret[i] = regrets[i, option[at]]
        if j < k:
            _take(offered, rules, left, i, j, 1.0)
