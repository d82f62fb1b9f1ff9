"""Runs: what a campaign brought in the town, as the books show it, beside what it truly brought."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Protocol, Self, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike

from regulars.measurement import Statement, statement_of
from regulars.measurement.statement import ANYWAY, INCREMENTAL, MOVED, PULLED_FORWARD
from regulars.rehearsal.contract_tables import names, ordered_at
from regulars.rehearsal.days import FloatArray
from regulars.rehearsal.places import IntArray
from regulars.rehearsal.truth import Truth
from regulars.rehearsal.visits import Visits
from regulars.rehearsal.windows import Window

HOLDOUT = "holdout"


class Place(Protocol):
    """Where a campaign is lived: what a run asks of a town."""

    @property
    def today(self) -> dt.date: ...

    @property
    def guests(self) -> pa.Table: ...

    @property
    def orders(self) -> pa.Table: ...

    @property
    def offer_ids(self) -> tuple[str, ...]: ...

    def truth_of(self, days: int, later_days: int) -> Truth: ...

    def run(self, assignment: ArrayLike, days: int, *, later_days: int) -> Run[Self]: ...


PlaceT = TypeVar("PlaceT", bound=Place)


@dataclass(frozen=True, kw_only=True, eq=False)
class Run(Generic[PlaceT]):
    """One campaign lived by n guests; every array has shape (n,), amounts in minor units.

    before, after: the town on the first morning, and on the morning after the following weeks.
    assignment: index of the offer, -1 for nothing. orders, order_items: all that happened, contract tables.
    orders_in_window: how many. sales_minor: paid at the campaign's stores in the window, before the subsidy.
    redeemed_minor: the same on checks with a voucher. later_minor: spent anywhere in the following weeks. sister_minor: at other
    own stores in the window. subsidy_minor: what redemptions cost. margin_minor: earned over all that time, after the subsidy.
    """

    before: PlaceT
    after: PlaceT
    days: int
    later_days: int
    assignment: IntArray
    visits: Visits
    orders: pa.Table
    order_items: pa.Table
    orders_in_window: FloatArray
    sales_minor: FloatArray
    redeemed_minor: FloatArray
    later_minor: FloatArray
    sister_minor: FloatArray
    subsidy_minor: FloatArray
    margin_minor: FloatArray

    @cached_property
    def truth(self) -> Truth:
        """What each offer would have changed in each guest over the same days."""
        return self.before.truth_of(self.days, self.later_days)

    @property
    def true_gain_minor(self) -> float:
        """What this assignment truly brings on average, margin after the subsidy, against giving nobody anything."""
        return float(self.truth.gain_of(self.assignment).sum())

    @cached_property
    def nothing(self) -> Run[PlaceT]:
        """The same days with the same luck, had nobody been given anything."""
        return self.before.run(np.full(len(self.assignment), -1), self.days, later_days=self.later_days)

    @property
    def true_split(self) -> dict[str, int]:
        """How the spend on this campaign's checks truly splits with this luck, minor units; adds up to it, as a Statement does.

        Known from the same days without offers: what was spent more here, less later, and less at sister stores.
        """
        spend = round(float(self.redeemed_minor.sum()))
        here, later, away = (
            round(float((getattr(self, name) - getattr(self.nothing, name)).sum()))
            for name in ("sales_minor", "later_minor", "sister_minor")
        )
        return {INCREMENTAL: here + later + away, ANYWAY: spend - here, PULLED_FORWARD: -later, MOVED: -away}

    def exposures(
        self,
        campaign_id: str,
        propensity: ArrayLike | None = None,
        arm: ArrayLike | None = None,
        plan_id: str | None = None,
    ) -> pa.Table:
        """Who was given what, a contract table. propensity: chance of what each guest got, (n,). arm: (n,), by default
        treated where there is an offer, else holdout. plan_id: of the plan that was run."""
        offers = np.array([*self.before.offer_ids, None], dtype=object)
        arms = np.where(self.assignment >= 0, "treated", HOLDOUT) if arm is None else np.asarray(arm)
        count, last = len(self.assignment), self.before.today + dt.timedelta(days=self.days)
        return pa.table(
            {
                "campaign_id": pa.array([campaign_id] * count, pa.string()),
                "guest_id": self.before.guests["guest_id"],
                "offer_id": pa.array(offers[self.assignment], pa.string()),
                "arm": pa.array(arms.tolist(), pa.string()),
                "propensity": pa.array(None if propensity is None else np.asarray(propensity, float), pa.float64())
                if propensity is not None
                else pa.nulls(count, pa.float64()),
                "exposed_at": _noon(self.before.today, count),
                "ends_at": _noon(last - dt.timedelta(days=1), count),
                "plan_id": pa.array([plan_id] * count, pa.string()),
            }
        )

    def redemptions(self, campaign_id: str) -> pa.Table:
        """The vouchers that were used, a contract table."""
        used = self.visits.only(self.visits.offer >= 0)
        row = np.flatnonzero(self.visits.offer >= 0)
        return pa.table(
            {
                "redemption_id": names("R", len(self.before.orders) + row, 9),
                "campaign_id": pa.array([campaign_id] * len(used), pa.string()),
                "guest_id": names("G", used.guest),
                "offer_id": pa.array(self.before.offer_ids, pa.string()).take(pa.array(used.offer)),
                "store_id": self.orders["store_id"].take(pa.array(row)),
                "order_id": self.orders["order_id"].take(pa.array(row)),
                "redeemed_at": ordered_at(used),
                "cost_minor": pa.array(used.discount, pa.int64()),
            }
        )

    def outcomes(self, campaign_id: str) -> pa.Table:
        """What each guest brought in the window: orders, amount and margin after the subsidy, and the subsidy."""
        inside = self.visits.only(self.visits.day < (self.before.today + dt.timedelta(days=self.days)).toordinal())
        count = len(self.assignment)
        sums = {"amount_minor": inside.paid, "margin_minor": inside.margin, "subsidy_minor": inside.discount}
        return pa.table(
            {
                "campaign_id": pa.array([campaign_id] * count, pa.string()),
                "guest_id": self.before.guests["guest_id"],
                "orders": pa.array(self.orders_in_window.astype(np.int64)),
                **{name: pa.array(inside.sums(values, count).astype(np.int64)) for name, values in sums.items()},
            }
        )

    def measured(self, arm: ArrayLike | None = None, covariate: ArrayLike | None = None) -> Statement:
        """The statement of the campaign as the referee makes it, who knows the books but not the truth.

        arm: (n,) labels, `holdout` for the control and "" for guests who had no part in it; by default the offer, or holdout.
        covariate: what each guest spent before, (n,). Raises DesignError where nobody was held out.
        """
        labels = np.array([*self.before.offer_ids, HOLDOUT])[self.assignment] if arm is None else np.asarray(arm)
        part = labels != ""
        return statement_of(
            labels[part],
            sales_minor=self.sales_minor[part],
            margin_minor=self.margin_minor[part],
            subsidy_minor=self.subsidy_minor[part],
            redeemed_minor=self.redeemed_minor[part],
            later_minor=self.later_minor[part],
            sister_minor=self.sister_minor[part],
            covariate=None if covariate is None else np.asarray(covariate)[part],
            control=HOLDOUT,
        )


def told(
    before: PlaceT, after: PlaceT, window: Window, action: IntArray, visits: Visits, orders: pa.Table, items: pa.Table
) -> Run[PlaceT]:
    """Add up the visits of each guest."""
    held = np.any([voucher.stores for voucher, _ in window.vouchers], axis=0)
    is_inside = visits.day < (window.first + dt.timedelta(days=window.days)).toordinal()
    is_here, is_used = held[visits.store], visits.offer >= 0

    def sums(values: np.ndarray, kept: np.ndarray) -> FloatArray:
        return visits.sums(values * kept, len(action))

    return Run(
        before=before,
        after=after,
        days=window.days,
        later_days=window.later_days,
        assignment=action,
        visits=visits,
        orders=orders,
        order_items=items,
        orders_in_window=sums(np.ones(len(visits)), is_inside),
        sales_minor=sums(visits.check, is_inside & is_here),
        redeemed_minor=sums(visits.check, is_used),
        later_minor=sums(visits.check, ~is_inside),
        sister_minor=sums(visits.check, is_inside & ~is_here),
        subsidy_minor=sums(visits.discount, is_used),
        margin_minor=sums(visits.margin, np.ones(len(visits), bool)),
    )


def _noon(date: dt.date, count: int) -> pa.Array:
    instant = dt.datetime.combine(date, dt.time(17), dt.UTC)
    return pa.array([instant] * count, pa.timestamp("us", "UTC"))
