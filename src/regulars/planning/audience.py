"""The audience: who a campaign is about, and what is known of them when it is decided."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.errors import DesignError
from regulars.guests.facts import Facts, profiles_with_taste
from regulars.guests.staff import staff
from regulars.planning.campaign import Campaign
from regulars.planning.global_holdout import is_held_back
from regulars.planning.history import DAY_OF_YEAR, RUNNING, past_campaigns
from regulars.segments import Segment
from regulars.tables import Lake


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """The n guests of a campaign, by guest_id.

    profiles: Arrow table, n rows. guest, store, stage: (n,) ids, home stores and life-cycle stages.
    met_rule: how many met the rule. Of these are left out, one after the other, staff: who work here; held_back: the global
    holdout of the season; rested: who had an offer in the rest days.
    """

    profiles: pa.Table
    guest: np.ndarray
    store: np.ndarray
    stage: np.ndarray
    met_rule: int
    staff: int
    held_back: int
    rested: int

    def __len__(self) -> int:
        return len(self.guest)

    @property
    def left_out(self) -> dict[str, int]:
        """How many guests meet the rule and are not in the audience, by the reason in words."""
        return {
            "work here": self.staff,
            "are in the global holdout": self.held_back,
            "had an offer in the rest days": self.rested,
        }

    def features(self, names: Sequence[str], starts_on: dt.date) -> pa.Table:
        """What a model that learned from `history` wants to know of these guests."""
        calendar = {
            RUNNING: np.zeros(len(self), dtype=np.int64),
            DAY_OF_YEAR: np.full(len(self), starts_on.timetuple().tm_yday, dtype=np.int64),
        }
        columns = [pa.array(calendar[n]) if n in calendar else self.profiles[n].combine_chunks() for n in names]
        return pa.table(dict(zip(names, columns, strict=True)))


def find_audience(facts: Facts, campaign: Campaign) -> Audience:
    """Everybody who meets the rule on the eve of the campaign, less staff, the global holdout and those who had an offer in the rest days.

    Raises DesignError where nobody is left, DataError where the rule names an unknown fact.
    """
    lake = facts.lake
    profiles = lake.collect(profiles_with_taste(lake, campaign.decided_on)).sort_by("guest_id")
    chosen = Segment(campaign.audience).filter(profiles)
    guests = _without(chosen, staff(lake))
    is_held = is_held_back(_texts(guests["guest_id"]), campaign, lake.settings.salt)
    open_to_offers = guests.filter(pa.array(~is_held))
    rested = _without(open_to_offers, _recently_offered(lake, campaign))
    audience = Audience(
        profiles=rested,
        guest=_texts(rested["guest_id"]),
        store=_texts(rested["home_store"]),
        stage=_texts(rested["stage"]),
        met_rule=len(chosen),
        staff=len(chosen) - len(guests),
        held_back=len(guests) - len(open_to_offers),
        rested=len(open_to_offers) - len(rested),
    )
    if not len(audience):
        why = "the rule fits nobody"
        if audience.met_rule:
            reasons = (f"{count:,} {words}" for words, count in audience.left_out.items() if count)
            why = f"of {audience.met_rule:,} who meet the rule {', '.join(reasons)}"
        raise DesignError(
            f"campaign {campaign.identity} has no audience on {campaign.decided_on}: {why} "
            f"({len(profiles):,} guests are known); widen the rule, or shorten caps.rest_days"
        )
    return audience


def _without(profiles: pa.Table, guests: pa.Array) -> pa.Table:
    return profiles.filter(pc.invert(pc.is_in(profiles["guest_id"], value_set=guests)))


def _recently_offered(lake: Lake, campaign: Campaign) -> pa.Array:
    since = campaign.starts_on - dt.timedelta(days=campaign.caps.rest_days)
    recent = [c.campaign_id for c in past_campaigns(lake) if since <= c.starts_on < campaign.starts_on]
    if not recent:
        return pa.array([], pa.string())
    sent = nw.col("campaign_id").is_in(recent) & ~nw.col("offer_id").is_null()
    return lake.collect(lake.scan("exposures").filter(sent).select("guest_id"))["guest_id"].combine_chunks().unique()


def _texts(column: pa.ChunkedArray) -> np.ndarray:
    return np.array(pc.fill_null(column, "").to_numpy(zero_copy_only=False), dtype=object)
