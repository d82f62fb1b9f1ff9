"""Rounding: from prices to choices that keep every limit exactly.

Where a guest's best action beats their next clearly, it stands. The close calls, few where guests are many, are a
problem of their own on what the clear calls leave: its prices are found again, now without a sample. At these each
best action breaks some limits a little and leaves something of others. Guests give way, those who lose least at the
prices first, until every limit is kept. What is left over goes to the moves that bring more worth, again those that
lose least at the prices first, and at last to the best single move that fits in each cell, until none does.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numba
import numpy as np

from regulars.allocation import repair
from regulars.allocation.newton import best_two
from regulars.allocation.passes import Passes
from regulars.allocation.prices import SHARP, Priced, descend, nearness
from regulars.allocation.problem import Choice, Offered, Problem, Rows, Rules, Table
from regulars.allocation.search import improve

CLOSE = 1 << 10
FITS = 24
NOBODY, NEAR_ENOUGH = -1.0, 1e-5
CROWDED, WIDE = 1e-3, (0.1, 0.3)
SOFT_SHARES = (*SHARP, 0.0005)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rounded:
    """Choices that keep every limit, what they bring and take, and the prices that the close calls were decided at.

    sums is None where no choice was found that keeps every limit. start, dual: the prices that were given, the dual there.
    """

    choice: Choice
    prices: Rows
    sums: Table | None
    start: Rows
    dual: float


def round_off(problem: Problem, passes: Passes, priced: Priced, *, share: float, seed: int) -> Rounded:
    """Decide the clear calls at the prices, and this share of closest calls as a problem of their own on what those leave."""
    near = nearness(Passes(priced.sample), priced.prices, share)
    chosen = passes.choose(priced.prices, near)
    rest = replace(problem.take(chosen.close), amounts=problem.amounts - problem.used(chosen.sums))
    own = Passes(rest)
    dual = problem.dual(priced.prices, chosen.sums + own.respond(priced.prices))
    prices, soft = priced.prices, priced.soft
    if rest.guests < problem.guests:
        prices, soft = descend(rest, prices, SOFT_SHARES, trust=near)
    choice, prices = decide_closest(rest, own, prices, soft)
    if choice is None:
        return Rounded(choice=chosen.choice, prices=prices, sums=None, start=priced.prices, dual=dual)
    if rest.guests == problem.guests:
        choice = improve(rest, prices, choice, seed=seed)
    chosen.choice[chosen.close] = choice
    sums = chosen.sums + own.add_up(choice)
    return Rounded(choice=chosen.choice, prices=prices, sums=sums, start=priced.prices, dual=dual)


def decide_closest(problem: Problem, passes: Passes, prices: Rows, soft: float) -> tuple[Choice | None, Rows]:
    """As `_decide`, but only the closest calls give way, if that is enough."""
    if problem.guests > 2 * CLOSE:
        near = nearness(passes, prices, CLOSE / problem.guests)
        chosen = passes.choose(prices, max(near, 2.0 * soft))
        rest = replace(problem.take(chosen.close), amounts=problem.amounts - problem.used(chosen.sums))
        choice, nearer = _decide(rest, prices, soft)
        if choice is not None:
            chosen.choice[chosen.close] = choice
            return chosen.choice, nearer
    return _decide(problem, prices, soft)


def _decide(problem: Problem, prices: Rows, soft: float) -> tuple[Choice | None, Rows]:
    """Choices at these prices, made to keep every limit, None if that came to a dead end; and the prices of the lowest dual met.

    Where choices of highest value are not as good as can be, the best of them and of other beginnings.
    """
    passes = Passes(problem)
    aims, weights = problem.weights(np.zeros_like(prices)), problem.weights(prices)
    best, best_worth, lowest, nearest = None, -np.inf, np.inf, prices
    for choice, at, is_enough in _beginnings(problem, passes, prices, soft):
        if (dual := problem.dual(at, passes.respond(at))) < lowest:
            lowest, nearest = dual, at
        left = problem.amounts - problem.guard - problem.used(passes.add_up(choice))
        _give_way(problem, weights, left, choice)
        if problem.is_kept(left):
            _fill(problem, weights, aims, left, choice)
            worth = float((passes.add_up(choice) @ problem.aim).sum())
            best, best_worth = (choice, worth) if worth > best_worth else (best, best_worth)
        if lowest - best_worth <= is_enough * problem.free_worth:
            break
    return best if best is not None or not problem.guests else _from_nothing(problem, weights, aims), nearest


def _beginnings(problem: Problem, passes: Passes, prices: Rows, soft: float) -> Iterator[tuple[Choice, Rows, float]]:
    """Choices to begin with, at which prices, and what share of the free worth each may miss before the next is tried.

    Highest values first; then as the rounded-off dual shares, for crowds of guests who are alike; at last as it does with wider
    corners, for crowds to whom several actions are.
    """
    yield passes.choose(prices, NOBODY).choice, prices, NEAR_ENOUGH
    yield _shared(problem, prices, soft), prices, CROWDED
    for share in WIDE:
        wide, wider = descend(problem, prices, (share,))
        yield _shared(problem, wide, wider), wide, CROWDED


def keep_within(problem: Problem, choice: Choice, prices: Rows) -> Choice:
    """The choices, guests giving way where they break a limit; nothing to anybody where that is not enough."""
    left = problem.amounts - problem.guard - problem.used(Passes(problem).add_up(choice))
    if problem.is_kept(left):
        return choice
    small = problem.take(np.arange(problem.guests))
    _give_way(small, small.weights(prices), left, choice)
    return choice if problem.is_kept(left) else _least(problem)


def _shared(problem: Problem, prices: Rows, soft: float) -> Choice:
    """Choices as the rounded-off dual has them, which uses limits up even where whole crowds of guests are alike."""
    return np.asarray(_share_out(problem.offered, problem.rules, problem.weights(prices), soft))


@numba.njit(cache=True, nogil=True)
def _share_out(offered: Offered, rules: Rules, weights: Table, soft: float) -> Choice:
    """Best and next actions as often as the rounded-off dual shares between them, over each cell."""
    kinds = len(rules.actions) + 1
    owed = np.zeros((len(weights), kinds, kinds))
    choice = np.empty(len(offered.cells), np.int16)
    pick, after, best, second = best_two(offered, rules, weights, np.arange(len(choice)))
    for i in range(len(choice)):
        choice[i] = pick[i]
        if best[i] - second[i] < soft:
            c = offered.cells[i, 0]
            owed[c, pick[i], after[i]] += (soft - best[i] + second[i]) / (2.0 * soft)
            if owed[c, pick[i], after[i]] > 0.5:
                owed[c, pick[i], after[i]] -= 1.0
                choice[i] = after[i]
    return choice


def _give_way(problem: Problem, weights: Table, left: Rows, choice: Choice) -> None:
    """Move guests to other actions until no limit is broken, or no move helps.

    What must be reached at least comes first, whatever it costs the other limits, and is kept from then on.
    """
    if problem.is_kept(left):
        return
    most = problem.guests * (problem.nothing + 1)
    at, action, loss = np.empty(most, np.int64), np.empty(most, np.int16), np.empty(most)
    everything = np.ones(len(left), np.bool_)
    for is_wanted in (problem.is_least, everything):
        if is_wanted.any() and (left[is_wanted] < 0).any():
            listed = repair.alternatives(problem.offered, problem.rules, weights, choice, at, action, loss)
            order = np.argsort(loss[:listed], kind="stable")
            repair.relieve(problem.offered, problem.rules, left, at[order], action[order], choice, is_wanted)


def _fill(problem: Problem, weights: Table, aims: Table, left: Rows, choice: Choice) -> None:
    """Spend what is left on moves that bring more worth."""
    loss, action = np.empty(problem.guests), np.empty(problem.guests, np.int16)
    repair.upgrades(problem.offered, problem.rules, weights, aims, choice, loss, action)
    order = np.argsort(loss, kind="stable")
    repair.upgrade(problem.offered, problem.rules, aims, left, order, action[order], choice)
    best = np.empty((problem.table_shape[0], 3))
    for _ in range(FITS):
        if not repair.best_fits(problem.offered, problem.rules, aims, left, choice, best):
            return


def _from_nothing(problem: Problem, weights: Table, aims: Table) -> Choice | None:
    """Where giving way came to a dead end: begin with what nobody can do without, and let everybody take what fits."""
    choice = _least(problem)
    left = problem.amounts - problem.guard - problem.used(Passes(problem).add_up(choice))
    _give_way(problem, weights, left, choice)
    if not problem.is_kept(left):
        return None
    repair.place(problem.offered, problem.rules, weights, left, choice)
    _fill(problem, weights, aims, left, choice)
    return choice


def _least(problem: Problem) -> Choice:
    """Nothing, or where that is barred the first action that is not."""
    open_first = np.argmax(np.roll(problem.rules.bars, 1, axis=1) == 0, axis=1) - 1
    least = np.where(open_first < 0, problem.nothing, open_first).astype(np.int16)
    return np.asarray(least[problem.offered.cells[:, 0]])
