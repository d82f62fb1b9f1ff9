"""What a guest's visits may bring: quantiles of the value of all their visits within a horizon.

Given n visits, and a history of x visits worth s in all, the value is that of a Gamma(p n) at a rate of their own distributed
Gamma(q + p x, gamma + s): gamma + s times a beta prime (p n, q + p x), which is an F distribution in other units (Fader &
Hardie 2013). The number of visits has the BG/NBD predictive distribution of `counts`, so the distribution of the value is a
mixture over n, with a mass at 0. The F distribution is taken as normal by Paulson's cube roots (1942), good to a few parts in
a thousand of probability from 2 p n of 3 on.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from regulars.errors import DataError
from regulars.profiles.lifetime.bg_nbd import BgNbd
from regulars.profiles.lifetime.counts import MOST_VISITS, FloatArray, visit_masses
from regulars.profiles.lifetime.gamma_gamma import GammaGamma

_LEFT_OUT, _NEAR = 1e-4, 1e-6
_STEPS, _FAR = 60, 600.0


def value_quantiles(
    share: float,
    horizon: float,
    visits: BgNbd,
    values: GammaGamma,
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
    total: ArrayLike,
) -> FloatArray:
    """The value, shape (n,), that the visits of each guest within the horizon stay at or below with this probability.

    frequency, recency, age: as in `fit_bg_nbd`. total: the value of all their visits so far, the first one included, in the
    unit of `values`; NaN where it is not known, and then the crowd's distribution holds. NaN comes out where the total is
    below 0, for the model knows no losses.
    Between the quantiles .05 and .95 lie nine in ten guests with this history, as far as the parameters are right.
    """
    if not 0 < share < 1:
        raise DataError(f"share is a probability between 0 and 1, not {share}")
    repeats, last, age_now, worth = np.broadcast_arrays(
        *(np.asarray(v, np.float64) for v in (frequency, recency, age, total))
    )
    alive = visits.alive_probability(repeats, last, age_now)
    is_known = ~np.isnan(worth)
    seen = np.where(is_known, repeats + 1, 0.0)
    columns = tuple(np.ravel(v) for v in (alive, repeats, age_now, seen, np.where(is_known, worth, 0.0)))
    parameters = (*map(float, visits.parameters), *map(float, values.parameters))
    return np.asarray(_quantiles(share, horizon, columns, parameters)).reshape(worth.shape)


@njit(nogil=True, cache=True)
def _quantiles(
    share: float, horizon: float, columns: tuple[FloatArray, ...], parameters: tuple[float, ...]
) -> FloatArray:
    alive, repeats, age, seen, worth = columns
    r, alpha, a, b, p, q, gamma = parameters
    masses, found = np.empty(MOST_VISITS + 1), np.zeros(alive.size)
    cube_roots: FloatArray = np.cbrt(np.arange(MOST_VISITS + 1.0))
    until = max(1 - _LEFT_OUT, 1 - (1 - share) / 100)
    for i in range(alive.size):
        if worth[i] < 0:
            found[i] = np.nan
            continue
        n = visit_masses(masses, until, horizon, alive[i], repeats[i], age[i], r, alpha, a, b)
        if masses[0] < share:
            shape = q + p * seen[i]
            found[i] = (gamma + worth[i]) * _root(share, masses[: n + 1], cube_roots, p, shape)
    return found


@njit(nogil=True, cache=True)
def _root(share: float, masses: FloatArray, cube_roots: FloatArray, p: float, q: float) -> float:
    """Where the mixture of beta primes (p k, q) reaches `share`: bracketed around one visit, then false position.

    On a scale of logarithms, with the step of Illinois, which halves the weight of an end that stays (Dowell & Jarratt 1971).
    """
    low = high = math.log(p / q)
    below = above = _reached(math.exp(low), masses, cube_roots, p, q) - share
    while below > 0 and low > -_FAR:
        high, above = low, below
        low -= 2.0
        below = _reached(math.exp(low), masses, cube_roots, p, q) - share
    while above < 0 and high < _FAR:
        low, below = high, above
        high += 2.0
        above = _reached(math.exp(high), masses, cube_roots, p, q) - share
    side = 0
    for _ in range(_STEPS):
        middle = (low * above - high * below) / (above - below) if above > below else low
        missing = _reached(math.exp(middle), masses, cube_roots, p, q) - share
        if abs(missing) < _NEAR:
            break
        if missing < 0:
            low, below, above, side = middle, missing, above / 2 if side < 0 else above, -1
        else:
            high, above, below, side = middle, missing, below / 2 if side > 0 else below, 1
    return math.exp(middle)


@njit(nogil=True, cache=True)
def _reached(value: float, masses: FloatArray, cube_roots: FloatArray, p: float, q: float) -> float:
    """P(value of their visits <= value), values in units of the beta prime; `masses` are those of 0, 1, ... visits."""
    total, spread_q, root_q = masses[0], 1 / (9 * q), (value * q / p) ** (1 / 3)
    for k in range(1, masses.size):
        spread_n = 1 / (9 * p * k)
        root = root_q / cube_roots[k]
        score = ((1 - spread_q) * root - (1 - spread_n)) / math.sqrt(spread_q * root * root + spread_n)
        total += masses[k] * 0.5 * math.erfc(-score * 0.7071067811865476)
    return float(total)
