"""Windows: a campaign's days and the weeks that follow, and how often each guest comes in them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from regulars.rehearsal.days import FloatArray, busyness
from regulars.rehearsal.guests import Guests
from regulars.rehearsal.vouchers import Appeal, Voucher

_REMEMBERED = 0.85


class Moods(NamedTuple):
    """How often each guest comes, visits a day, shape (n,): `plain` without an offer, then with one: not heeded (`told`),
    heeded and not yet used (`keen`), used (`sated`)."""

    plain: FloatArray
    told: FloatArray
    keen: FloatArray
    sated: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """`days` days from `first` on, and the `later_days` that follow, for n guests and the vouchers that they may hold.

    is_lost: (n,) who is no longer ours on the first morning. messages: (n,) how many recent ones weigh on each guest.
    vouchers: each with its appeal to the guests.
    """

    guests: Guests
    is_lost: np.ndarray
    messages: FloatArray
    vouchers: Sequence[tuple[Voucher, Appeal]]
    first: dt.date
    days: int
    later_days: int
    seed: int

    @property
    def busy(self) -> FloatArray:
        """How busy each day is, shape (days + later_days,)."""
        return busyness(self.first, self.days + self.later_days, self.seed)

    def moods(self, appeal: Appeal) -> Moods:
        """How often guests come if they are given the voucher of this appeal."""
        guests = self.guests
        plain = guests.rate * np.exp(-guests.irritation * self.messages)
        told = guests.rate * np.exp(-guests.irritation * (self.messages + 1.0))
        back = told * guests.comeback * (appeal.lift - 1.0)
        sated = told * (1.0 - guests.hoard * (1.0 - 1.0 / appeal.lift))
        here = ~self.is_lost
        return Moods(here * plain, here * told, np.where(here, told * appeal.lift, back), here * sated)


def weariness(messages: FloatArray) -> FloatArray:
    """Factor on the chance that a message is read, after `messages` recent ones, shape (n,)."""
    return _REMEMBERED**messages
