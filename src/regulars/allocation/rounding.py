"""Rounding: from prices to choices that keep every limit exactly.

Where a guest's best offer beats his next clearly, it stands. The close calls, few where guests are many, are a
problem of their own on what the clear calls leave: its prices are found again, now without a sample. At these each
best offer breaks some limits a little and leaves something of others. Guests give way, those who lose least at the
prices first, until every limit is kept. What is left over goes to the changes that bring more gain, again those that
lose least at the prices first, and at last to the best single change that fits in each cell, until none does.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from regulars.allocation import kernels
from regulars.allocation.passes import Passes
from regulars.allocation.prices import SHARP, Priced, descend, nearness
from regulars.allocation.problem import GAIN, Choice, Problem, Rows, Table
from regulars.allocation.search import improve

CLOSE = 1 << 14
CLOSE_SHARE = 1 / 256
WIDER = 8.0
FITS = 200


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rounded:
    """Choices that keep every limit, and the prices that the close calls were decided at."""

    choice: Choice
    prices: Rows


def round_off(problem: Problem, passes: Passes, priced: Priced, *, seed: int) -> Rounded:
    """Decide the clear calls at the prices, and the close calls as a problem of their own on what the clear ones leave."""
    weights = problem.weights(priced.prices)
    for share in _shares(problem, priced.residual):
        near = nearness(priced.sample, weights, share)
        chosen = passes.choose(weights, near)
        left = problem.amounts - problem.used(chosen.sums)
        if not problem.is_kept(left - problem.guard):
            continue
        rest = replace(problem.take(chosen.close), amounts=left)
        prices, soft = priced.prices, priced.soft
        if len(chosen.close) < problem.guests:
            prices, soft = descend(rest, Passes(rest.offered, rest.table_shape), prices, soft_shares=SHARP)
        choice = _decide(rest, prices, soft, near, seed)
        if choice is not None:
            chosen.choice[chosen.close] = choice
            return Rounded(choice=chosen.choice, prices=prices)
    return Rounded(choice=_from_nothing(problem, weights), prices=priced.prices)


def _shares(problem: Problem, residual: float) -> Iterator[float]:
    """The share of the guests to reconsider: what the prices may still misjudge at first, in the end everybody."""
    share = max(CLOSE_SHARE, CLOSE / max(problem.guests, 1), WIDER * residual)
    while share < 1:
        yield share
        share *= WIDER
    yield 1.0


def _decide(problem: Problem, prices: Rows, soft: float, near: float, seed: int) -> Choice | None:
    """Choices at these prices, made to keep every limit, the better of two beginnings; None if both came to a dead end."""
    weights, passes = problem.weights(prices), Passes(problem.offered, problem.table_shape)
    found = []
    for choice in (passes.choose(weights, 0.0).choice, _shared(problem, weights, soft)):
        left = problem.amounts - problem.guard - problem.used(passes.add_up(choice))
        _give_way(problem, weights, near, left, choice)
        if problem.is_kept(left):
            _fill(problem, weights, left, choice)
            improve(problem, prices, left, choice, seed=seed)
            found.append((float(passes.add_up(choice)[..., GAIN].sum()), choice))
    return max(found, key=lambda one: one[0])[1] if found else None


def _shared(problem: Problem, weights: Table, soft: float) -> Choice:
    """Choices as the rounded-off dual has them, which uses limits up even where whole crowds of guests are alike."""
    cells, offers, _ = problem.table_shape
    choice, owed = np.empty(problem.guests, np.int16), np.zeros((cells, offers + 1, offers + 1))
    kernels.share_out(problem.offered, weights, soft, choice, owed)
    return choice


def _give_way(problem: Problem, weights: Table, near: float, left: Rows, choice: Choice) -> None:
    """Move guests to their next best until no limit is broken, or no change helps."""
    if problem.is_kept(left):
        return
    guests = np.arange(problem.guests)
    most = len(guests) * problem.offered.gain.shape[1]
    at, offer, loss = np.empty(most, np.int64), np.empty(most, np.int16), np.empty(most)
    listed = kernels.downgrades(problem.offered, weights, guests, choice, near, at, offer, loss)
    order = np.argsort(loss[:listed], kind="stable")
    kernels.relieve(problem.offered, problem.rules, left, at[order], offer[order], choice)


def _fill(problem: Problem, weights: Table, left: Rows, choice: Choice) -> None:
    """Spend what is left on changes that bring more gain."""
    guests = np.arange(problem.guests)
    loss, offer = np.empty(len(guests)), np.empty(len(guests), np.int16)
    kernels.upgrades(problem.offered, weights, guests, choice, loss, offer)
    order = np.argsort(loss, kind="stable")
    kernels.upgrade(problem.offered, problem.rules, left, guests[order], offer[order], choice)
    best = np.empty((problem.table_shape[0], 3))
    for _ in range(FITS):
        if not kernels.best_fits(problem.offered, problem.rules, left, guests, choice, best):
            return


def _from_nothing(problem: Problem, weights: Table) -> Choice:
    """Where giving way came to a dead end: begin with nothing to anybody, which keeps every limit."""
    choice, everybody = np.full(problem.guests, -1, np.int16), np.arange(problem.guests)
    left = problem.amounts - problem.guard
    kernels.place(problem.offered, weights, problem.rules, left, everybody, choice)
    _fill(problem, weights, left, choice)
    return choice
