"""Truth: what each offer would change in each guest, exactly, by adding up chances day by day instead of drawing.

A guest comes on a day with the chance 1 - exp(-rate). One who heeds their message comes more often, on days on which the voucher
holds, until they have used it, and less often afterwards, for some of their visits were only moved. Whoever gets a message comes a
little less for it. A guest who is lost comes, if at all, for the voucher. Each visit may be the last.
"""

from dataclasses import dataclass

import numpy as np

from regulars.rehearsal.days import FloatArray
from regulars.rehearsal.guests import SPEND_WITHIN
from regulars.rehearsal.places import FOOD_COST
from regulars.rehearsal.vouchers import Appeal, Voucher
from regulars.rehearsal.windows import Moods, Window


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Truth:
    """Potential outcomes of n guests under k offers, expected values in minor units, over window and following weeks.

    gain: (n, k) margin after the subsidy, against nothing. cost: (n, k) subsidy. redemption: (n, k) chance of a redemption.
    orders: (n, k) change in orders. baseline: (n,) margin if they are given nothing.
    """

    gain: FloatArray
    cost: FloatArray
    redemption: FloatArray
    orders: FloatArray
    baseline: FloatArray

    def gain_of(self, action: np.ndarray) -> FloatArray:
        """The gain of each guest under their action, shape (n,); -1 is nothing and gains 0."""
        rows = np.arange(len(action))
        return np.where(action >= 0, self.gain[rows, action], 0.0)


def potential(window: Window) -> Truth:
    """The truth of a window, with the days that follow."""
    guests, busy = window.guests, window.busy
    worth = np.exp(guests.check + SPEND_WITHIN**2 / 2) * (1.0 - FOOD_COST)
    columns = []
    baseline = np.zeros(len(guests))
    for voucher, appeal in window.vouchers:
        mood = window.moods(appeal)
        calm, unheeded = (_visits(rate, guests.dropout, busy) for rate in (mood.plain, mood.told))
        heeded, uses = _with_voucher(window, mood, appeal, voucher)
        orders = appeal.heeds * heeded + (1.0 - appeal.heeds) * unheeded - calm
        used = appeal.heeds * uses
        columns.append((worth * orders + used * (appeal.margin - appeal.cost), used * appeal.cost, used, orders))
        baseline = worth * calm
    gain, cost, redemption, orders = (np.stack(column, axis=1) for column in zip(*columns, strict=True))
    return Truth(gain=gain, cost=cost, redemption=redemption, orders=orders, baseline=baseline)


def _visits(rate: FloatArray, dropout: FloatArray, busy: FloatArray) -> FloatArray:
    """Expected visits at a steady rate, shape (n,)."""
    here, visits = np.ones(len(rate)), np.zeros(len(rate))
    for factor in busy:
        comes = -here * np.expm1(-rate * factor)
        visits += comes
        here -= comes * dropout
    return visits


def _with_voucher(window: Window, mood: Moods, appeal: Appeal, voucher: Voucher) -> tuple[FloatArray, FloatArray]:
    """Expected visits and redemptions of guests who heed the message, each of shape (n,)."""
    busy, dropout = window.busy, window.guests.dropout
    holds = [*voucher.holds(window.first, window.days), *[False] * window.later_days]
    fresh, used = np.ones(len(dropout)), np.zeros(len(dropout))
    visits, uses = np.zeros(len(dropout)), np.zeros(len(dropout))
    for is_valid, factor in zip(holds, busy, strict=True):
        comes = -fresh * np.expm1(-(mood.keen if is_valid else mood.told) * factor)
        again = -used * np.expm1(-mood.sated * factor)
        redeems = comes * appeal.used if is_valid else np.zeros(len(dropout))
        visits += comes + again
        uses += redeems
        fresh -= redeems + (comes - redeems) * dropout
        used += redeems * (1.0 - dropout) - again * dropout
    return visits, uses
