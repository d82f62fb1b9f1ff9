"""What a guest leaves on a visit: the Gamma-Gamma model.

What a guest leaves varies from visit to visit around a mean of their own, and the means vary over guests; how often they come
says nothing about how much they leave. Fader & Hardie, "The Gamma-Gamma model of monetary value" (2013),
brucehardie.com/notes/025; equation numbers below are theirs.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike
from scipy.special import gammaln, polygamma, psi

from regulars.errors import DataError, FitError
from regulars.profiles.lifetime.newton import Derivatives, FloatArray, maximise

_NAMES = ("p", "q", "gamma")


@dataclass(frozen=True, slots=True, kw_only=True)
class GammaGamma:
    """A fitted Gamma-Gamma model. `gamma` is in the unit of money of the data.

    covariance: of (p, q, gamma), shape (3, 3), from the observed information.
    """

    p: float
    q: float
    gamma: float
    log_likelihood: float
    guests: float
    covariance: FloatArray

    @property
    def parameters(self) -> FloatArray:
        """(p, q, gamma)."""
        return np.array([self.p, self.q, self.gamma])

    @property
    def standard_errors(self) -> FloatArray:
        """Of (p, q, gamma)."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    def expected_value(self, frequency: ArrayLike = 0, mean_value: ArrayLike = 0) -> FloatArray:
        """The value of a visit expected of a guest (equation 5): their own mean, drawn towards the crowd's.

        Linear in their mean, so that it serves a guest with a loss as well. Without visits, the mean of the crowd.
        """
        visits, mean = np.asarray(frequency, dtype=np.float64), np.asarray(mean_value, dtype=np.float64)
        return np.asarray(self.p * (self.gamma + visits * mean) / (self.p * visits + self.q - 1))


def fit_gamma_gamma(frequency: ArrayLike, mean_value: ArrayLike, weights: ArrayLike | None = None) -> GammaGamma:
    """Fit by maximum likelihood (equation 1a).

    frequency: visits that mean_value is a mean over, at least 1, shape (n,). mean_value: above 0, shape (n,).
    weights: guests each row stands for, shape (n,).
    Raises DataError for visits or values not above 0, with the row; FitError with the parameters that stay unknown, and
    where q is at most 1, so that the mean of the crowd does not exist.

    >>> import numpy as np
    >>> generator = np.random.default_rng(0)
    >>> visits = generator.integers(1, 6, 2000)
    >>> means = generator.gamma(6 * visits, 1 / (visits * generator.gamma(4, 1 / 15, 2000)))
    >>> model = fit_gamma_gamma(visits, means)
    >>> bool(8 < model.expected_value(2, 8.0) < model.expected_value())
    True
    """
    visits, means = np.broadcast_arrays(np.asarray(frequency, np.float64), np.asarray(mean_value, np.float64))
    counts = np.ones(visits.shape) if weights is None else np.asarray(weights, dtype=np.float64)
    _check(visits, means, counts)
    crowd = float(counts @ means / counts.sum())
    optimum = maximise(_Likelihood(visits, means, counts), (2.0, 3.0, crowd), _NAMES, float(counts.sum()))
    p, q, gamma = map(float, optimum.parameters)
    if q <= 1:
        raise FitError(f"q is {q:.2f}: at most 1, so the values have no mean; look for a few guests of enormous value")
    return GammaGamma(
        p=p, q=q, gamma=gamma,
        covariance=optimum.covariance, log_likelihood=optimum.log_likelihood, guests=float(counts.sum()),
    )  # fmt: skip


class _Likelihood:
    """The log-likelihood with its derivatives, for one set of parameters after the other."""

    def __init__(self, visits: FloatArray, means: FloatArray, weights: FloatArray) -> None:
        self.visits, self.totals, self.weights = visits, visits * means, weights
        self.counts, groups = np.unique(visits, return_inverse=True)
        self.guests = np.bincount(groups, weights)
        logs = np.log(self.totals)
        self.by_p = float((weights * visits) @ logs)
        self.constant = float(weights @ np.log(means))

    def __call__(self, parameters: FloatArray) -> Derivatives:
        p, q, gamma = map(float, parameters)
        x, n = self.counts, self.guests
        logs, x_logs, inverse, x_inverse, square, x_square = _sums(self.visits, self.totals, self.weights, gamma)
        guests, shape, all_of_them = n.sum(), p * x, p * x + q
        value = n @ (gammaln(all_of_them) - gammaln(shape) - gammaln(q) + q * np.log(gamma))
        value += p * self.by_p - self.constant - p * x_logs - q * logs
        gradient = np.array([
            (n * x) @ (psi(all_of_them) - psi(shape)) + self.by_p - x_logs,
            n @ (psi(all_of_them) - psi(q)) + guests * np.log(gamma) - logs,
            guests * q / gamma - p * x_inverse - q * inverse,
        ])  # fmt: skip
        bend = polygamma(1, all_of_them)
        hessian = np.empty((3, 3))
        hessian[0, 0] = (n * x * x) @ (bend - polygamma(1, shape))
        hessian[0, 1] = hessian[1, 0] = (n * x) @ bend
        hessian[0, 2] = hessian[2, 0] = -x_inverse
        hessian[1, 1] = n @ bend - guests * polygamma(1, q)
        hessian[1, 2] = hessian[2, 1] = guests / gamma - inverse
        hessian[2, 2] = -guests * q / gamma**2 + p * x_square + q * square
        return Derivatives(float(value), gradient, hessian)


@njit(nogil=True, cache=True, fastmath=True)
def _sums(visits: FloatArray, totals: FloatArray, weights: FloatArray, gamma: float) -> tuple[float, ...]:
    """Weighted sums of ln(gamma + s), 1 / (gamma + s) and its square, each also times the visits; s is a guest's total."""
    logs, x_logs, inverse, x_inverse, square, x_square = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(visits.size):
        whole = gamma + totals[i]
        one = weights[i] / whole
        log = weights[i] * np.log(whole)
        logs += log
        x_logs += visits[i] * log
        inverse += one
        x_inverse += visits[i] * one
        square += one / whole
        x_square += visits[i] * one / whole
    return logs, x_logs, inverse, x_inverse, square, x_square


def _check(visits: FloatArray, means: FloatArray, weights: FloatArray) -> None:
    if not visits.size:
        raise DataError("there are no guests; fit on at least some hundreds")
    if weights.shape != visits.shape or not np.isfinite(weights).all() or (weights < 0).any() or not weights.sum():
        raise DataError(f"weights must be {visits.size} numbers, none below 0, one at least above")
    wrong = ~(np.isfinite(means) & (means > 0) & np.isfinite(visits) & (visits >= 1))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"row {row} (counted from 0) has {visits[row]:g} visits of mean value {means[row]:g}; both must be above 0: "
            f"leave out {wrong.sum()} row(s)"
        )
