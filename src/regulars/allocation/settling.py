"""Settling: prices, then choices, then the totals that both are judged by."""

from dataclasses import dataclass

from regulars.allocation.passes import Passes
from regulars.allocation.prices import bound, price
from regulars.allocation.problem import COST, GAIN, Choice, Problem, Rows
from regulars.allocation.rounding import round_off


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Settled:
    """Choices for one problem, with their totals and what bounds them."""

    choice: Choice
    gain: float
    spend: float
    bound: float
    prices: Rows
    used: Rows


def settle(problem: Problem, *, seed: int, threads: int | None, start: Rows | None = None) -> Settled:
    """Solve; `start` are prices known to be near, such as those of a neighbouring budget."""
    passes = Passes(problem.offered, problem.table_shape, threads=threads)
    priced = price(problem, passes, seed=seed, start=start)
    rounded = round_off(problem, passes, priced, seed=seed)
    sums = passes.add_up(rounded.choice)
    return Settled(
        choice=rounded.choice,
        gain=float(sums[..., GAIN].sum()),
        spend=float(sums[..., COST].sum()),
        bound=bound(problem, passes, rounded.prices),
        prices=rounded.prices,
        used=problem.used(sums),
    )
