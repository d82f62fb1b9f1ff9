"""The solver: prices, then choices, then the totals that both are judged by."""

from dataclasses import dataclass, replace

import numpy as np

from regulars.allocation.passes import Passes
from regulars.allocation.prices import Priced, price
from regulars.allocation.problem import COST, GAIN, ONE, Choice, Problem, Rows, Table
from regulars.allocation.rounding import CLOSE, Rounded, round_off

GOOD_GAP, TRIES, WIDER = 3e-5, 3, 4.0
_NOBODY: Choice = np.empty(0, np.int16)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Solution:
    """Choices for one problem, with their totals and what bounds them.

    choice: actions. sums is None where nothing keeps every limit.
    """

    choice: Choice
    sums: Table | None
    bound: float
    prices: Rows
    problem: Problem

    @property
    def worth(self) -> float:
        return 0.0 if self.sums is None else float((self.sums @ self.problem.aim).sum())

    @property
    def gap(self) -> float:
        return 1.0 - self.worth / self.bound if self.bound > 0 else 0.0

    @property
    def gain(self) -> float:
        return self._total(GAIN)

    @property
    def spend(self) -> float:
        return self._total(COST)

    @property
    def contacts(self) -> int:
        return round(self._total(ONE))

    def _total(self, resource: int) -> float:
        return 0.0 if self.sums is None else float(self.sums[..., resource].sum())


@dataclass(frozen=True, slots=True, kw_only=True)
class Solver:
    """How problems are solved; the answer does not depend on the number of threads, nor how good it is on the seed."""

    seed: int = 0
    threads: int | None = None

    def solve(self, problem: Problem, start: Rows | None = None) -> Solution:
        """The best found; `start` are prices known to be near, such as those of a neighbouring budget.

        Where the closest calls are not enough to keep the limits or to come near the bound, more of them are decided anew.
        """
        passes = Passes(problem, threads=self.threads)
        priced = price(problem, passes, seed=self.seed, start=start)
        best = Solution(choice=_NOBODY, sums=None, bound=np.inf, prices=priced.prices, problem=problem)
        share, tries = first_share(problem.guests, priced), TRIES
        while True:
            rounded = round_off(problem, passes, priced, share=share, seed=self.seed)
            best = _better(best, rounded, _bound(problem, passes, rounded))
            tries -= 1
            is_enough = best.sums is not None and (tries <= 0 or best.gap <= GOOD_GAP)
            if is_enough or share >= 1:
                return best
            is_nearer = rounded.sums is not None and rounded.dual - best.bound > GOOD_GAP * abs(best.bound)
            priced = replace(priced, prices=rounded.prices if is_nearer else priced.prices)
            share = share if is_nearer else min(1.0, share * WIDER)


def first_share(guests: int, priced: Priced) -> float:
    """The share of closest calls to decide anew at first: more where prices are less sure, all where the sample was everybody."""
    return 1.0 if priced.residual == 0 else min(1.0, max(CLOSE / max(guests, 1), WIDER * priced.residual))


def _better(best: Solution, rounded: Rounded, most: float) -> Solution:
    """The choices that are worth more, and the lower bound with its prices."""
    if most < best.bound:
        best = replace(best, bound=most, prices=rounded.prices)
    found = replace(best, choice=rounded.choice, sums=rounded.sums)
    is_better = rounded.sums is not None and (best.sums is None or found.worth > best.worth)
    return found if is_better else best


def _bound(problem: Problem, passes: Passes, rounded: Rounded) -> float:
    """What no allocation that keeps the limits can exceed, certified in float64.

    The dual at the prices before rounding is known already; a pass for that at those found later is made if it is too far off.
    """
    known = rounded.dual + passes.rounding(rounded.start)
    if rounded.sums is not None and known - float((rounded.sums @ problem.aim).sum()) <= GOOD_GAP * known:
        return known
    lost = passes.rounding(rounded.prices)
    return min(known, problem.dual(rounded.prices, passes.respond(rounded.prices)) + lost)
