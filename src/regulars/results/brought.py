"""Brought: what each guest of a campaign spent, where and when, what was left of it, and what their vouchers cost."""

import datetime as dt
from dataclasses import dataclass
from typing import NamedTuple

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.guests.facts import Facts, looked_up
from regulars.guests.redemptions import by_guest, checks_once
from regulars.planning.campaign import Campaign
from regulars.wording import Sentence

_LITTLE = 0.5
"""Discounts on the checks of vouchers that are less than this part of their cost cannot be those vouchers."""


class Window(NamedTuple):
    """The days of a campaign: its first business date, how many, and how many after them are looked at."""

    first: dt.date
    days: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What `statement_of` asks for, of n guests, each of shape (n,), minor units; None where there is nothing to look at."""

    sales_minor: np.ndarray
    subsidy_minor: np.ndarray
    margin_minor: np.ndarray
    covariate: np.ndarray
    redeemed_minor: np.ndarray | None
    later_minor: np.ndarray | None
    sister_minor: np.ndarray | None


@dataclass(frozen=True, slots=True)
class Brought:
    """Sums for each of n guests, one query each; plan: what says which stores are the campaign's."""

    facts: Facts
    guest: np.ndarray
    plan: Campaign | None

    def sums(self, campaign_id: str, window: Window) -> Sums:
        """What each guest did in the window, and before and after it."""
        first, days, after = window
        used = self.redemptions(campaign_id)
        costs, checks = by_guest(used), checks_once(used).group_by("guest_id").aggregate([("check", "sum")])
        return Sums(
            sales_minor=self._spent(first, days, is_ours=True),
            subsidy_minor=np.nan_to_num(looked_up(costs, costs["cost"], self.guest, 0.0)),
            margin_minor=self.facts.brought(self.guest, first, days + after),
            covariate=self._spent(first - dt.timedelta(days=days + after), days + after),
            redeemed_minor=looked_up(checks, checks["check_sum"], self.guest, 0) if len(used) else None,
            later_minor=self._spent(first + dt.timedelta(days=days), after) if after else None,
            sister_minor=None if self.plan is None else self._spent(first, days, is_ours=False),
        )

    def redemptions(self, campaign_id: str) -> pa.Table:
        """The vouchers of the campaign that its guests used."""
        rows = self.facts.redemptions
        is_known = pc.is_in(rows["guest_id"], value_set=pa.array(self.guest, pa.string()))
        return rows.filter(pc.and_(pc.equal(rows["campaign_id"], campaign_id), is_known))

    def notes(self, campaign_id: str) -> tuple[Sentence, ...]:
        """What the redemptions do not say, and what was taken instead."""
        rows = self.redemptions(campaign_id)
        if not len(rows):
            return (Sentence("no_redemption_known"),)
        return (*_of_costs(rows), *_of_checks(rows), *_of_discounts(rows))

    def home_stores(self, day: dt.date) -> np.ndarray:
        """The store at which each guest was most often before a day, "" where they were at none, shape (n,)."""
        before = self.facts.orders.filter(nw.col("business_date") < day)
        counts = before.group_by("guest_id", "store_id").agg(visits=nw.len().cast(nw.Int64))
        order = [("visits", "descending"), ("store_id", "ascending")]
        most = self.facts.lake.collect(counts).sort_by(order).group_by("guest_id", use_threads=False)
        first = most.aggregate([("store_id", "first")])
        return looked_up(first, first["store_id_first"], self.guest, "").astype(str)

    @property
    def _stores(self) -> tuple[str, ...]:
        """The stores at which an offer of the campaign holds; empty where all do."""
        offers = () if self.plan is None else self.plan.offers
        if any(not offer.stores for offer in offers):
            return ()
        return tuple({name for offer in offers for name in offer.stores})

    def _spent(self, first: dt.date, days: int, *, is_ours: bool | None = None) -> np.ndarray:
        """Checks before their discount in a window, at the campaign's stores, at the others, or anywhere, shape (n,)."""
        day = nw.col("business_date")
        window = self.facts.orders.filter(day >= first, day < first + dt.timedelta(days=days))
        if is_ours is not None and self._stores:
            here = nw.col("store_id").is_in(self._stores)
            window = window.filter(here if is_ours else ~here)
        elif is_ours is False:
            return np.zeros(len(self.guest))
        check = (nw.col("amount_minor") + nw.col("discount_minor")).alias("check")
        summed = window.with_columns(check).group_by("guest_id").agg(nw.col("check").sum().cast(nw.Int64))
        sums = self.facts.lake.collect(summed)
        return looked_up(sums, sums["check"], self.guest, 0).astype(np.float64)


def _of_costs(rows: pa.Table) -> tuple[Sentence, ...]:
    guessed = int(pc.sum(rows["is_guessed"]).as_py())
    if not guessed:
        return ()
    if np.isnan(rows["cost"].to_numpy(zero_copy_only=False)).all():
        return (Sentence("no_cost_known", redemptions=len(rows)),)
    return (Sentence("costs_guessed", guessed=guessed, redemptions=len(rows)),)


def _of_checks(rows: pa.Table) -> tuple[Sentence, ...]:
    unknown = rows["check"].null_count
    return (Sentence("checks_unknown", unknown=unknown, redemptions=len(rows)),) if unknown else ()


def _of_discounts(rows: pa.Table) -> tuple[Sentence, ...]:
    """A note where no discount on the checks is as large as what the vouchers cost: amounts are then those before it."""
    on = rows.filter(pc.and_(pc.is_valid(rows["check"]), pc.invert(rows["is_guessed"])))
    shown = pc.subtract(on["cost"], on["beside"])
    cost, discount = pc.sum(shown).as_py() or 0.0, pc.sum(checks_once(on)["discount"]).as_py() or 0
    if discount >= _LITTLE * cost:
        return ()
    return (Sentence("discounts_not_shown", cost_minor=round(cost), discount_minor=discount),)
