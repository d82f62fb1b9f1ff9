"""Grades: how often the referee is right, where the truth is known.

The town is the population: every guest's outcome under every offer is lived with the same luck, so that any difference between two of
them is known. Each replication is a campaign among guests drawn from it, judged by an estimator, and we look whether its intervals hold
what is true in the whole town. A/A: all arms get nothing.
"""

from typing import NamedTuple

import numpy as np

from regulars.rehearsal.estimators import ESTIMATORS, Estimator, Population
from regulars.rehearsal.towns import Town

_COVERAGE, _FALSE = (0.93, 0.97), (0.03, 0.07)
_SURE = 3.0


class Grade(NamedTuple):
    """How an estimator did.

    truth: what it was to find, on average. bias: mean error of the last answer, in standard deviations of the estimate.
    coverage: share of campaigns in which all its 95 % intervals held. false_positives: share of A/A campaigns in which it found
    something. is_exact: it promises 95 and 5 %; else at least 95 and at most 5 %.
    """

    estimator: str
    truth: float
    bias: float
    coverage: float
    false_positives: float
    replications: int
    is_exact: bool = True

    @property
    def is_good(self) -> bool:
        """Coverage of 93 to 97 % and false positives of 3 to 7 %, each give or take what chance explains (3 standard errors)."""
        slack = _SURE * float(np.sqrt(0.05 * 0.95 / self.replications))
        most, least = (_COVERAGE[1], _FALSE[0]) if self.is_exact else (1.0, 0.0)
        return (
            _COVERAGE[0] - slack <= self.coverage <= most + slack
            and least - slack <= self.false_positives <= _FALSE[1] + slack
            and abs(self.bias) <= _SURE / float(np.sqrt(self.replications)) + 0.05
        )

    @property
    def words(self) -> str:
        mark = "" if self.is_good else "   not as promised"
        return f"{self.estimator:<34}{self.truth:>12.2f}{self.bias:>10.3f}{self.coverage:>10.1%}{self.false_positives:>10.1%}{mark}"


def grades(place: Town, *, replications: int = 1_000, guests: int = 2_000, seed: int = 0) -> list[Grade]:
    """Grade every estimator of the referee on campaigns with `guests` guests drawn from the town.

    Raises ValueError for fewer than 2 replications or 200 guests.
    """
    if replications < 2 or guests < 200:
        raise ValueError(f"{replications} replications of {guests} guests grade nothing; give at least 2 and 200")
    people = Population.of(place)
    same = people.without_effect()
    rng = np.random.default_rng([seed, 8])
    return [_grade(estimator, people, same, replications, guests, rng) for estimator in ESTIMATORS]


def _grade(
    estimator: Estimator,
    people: Population,
    same: Population,
    replications: int,
    guests: int,
    rng: np.random.Generator,
) -> Grade:
    answers = [estimator.trial(people, guests, rng) for _ in range(replications)]
    empty = [estimator.trial(same, guests, rng) for _ in range(replications)]
    last = [together[-1] for together in answers]
    errors = np.array([answer.estimate - answer.truth for answer in last])
    return Grade(
        estimator=estimator.name,
        truth=float(np.mean([answer.truth for answer in last])),
        bias=float(errors.mean() / errors.std(ddof=1)),
        coverage=float(np.mean([all(answer.is_covered for answer in together) for together in answers])),
        false_positives=float(np.mean([any(answer.is_winner for answer in together) for together in empty])),
        replications=replications,
        is_exact=estimator.is_exact,
    )
