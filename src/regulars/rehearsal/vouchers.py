"""Vouchers: what an offer takes off a check, what it is worth to a guest, and where and when it holds."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np
from scipy import special

from regulars.benefits import AmountOff, Benefit, FixedPrice, FreeItem, PercentOff, Points
from regulars.clock import WEEKDAYS, window_of
from regulars.money import to_minor
from regulars.planning import Offer
from regulars.rehearsal.days import FloatArray
from regulars.rehearsal.guests import SPEND_WITHIN, STORE_CHANCES, Guests
from regulars.rehearsal.places import FOOD_COST, Menu

HOURS = np.array([0.09, 0.19, 0.14, 0.05, 0.03, 0.04, 0.09, 0.15, 0.13, 0.07, 0.02])
FIRST_HOUR = 11
CURRENCY = "USD"
"""The money of the town."""
_EVERYTHING = 1e9
_HASSLE = 3.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Voucher:
    """An offer in minor units: it takes off `part` of the check, at most `most`, from a check of `least` on.

    added: what the free or cheap dish adds to the check. stores: (s,) where it holds. hours: (11,) in which hours from eleven
    on. weekdays: (7,). days: how long it holds, None for the whole window.
    """

    part: float
    most: float
    least: float
    added: float
    stores: np.ndarray
    hours: np.ndarray
    weekdays: np.ndarray
    days: int | None

    @classmethod
    def of(cls, offer: Offer, menu: Menu, store_ids: Sequence[str]) -> "Voucher":
        part, off = _effect(offer.benefit(CURRENCY, menu.price_of))
        price = 0.0 if offer.item_id is None else float(menu.price_of(offer.item_id))
        return cls(
            part=part,
            most=off,
            least=float(to_minor(offer.minimum_spend or 0, CURRENCY)),
            added=price,
            stores=np.isin(list(store_ids), offer.stores) if offer.stores else np.ones(len(store_ids), bool),
            hours=_open_hours(offer.hours),
            weekdays=np.isin(WEEKDAYS, offer.weekdays) if offer.weekdays else np.ones(7, bool),
            days=offer.valid_days,
        )

    def takes_off(self, check: FloatArray) -> FloatArray:
        """The subsidy of checks that meet the minimum spend, minor units, same shape."""
        return np.minimum(self.part * check, self.most).round()

    def usual(self, check: FloatArray) -> FloatArray:
        """What it takes off the middle check of guests whose logarithm of checks has the mean `check`, minor units."""
        return np.minimum(self.part * np.exp(check), self.most)

    def holds(self, first: dt.date, days: int) -> np.ndarray:
        """On which days of the window it can be used, shape (days,)."""
        dates = [(first + dt.timedelta(days=day)).weekday() for day in range(days)]
        is_alive = np.arange(days) < (days if self.days is None else self.days)
        return self.weekdays[dates] & is_alive


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Appeal:
    """What a voucher is to each of n guests; every array has shape (n,).

    heeds: chance that they read the message and mean to use it. lift: factor on their visits while it holds and is not used.
    used: chance that a visit on a day on which it holds uses it. cost: mean subsidy of a use, minor units.
    margin: what a use brings in margin before the subsidy, over any other visit. at: chance that a visit is where it holds.
    moves: chance that a visit elsewhere is moved there. there: column of their stores to which it is moved.
    """

    heeds: FloatArray
    lift: FloatArray
    used: FloatArray
    cost: FloatArray
    margin: float
    moves: FloatArray
    there: np.ndarray

    @classmethod
    def of(cls, voucher: Voucher, guests: Guests, average_check: float, weariness: FloatArray) -> "Appeal":
        """weariness: factor on the chance that a message is read, from earlier ones, shape (n,)."""
        fits = special.ndtr((guests.check - np.log(max(voucher.least, 1e-9))) / SPEND_WITHIN)
        cost = np.divide(_mean_subsidy(voucher, guests.check), fits, out=np.zeros(len(guests)), where=fits > 1e-12)
        held = voucher.stores[guests.stores]
        at = held @ STORE_CHANCES
        moves = np.where(held.any(axis=1), 1.0 - guests.loyalty_to_store, 0.0)
        reach = at + (1.0 - at) * moves
        worth = guests.sensitivity * fits * reach * voucher.usual(guests.check) / average_check
        gone_up = guests.share * np.exp(worth)
        return cls(
            heeds=guests.notice * weariness * -np.expm1(-_HASSLE * worth),
            lift=gone_up / (1.0 - guests.share + gone_up) / guests.share,
            used=fits * reach * float(HOURS @ voucher.hours),
            cost=cost,
            margin=voucher.added * (1.0 - FOOD_COST),
            moves=moves,
            there=np.argmax(held, axis=1),
        )


def _effect(benefit: Benefit) -> tuple[float, float]:
    """The part of a check that a benefit takes off, and the most of it."""
    match benefit:
        case AmountOff():
            return 1.0, float(benefit.amount_minor)
        case PercentOff():
            return float(benefit.percent) / 100, float(benefit.most_minor)
        case FreeItem() | FixedPrice() | Points():
            return _EVERYTHING, float(benefit.worth_minor)
    assert_never(benefit)


def _open_hours(spans: Sequence[str]) -> np.ndarray:
    """In which hours of the town's day it holds."""
    opening = [dt.datetime(2000, 1, 1, FIRST_HOUR + hour) for hour in range(len(HOURS))]
    windows = [window_of(span) for span in spans]
    return np.array([not windows or any(window.begun(at) is not None for window in windows) for at in opening])


def _mean_subsidy(voucher: Voucher, check: FloatArray) -> FloatArray:
    """E[min(part X, most); X >= least] of lognormal checks X, shape (n,)."""
    full = max(voucher.most / voucher.part, 1e-9)
    low = max(voucher.least, 1e-9)
    rising = voucher.part * (_mean_below(check, max(full, low)) - _mean_below(check, low))
    level = voucher.most * special.ndtr((check - np.log(max(full, low))) / SPEND_WITHIN)
    return rising + level  # type: ignore[no-any-return]


def _mean_below(check: FloatArray, end: float) -> FloatArray:
    """E[X; X < end] of lognormal checks, shape (n,)."""
    whole = np.exp(check + SPEND_WITHIN**2 / 2)
    return whole * special.ndtr((np.log(end) - check) / SPEND_WITHIN - SPEND_WITHIN)  # type: ignore[no-any-return]
