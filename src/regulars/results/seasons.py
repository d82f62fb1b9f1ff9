"""Seasons: what all campaigns of a quarter brought together, by its global holdout."""

import datetime as dt
import re
from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.errors import DataError, DesignError
from regulars.guests.facts import Facts, known_span
from regulars.guests.staff import staff
from regulars.measurement import Lift, compare
from regulars.planning.campaign import Campaign
from regulars.planning.global_holdout import is_held_back, season_of
from regulars.planning.history import past_campaigns
from regulars.results.plan_run import plan_that_ran
from regulars.tables import Lake
from regulars.wording import Sentence

OPEN, HELD_BACK = "campaigns", "global holdout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """What the campaigns of a quarter brought together, by its global holdout.

    first, last: the business dates that were counted; is_over: whether they are the whole quarter. campaigns: their ids.
    lift: margin per guest, minor units; under daily looks while the quarter is not over. guests: how many were open to campaigns.
    """

    season: str
    currency: str
    first: dt.date
    last: dt.date
    is_over: bool
    campaigns: tuple[str, ...]
    guests: int
    lift: Lift


def measure_season(lake: Lake, season: str | None = None, *, as_of: dt.date) -> Season:
    """What all campaigns of a quarter brought together: guests open to them against the global holdout, by margin after discounts.

    season: 2026Q4; None takes that of the latest campaign. as_of: the last business date that is known. Campaigns count that were
    planned here and have exposures. Guests are all who had ordered before the quarter, less staff; what they brought in as many
    days before it makes the interval shorter. Raises DataError where no such campaign was run, DesignError where the campaigns did
    not hold back the same guests, or the quarter has not begun.
    """
    season, campaigns = _run_in(lake, season)
    one = _alike(season, campaigns)
    first, end = _days(season)
    last = min(end, as_of)
    if last < first:
        raise DesignError(f"cannot know yet: {season} begins on {first}, and orders are known until {as_of}")
    facts = Facts.of(lake)
    guest = _guests(facts, first)
    held = is_held_back(guest, one, lake.settings.salt)
    lift = _lift(facts, guest, held, one.global_holdout, first, last, is_over=last == end)
    return Season(
        season=season,
        currency=lake.settings.currency,
        first=first,
        last=last,
        is_over=last == end,
        campaigns=tuple(sorted(campaigns)),
        guests=int((~held).sum()),
        lift=lift._replace(notes=(*lift.notes, *_reached(lake, guest[held], first, last))),
    )


def _lift(
    facts: Facts, guest: np.ndarray, held: np.ndarray, share: float, first: dt.date, last: dt.date, *, is_over: bool
) -> Lift:
    days = (last - first).days + 1
    (lift,) = compare(
        facts.brought(guest, first, days),
        np.where(held, HELD_BACK, OPEN),
        control=HELD_BACK,
        covariate=facts.brought(guest, first - dt.timedelta(days=days), days),
        anytime=not is_over,
        shares={OPEN: 1.0 - share, HELD_BACK: share},
    )
    return lift


def _run_in(lake: Lake, season: str | None) -> tuple[str, dict[str, Campaign]]:
    """The quarter, and those of its campaigns that were planned here and have exposures, by id."""
    if season is not None:
        _days(season)
    plans = {past.campaign_id: plan_that_ran(lake, past) for past in past_campaigns(lake)}
    ran = {name: plan.campaign for name, plan in plans.items() if plan is not None}
    seasons = sorted({season_of(campaign.starts_on) for campaign in ran.values()})
    if not seasons or season not in (None, *seasons):
        raise DataError(
            f"{lake.workspace.path} knows no campaign of {season or 'any quarter'} that was planned and run; "
            f"there are {', '.join(seasons) or 'none at all'}; load its exposures if it was run"
        )
    asked = season or seasons[-1]
    return asked, {name: campaign for name, campaign in ran.items() if season_of(campaign.starts_on) == asked}


def _reached(lake: Lake, held: np.ndarray, first: dt.date, last: dt.date) -> tuple[Sentence, ...]:
    """A note where guests were given an offer who were to be left alone, (held,) ids."""
    begun = [past.campaign_id for past in past_campaigns(lake) if first <= past.starts_on <= last]
    given = lake.scan("exposures").filter(nw.col("campaign_id").is_in(begun) & ~nw.col("offer_id").is_null())
    rows = lake.collect(given.select("campaign_id", "guest_id"))
    wrongly = rows.filter(pc.is_in(rows["guest_id"], value_set=pa.array(held, pa.string())))
    if not len(wrongly):
        return ()
    names = tuple(sorted(pc.unique(wrongly["campaign_id"]).to_pylist()))
    return (Sentence("held_back_were_given", guests=pc.count_distinct(wrongly["guest_id"]).as_py(), campaigns=names),)


def _alike(season: str, campaigns: dict[str, Campaign]) -> Campaign:
    """Any of the campaigns, where all held back the same guests."""
    shares = {name: campaign.global_holdout for name, campaign in campaigns.items()}
    told = ", ".join(f"{name} {share:.0%}" for name, share in sorted(shares.items()))
    if len(set(shares.values())) > 1:
        raise DesignError(f"the campaigns of {season} held back different shares ({told}); keep global_holdout alike")
    if not any(shares.values()):
        raise DesignError(
            f"no campaign of {season} held anybody back ({told}); set global_holdout to 0.02 from the next quarter on"
        )
    return next(iter(campaigns.values()))


def _days(season: str) -> tuple[dt.date, dt.date]:
    """The first and the last date of a quarter. Raises DataError where that is none."""
    if not re.fullmatch(r"\d{4}Q[1-4]", season):
        raise DataError(f"'{season}' is no season; give a quarter such as 2026Q4")
    year, quarter = int(season[:4]), int(season[5])
    after = dt.date(year + quarter // 4, quarter % 4 * 3 + 1, 1)
    return dt.date(year, quarter * 3 - 2, 1), after - dt.timedelta(days=1)


def _guests(facts: Facts, first: dt.date) -> np.ndarray:
    """Everybody who had ordered before a day, without staff, shape (n,)."""
    if (begins := known_span(facts.lake)[0]) >= first:
        raise DesignError(
            f"orders begin on {begins}; who was a guest before {first} is not known, so nobody can be compared"
        )
    names = facts.profiles(first - dt.timedelta(days=1))["guest_id"]
    guests = names.filter(pc.invert(pc.is_in(names, value_set=staff(facts.lake))))
    return np.array(guests.to_pylist(), dtype=object)
