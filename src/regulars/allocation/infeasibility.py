"""Infeasibility: which limits cannot hold together, and by how much.

If prices p exist at which even the answers that take least take more than the amounts are worth,

    p . amounts + sum over guests of max(- what an action takes at p) < 0,

then no allocation keeps all limits (Farkas 1902), and the limits with a price are those that clash. Such prices are found
by minimising the left side with each price at most one over the size of its amount: the least relative violation.
"""

from dataclasses import replace

import numpy as np

from regulars.allocation.newton import minimise
from regulars.allocation.passes import Passes
from regulars.allocation.prices import sample
from regulars.allocation.problem import Guests, Problem, Rows
from regulars.errors import BudgetError

SOFT_SHARES = (1e-1, 1e-2, 1e-3)
SURELY, NOTEWORTHY = 1e-9, 1e-6


def infeasibility(problem: Problem, *, seed: int, threads: int | None) -> BudgetError:
    """The error that names what cannot hold together."""
    aimless = replace(problem, aim=np.zeros_like(problem.aim))
    prices = _prices(problem, seed)
    short = -aimless.dual(prices, Passes(aimless, threads=threads).respond(prices))
    if short <= SURELY:
        return BudgetError(
            "no allocation of whole offers was found that keeps every limit, though parts of offers might; "
            f"loosen {_names(problem, np.flatnonzero(problem.is_least))} a little"
        )
    clashing = np.flatnonzero(prices * np.maximum(np.abs(problem.amounts), 1.0) > NOTEWORTHY)
    least = clashing[problem.is_least[clashing]]
    if not len(least):
        row = clashing[np.argmax(prices[clashing])]
        return BudgetError(_forced_too_much(problem, row, float(short / prices[row])))
    row = least[np.argmax(prices[least])]
    return BudgetError(_asked_too_much(problem, row, clashing[clashing != row], float(short / prices[row])))


def _forced_too_much(problem: Problem, row: int, beyond: float) -> str:
    """A row that forced offers alone take more of than there is."""
    return (
        f"forced offers take at least {problem.amounts[row] + beyond:,.10g} of {problem.name(row)}, "
        f"which allows {problem.amounts[row]:,.10g}: {beyond:,.10g} too much; force less or allow more"
    )


def _asked_too_much(problem: Problem, row: int, others: Guests, short: float) -> str:
    """A row of what must be reached, and the others within which it cannot be."""
    asked = -problem.amounts[row]
    reach = max(0.0, float(asked - short))
    by = _names(problem, others) if len(others) else "all the guests and offers there are"
    return (
        f"limits clash: {problem.name(row)} asks for at least {asked:,.10g}, but within {by} no more than "
        f"{reach:,.10g} can be reached: {asked - reach:,.10g} short; ask for less or allow more"
    )


def _prices(problem: Problem, seed: int) -> Rows:
    """The prices at which the limits clash most; an amount of 0 counts as what would be taken if nothing were limited."""
    part = problem.take(sample(problem, seed))
    part = replace(part, amounts=problem.amounts * (part.guests / problem.guests))
    amounts = np.abs(np.where(np.isfinite(part.amounts), part.amounts, 0.0))
    free = np.abs(part.used(Passes(part).respond(np.zeros(len(amounts)))))
    size = np.where(amounts > 0, amounts, free)
    unit = 1.0 / np.maximum(size, np.maximum(size.max(initial=0.0) * 1e-6, 1e-300))
    passes, prices = Passes(replace(part, aim=np.zeros_like(part.aim))), unit / 2  # at 0 all actions are alike
    for share in SOFT_SHARES:
        prices = minimise(passes, prices, soft=share / part.guests, unit=unit, size=1.0, ceiling=unit)
    return np.asarray(prices * (part.guests / problem.guests))


def _names(problem: Problem, rows: np.ndarray) -> str:
    names = [problem.name(int(row)) for row in rows]
    return " and ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "") or "a limit"
