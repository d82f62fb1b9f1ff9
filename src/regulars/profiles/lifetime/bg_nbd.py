"""How often a guest will come again, and whether he still will: the BG/NBD model.

Visits come at a rate of the guest's own, Gamma(r, alpha) over guests; after each visit he may leave for good, with a
probability of his own, Beta(a, b) over guests. Fader, Hardie & Lee, "Counting your customers the easy way", Marketing
Science 24 (2005), 275-284; equation numbers below are theirs.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numba import njit
from numpy.typing import ArrayLike
from scipy.special import expit, gammaln, hyp2f1, polygamma, psi

from regulars.errors import DataError, FitError
from regulars.profiles.lifetime.counts import visit_quantiles
from regulars.profiles.lifetime.grouping import grouped
from regulars.profiles.lifetime.newton import Derivatives, FloatArray, maximise

_NAMES = ("r", "alpha", "a", "b")


@dataclass(frozen=True, slots=True, kw_only=True)
class BgNbd:
    """A fitted BG/NBD model. `alpha` is in the unit of time of the data.

    covariance: of (r, alpha, a, b), shape (4, 4), from the observed information.
    """

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float
    guests: float
    covariance: FloatArray

    @property
    def parameters(self) -> FloatArray:
        """(r, alpha, a, b)."""
        return np.array([self.r, self.alpha, self.a, self.b])

    @property
    def standard_errors(self) -> FloatArray:
        """Of (r, alpha, a, b)."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    def alive_probability(self, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> FloatArray:
        """The probability that a guest has not left for good; 1 before the first repeat visit, as the model has it."""
        return _alive(self.parameters, *_history(frequency, recency, age))

    def silence_probability(
        self, horizon: ArrayLike, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
    ) -> FloatArray:
        """The probability that a guest does not come within the horizon."""
        repeats, last, age_now = _history(frequency, recency, age)
        ahead = np.asarray(horizon, dtype=np.float64)
        shrink = np.exp((self.r + repeats) * (np.log(self.alpha + age_now) - np.log(self.alpha + age_now + ahead)))
        return np.asarray(1 - _alive(self.parameters, repeats, last, age_now) * (1 - shrink))

    def order_quantiles(
        self, share: float, horizon: float, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike
    ) -> FloatArray:
        """The least number of visits within the horizon that a guest stays at or below with this probability.

        Between the quantiles .05 and .95 lie nine in ten guests with this history, as far as the parameters are right.
        """
        repeats, last, age_now = np.broadcast_arrays(*_history(frequency, recency, age))
        alive = _alive(self.parameters, repeats, last, age_now)
        shape = np.shape(alive)
        alive, repeats, age_now = (np.ravel(values).astype(np.float64) for values in (alive, repeats, age_now))
        quantiles = visit_quantiles(share, horizon, alive, repeats, age_now, self.r, self.alpha, self.a, self.b)
        return np.asarray(quantiles).reshape(shape)

    def expected_orders(
        self,
        horizon: ArrayLike,
        frequency: ArrayLike = 0,
        recency: ArrayLike = 0,
        age: ArrayLike = 0,
    ) -> FloatArray:
        """Expected visits within the horizon: of a guest with this history (equation 10), or of a new one (equation 9).

        A new guest is one whose first visit is now.
        """
        return _expected(self.parameters, np.asarray(horizon, dtype=np.float64), *_history(frequency, recency, age))

    def expected_orders_error(
        self,
        horizon: ArrayLike,
        frequency: ArrayLike = 0,
        recency: ArrayLike = 0,
        age: ArrayLike = 0,
    ) -> FloatArray:
        """Standard error of `expected_orders` from the uncertainty of the parameters (delta method).

        It says how well the model is known, not how much one guest may differ from what is expected of him.
        """
        ahead, history = np.asarray(horizon, dtype=np.float64), _history(frequency, recency, age)
        slopes = []
        for index, value in enumerate(self.parameters):
            nudge = np.zeros(4)
            nudge[index] = 1e-4 * value
            up, down = (_expected(self.parameters + sign * nudge, ahead, *history) for sign in (1, -1))
            slopes.append((up - down) / (2 * nudge[index]))
        jacobian = np.stack(slopes, axis=-1)
        return np.asarray(np.sqrt(np.einsum("...i,ij,...j->...", jacobian, self.covariance, jacobian)))

    @classmethod
    def _of(cls, parameters: FloatArray, covariance: FloatArray, log_likelihood: float, guests: float) -> Self:
        values = dict(zip(_NAMES, map(float, parameters), strict=True))
        return cls(**values, log_likelihood=log_likelihood, guests=guests, covariance=covariance)


def fit_bg_nbd(frequency: ArrayLike, recency: ArrayLike, age: ArrayLike, weights: ArrayLike | None = None) -> BgNbd:
    """Fit by maximum likelihood (equation 6), on one row for each distinct history.

    frequency: repeat visits of each guest, shape (n,), the first visit not counted. recency: time from his first visit
    to his latest, 0 without a repeat. age: time from his first visit to now. Any one unit of time.
    weights: guests each row stands for, shape (n,).
    Raises DataError for a history that cannot be, with its row; FitError with the parameters that stay unknown.

    >>> import numpy as np
    >>> model = fit_bg_nbd([0, 1, 2, 5], [0, 10, 20, 30], [38, 36, 38, 38], weights=[600, 150, 80, 40])
    >>> [round(float(orders), 2) for orders in model.expected_orders(13, [0, 5], [0, 30], [38, 38])]
    [0.07, 1.0]
    """
    repeats, last, age_now = np.broadcast_arrays(*_history(frequency, recency, age))
    if not repeats.size:
        raise DataError("there are no guests; fit on at least some hundreds")
    counts = np.ones(repeats.shape) if weights is None else np.asarray(weights, dtype=np.float64)
    _check_weights(counts, repeats.shape)
    rows = grouped(np.column_stack([repeats, last, age_now]), counts)
    total, visits = float(rows.weights.sum()), float(rows.values[:, 0] @ rows.weights)
    if visits == 0:
        raise FitError("nobody came a second time, so neither r nor alpha, a, b can be known; wait for repeat visits")
    rate = visits / float(rows.values[:, 2] @ rows.weights)
    likelihood = _Likelihood(rows.values, rows.weights)
    return BgNbd._of(*maximise(likelihood, (0.5, 0.5 / rate, 1.0, 2.0), _NAMES, total), guests=total)


class _Likelihood:
    """The log-likelihood of grouped histories with its derivatives, for one set of parameters after the other."""

    def __init__(self, histories: FloatArray, weights: FloatArray) -> None:
        self.counts, groups = np.unique(histories[:, 0], return_inverse=True)
        self.guests = np.bincount(groups, weights)
        came_again = histories[:, 0] > 0
        self.repeats, self.last, self.age = (np.ascontiguousarray(column) for column in histories[came_again].T)
        self.weights = weights[came_again]
        self.once_age, self.once_weights = histories[~came_again, 2], weights[~came_again]

    def __call__(self, parameters: FloatArray) -> Derivatives:
        r, alpha, a, b = map(float, parameters)
        visits, once = self._visits(r, alpha, a, b), self._once(r, alpha)
        again = _again(self.repeats, self.last, self.age, self.weights, r, alpha, a, b)
        return Derivatives(
            visits.value + once.value + again.value,
            visits.gradient + once.gradient + again.gradient,
            visits.hessian + once.hessian + again.hessian,
        )

    def _once(self, r: float, alpha: float) -> Derivatives:
        """ln A3 of the guests who never came again: -r ln(alpha + T)."""
        end = 1 / (alpha + self.once_age)
        logs, inverse, square = (float(self.once_weights @ values) for values in (np.log(end), end, end * end))
        hessian = np.zeros((4, 4))
        hessian[0, 1] = hessian[1, 0] = -inverse
        hessian[1, 1] = r * square
        return Derivatives(r * logs, np.array([logs, -r * inverse, 0, 0]), hessian)

    def _visits(self, r: float, alpha: float, a: float, b: float) -> Derivatives:
        """ln A1 + ln A2, which depend on the history only through the number of repeat visits."""
        x, n = self.counts, self.guests
        total, both = n.sum(), a + b
        value = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        value = value + gammaln(both) + gammaln(b + x) - gammaln(b) - gammaln(both + x)
        by_both, by_both2 = n @ (psi(both) - psi(both + x)), n @ (polygamma(1, both) - polygamma(1, both + x))
        gradient = np.array([
            n @ (psi(r + x) - psi(r) + np.log(alpha)), total * r / alpha,
            by_both, by_both + n @ (psi(b + x) - psi(b)),
        ])  # fmt: skip
        hessian = np.zeros((4, 4))
        hessian[0, 0] = n @ (polygamma(1, r + x) - polygamma(1, r))
        hessian[0, 1] = hessian[1, 0] = total / alpha
        hessian[1, 1] = -total * r / alpha**2
        hessian[2:, 2:] = by_both2
        hessian[3, 3] += n @ (polygamma(1, b + x) - polygamma(1, b))
        return Derivatives(float(n @ value), gradient, hessian)


def _again(
    repeats: FloatArray,
    last: FloatArray,
    age: FloatArray,
    weights: FloatArray,
    r: float,
    alpha: float,
    a: float,
    b: float,
) -> Derivatives:
    """ln(A3 + A4) of the guests who came again."""
    sums = _again_sums(repeats, last, age, weights, r, alpha, a, b)
    triangle = np.zeros((4, 4))
    triangle[np.triu_indices(4)] = sums[5:]
    return Derivatives(float(sums[0]), sums[1:5], triangle + np.triu(triangle, 1).T)


@njit(nogil=True, cache=True, fastmath=True)
def _again_sums(
    repeats: FloatArray,
    last: FloatArray,
    age: FloatArray,
    weights: FloatArray,
    r: float,
    alpha: float,
    a: float,
    b: float,
) -> FloatArray:
    """Over the rows: the value, the gradient (4), and the upper triangle of the Hessian (10), row by row.

    With u = ln A3 and v = ln A4, p is the share of A4 in the sum, and d = grad v - grad u.
    """
    sums = np.zeros(15)
    d = np.empty(4)
    for i in range(repeats.size):
        w, k = weights[i], r + repeats[i]
        left, end, seen = 1 / (b + repeats[i] - 1), 1 / (alpha + age[i]), 1 / (alpha + last[i])
        apart, log_end = np.log(seen / end), -np.log(end)
        odds = a * left * np.exp(k * apart)
        p = odds / (1 + odds)
        q = 1 - p
        d[0], d[1], d[2], d[3] = apart, -k * (seen - end), 1 / a, -left
        inverse = q * end + p * seen
        sums[0] += w * (np.log1p(odds) - k * log_end)
        sums[1] += w * (p * apart - log_end)
        sums[2] -= w * k * inverse
        sums[3] += w * p / a
        sums[4] -= w * p * left
        place = 5
        for row in range(4):
            for column in range(row, 4):
                sums[place] += w * p * q * d[row] * d[column]
                place += 1
        sums[6] -= w * inverse
        sums[9] += w * k * (q * end * end + p * seen * seen)
        sums[12] -= w * p / (a * a)
        sums[14] += w * p * left * left
    return sums


def _alive(parameters: FloatArray, repeats: FloatArray, last: FloatArray, age: FloatArray) -> FloatArray:
    r, alpha, a, b = parameters
    log_odds = np.log(a / (b + np.maximum(repeats, 1) - 1)) + (r + repeats) * np.log((alpha + age) / (alpha + last))
    return np.where(repeats == 0, 1.0, expit(-log_odds))


def _expected(
    parameters: FloatArray, horizon: FloatArray, repeats: FloatArray, last: FloatArray, age: FloatArray
) -> FloatArray:
    """Equation 10 with Euler's transformation of 2F1, which leaves the visits in its last parameter only.

    So a thousand visits overflow nothing. At a = 1 both numerator and denominator vanish: nudge a.
    """
    r, alpha, a, b = parameters
    less = a - 1 if abs(a - 1) > 1e-6 else 1e-6
    ahead = horizon / (alpha + age + horizon)
    shape = less + b + repeats
    series = hyp2f1(less, less + b - r, shape, ahead)
    alive = _alive(parameters, repeats, last, age)
    return np.asarray(alive * shape / less * (1 - (1 - ahead) ** less * series))


def _history(frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    repeats, last, age_now = (np.asarray(values, dtype=np.float64) for values in (frequency, recency, age))
    _refuse(~np.isfinite(repeats + last + age_now), "has a value that is no finite number")
    _refuse(
        (repeats < 0) | (repeats != np.floor(repeats)), "has a frequency that counts no repeat visits: 0, 1, 2, ..."
    )
    _refuse(last > age_now, "has a recency greater than its age; both run from the first visit")
    _refuse(last < 0, "has a recency below 0")
    _refuse((repeats == 0) != (last == 0), "has a recency without repeat visits, or repeat visits without a recency")
    return repeats, last, age_now


def _refuse(wrong: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], what: str) -> None:
    if wrong.any():
        raise DataError(
            f"row {int(np.argmax(wrong))} (counted from 0) {what}; correct or leave out {wrong.sum()} row(s)"
        )


def _check_weights(weights: FloatArray, shape: tuple[int, ...]) -> None:
    if weights.shape != shape or not np.isfinite(weights).all() or (weights < 0).any():
        raise DataError(f"weights must be {shape[0] if shape else 1} numbers, none below 0")
