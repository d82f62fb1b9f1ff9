"""Simulation: a campaign's days and the weeks that follow, lived by guests of whom each was given an offer or nothing."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from regulars.rehearsal.days import FloatArray
from regulars.rehearsal.guests import Guests
from regulars.rehearsal.places import IntArray
from regulars.rehearsal.visits import Luck, Visits, plain_visits
from regulars.rehearsal.vouchers import Appeal, Voucher
from regulars.rehearsal.windows import Moods, Window


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Hands:
    """What each of n guests holds: the offer, its appeal to them, and their moods; every array has shape (n,)."""

    action: IntArray
    heeds: np.ndarray
    used: FloatArray
    moves: FloatArray
    there: IntArray
    mood: Moods

    @classmethod
    def of(cls, window: Window, action: IntArray, luck: FloatArray) -> "_Hands":
        """luck: uniform draws of who heeds their message, shape (n,)."""
        appeals = [appeal for _, appeal in window.vouchers]
        all_moods = [window.moods(appeal) for appeal in appeals]

        def own(values: Sequence[np.ndarray]) -> np.ndarray:
            return np.stack(values)[action, np.arange(len(action))]

        mine = Moods(*(own([getattr(mood, name) for mood in all_moods]) for name in Moods._fields))
        given = action >= 0
        return cls(
            action=action,
            heeds=given & (luck < own([appeal.heeds for appeal in appeals])),
            used=own([appeal.used for appeal in appeals]),
            moves=own([appeal.moves for appeal in appeals]),
            there=own([appeal.there for appeal in appeals]),
            mood=mine._replace(told=np.where(given, mine.told, mine.plain)),
        )


def simulate(window: Window, action: IntArray) -> tuple[Visits, np.ndarray]:
    """Draw the window: all visits, and who is lost at its end, shape (n,). The same seed draws the same chance for any action.

    action: the voucher of each guest, -1 for none, shape (n,).
    """
    guests, days, seed = window.guests, window.days, window.seed
    start = np.random.default_rng([seed, window.first.toordinal(), 3]).random(len(guests))
    hands = _Hands.of(window, action, start)
    holds = np.stack([voucher.holds(window.first, days) for voucher, _ in window.vouchers])
    is_here, is_used = np.ones(len(guests), bool), np.zeros(len(guests), bool)
    parts = []
    for day, factor in enumerate(window.busy):
        date = window.first + dt.timedelta(days=day)
        luck = Luck.of(len(guests), date, seed)
        is_fresh = hands.heeds & ~is_used & (holds[action, day] if day < days else False)
        rate = np.where(is_used, hands.mood.sated, np.where(is_fresh, hands.mood.keen, hands.mood.told))
        comes = is_here & (luck.comes < -np.expm1(-rate * factor))
        is_here &= ~(comes & (luck.leaves < guests.dropout))
        who = np.flatnonzero(comes)
        visits = plain_visits(guests, who, luck, date)
        if day < days:
            visits = _with_vouchers(visits, guests, hands, is_fresh, luck, window.vouchers)
            is_used[visits.guest[visits.offer >= 0]] = True
        parts.append(visits)
    return Visits.joined(parts), window.is_lost | ~is_here


def _with_vouchers(
    visits: Visits,
    guests: Guests,
    hands: _Hands,
    may_use: np.ndarray,
    luck: Luck,
    vouchers: Sequence[tuple[Voucher, Appeal]],
) -> Visits:
    """One day's visits, with those that are moved for a voucher and those that use one. may_use: shape (n,)."""
    store, check, discount, offer = (
        column.copy() for column in (visits.store, visits.check, visits.discount, visits.offer)
    )
    for index, (voucher, _) in enumerate(vouchers):
        here = np.flatnonzero(may_use[visits.guest] & (hands.action[visits.guest] == index))
        who = visits.guest[here]
        moved = ~voucher.stores[store[here]] & (luck.moves[who] < hands.moves[who])
        store[here[moved]] = guests.stores[who[moved], hands.there[who[moved]]]
        fits = voucher.stores[store[here]] & voucher.hours[visits.hour[here]] & (check[here] >= voucher.least)
        using = here[fits]
        off = voucher.takes_off(check[using].astype(np.float64)).astype(np.int64)
        check[using] += round(voucher.added)
        discount[using], offer[using] = off, index
    return Visits(
        guest=visits.guest, store=store, day=visits.day, hour=visits.hour, minute=visits.minute,
        check=check, discount=discount, offer=offer,
    )  # fmt: skip
