"""Visits: a log of who ate where, when and for how much; and how one day's chance is drawn."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from regulars.rehearsal.days import FloatArray, busyness
from regulars.rehearsal.guests import SPEND_WITHIN, STORE_CHANCES, Guests
from regulars.rehearsal.places import FOOD_COST, IntArray
from regulars.rehearsal.vouchers import HOURS

_STORE_ENDS, _HOUR_ENDS = np.cumsum(STORE_CHANCES)[:-1], np.cumsum(HOURS)[:-1]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Visits:
    """v visits in the order of days; every array has shape (v,).

    guest, store: indices. day: ordinal of the date. hour: from the first open one. minute: of it. check: before the
    discount, minor units. discount: minor units. offer: the one that was used, -1 for none.
    """

    guest: IntArray
    store: IntArray
    day: IntArray
    hour: IntArray
    minute: IntArray
    check: IntArray
    discount: IntArray
    offer: IntArray

    def __len__(self) -> int:
        return len(self.guest)

    @property
    def paid(self) -> IntArray:
        return self.check - self.discount

    @property
    def margin(self) -> IntArray:
        """What is left of what was paid after the cost of the food, minor units, shape (v,)."""
        margin: IntArray = np.rint(self.check * (1.0 - FOOD_COST)).astype(np.int64) - self.discount
        return margin

    def only(self, kept: np.ndarray) -> "Visits":
        """The visits where `kept`, shape (v,)."""
        return Visits(**{field.name: getattr(self, field.name)[kept] for field in fields(Visits)})

    def sums(self, values: np.ndarray, guests: int) -> FloatArray:
        """Sums of `values`, shape (v,), for each guest, shape (guests,)."""
        return np.bincount(self.guest, weights=values, minlength=guests).astype(np.float64)

    @classmethod
    def joined(cls, parts: Sequence["Visits"]) -> "Visits":
        return cls(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Visits)})


class Luck(NamedTuple):
    """One day's chance of each of n guests, uniform in [0, 1) or normal, shape (n,): the same whatever they are given."""

    comes: FloatArray
    leaves: FloatArray
    store: FloatArray
    moves: FloatArray
    hour: FloatArray
    check: FloatArray

    @classmethod
    def of(cls, guests: int, day: dt.date, seed: int) -> "Luck":
        rng = np.random.default_rng([seed, day.toordinal(), 2])
        comes, leaves, store, moves, hour = rng.random((5, guests))
        return cls(comes, leaves, store, moves, hour, rng.standard_normal(guests))

    def columns(self, who: np.ndarray) -> IntArray:
        """Which of their stores each visit goes to."""
        columns: IntArray = np.searchsorted(_STORE_ENDS, self.store[who], side="right").astype(np.int64)
        return columns

    def hours(self, who: np.ndarray) -> IntArray:
        hours: IntArray = np.searchsorted(_HOUR_ENDS, self.hour[who], side="right").astype(np.int64)
        return hours

    def checks(self, who: np.ndarray, guests: Guests) -> FloatArray:
        checks: FloatArray = np.maximum(np.exp(guests.check[who] + SPEND_WITHIN * self.check[who]).round(), 1.0)
        return checks

    def minutes(self, who: np.ndarray) -> IntArray:
        minutes: IntArray = (self.moves[who] * 60).astype(np.int64)
        return minutes


def past(guests: Guests, first: dt.date, days: int, seed: int) -> tuple[Visits, np.ndarray]:
    """Live `days` days from `first` without any offer: the visits, and who is lost at the end, shape (n,).

    As in BG/NBD a guest is never lost by their first visit.
    """
    busy = busyness(first, days, seed)
    is_here = np.ones(len(guests), bool)
    parts = []
    for day in range(days):
        date = first + dt.timedelta(days=day)
        luck = Luck.of(len(guests), date, seed)
        is_new = guests.joined == day
        again = is_here & (guests.joined < day) & (luck.comes < -np.expm1(-guests.rate * busy[day]))
        is_here &= ~(again & (luck.leaves < guests.dropout))
        who = np.flatnonzero(is_new | again)
        parts.append(plain_visits(guests, who, luck, date))
    return Visits.joined(parts), ~is_here


def plain_visits(guests: Guests, who: IntArray, luck: Luck, date: dt.date) -> Visits:
    """The visits of one day, nobody using anything; who: (v,) indices of guests."""
    nothing = np.zeros(len(who), np.int64)
    return Visits(
        guest=who,
        store=guests.stores[who, luck.columns(who)],
        day=nothing + date.toordinal(),
        hour=luck.hours(who),
        minute=luck.minutes(who),
        check=luck.checks(who, guests).astype(np.int64),
        discount=nothing,
        offer=nothing - 1,
    )
