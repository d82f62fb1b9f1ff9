"""Shrinkage: few data lean on their peers, many speak for themselves.

Shares: a beta-binomial of each group of peers, its spread by analysis of variance (Ridout, Demetrio & Firth 1999, Biometrics 55,
the ANOVA estimator of the intraclass correlation). Means: a normal model with variances between and within units (DerSimonian &
Laird 1986). Both empirical Bayes: the interval takes the group's spread as known.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtr, ndtri

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
LEAST_PEERS = 3
_LEAST_RHO, _MOST_RHO = 1e-4, 0.5
_PRIOR_RHO, _PRIOR_UNITS = 0.02, 4.0  # what stands in for the spread of a group while few units show it
_GRID = 256


class Pooled(NamedTuple):
    """u units, each (u,). weight: how much the unit's own data weigh in its estimate, 0 to 1; the rest is its peers'."""

    estimate: FloatArray
    low: FloatArray
    high: FloatArray
    group_mean: FloatArray
    weight: FloatArray


class Ranks(NamedTuple):
    """Place among peers, 1 the best, each (u,): expected, and at both ends of the unit's interval. peers: how many are ranked."""

    rank: FloatArray
    best: FloatArray
    worst: FloatArray
    peers: IntArray


def pooled_shares(hits: FloatArray, trials: FloatArray, group: IntArray, *, level: float = 0.9) -> Pooled:
    """Shares of units, leaning on the units of their group; a group of fewer than three leans on all.

    hits, trials: (u,), may be weighted and so not whole. group: (u,) from 0.

    >>> few = pooled_shares(np.array([3.0, 700, 500, 600]), np.array([3.0, 1000, 1000, 1000]), np.zeros(4, int))
    >>> few.estimate.round(2).tolist(), few.weight.round(2).tolist()
    ([0.63, 0.7, 0.5, 0.6], [0.08, 0.97, 0.97, 0.97])
    """
    of_groups = np.stack(
        [
            _spread(hits, trials, group),
            _spread(hits, trials, np.zeros_like(group))[:, :1].repeat(group.max(initial=0) + 1, 1),
        ]
    )
    is_alone = np.bincount(group[trials > 0], minlength=of_groups.shape[2]) < LEAST_PEERS
    mean, rho = np.where(is_alone, of_groups[1], of_groups[0])
    strength = (1 / rho - 1)[group]
    a = mean[group] * strength + hits
    b = (1 - mean[group]) * strength + trials - hits
    tail = (1 - level) / 2
    return Pooled(
        a / (a + b), betaincinv(a, b, tail), betaincinv(a, b, 1 - tail), mean[group], trials / (trials + strength)
    )


def _spread(hits: FloatArray, trials: FloatArray, group: IntArray) -> FloatArray:
    """Mean share and intraclass correlation of each group, shape (2, groups)."""
    size = group.max(initial=0) + 1

    def total(values: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(group, weights=values, minlength=size), dtype=np.float64)

    n, units = total(trials), total((trials > 0).astype(np.float64))
    mean = (total(hits) + 0.5) / (n + 1)
    share = np.divide(hits, trials, out=np.zeros_like(trials), where=trials > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        between = total(trials * (share - mean[group]) ** 2) / (units - 1)
        within = total(trials * share * (1 - share)) / (n - units)
        usual = (n - total(trials**2) / n) / (units - 1)
        rho = (between - within) / (between + (usual - 1) * within)
    rho = np.clip(np.nan_to_num(rho, nan=_PRIOR_RHO, posinf=_MOST_RHO, neginf=_LEAST_RHO), _LEAST_RHO, _MOST_RHO)
    rho = _leaning(rho, _PRIOR_RHO, units)
    return np.stack([mean, rho])


def _leaning(spread: FloatArray, prior: FloatArray | float, units: FloatArray) -> FloatArray:
    """A spread that few units show, drawn towards what is usual: else two equal stores would count as one."""
    shown = np.maximum(units - 1, 0)
    return np.asarray((shown * spread + _PRIOR_UNITS * prior) / (shown + _PRIOR_UNITS))


def pooled_means(
    total: FloatArray, squares: FloatArray, count: FloatArray, group: IntArray, *, level: float = 0.9
) -> Pooled:
    """Means of units, leaning on the units of their group. total, squares: (u,) sums of values and of their squares."""
    size = group.max(initial=0) + 1
    size_all = np.zeros_like(group)
    is_alone = np.bincount(group[count > 0], minlength=size) < LEAST_PEERS
    both = [_variances(total, squares, count, g, size) for g in (group, size_all)]
    mean, between, within = (np.where(is_alone, whole[0], own)[group] for own, whole in zip(*both, strict=True))
    noise = within / np.maximum(count, 1e-9)
    weight = between / (between + noise)
    estimate = mean + weight * (np.divide(total, count, out=np.zeros_like(total), where=count > 0) - mean)
    spread = ndtri((1 + level) / 2) * np.sqrt(weight * noise)
    return Pooled(estimate, estimate - spread, estimate + spread, mean, weight)


def _variances(
    total: FloatArray, squares: FloatArray, count: FloatArray, group: IntArray, size: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean, variance between units, and variance within them, of each group."""

    def added(values: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(group, weights=values, minlength=size), dtype=np.float64)

    n, units = added(count), added((count > 0).astype(np.float64))
    own = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nan_to_num(added(total) / n)
        within = np.maximum(np.nan_to_num(added(squares - count * own**2) / (n - units), posinf=1.0), 1e-6)
        excess = added(count * (own - mean[group]) ** 2) - (units - 1) * within
        between = np.maximum(np.nan_to_num(excess / (n - added(count**2) / n), posinf=0.0), 1e-3 * within)
    between = _leaning(between, _PRIOR_RHO * within, units)
    return mean, between, within


def ranks(pooled: Pooled, group: IntArray, *, level: float = 0.9, more_is_better: bool = True) -> Ranks:
    """Places among the units of a group, from the normal approximation of what is known of each.

    With F the mean of the units' distribution functions, the place of a value x among n is 1 + (n - 1)(1 - F(x)).
    """
    sign = 1.0 if more_is_better else -1.0
    low, high = (pooled.low, pooled.high) if more_is_better else (-pooled.high, -pooled.low)
    spread = np.maximum((pooled.high - pooled.low) / 2 / ndtri((1 + level) / 2), 1e-9)
    peers = np.bincount(group)[group]
    places = np.zeros((3, len(group)))
    for rows in _grouped(group):
        middle = sign * pooled.estimate[rows]
        grid = np.linspace((middle - 4 * spread[rows]).min(), (middle + 4 * spread[rows]).max(), _GRID)
        below = ndtr((grid[:, None] - middle) / spread[rows]).mean(axis=1)
        for place, value in enumerate((middle, high[rows], low[rows])):
            places[place, rows] = 1 + (len(rows) - 1) * (1 - np.interp(value, grid, below))
    return Ranks(places[0], np.minimum(*places[:2]), np.maximum(places[0], places[2]), peers)


def _grouped(group: IntArray) -> list[IntArray]:
    order = np.argsort(group, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(group[order])) + 1) if len(group) else []
