"""Measuring: the statement of a campaign that was run, from the tables of the lake.

By assignment: everybody who was not held out against those who were, whatever they were given. Where every guest had the same
chances, as in a campaign drawn by lot alone, each offer is an arm of its own, so that the next unit of subsidy can be told. A plan
kept in the workspace says where the campaign's stores are and how many were to be held out; without one all stores count.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.errors import DataError, DesignError
from regulars.guests.facts import Facts, looked_up
from regulars.measurement import Statement, check_shares_steady, check_windows_over, settle
from regulars.measurement.moments import Label
from regulars.money import say as in_words
from regulars.planning.campaign import Campaign
from regulars.planning.history import PastCampaign, past_campaigns
from regulars.planning.kept_plans import kept_campaigns
from regulars.tables import Lake

HOLDOUT, CONTACTED = "holdout", "contacted"
AFTER_DAYS = 28
"""So many days after the window are looked at for what was only pulled forward, unless said."""
_CROWD = 5
"""Guests a store, on average, from which on it is no accident that all of a store are in one arm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a campaign brought. first, last: business dates of its window; after_days: how many days after it were looked at.

    arms: how many guests each had. statement: minor units of the workspace's currency.
    """

    campaign_id: str
    currency: str
    first: dt.date
    last: dt.date
    after_days: int
    arms: dict[str, int]
    statement: Statement

    def summary(self) -> dict[str, Any]:
        """All of it as plain values; money in minor units."""
        told = self.statement
        kept = told._asdict() | {"parts": [part._asdict() for part in told.parts], "advice": told.advice}
        for name in ("return_on_subsidy", "next_unit"):
            kept[name] = None if kept[name] is None else kept[name]._asdict()
        window = {"first": self.first.isoformat(), "last": self.last.isoformat(), "after_days": self.after_days}
        return {
            "campaign_id": self.campaign_id,
            "currency": self.currency,
            "window": window,
            "arms": self.arms,
            "is_known": told.is_known,
            **kept,
        }


def measure_campaign(
    lake: Lake, campaign_id: str | None = None, *, as_of: dt.date, after_days: int | None = None
) -> Measured:
    """The statement of a campaign of the exposures; None takes the latest.

    as_of: the last business date that is known. after_days: days after the window in which what was pulled forward is missing;
    those of its plan, or 28, where not given. Raises DataError where there is no such campaign or no orders, DesignError where it
    cannot be judged: nobody held out, everybody held out, the window not over, arms that differ from their lot.
    """
    if after_days is not None and after_days < 0:
        raise ValueError(f"after_days is {after_days}; give 0 or more")
    past = _found(lake, campaign_id)
    plan = kept_campaigns(lake.workspace).get(past.campaign_id)
    after = after_days if after_days is not None else (plan.after_days if plan and plan.after_days else AFTER_DAYS)
    last = past.ends_on if plan is None else past.starts_on + dt.timedelta(days=plan.window_days - 1)
    days = (last - past.starts_on).days + 1
    rows = lake.collect(lake.scan("exposures").filter(nw.col("campaign_id") == past.campaign_id)).sort_by("guest_id")
    arm = _arms(rows)
    _check(rows, arm, past, last, after, as_of)
    found = _Outcomes(Facts.of(lake), lake, rows["guest_id"].to_numpy(zero_copy_only=False), plan)
    drawn = _Drawn.of(found.guest, found.home_stores(past.starts_on), arm)
    arm = drawn.arm
    columns = found.columns(past, days, after)
    shares: dict[Label, float] | None = (
        None
        if plan is None or drawn.store is not None or len(np.unique(arm)) > 2
        else {CONTACTED: 1.0 - plan.holdout, HOLDOUT: plan.holdout}
    )
    weeks = (days + after) / 7.0
    statement = settle(
        arm, **columns, cluster=drawn.store, control=HOLDOUT, shares=shares, guests_per_week=len(arm) / weeks,
        amount=lambda minor: in_words(round(minor), lake.settings.currency),
    )  # fmt: skip
    names, counts = np.unique(arm, return_counts=True)
    notes = (*statement.notes, *_notes(rows, has_redemptions="redeemed_minor" in columns), *drawn.notes)
    return Measured(
        campaign_id=past.campaign_id,
        currency=lake.settings.currency,
        first=past.starts_on,
        last=last,
        after_days=after,
        arms=dict(zip(names.tolist(), counts.tolist(), strict=True)),
        statement=statement._replace(notes=notes),
    )


def _found(lake: Lake, campaign_id: str | None) -> PastCampaign:
    campaigns = {past.campaign_id: past for past in past_campaigns(lake)}
    if not campaigns:
        raise DataError(f"{lake.workspace.path}: no exposures, so no campaign to measure; load exposures, or run one")
    if campaign_id is None:
        return list(campaigns.values())[-1]
    if campaign_id not in campaigns:
        raise DataError(f"no campaign '{campaign_id}' in the exposures; there are {', '.join(campaigns)}")
    return campaigns[campaign_id]


def _arms(rows: pa.Table) -> np.ndarray:
    """The arm of each guest, shape (n,): holdout, and contacted, or the offer where all were drawn at the same chances."""
    offer = rows["offer_id"].to_numpy(zero_copy_only=False)
    is_held = (rows["arm"].to_numpy(zero_copy_only=False) == HOLDOUT) | _is_control(rows)
    if rows["propensity"].null_count == 0 and _is_plain_lottery(rows):
        given = np.array([name if name is not None else HOLDOUT for name in offer], dtype=object)
        return np.where(is_held, HOLDOUT, given).astype(str)
    return np.where(is_held, HOLDOUT, CONTACTED).astype(str)


def _is_control(rows: pa.Table) -> np.ndarray:
    """Where no arm is called holdout, those who were given nothing are the control."""
    named = rows["arm"].to_numpy(zero_copy_only=False)
    nothing = pc.is_null(rows["offer_id"]).to_numpy(zero_copy_only=False).astype(bool)
    return np.zeros(len(rows), bool) if (named == HOLDOUT).any() else nothing


def _is_plain_lottery(rows: pa.Table) -> bool:
    """Whether each offer has one chance, the same for all guests who got it."""
    grouped = rows.group_by("offer_id").aggregate([("propensity", "min"), ("propensity", "max")])
    spread = pc.max(pc.subtract(grouped["propensity_max"], grouped["propensity_min"])).as_py()
    return len(grouped) > 1 and spread < 1e-9


def _check(rows: pa.Table, arm: np.ndarray, past: PastCampaign, last: dt.date, after: int, as_of: dt.date) -> None:
    """Refuse what no arithmetic can mend. Raises DesignError."""
    sizes = {name: int((arm == name).sum()) for name in np.unique(arm)}
    if HOLDOUT not in sizes:
        raise DesignError(
            f"campaign {past.campaign_id}: everybody was treated (arms {_listed(rows)}), so nobody can say what would have happened "
            "without it; keep a holdout in the next one, logged as arm holdout"
        )
    if len(sizes) == 1:
        raise DesignError(f"campaign {past.campaign_id}: everybody was held out, so there is nothing to judge")
    check_shares_steady(arm, rows["exposed_at"].to_numpy(zero_copy_only=False))
    known_until = dt.datetime.combine(as_of + dt.timedelta(days=1), dt.time(0))
    starts = np.full(len(arm), np.datetime64(past.starts_on, "us"))
    check_windows_over(starts, days=(last - past.starts_on).days + 1 + after, as_of=known_until)


def _listed(rows: pa.Table) -> str:
    return ", ".join(sorted(str(name) for name in pc.unique(rows["arm"]).to_pylist()))


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What was drawn by lot: guests, or stores treated or held out whole.

    arm: (n,); where stores were drawn, held out or contacted. store: (n,) the store of each guest, himself where his is unknown;
    None where guests were drawn.
    """

    arm: np.ndarray
    store: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, guest: np.ndarray, home: np.ndarray, arm: np.ndarray) -> "_Drawn":
        """home: the home store of each guest, "" where unknown, shape (n,).

        Raises DesignError where an arm is a single store: how that store fares cannot be told from what it was given.
        """
        side = np.where(arm == HOLDOUT, HOLDOUT, CONTACTED)
        is_known = home != ""
        stores, sides = np.unique(np.column_stack([home[is_known], side[is_known]]), axis=0).T
        is_whole = len(stores) > 1 and len(np.unique(stores)) == len(stores) and len(np.unique(sides)) > 1
        if not is_whole or is_known.sum() < _CROWD * len(stores):
            return cls(arm)
        _refuse_single_store(stores, sides)
        counts = {name: int((sides == name).sum()) for name in (CONTACTED, HOLDOUT)}
        note = (
            f"Stores were treated whole ({counts[CONTACTED]} contacted, {counts[HOLDOUT]} held out), so the intervals are those of "
            "stores, not of guests; they are wide below ten stores in each arm"
        )
        return cls(side, np.where(is_known, home, np.char.add("guest ", guest.astype(str))), (note,))


def _refuse_single_store(stores: np.ndarray, sides: np.ndarray) -> None:
    counts = {side: int((sides == side).sum()) for side in (CONTACTED, HOLDOUT)}
    alone = min(counts, key=lambda side: counts[side])
    if counts[alone] == 1:
        raise DesignError(
            f"cannot know: all who were {'contacted' if alone == CONTACTED else 'held out'} are guests of one store, "
            f"{stores[sides == alone][0]}, so what it was given cannot be told from how it fares; "
            "draw guests by lot, or ten stores or more for each arm"
        )


def _notes(rows: pa.Table, *, has_redemptions: bool) -> tuple[str, ...]:
    notes = []
    if not has_redemptions:
        notes.append("No redemption of this campaign is known: its subsidy counts as 0; load redemptions")
    if not pc.any(pc.equal(rows["arm"], HOLDOUT)).as_py():
        notes.append("No arm is called holdout: those who were given nothing are taken for it")
    if rows["propensity"].null_count:
        notes.append(
            "The chances of the assignment were not logged: whether it was by lot rests on your word, "
            "and no other plan can be valued on it"
        )
    return tuple(notes)


@dataclass(frozen=True, slots=True)
class _Outcomes:
    """Sums for each of n guests, one query each; plan: what says which stores are the campaign's."""

    facts: Facts
    lake: Lake
    guest: np.ndarray
    plan: Campaign | None

    def columns(self, past: PastCampaign, days: int, after: int) -> dict[str, Any]:
        """What `settle` asks for, each of shape (n,), minor units."""
        end = past.starts_on + dt.timedelta(days=days)
        used = self._redeemed(past.campaign_id)
        mine, sister = self._spent(past.starts_on, days, is_ours=True), self._spent(past.starts_on, days, is_ours=False)
        subsidy = looked_up(used, used["cost"], self.guest, 0)
        found = {
            "sales_minor": mine,
            "subsidy_minor": subsidy,
            "margin_minor": self.facts.brought(self.guest, past.starts_on, days + after) - subsidy,
            "covariate": self._spent(past.starts_on - dt.timedelta(days=days + after), days + after),
        }
        checks = {"redeemed_minor": looked_up(used, used["check"], self.guest, 0)} if len(used) else {}
        later = {"later_minor": self._spent(end, after)} if after else {}
        return found | checks | later | ({} if self.plan is None else {"sister_minor": sister})

    def home_stores(self, day: dt.date) -> np.ndarray:
        """The store at which each guest was most often before a day, "" where he was at none, shape (n,)."""
        before = self.facts.orders.filter(nw.col("business_date") < day)
        counts = before.group_by("guest_id", "store_id").agg(visits=nw.len().cast(nw.Int64))
        order = [("visits", "descending"), ("store_id", "ascending")]
        most = self.lake.collect(counts).sort_by(order).group_by("guest_id", use_threads=False)
        first = most.aggregate([("store_id", "first")])
        return looked_up(first, first["store_id_first"], self.guest, "").astype(str)

    @property
    def _stores(self) -> tuple[str, ...]:
        """The stores at which an offer of the campaign holds; empty where all do."""
        offers = () if self.plan is None else self.plan.offers
        return (
            ()
            if any(not offer.stores for offer in offers)
            else tuple({name for offer in offers for name in offer.stores})
        )

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
        sums = self.lake.collect(
            window.with_columns(check).group_by("guest_id").agg(nw.col("check").sum().cast(nw.Int64))
        )
        return looked_up(sums, sums["check"], self.guest, 0).astype(np.float64)

    def _redeemed(self, campaign_id: str) -> pa.Table:
        """For each guest who redeemed: what it cost, and the checks it was used on."""
        if not self.lake.has("redemptions"):
            kinds = [("guest_id", pa.string()), ("cost", pa.int64()), ("check", pa.int64())]
            return pa.schema(kinds).empty_table()
        used = self.lake.scan("redemptions").filter(nw.col("campaign_id") == campaign_id)
        checks = self.facts.orders.select("order_id", check=nw.col("amount_minor") + nw.col("discount_minor"))
        joined = used.select("guest_id", "order_id", "cost_minor").join(checks, on="order_id", how="left")
        sums = joined.group_by("guest_id").agg(
            cost=nw.col("cost_minor").sum().cast(nw.Int64), check=nw.col("check").sum().cast(nw.Int64)
        )
        found = self.lake.collect(sums)
        return found.set_column(2, "check", pc.fill_null(found["check"], 0))
