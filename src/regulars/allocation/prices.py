"""Prices: the Lagrange multipliers that minimise the dual, found on a sample of guests and corrected on full passes.

At prices p each guest on their own takes the action of highest value, worth less what it takes at p. The dual

    D(p) = p . amounts + sum over guests of the best value

is convex, at least the worth of any allocation that keeps the limits, and its slope is amounts less what is taken.
It is minimised on a sample (see `newton`). A full pass then tells by how much the sample misjudges what is taken; the
sample is solved again with its amounts shifted by that, as in stochastic variance-reduced gradients (Johnson and Zhang
2013).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from regulars.allocation.newton import bend, minimise
from regulars.allocation.passes import Passes
from regulars.allocation.problem import Guests, Problem, Rows

COARSE, SAMPLE, LARGE_SAMPLE, PER_ROW = 1 << 11, 1 << 15, 1 << 17, 64
ROUNDS = 3
GOOD_ENOUGH = 5e-3
ROUND, SHARP = (0.3, 0.1, 0.03), (0.03, 0.005)
LEAST_SOFT, WITHIN = 0.1, 0.1
LEARNT = 0.25
STEP = (0.4, 1.6)

Respond = Callable[[Rows], Rows]
"""What everybody takes at these prices, given one full pass."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Priced:
    """Prices and how they were found.

    sample: the guests they were found on.
    residual: how far from the amounts what is taken at these prices is, as a share.
    soft: how wide the corners of the dual were rounded off at last.
    """

    prices: Rows
    sample: Problem
    residual: float
    soft: float


def price(problem: Problem, passes: Passes, *, seed: int, start: Rows | None = None) -> Priced:
    """Prices near the lowest dual; residual 0 where the sample is everybody."""
    part = problem.take(sample(problem, seed))
    share = part.guests / problem.guests if problem.guests else 1.0
    part = replace(part, amounts=problem.amounts * share)
    if share >= 1:
        prices, soft = descend(part, begin(part, seed=seed, start=start), SHARP)
        return Priced(prices=prices, sample=part, residual=0.0, soft=soft)
    prices, _ = descend(part, begin(part, seed=seed, start=start), ROUND[-1:])
    return correct(problem, part, prices, lambda at: problem.used(passes.respond(at)))


def begin(part: Problem, *, seed: int, start: Rows | None) -> Rows:
    """Prices found on a small part of the sample from nothing, its corners less and less rounded off."""
    if start is not None:
        return start
    prices = np.zeros(len(part.amounts))
    if part.guests <= 2 * COARSE:
        return descend(part, prices, ROUND)[0]
    few = part.take(np.sort(np.random.default_rng(seed).choice(part.guests, COARSE, replace=False)))
    return descend(replace(few, amounts=part.amounts * (COARSE / part.guests)), prices, ROUND)[0]


def correct(problem: Problem, part: Problem, prices: Rows, respond: Respond) -> Priced:
    """Prices for everybody from those of a sample, by a full pass or a few.

    Where everybody answered more or less than the sample did, the next correction is smaller or larger by as much (secant).
    """
    share, missed = part.guests / problem.guests, np.inf
    step: Rows | float = 1.0
    before: Rows | None = None
    for _ in range(ROUNDS):
        used = respond(prices)
        missed = residual(problem, prices, used)
        passes, units = Passes(part), Units.of(part)
        soft = softness(passes, prices, ROUND[-1], units)
        own = bend(passes, prices, soft).used
        over = used - problem.amounts
        step = 1.0 if before is None else secant(step, before, over)
        shifted = Passes(replace(part, amounts=own - share * step * over))
        prices, before = minimise(shifted, prices, soft=soft, unit=units.price, size=units.dual), over
        if missed < GOOD_ENOUGH:
            break
    return Priced(prices=prices, sample=part, residual=missed * LEARNT, soft=soft)


def secant(step: Rows | float, before: Rows, after: Rows) -> Rows:
    """The step that would have undone each miss, given what this one made of it."""
    undone = before - after
    found = np.divide(step * before, undone, out=np.ones_like(before), where=undone != 0)
    return np.clip(np.where(np.isfinite(found), found, 1.0), *STEP)


def descend(problem: Problem, prices: Rows, shares: tuple[float, ...], *, trust: float = np.inf) -> tuple[Rows, float]:
    """Minimise the dual from these prices on, its corners rounded off for one share of the guests after the other.

    trust: how near the guests are to a change of mind; prices move no further than one of them would, and corners are rounded
    off within a part of it, for guests a little less near are not here.
    Returns how wide corners were rounded off at last beside the prices.
    """
    if not (len(prices) and problem.guests and trust > 0):
        return prices, 0.0
    passes, units, soft = Passes(problem), Units.of(problem), 0.0
    if units.dual <= 0:
        return np.zeros_like(prices), 0.0
    reach = (
        np.inf if np.isinf(trust) else trust / bend(Passes(problem.take(sample(problem, 0))), prices, trust).change()
    )
    for share in shares:
        soft = min(softness(passes, prices, share, units), WITHIN * trust)
        prices = minimise(passes, prices, soft=soft, unit=units.price, size=units.dual, reach=reach)
    return prices, soft


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Units:
    """The size that the dual and each price are likely to have: all the worth there is; that of a row, over all it would take."""

    dual: float
    price: Rows

    @classmethod
    def of(cls, problem: Problem) -> "Units":
        free = Passes(problem).respond(np.zeros(len(problem.amounts)))
        worth, taken = np.abs(free @ problem.aim), problem.used(free)
        of_row = problem.by_row(worth)
        of_row = np.where((of_row > 0) & ~problem.is_least, of_row, worth.sum())
        amounts = np.where(np.isfinite(problem.amounts), np.abs(problem.amounts), 0.0)
        between = np.sqrt(np.abs(taken) * np.where(amounts > 0, amounts, np.abs(taken)))
        taken = np.where(taken > amounts, between, np.where(taken > 0, taken, amounts))
        price = np.divide(of_row, taken, out=np.ones_like(taken), where=taken > 0)
        return cls(dual=float(worth.sum()), price=np.clip(price, 1e-100, 1e100))


def softness(passes: Passes, prices: Rows, share: float, units: Units) -> float:
    """How wide to round corners off: as wide as this share of the guests is near to a change of mind.

    Within parts of the mean worth, since guests who are alike change their minds all at once.
    """
    most = share * units.dual / max(1, passes.problem.guests)
    return float(np.clip(nearness(passes, prices, share), LEAST_SOFT * most, most))


def nearness(passes: Passes, prices: Rows, share: float) -> float:
    """How close a call must be to be among this share of the closest."""
    if share >= 1 or not passes.problem.guests:
        return float(np.inf)
    return float(np.quantile(passes.margins(prices), share, method="lower"))


def residual(problem: Problem, prices: Rows, used: Rows) -> float:
    """The largest share by which a row with a price misses its amount, or one without exceeds it."""
    missed = np.where(prices > 0, np.abs(used - problem.amounts), np.maximum(used - problem.amounts, 0.0))
    size = np.maximum(np.abs(used), np.abs(problem.amounts))
    return float(
        np.divide(missed, size, out=np.zeros_like(missed), where=np.isfinite(size) & (size > 0)).max(initial=0.0)
    )


def sample(problem: Problem, seed: int) -> Guests:
    """One guest at random out of each of as many equal stretches as the sample is long."""
    size = max(SAMPLE, min(problem.guests >> 6, LARGE_SAMPLE), PER_ROW * len(problem.amounts))
    if problem.guests <= 2 * size:
        return np.arange(problem.guests)
    place = (np.arange(size) + np.random.default_rng(seed).random(size)) * (problem.guests / size)
    return np.minimum(place.astype(np.int64), problem.guests - 1)
