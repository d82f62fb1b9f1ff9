"""Prices: the Lagrange multipliers that minimise the dual, found on a sample of guests and corrected on full passes.

At prices p each guest on his own takes the offer of highest value, gain less what it consumes at p. The dual

    D(p) = p . amounts + sum over guests of max(0, best value)

is convex, at least the gain of any allocation that keeps the limits, and its slope is amounts less what is consumed.
With the corner of max rounded off (Nesterov 2005) it is minimised on a sample by L-BFGS-B (Byrd, Lu, Nocedal and Zhu
1995). A full pass then tells by how much the sample misjudges consumption; the sample is solved again with its
amounts shifted by that, as in stochastic variance-reduced gradients (Johnson and Zhang 2013).
"""

from dataclasses import dataclass, replace

import numpy as np

from regulars.allocation import kernels
from regulars.allocation.descent import minimise
from regulars.allocation.passes import Passes
from regulars.allocation.problem import GAIN, Guests, Problem, Rows, Table

SAMPLE = 1 << 14
ROUNDS = 4
GOOD_ENOUGH = 1e-3
STEPS, FLAT, PRECISION = 400, 1e-6, 1e-12
ROUND, SHARP = (0.1, 0.03), (0.03, 0.003, 0.0003)
LEAST_SOFT = 0.1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Priced:
    """Prices and how they were found.

    sample: the guests they were found on.
    residual: how far from the amounts consumption at these prices is, as a share.
    soft: how wide the corners of the dual were rounded off.
    """

    prices: Rows
    sample: Problem
    residual: float
    soft: float


def price(problem: Problem, passes: Passes, *, seed: int, start: Rows | None = None) -> Priced:
    """Prices near the lowest dual; residual 0 where the sample is everybody."""
    prices = np.zeros(len(problem.amounts)) if start is None else start
    guests = sample(problem, seed)
    share = len(guests) / max(1, problem.guests)
    part = replace(problem.take(guests), amounts=problem.amounts * share)
    inner = Passes(part.offered, part.table_shape)
    if share >= 1 or not problem.guests:
        prices, soft = descend(part, inner, prices, soft_shares=(*ROUND, *SHARP[1:]))
        return Priced(prices=prices, sample=part, residual=0.0, soft=soft)
    best = None
    for soft_shares in (ROUND, *[ROUND[1:]] * (ROUNDS - 1)):
        prices, soft = descend(part, inner, prices, soft_shares=soft_shares)
        used = problem.used(passes.respond(problem.weights(prices)))
        found = Priced(prices=prices, sample=part, residual=residual(problem, prices, used), soft=soft)
        best = found if best is None else min(best, found, key=lambda priced: priced.residual)
        if best.residual < GOOD_ENOUGH or best is not found:
            break
        own = part.used(inner.respond(part.weights(prices)))
        part = replace(part, amounts=problem.amounts * share - (used * share - own))
    assert best is not None
    return best


def residual(problem: Problem, prices: Rows, used: Rows) -> float:
    """The largest share by which a row with a price misses its amount, or one without exceeds it."""
    missed = np.where(prices > 0, np.abs(used - problem.amounts), np.maximum(used - problem.amounts, 0.0))
    size = np.maximum(used, problem.amounts)
    return float(
        np.divide(missed, size, out=np.zeros_like(missed), where=np.isfinite(size) & (size > 0)).max(initial=0.0)
    )


def sample(problem: Problem, seed: int) -> Guests:
    """One guest at random out of each of as many equal stretches as the sample is long."""
    size = max(SAMPLE, 16 * len(problem.amounts))
    if problem.guests <= 2 * size:
        return np.arange(problem.guests)
    place = (np.arange(size) + np.random.default_rng(seed).random(size)) * (problem.guests / size)
    return np.minimum(place.astype(np.int64), problem.guests - 1)


def nearness(sample: Problem, weights: Table, share: float) -> float:
    """How close a call must be to be among this share of the closest."""
    if share >= 1:
        return float(np.inf)
    margins = np.empty(sample.guests)
    kernels.margins(sample.offered, weights, margins)
    return float(np.quantile(margins, share))


def bound(problem: Problem, passes: Passes, prices: Rows) -> float:
    """What no allocation that keeps the limits can exceed: one pass at these prices, certified in float64."""
    sums = passes.respond(problem.weights(prices))
    return problem.dual(prices, sums) + problem.rounding(prices, passes.chain)


def descend(problem: Problem, passes: Passes, prices: Rows, *, soft_shares: tuple[float, ...]) -> tuple[Rows, float]:
    """Minimise the dual from these prices on, its corners rounded off for one share of the guests after the other.

    Returns the prices and how wide corners were rounded off at last: as near as that share of the guests is to a change of
    mind, within parts of the mean gain, since guests who are alike change their minds all at once.
    """
    soft = 0.0
    if not (len(prices) and problem.guests):
        return prices, soft
    free_sums = passes.respond(problem.weights(np.zeros_like(prices)))
    unit = float(free_sums[..., GAIN].sum())
    if unit <= 0:
        return np.zeros_like(prices), soft
    scale = _scale(problem.used(free_sums), _payable(problem), unit)
    for share in soft_shares:
        most = share * unit / problem.guests
        soft = float(np.clip(nearness(problem, problem.weights(prices), share), LEAST_SOFT * most, most))
        prices = _descend(problem, passes, prices, soft=soft, scale=scale, unit=unit)
    return prices, soft


def _descend(problem: Problem, passes: Passes, prices: Rows, *, soft: float, scale: Rows, unit: float) -> Rows:
    has_end, payable = np.isfinite(problem.amounts), _payable(problem)

    def scaled(point: Rows) -> tuple[float, Rows]:
        weights = problem.weights(point * scale)
        sums, added = passes.respond_softly(weights, soft)
        value = (point * scale) @ payable + np.vdot(weights, sums) + added
        slope = np.where(has_end, payable - problem.used(sums), 0.0)
        return float(value) / unit, slope * scale / unit

    found = minimise(scaled, np.where(has_end, prices / scale, 0.0), steps=STEPS, flat=FLAT, precision=PRECISION)
    return found * scale


def _payable(problem: Problem) -> Rows:
    return np.where(np.isfinite(problem.amounts), np.maximum(problem.amounts, 0.0), 0.0)


def _scale(free: Rows, amounts: Rows, unit: float) -> Rows:
    """The size a price is likely to have: all the gain there is, over all that would be consumed."""
    consumed = np.where(free > 0, free, amounts)
    scale = np.ones_like(consumed)
    np.divide(unit, consumed, out=scale, where=consumed > 0)
    return np.clip(scale, 1e-100, 1e100)
