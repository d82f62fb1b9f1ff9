"""How many visits a guest may make: the BG/NBD predictive distribution, and its quantiles.

Given their history, a guest who has not left comes at a rate distributed Gamma(k, beta), k = r + x, beta = alpha + T, and
leaves after a visit with a probability distributed Beta(a, c), c = b + x, independent of it. Averaging equation 8 of
Fader, Hardie & Lee (2005) over both, with N negative binomial (k, beta / (beta + horizon)), they make n >= 1 visits with

    P(n) = E[(1 - p)^n] P(N = n) + E[p (1 - p)^(n - 1)] P(N >= n)
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

MOST_VISITS = 100_000


@njit(nogil=True, cache=True)
def visit_masses(
    masses: FloatArray, until: float, horizon: float, alive: float, repeats: float, age: float,
    r: float, alpha: float, a: float, b: float,
) -> int:  # fmt: skip
    """Fill `masses` with P(0), P(1), ... of one guest until they sum to `until`; returns the last number of visits filled in.

    masses: shape (MOST_VISITS + 1,). alive: the probability that they have not left.
    """
    k, beta, c = r + repeats, alpha + age, b + repeats
    step = np.log(horizon / (beta + horizon))
    log_mass = k * np.log(beta / (beta + horizon))  # ln P(N = 0)
    tail = 1 - np.exp(log_mass)  # P(N >= 1)
    masses[0] = reached = 1 - alive * tail
    stays = 1.0  # E[(1 - p)^(n - 1)]
    n = 0
    while reached < until and n < MOST_VISITS:
        n += 1
        log_mass += step + np.log((k + n - 1) / n)
        mass = np.exp(log_mass)
        leaves = stays * a / (a + c + n - 1)
        stays -= leaves
        masses[n] = alive * (stays * mass + leaves * tail)
        reached += masses[n]
        tail -= mass
    return n


@njit(nogil=True, cache=True)
def visit_quantiles(
    share: float, horizon: float, alive: FloatArray, repeats: FloatArray, age: FloatArray,
    r: float, alpha: float, a: float, b: float,
) -> FloatArray:  # fmt: skip
    """The quantile of each guest, shape (n,). alive: the probability that they have not left."""
    masses, quantiles = np.empty(MOST_VISITS + 1), np.zeros(alive.size)
    for i in range(alive.size):
        quantiles[i] = visit_masses(masses, share, horizon, alive[i], repeats[i], age[i], r, alpha, a, b)
    return quantiles
