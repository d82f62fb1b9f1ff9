"""Response: what a voucher changes, learned from few exposures, because what it could change is known in outline.

A guest who redeems brings an order; if they would have come anyway, that order is no gain. So what offer j changes in a guest, before
the subsidy, is written as a sum of few terms, each with a coefficient of the offer:

    u w          u: their chance to redeem, w: what one of their orders brings           expected near  1/2 to 1
    u w q        q: their chance to come without an offer                             expected near -1/2 to -1
    m            m: what they bring anyway: messages, and what was only pulled forward        near  0
    u            what the offer itself adds to an order (a dish on top)                      near what the dish leaves
    u w / sqrt(visits), u w log(1 + recency / rhythm)    newcomers and the silent are different   near  0

u, q and m are regressions (`baseline`); the coefficients are a Bayesian linear regression (Gelman et al. 2013, section 14.8) of what
the guests brought on these terms, each row weighted by one over its variance, which grows with what a guest brings anyway: those
who hardly ever come, whom an offer can win, are almost without noise. Offers share a coefficient, from which each differs as far
as its own data ask. Beginning at a stated guess with a stated doubt keeps a plan from promising the luck of its data (the winner's
curse); as exposures add up, the data decide. That effects go with the risk of coming anyway follows Kent et al. (2020, PATH).
"""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa
from scipy.optimize import nnls

from regulars.planning.baseline import Baseline, Expected, Habits
from regulars.planning.history import History

GUESS = np.array([0.7, -0.7, 0.0, 0.0, 0.0, 0.0])
"""The coefficients before any data, in the order above, as parts of 1 (of u: parts of a mean order)."""
DOUBT = np.array([0.15, 0.15, 0.015, 0.075, 0.15, 0.05])
"""Standard deviation of what all offers share around the guess."""
DIFFERENCE = np.array([0.075, 0.075, 0.0075, 0.15, 0.075, 0.025])
"""Standard deviation of each offer around what all share."""
_MULTIPLES = (0.25, 0.5, 1.0, 2.0)
_FAR = 10.0
_LEVEL_DOUBT = np.array([0.3, 0.3, 0.05, 0.05])
_TERMS, _LEVELS = len(GUESS), len(_LEVEL_DOUBT)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Response:
    """The fitted response to k offers. coefficient: (k, 6). spread: (6 k, 6 k) covariance of all coefficients, offer by offer,
    robust to guests who repeat."""

    baseline: Baseline
    coefficient: np.ndarray
    spread: np.ndarray

    @classmethod
    def fit(cls, history: History, outcome: np.ndarray, *, adds: np.ndarray) -> Self:
        """outcome: (n,) before the subsidy, minor units. adds: (k,) what each offer's own dish leaves on an order, minor units."""
        habits = Habits.of(history.features)
        baseline = Baseline.fit(habits, history, outcome)
        expected = baseline.expect(habits)
        guess = np.tile(GUESS, (len(history.offers), 1))
        guess[:, 3] = adds / baseline.order
        given = [np.where((history.action == j)[:, None], _terms(expected, habits, j), 0.0) for j in range(len(guess))]
        rest = outcome - expected.brings - sum(terms @ start for terms, start in zip(given, guess, strict=True))
        design = np.hstack([_levels(expected), sum(given), *given])
        found, covariance = _regress(
            design, rest, _weights(_variances(expected, history.action, rest), rest), len(guess), _codes(history.guest)
        )
        mix = _mix(len(guess))
        return cls(
            baseline=baseline, coefficient=guess + (mix @ found).reshape(guess.shape), spread=mix @ covariance @ mix.T
        )

    def predict(self, profiles: pa.Table) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Gain after the subsidy, its standard error, the subsidy, and the chance to redeem, (n, k) each."""
        habits = Habits.of(profiles)
        expected = self.baseline.expect(habits)
        cost = expected.redeems * self.baseline.amount
        gain, error = np.empty_like(cost), np.empty_like(cost)
        for offer, coefficient in enumerate(self.coefficient):
            terms, own = _terms(expected, habits, offer), slice(offer * _TERMS, (offer + 1) * _TERMS)
            gain[:, offer] = terms @ coefficient - cost[:, offer]
            error[:, offer] = np.sqrt(np.einsum("ij,jk,ik->i", terms, self.spread[own, own], terms))
        return gain, error, cost, expected.redeems


def _terms(expected: Expected, habits: Habits, offer: int) -> np.ndarray:
    """Shape (n, 6)."""
    redeems = expected.redeems[:, offer]
    order = redeems * expected.order
    return np.column_stack(
        [
            order, order * expected.comes, expected.brings, redeems * expected.usual, order / np.sqrt(habits.visits),
            order * habits.silence_of_rhythm,
        ]
    )  # fmt: skip


def _levels(expected: Expected) -> np.ndarray:
    """What guests bring anyway, set right along with the response, shape (n, 4)."""
    usual = np.full(len(expected.order), expected.usual)
    return np.column_stack([expected.brings, expected.comes * expected.order, expected.order, usual])


def _variances(expected: Expected, action: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """The variance of what each guest brings, as in a compound Poisson process: orders they make anyway, orders that their voucher
    may bring, and what differs between guests who look alike."""
    redeems = np.where(action >= 0, expected.redeems[np.arange(len(action)), np.maximum(action, 0)], 0.0)
    parts = np.column_stack(
        [expected.brings * expected.order, expected.brings**2, redeems * expected.order**2, np.ones(len(rest))]
    )
    parts /= np.maximum(parts.mean(axis=0), 1e-300)
    first = np.maximum(parts @ nnls(parts, rest**2)[0], 1e-3 * rest.var())
    return np.maximum(parts @ nnls(parts / first[:, None], rest**2 / first)[0], 1e-3 * rest.var())  # type: ignore[no-any-return]


def _weights(variance: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """One over the variance, and less where a guest is further off than `_FAR` standard deviations (Huber 1964), so that no single
    one decides. Nearer, it would be the guests won who are off, and with them what the offer gains."""
    far = np.abs(rest) / np.sqrt(variance)
    weights: np.ndarray = np.minimum(1.0, _FAR / np.maximum(far, 1e-12)) / variance
    return weights


def _regress(
    design: np.ndarray, rest: np.ndarray, weight: np.ndarray, offers: int, guest: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Posterior mean (p,) of the coefficients under a normal prior with mean 0, and their covariance (p, p).

    How far offers may be from the guess, and from each other, is asked of the data: answers under several multiples of the
    stated doubts count by their evidence (Bishop 2006, equation 3.86). Each covariance is the sandwich over guests, with the prior.
    """
    weight = weight / _overdispersion(design, rest, weight, guest)
    weighted = design * weight[:, None]
    known, seen = weighted.T @ design, weighted.T @ rest
    answers = [
        _answer(known, seen, np.concatenate([_LEVEL_DOUBT, shared * DOUBT, *[own * DIFFERENCE] * offers]))
        for shared in _MULTIPLES
        for own in _MULTIPLES
    ]
    evidence = np.array([answer.evidence for answer in answers])
    share = np.exp(evidence - evidence.max())
    share /= share.sum()
    found: np.ndarray = np.sum([part * answer.mean for part, answer in zip(share, answers, strict=True)], axis=0)
    scores = weighted * (rest - design @ found)[:, None]
    summed = _sums(scores, guest)
    filling = summed.T @ summed
    spread = np.zeros_like(known)
    for part, answer in zip(share, answers, strict=True):
        if part > 1e-6:
            away = answer.mean - found
            spread += part * (
                answer.bread @ (filling + np.diag(answer.precision)) @ answer.bread + np.outer(away, away)
            )
    return found, spread


def _overdispersion(design: np.ndarray, rest: np.ndarray, weight: np.ndarray, guest: np.ndarray) -> float:
    """How much larger the variance of the scores is than the weights say, 1 if they say it all: heavy tails, guests who repeat."""
    weighted = design * weight[:, None]
    summed = _sums(weighted * rest[:, None], guest)
    ratio = (summed**2).sum(axis=0) / np.maximum((weighted * design).sum(axis=0), 1e-300)
    return max(1.0, float(ratio[_LEVELS:].mean()))


def _sums(scores: np.ndarray, guest: np.ndarray) -> np.ndarray:
    """Scores (n, p) of each guest, shape (guests, p)."""
    return np.column_stack([np.bincount(guest, weights=column) for column in scores.T])


class _Answer(NamedTuple):
    mean: np.ndarray
    bread: np.ndarray
    precision: np.ndarray
    evidence: float


def _answer(known: np.ndarray, seen: np.ndarray, doubt: np.ndarray) -> _Answer:
    """known: (p, p) D'WD; seen: (p,) D'Wy; doubt: (p,) prior standard deviations."""
    precision = doubt**-2
    curvature = known + np.diag(precision)
    bread = np.linalg.inv(curvature)
    mean = bread @ seen
    evidence = 0.5 * (seen @ mean - np.linalg.slogdet(curvature)[1] + np.log(precision).sum())
    return _Answer(mean, bread, precision, float(evidence))


def _mix(offers: int) -> np.ndarray:
    """From levels, shared and own parts to the coefficients of each offer, shape (6 k, 4 + 6 (k + 1))."""
    shared = np.tile(np.eye(_TERMS), (offers, 1))
    return np.hstack([np.zeros((offers * _TERMS, _LEVELS)), shared, np.eye(offers * _TERMS)])


def _codes(guest: np.ndarray) -> np.ndarray:
    codes: np.ndarray = np.unique(guest.astype(str), return_inverse=True)[1]
    return codes
