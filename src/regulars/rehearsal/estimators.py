"""Estimators: each way of the referee to judge, tried on a campaign among guests drawn from a town.

A trial draws guests, deals out offers by lot, and shows the referee what a campaign would have shown it. Its answers are intervals
that promise to hold their truths together: one for a mean, one for each offer of several, one for each look of many.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np

from regulars.measurement import compare, compare_quantile, policy_value, winsor_cap
from regulars.measurement.contrasts import holds
from regulars.measurement.lift import Lift
from regulars.measurement.metrics import Adjustment
from regulars.measurement.moments import Label
from regulars.rehearsal.days import FloatArray
from regulars.rehearsal.places import IntArray
from regulars.rehearsal.towns import Town

_BEFORE_DAYS, _BANDS, _CLUSTER, _LOOKS = 56, 10, 25, 20
_HIGH = 0.9
ARMS = np.array(["control", "offer"])


class Answer(NamedTuple):
    """One estimate with its interval, and the truth it is about."""

    estimate: float
    low: float
    high: float
    truth: float

    @classmethod
    def of(cls, lift: Lift, truth: float) -> "Answer":
        return cls(lift.estimate, *lift.interval, float(truth))

    @property
    def is_covered(self) -> bool:
        return holds((self.low, self.high), self.truth)

    @property
    def is_winner(self) -> bool:
        """Whether it claims that something changed."""
        return not holds((self.low, self.high), 0.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Population:
    """What n guests do under each of a actions, nothing first; shape (a, n), money in minor units.

    margin: after the subsidy. paid, orders: in the window. before: what each spent before, shape (n,). cluster: groups of guests
    that are dealt one offer together, shape (c, guests of one).
    """

    margin: FloatArray
    paid: FloatArray
    orders: FloatArray
    before: FloatArray
    cluster: IntArray

    def __len__(self) -> int:
        return len(self.before)

    @classmethod
    def of(cls, place: Town) -> "Population":
        runs = [place.run(np.full(len(place), offer)) for offer in range(-1, len(place.offers))]
        by_store = np.lexsort((place.traits.joined, place.traits.stores[:, 0]))
        return cls(
            margin=np.stack([run.margin_minor for run in runs]),
            paid=np.stack([run.sales_minor - run.subsidy_minor for run in runs]),
            orders=np.stack([run.orders_in_window for run in runs]),
            before=place.spent(_BEFORE_DAYS),
            cluster=by_store[: len(place) // _CLUSTER * _CLUSTER].reshape(-1, _CLUSTER),
        )

    def without_effect(self) -> "Population":
        """The same guests, whom no offer changes."""
        same = {
            name: np.broadcast_to(getattr(self, name)[:1], self.margin.shape) for name in ("margin", "paid", "orders")
        }
        return replace(self, **same)

    @cached_property
    def plan(self) -> IntArray:
        """A plan to be valued, shape (n,): the first offer to those who came before, the second to the others."""
        return np.where(self.before > 0, 1, min(2, len(self.margin) - 1))

    @cached_property
    def change(self) -> FloatArray:
        """The true change of mean margin under each action, shape (a,)."""
        return np.asarray(self.margin.mean(axis=1) - self.margin[0].mean())

    @cached_property
    def bands(self) -> IntArray:
        """Guests who spent about as much before, shape (n,)."""
        ends = np.unique(np.quantile(self.before, np.linspace(0, 1, _BANDS + 1)[1:-1]))
        return np.searchsorted(ends, self.before)


Trial = Callable[[Population, int, np.random.Generator], list[Answer]]
"""From a population, the number of guests to draw, and chance, to answers that promise to hold together."""


class Estimator(NamedTuple):
    """is_exact: it promises to hold in 95 of 100 campaigns; else in at least so many."""

    name: str
    trial: Trial
    is_exact: bool = True


class _Dealt(NamedTuple):
    """Guests drawn from the town, their actions (0 or 1), and the names of their arms, each of shape (guests,)."""

    who: IntArray
    action: IntArray
    arm: np.ndarray


def _dealt(people: Population, guests: int, rng: np.random.Generator) -> _Dealt:
    action = rng.permutation(np.arange(guests) % 2)
    return _Dealt(rng.integers(0, len(people), guests), action, ARMS[action])


def _compared(outcome: FloatArray, people: Population, dealt: _Dealt, truth: float, **more: Any) -> list[Answer]:
    """outcome: of every guest of the town under each action, shape (a, n)."""
    (lift,) = compare(outcome[dealt.action, dealt.who], dealt.arm, **more)
    return [Answer.of(lift, truth)]


def mean(people: Population, guests: int, rng: np.random.Generator) -> list[Answer]:
    dealt = _dealt(people, guests, rng)
    return _compared(people.margin, people, dealt, people.change[1])


def adjusted(adjustment: Adjustment) -> Trial:
    def trial(people: Population, guests: int, rng: np.random.Generator) -> list[Answer]:
        dealt = _dealt(people, guests, rng)
        more = {"covariate": people.before[dealt.who], "adjustment": adjustment}
        return _compared(people.margin, people, dealt, people.change[1], **more)

    return trial


def share(people: Population, guests: int, rng: np.random.Generator) -> list[Answer]:
    came = (people.orders[:2] > 0).astype(np.float64)
    return _compared(came, people, _dealt(people, guests, rng), came[1].mean() - came[0].mean())


def ratio(people: Population, guests: int, rng: np.random.Generator) -> list[Answer]:
    dealt = _dealt(people, guests, rng)
    rate = people.paid[:2].sum(axis=1) / people.orders[:2].sum(axis=1)
    return _compared(people.paid, people, dealt, rate[1] - rate[0], denominator=people.orders[dealt.action, dealt.who])


def clustered(people: Population, guests: int, rng: np.random.Generator) -> list[Answer]:
    """Whole groups are drawn and dealt out."""
    count = guests // _CLUSTER
    who = people.cluster[rng.integers(0, len(people.cluster), count)].ravel()
    action = np.repeat(rng.permutation(np.arange(count) % 2), _CLUSTER)
    truth = (people.margin[1] - people.margin[0])[people.cluster].mean()
    names = np.repeat(np.arange(count), _CLUSTER)
    return _compared(people.margin, people, _Dealt(who, action, ARMS[action]), truth, cluster=names)


def high_bills(people: Population, guests: int, rng: np.random.Generator) -> list[Answer]:
    """The quantile that one guest in ten exceeds."""
    dealt = _dealt(people, guests, rng)
    true = np.quantile(people.margin[:2], _HIGH, axis=1)
    (lift,) = compare_quantile(people.margin[dealt.action, dealt.who], dealt.arm, _HIGH)
    return [Answer.of(lift, true[1] - true[0])]


def capped(people: Population, guests: int, rng: np.random.Generator) -> list[Answer]:
    """The question is what was brought below the cap that these guests' own outcomes set."""
    dealt = _dealt(people, guests, rng)
    cap = winsor_cap(people.margin[dealt.action, dealt.who])
    low = np.minimum(people.margin[:2], cap)
    return _compared(people.margin, people, dealt, low[1].mean() - low[0].mean(), cap=cap)


def several(people: Population, guests: int, rng: np.random.Generator) -> list[Answer]:
    """Every offer of the town against one control; all intervals promise to hold together."""
    who, action = rng.integers(0, len(people), guests), rng.permutation(np.arange(guests) % len(people.margin))
    names = np.array(["control", *(f"offer {number}" for number in range(1, len(people.margin)))])
    lifts = compare(people.margin[action, who], names[action])
    return [Answer.of(lift, people.change[names.tolist().index(str(lift.offer))]) for lift in lifts]


def watched(people: Population, guests: int, rng: np.random.Generator) -> list[Answer]:
    """Guests come bit by bit, and somebody looks each time; the intervals of all looks promise to hold together."""
    dealt = _dealt(people, guests, rng)
    outcome, looks = people.margin[dealt.action, dealt.who], np.linspace(guests / _LOOKS, guests, _LOOKS).astype(int)
    found = [compare(outcome[:seen], dealt.arm[:seen], anytime=True) for seen in looks]
    return [Answer.of(lift, people.change[1]) for (lift,) in found]


def another_plan(method: Literal["ips", "snips", "dr"]) -> Trial:
    """The change of a plan against offers dealt by lot, on the exposures of the latter, with predictions from other guests."""

    def trial(people: Population, guests: int, rng: np.random.Generator) -> list[Answer]:
        actions = len(people.margin)
        who, action = rng.integers(0, len(people), guests), rng.integers(0, actions, guests)
        value = policy_value(
            people.margin[action, who],
            action.astype(str),
            np.full(guests, 1 / actions),
            people.plan[who].astype(str),
            predicted=_guesses(people, who, rng),
            method=method,
        )
        truth = people.margin[people.plan, np.arange(len(people))].mean() - people.margin.mean()
        return [Answer(value.change, *value.change_interval, float(truth))]

    return trial


def _guesses(people: Population, who: IntArray, rng: np.random.Generator) -> dict[Label, FloatArray]:
    """Predictions for `who` from as many others: the mean of each action among those who spent about as much before."""
    other, tried = rng.integers(0, len(people), len(who)), rng.integers(0, len(people.margin), len(who))
    band, mine, size = people.bands[other], people.bands[who], int(people.bands.max()) + 1
    guesses: dict[Label, FloatArray] = {}
    for action in range(len(people.margin)):
        here = tried == action
        total = np.bincount(band[here], people.margin[action, other[here]], minlength=size)
        guesses[str(action)] = (total / np.maximum(np.bincount(band[here], minlength=size), 1))[mine]
    return guesses


ESTIMATORS = (
    Estimator("mean margin per guest", mean),
    Estimator("the same, adjusted by regression", adjusted("regression")),
    Estimator("the same, adjusted by CUPED", adjusted("cuped")),
    Estimator("the same, capped (winsorised)", capped),
    Estimator("margin that 1 in 10 exceeds", high_bills),
    Estimator("share who came", share),
    Estimator("paid per order (ratio)", ratio),
    Estimator("mean margin, dealt by groups", clustered),
    Estimator("all offers against one control", several),
    Estimator("20 looks (always-valid)", watched, is_exact=False),
    Estimator("another plan, IPS", another_plan("ips")),
    Estimator("another plan, self-normalised", another_plan("snips")),
    Estimator("another plan, doubly robust", another_plan("dr")),
)
