"""How often a guest will come again, and whether they still will: the BG/NBD model.

Visits come at a rate of the guest's own, Gamma(r, alpha) over guests; after each visit they may leave for good, with a
probability of their own, Beta(a, b) over guests. Fader, Hardie & Lee, "Counting your customers the easy way", Marketing
Science 24 (2005), 275-284; equation numbers below are theirs.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

import numpy as np
from numba import njit, vectorize
from numpy.typing import ArrayLike
from scipy.special import expit, gammaln, hyp2f1, polygamma, psi

from regulars.errors import DataError, FitError
from regulars.profiles.lifetime.counts import visit_quantiles
from regulars.profiles.lifetime.grouping import grouped
from regulars.profiles.lifetime.newton import Derivatives, FloatArray, maximise

_NAMES = ("r", "alpha", "a", "b")
_ROWS = 1 << 15
_Rows = tuple[FloatArray, ...]


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

        It says how well the model is known, not how much one guest may differ from what is expected of them.
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

    frequency: repeat visits of each guest, shape (n,), the first visit not counted. recency: time from their first visit
    to their latest, 0 without a repeat. age: time from their first visit to now. Any one unit of time.
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
    counts = np.ones(repeats.shape) if weights is None else np.array(weights, dtype=np.float64)
    _check_weights(counts, repeats.shape)
    rows = grouped((repeats, last, age_now), counts)
    total, visits = float(rows.weights.sum()), float(rows.values[:, 0] @ rows.weights)
    if visits == 0:
        raise FitError("nobody came a second time, so neither r nor alpha, a, b can be known; wait for repeat visits")
    rate = visits / float(rows.values[:, 2] @ rows.weights)
    likelihood = _Likelihood(rows.values, rows.weights)
    return BgNbd._of(*maximise(likelihood, (0.5, 0.5 / rate, 1.0, 2.0), _NAMES, total), guests=total)


class _Likelihood:
    """The log-likelihood of grouped histories with its derivatives, for one set of parameters after the other."""

    def __init__(self, histories: FloatArray, weights: FloatArray) -> None:
        self.counts = np.unique(histories[:, 0])
        self.guests = np.bincount(np.searchsorted(self.counts, histories[:, 0]), weights)
        came_again = histories[:, 0] > 0
        columns = [np.ascontiguousarray(column) for column in (*histories[came_again].T, weights[came_again])]
        starts = range(0, max(columns[0].size, 1), _ROWS)
        self.again: list[_Rows] = [tuple(column[at : at + _ROWS] for column in columns) for at in starts]
        self.once_age, self.once_weights = histories[~came_again, 2], weights[~came_again]

    def __call__(self, parameters: FloatArray) -> Derivatives:
        r, alpha, a, b = map(float, parameters)
        visits, once = self._visits(r, alpha, a, b), self._once(r, alpha)
        again = _again(self.again, r, alpha, a, b)
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


def _again(parts: Sequence[_Rows], r: float, alpha: float, a: float, b: float) -> Derivatives:
    """ln(A3 + A4) of the guests who came again, by threads where there are many."""

    def of(part: _Rows) -> FloatArray:
        repeats, last, age, weights = part
        return _again_sums(repeats, last, age, weights, r, alpha, a, b)

    if len(parts) == 1:
        sums = of(parts[0])
    else:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            sums = np.sum(list(pool.map(of, parts)), axis=0)
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

    With u = ln A3 and v = ln A4, p is the share of A4 in the sum; d1 to d4 are grad v - grad u. The sums are written out
    one by one, so that they stay in registers.
    """
    value, v1, v2, v3, v4 = 0.0, 0.0, 0.0, 0.0, 0.0
    h11, h12, h13, h14, h22, h23, h24, h33, h34, h44 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    d3, log_a = 1 / a, np.log(a)
    for i in range(repeats.size):
        w, k = weights[i], r + repeats[i]
        left, end, seen = 1 / (b + repeats[i] - 1), 1 / (alpha + age[i]), 1 / (alpha + last[i])
        log_end, d1, d2, d4 = np.log(end), np.log(seen / end), -k * (seen - end), -left
        log_odds = log_a + np.log(left) + k * d1
        less = np.exp(-abs(log_odds))
        major = 1 / (1 + less)
        p, q = (major, less * major) if log_odds > 0 else (less * major, major)
        one, both, inverse = w * p, w * p * q, q * end + p * seen
        value += w * (max(log_odds, 0.0) - np.log(major) + k * log_end)
        v1 += one * d1 + w * log_end
        v2 -= w * k * inverse
        v3 += one * d3
        v4 += one * d4
        h11 += both * d1 * d1
        h12 += both * d1 * d2 - w * inverse
        h13 += both * d1 * d3
        h14 += both * d1 * d4
        h22 += both * d2 * d2 + w * k * (q * end * end + p * seen * seen)
        h23 += both * d2 * d3
        h24 += both * d2 * d4
        h33 += (both - one) * d3 * d3
        h34 += both * d3 * d4
        h44 += (both + one) * d4 * d4
    return np.array([value, v1, v2, v3, v4, h11, h12, h13, h14, h22, h23, h24, h33, h34, h44])


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
    with np.errstate(invalid="ignore"):
        flaws = np.ravel(_flaw(repeats, last, age_now))
    if flaws.any():
        row = int(np.argmax(flaws > 0))
        raise DataError(
            f"row {row} (counted from 0) {_FLAWS[flaws[row]]}; correct or leave out {np.count_nonzero(flaws)} row(s)"
        )
    return repeats, last, age_now


_FLAWS = (
    "is right",
    "has a value that is no finite number",
    "has a frequency that counts no repeat visits: 0, 1, 2, ...",
    "has a recency greater than its age; both run from the first visit",
    "has a recency below 0",
    "has a recency without repeat visits, or repeat visits without a recency",
)


@vectorize(cache=True)  # type: ignore[untyped-decorator, no-untyped-call]
def _flaw(repeats: float, last: float, age: float) -> np.int8:
    """What is wrong with a history: its place in `_FLAWS`."""
    if not np.isfinite(repeats + last + age):
        return np.int8(1)
    if repeats < 0 or repeats != np.floor(repeats):
        return np.int8(2)
    if last > age:
        return np.int8(3)
    if last < 0:
        return np.int8(4)
    return np.int8(5) if (repeats == 0) != (last == 0) else np.int8(0)


def _check_weights(weights: FloatArray, shape: tuple[int, ...]) -> None:
    if weights.shape != shape or not np.isfinite(weights).all() or (weights < 0).any():
        raise DataError(f"weights must be {shape[0] if shape else 1} numbers, none below 0")
