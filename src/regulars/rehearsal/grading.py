"""Grades: how often the referee is right, where the truth is known.

The town is the population: every guest's outcome under every offer is lived with the same luck, so that any difference between two of
them is known. Each replication draws guests from it, deals out offers by lot, shows the referee what a campaign would have shown him,
and looks whether his interval holds the difference in the whole town. A/A: both arms get nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from regulars.measurement import compare, policy_value
from regulars.measurement.moments import Label
from regulars.rehearsal.days import FloatArray
from regulars.rehearsal.places import IntArray
from regulars.rehearsal.towns import Town

_BEFORE_DAYS, _BANDS, _CLUSTER = 56, 10, 25
_COVERAGE, _FALSE = (0.93, 0.97), (0.03, 0.07)
_SURE = 3.0


class Answer(NamedTuple):
    """One estimate with its interval, and the truth it is about."""

    estimate: float
    low: float
    high: float
    truth: float

    @property
    def is_covered(self) -> bool:
        return self.low <= self.truth <= self.high


class Grade(NamedTuple):
    """How an estimator did. bias: mean error, in standard deviations of the estimate. coverage: of its 95 % intervals.
    false_positives: share of A/A trials in which it found something."""

    estimator: str
    truth: float
    bias: float
    coverage: float
    false_positives: float
    replications: int

    @property
    def is_good(self) -> bool:
        """Coverage of 93 to 97 % and false positives of 3 to 7 %, each give or take what chance explains (3 standard errors)."""
        slack = _SURE * float(np.sqrt(0.05 * 0.95 / self.replications))
        return (
            _COVERAGE[0] - slack <= self.coverage <= _COVERAGE[1] + slack
            and _FALSE[0] - slack <= self.false_positives <= _FALSE[1] + slack
            and abs(self.bias) <= _SURE / float(np.sqrt(self.replications)) + 0.05
        )

    @property
    def words(self) -> str:
        mark = "" if self.is_good else "   not as promised"
        return f"{self.estimator:<34}{self.truth:>12.2f}{self.bias:>10.3f}{self.coverage:>10.1%}{self.false_positives:>10.1%}{mark}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Population:
    """What n guests do under each of a actions, nothing first; shape (a, n), money in minor units.

    margin: after the subsidy. paid, orders: in the window. before: what each spent before, shape (n,). cluster: the group
    of each guest that is dealt one offer together, shape (n,). plan: the action of a plan to be valued, shape (n,).
    """

    margin: FloatArray
    paid: FloatArray
    orders: FloatArray
    before: FloatArray
    cluster: IntArray
    plan: IntArray

    @classmethod
    def of(cls, place: Town) -> "Population":
        runs = [place.run(np.full(len(place), offer)) for offer in range(-1, len(place.offers))]
        by_store = np.lexsort((place.traits.joined, place.traits.stores[:, 0]))
        cluster = np.empty(len(place), np.int64)
        cluster[by_store] = np.arange(len(place)) // _CLUSTER
        before = place.spent(_BEFORE_DAYS)
        return cls(
            margin=np.stack([run.margin_minor for run in runs]),
            paid=np.stack([run.sales_minor - run.subsidy_minor for run in runs]),
            orders=np.stack([run.orders_in_window for run in runs]),
            before=before,
            cluster=cluster,
            plan=np.where(before > 0, 1, min(2, len(place.offers))),
        )

    def without_effect(self) -> "Population":
        """The same guests, whom no offer changes."""
        same = {
            name: np.broadcast_to(getattr(self, name)[:1], self.margin.shape) for name in ("margin", "paid", "orders")
        }
        return Population(**same, before=self.before, cluster=self.cluster, plan=self.plan)


Estimator = Callable[[Population, int, np.random.Generator], Answer]


def _halves(people: Population, guests: int, rng: np.random.Generator) -> tuple[IntArray, IntArray, np.ndarray]:
    """Guests drawn from the town, their actions (0 or 1), and the names of their arms, each of shape (guests,)."""
    who = rng.integers(0, len(people.before), guests)
    action = rng.permutation(np.arange(guests) % 2)
    return who, action, np.array(["control", "offer"])[action]


def _mean(people: Population, guests: int, rng: np.random.Generator) -> Answer:
    who, action, arm = _halves(people, guests, rng)
    (lift,) = compare(people.margin[action, who], arm)
    return Answer(lift.estimate, *lift.interval, float(people.margin[1].mean() - people.margin[0].mean()))


def _adjusted(people: Population, guests: int, rng: np.random.Generator) -> Answer:
    who, action, arm = _halves(people, guests, rng)
    (lift,) = compare(people.margin[action, who], arm, covariate=people.before[who])
    return Answer(lift.estimate, *lift.interval, float(people.margin[1].mean() - people.margin[0].mean()))


def _share(people: Population, guests: int, rng: np.random.Generator) -> Answer:
    who, action, arm = _halves(people, guests, rng)
    came = (people.orders > 0).astype(np.float64)
    (lift,) = compare(came[action, who], arm)
    return Answer(lift.estimate, *lift.interval, float(came[1].mean() - came[0].mean()))


def _ratio(people: Population, guests: int, rng: np.random.Generator) -> Answer:
    who, action, arm = _halves(people, guests, rng)
    (lift,) = compare(people.paid[action, who], arm, denominator=people.orders[action, who])
    rate = people.paid.sum(axis=1) / people.orders.sum(axis=1)
    return Answer(lift.estimate, *lift.interval, float(rate[1] - rate[0]))


def _clustered(people: Population, guests: int, rng: np.random.Generator) -> Answer:
    """Whole clusters are drawn and dealt out; a last cluster that is not full is never drawn."""
    count = guests // _CLUSTER
    drawn = rng.integers(0, len(people.cluster) // _CLUSTER, count)
    members = np.argsort(people.cluster, kind="stable")[: len(people.cluster) // _CLUSTER * _CLUSTER].reshape(
        -1, _CLUSTER
    )
    who = members[drawn].ravel()
    dealt = np.repeat(rng.permutation(np.arange(count) % 2), _CLUSTER)
    names = np.repeat(np.arange(count), _CLUSTER)
    (lift,) = compare(people.margin[dealt, who], np.array(["control", "offer"])[dealt], cluster=names)
    all_members = members.ravel()
    return Answer(lift.estimate, *lift.interval, float((people.margin[1] - people.margin[0])[all_members].mean()))


def _off_policy(people: Population, guests: int, rng: np.random.Generator) -> Answer:
    """The change of a plan against offers dealt at random, on the exposures of the latter, with predictions from other guests."""
    actions = len(people.margin)
    who, action = rng.integers(0, len(people.before), guests), rng.integers(0, actions, guests)
    other = rng.integers(0, len(people.before), guests)
    tried = rng.integers(0, actions, guests)
    guesses = _guesses(people, other, tried, who)
    outcome, labels = people.margin[action, who], action.astype(str)
    value = policy_value(outcome, labels, np.full(guests, 1 / actions), people.plan[who].astype(str), predicted=guesses)
    everybody = np.arange(len(people.before))
    truth = people.margin[people.plan, everybody].mean() - people.margin.mean()
    return Answer(value.change, *value.change_interval, float(truth))


def _guesses(people: Population, other: IntArray, tried: IntArray, who: IntArray) -> dict[Label, FloatArray]:
    """Predictions for `who` from other guests: the mean of each action among those who spent about as much before."""
    ends = np.unique(np.quantile(people.before, np.linspace(0, 1, _BANDS + 1)[1:-1]))
    band, mine = np.searchsorted(ends, people.before[other]), np.searchsorted(ends, people.before[who])
    guesses: dict[Label, FloatArray] = {}
    for action in range(len(people.margin)):
        here = tried == action
        size = np.bincount(band[here], minlength=len(ends) + 1)
        total = np.bincount(band[here], people.margin[action, other[here]], minlength=len(ends) + 1)
        guesses[str(action)] = (total / np.maximum(size, 1))[mine]
    return guesses


ESTIMATORS: Mapping[str, Estimator] = {
    "mean margin per guest": _mean,
    "the same, adjusted (CUPED)": _adjusted,
    "share who came": _share,
    "paid per order (ratio)": _ratio,
    "mean margin, dealt by groups": _clustered,
    "another plan (off-policy, DR)": _off_policy,
}


def grades(place: Town, *, replications: int = 1_000, guests: int = 2_000, seed: int = 0) -> list[Grade]:
    """Grade every estimator of the referee on campaigns with `guests` guests drawn from the town.

    Raises ValueError for fewer than 2 replications or 100 guests.
    """
    if replications < 2 or guests < 100:
        raise ValueError(f"{replications} replications of {guests} guests grade nothing; give at least 2 and 100")
    people = Population.of(place)
    same = people.without_effect()
    rng = np.random.default_rng([seed, 8])
    return [_grade(name, estimator, people, same, replications, guests, rng) for name, estimator in ESTIMATORS.items()]


def _grade(
    name: str,
    estimator: Estimator,
    people: Population,
    same: Population,
    replications: int,
    guests: int,
    rng: np.random.Generator,
) -> Grade:
    answers = [estimator(people, guests, rng) for _ in range(replications)]
    empty = [estimator(same, guests, rng) for _ in range(replications)]
    errors = np.array([answer.estimate - answer.truth for answer in answers])
    return Grade(
        estimator=name,
        truth=answers[0].truth,
        bias=float(errors.mean() / errors.std(ddof=1)),
        coverage=float(np.mean([answer.is_covered for answer in answers])),
        false_positives=float(np.mean([not answer.low <= 0 <= answer.high for answer in empty])),
        replications=replications,
    )
