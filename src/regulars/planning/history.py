"""History: past campaigns as rows that effects can learn from.

A row is a guest at the start of a past campaign: what was known of them that morning, what they were given (or nothing), and
what they brought in the window that followed. A guest who got nothing in this campaign but something else at the same time
is no comparison and is left out; and where everybody's chances were logged, so is one who had no part in the lottery, or no
other chance.
"""

import datetime as dt
from dataclasses import dataclass, fields
from typing import NamedTuple

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.guests.facts import Facts, feature_names, looked_up
from regulars.guests.redemptions import by_guest
from regulars.tables import Lake

LEAST_HISTORY = dt.timedelta(days=28)
RUNNING = "other_offers_running"
DAY_OF_YEAR = "day_of_year"


class PastCampaign(NamedTuple):
    """One campaign of the exposures. starts_on, ends_on: business dates, the last one included."""

    campaign_id: str
    starts_on: dt.date
    ends_on: dt.date


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Rows of past exposures, n of them.

    features: Arrow table, n rows. campaign, guest: (n,) ids. action: (n,) index into `offers`, -1 for nothing.
    orders: (n,) in the window. amount, margin: (n,) minor units, after subsidies. cost: (n,) subsidy, minor units, NaN where no
    redemption of the past has a cost. redeemed: (n,) whether any voucher was. propensity: (n,) of the action taken, NaN where it was
    never logged.
    """

    offers: tuple[str, ...]
    features: pa.Table
    campaign: np.ndarray
    guest: np.ndarray
    action: np.ndarray
    orders: np.ndarray
    amount: np.ndarray
    margin: np.ndarray
    cost: np.ndarray
    redeemed: np.ndarray
    propensity: np.ndarray

    def __len__(self) -> int:
        return len(self.action)

    def only(self, is_kept: np.ndarray) -> "History":
        """The rows where `is_kept`, shape (n,)."""
        arrays = {f.name: getattr(self, f.name)[is_kept] for f in fields(self) if f.name not in ("offers", "features")}
        return History(offers=self.offers, features=self.features.filter(pa.array(is_kept)), **arrays)

    def table(self) -> pa.Table:
        """All of it as one Arrow table."""
        arrays = {f.name: pa.array(getattr(self, f.name)) for f in fields(self) if f.name not in ("offers", "features")}
        return pa.table({**dict(zip(self.features.column_names, self.features.columns, strict=True)), **arrays})

    @property
    def is_randomised(self) -> bool:
        """Whether every assignment was drawn with a logged probability."""
        return len(self) > 0 and not np.isnan(self.propensity).any()


def past_campaigns(lake: Lake) -> list[PastCampaign]:
    """The campaigns of the exposures, by their start."""
    if not lake.has("exposures"):
        return []
    zone = lake.settings.zone
    starts = nw.col("exposed_at").min(), nw.col("ends_at").max()
    rows = lake.collect(lake.scan("exposures").group_by("campaign_id").agg(*starts)).to_pylist()
    found = [
        PastCampaign(r["campaign_id"], _day(r["exposed_at"], zone), _day(r["ends_at"] or r["exposed_at"], zone))
        for r in rows
    ]
    return sorted(found, key=lambda campaign: (campaign.starts_on, campaign.campaign_id))


def build_history(
    facts: Facts,
    campaigns: list[PastCampaign],
    *,
    window_days: int,
    known_until: dt.date,
    only: list[PastCampaign] | None = None,
) -> History | None:
    """The rows of those campaigns whose window is over by `known_until` and before which guests were known for 4 weeks.

    campaigns: all there were; only: those of them to look at, None for all. None where no such campaign is left.
    """
    earliest = facts.span()[0] + LEAST_HISTORY
    latest = known_until - dt.timedelta(days=window_days - 1)
    looked_at = campaigns if only is None else only
    usable = [campaign for campaign in looked_at if earliest <= campaign.starts_on <= latest]
    if not usable:
        return None
    past = _Past.of(facts, campaigns, window_days)
    return _joined([past.rows_of(campaign) for campaign in usable])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Past:
    """All that is needed to look back at one campaign after another."""

    facts: Facts
    campaigns: list[PastCampaign]
    window_days: int
    exposures: pa.Table
    redemptions: pa.Table
    offers: tuple[str, ...]

    @classmethod
    def of(cls, facts: Facts, campaigns: list[PastCampaign], window_days: int) -> "_Past":
        lake = facts.lake
        exposures = lake.collect(lake.scan("exposures").select("campaign_id", "guest_id", "offer_id", "propensity"))
        offers = tuple(sorted(exposures["offer_id"].drop_null().unique().to_pylist()))
        return cls(
            facts=facts, campaigns=campaigns, window_days=window_days, exposures=exposures,
            redemptions=by_guest(facts.redemptions), offers=offers,
        )  # fmt: skip

    def rows_of(self, campaign: PastCampaign) -> History:
        profiles = self.facts.profiles(campaign.starts_on - dt.timedelta(days=1))
        outcomes = self.facts.outcomes(campaign.starts_on, self.window_days)
        guest = profiles["guest_id"].to_numpy(zero_copy_only=False)
        here = self.exposures.filter(pc.equal(self.exposures["campaign_id"], campaign.campaign_id))
        used = self.redemptions.filter(pc.equal(self.redemptions["campaign_id"], campaign.campaign_id))
        place = pc.index_in(here["offer_id"], value_set=pa.array(self.offers, pa.string()))
        running = self._running(campaign, guest)
        rows = History(
            offers=self.offers,
            features=_with_calendar(profiles, running, campaign.starts_on),
            campaign=np.full(len(guest), campaign.campaign_id, dtype=object),
            guest=guest,
            action=looked_up(here, pc.fill_null(place.cast(pa.int64()), -1), guest, -1),
            orders=looked_up(outcomes, outcomes["orders"], guest, 0),
            amount=looked_up(outcomes, outcomes["amount_minor"], guest, 0).astype(np.float64),
            margin=looked_up(outcomes, outcomes["margin_minor"], guest, 0).astype(np.float64),
            cost=looked_up(used, used["cost"], guest, 0.0),
            redeemed=looked_up(used, used["n"], guest, 0) > 0,
            propensity=looked_up(here, pc.fill_null(here["propensity"], np.nan), guest, np.nan),
        )
        is_lottery = len(here) > 0 and here["propensity"].null_count == 0
        is_comparable = (rows.action >= 0) | (running == 0)
        return rows.only(is_comparable & (rows.propensity < 1.0) if is_lottery else is_comparable)

    def _running(self, campaign: PastCampaign, guest: np.ndarray) -> np.ndarray:
        """How many other offers each guest held at some time in the window, shape (n,)."""
        last = campaign.starts_on + dt.timedelta(days=self.window_days - 1)
        others = [
            other.campaign_id
            for other in self.campaigns
            if other != campaign and other.starts_on <= last and other.ends_on >= campaign.starts_on
        ]
        is_theirs = pc.is_in(self.exposures["campaign_id"], value_set=pa.array(others, pa.string()))
        theirs = self.exposures.filter(pc.and_(is_theirs, pc.is_valid(self.exposures["offer_id"])))
        counts = theirs.group_by("guest_id").aggregate([("campaign_id", "count")])
        return looked_up(counts, counts["campaign_id_count"], guest, 0)


def _with_calendar(profiles: pa.Table, running: np.ndarray, starts_on: dt.date) -> pa.Table:
    features = profiles.select(feature_names(profiles))
    day = np.full(len(profiles), starts_on.timetuple().tm_yday, dtype=np.int64)
    return features.append_column(RUNNING, pa.array(running)).append_column(DAY_OF_YEAR, pa.array(day))


def _joined(parts: list[History]) -> History:
    """All rows, with the features that every part has."""
    names = [n for n in parts[0].features.column_names if all(n in part.features.column_names for part in parts)]
    arrays = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(History)
        if field.name not in ("offers", "features")
    }
    features = pa.concat_tables([part.features.select(names) for part in parts], promote_options="permissive")
    return History(offers=parts[0].offers, features=features.combine_chunks(), **arrays)


def _day(instant: dt.datetime, zone: str) -> dt.date:
    day: dt.date = pc.local_timestamp(pa.scalar(instant, pa.timestamp("us", zone))).as_py().date()
    return day
