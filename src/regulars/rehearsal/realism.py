"""Calibration: the town beside the real customers it is made after.

CDNOW: 2,357 customers whose first purchase was in the first twelve weeks of 1997, followed until the end of week 39, the sample
of Fader, Hardie and Lee (2005). Complete Journey: 2,469 households of a grocery chain (84.51°); share of targeted households who
redeemed anything, by type of campaign. Both recomputed from the data as published.
"""

from typing import NamedTuple

import numpy as np

from regulars.errors import DesignError
from regulars.rehearsal.contract_tables import guest_and_day
from regulars.rehearsal.towns import OFFERS, Town

COHORT_DAYS, FOLLOWED_DAYS, TARGETED_DAYS = 84, 273, 60


class Figure(NamedTuple):
    """One figure of the town beside the real one; tolerance: how far apart they may lie, as a share of the real one."""

    name: str
    source: str
    real: float
    town: float
    tolerance: float

    @property
    def is_near(self) -> bool:
        return abs(self.town / self.real - 1) <= self.tolerance

    @property
    def words(self) -> str:
        mark = "" if self.is_near else f"  (further apart than {self.tolerance:.0%})"
        return f"{self.name:<44}{self.real:>9.3f}{self.town:>9.3f}   {self.source}{mark}"


def calibration(place: Town) -> list[Figure]:
    """Visit gaps, repeat shares, order values and redemption rates of a town that was made with the usual settings.

    Money is in units of the average check. Raises DesignError for a town with less than 39 weeks of past, or other offers.
    """
    if place.offers != OFFERS:
        raise DesignError("redemption rates are stated for the town's own offers; make it without `offers`")
    return [*_visits(place), *_checks(place), *_redemptions(place)]


def _visits(place: Town) -> list[Figure]:
    guest, day = guest_and_day(place.orders)
    since = day - day.min()
    cohort = place.traits.joined < COHORT_DAYS
    if since.max() < FOLLOWED_DAYS:
        raise DesignError(f"the town has {since.max() + 1} days of past; visits are stated over {FOLLOWED_DAYS}")
    kept = cohort[guest] & (since < FOLLOWED_DAYS)
    guest, since = guest[kept], since[kept]
    order = np.lexsort((since, guest))
    guest, since = guest[order], since[order]
    gaps = np.diff(since)[np.diff(guest) == 0]
    repeats = np.bincount(guest, minlength=len(place))[cohort] - 1
    quarter, half, three = np.quantile(gaps, [0.25, 0.5, 0.75])
    return [
        Figure("guests who came again within 39 weeks", "CDNOW", 0.401, float((repeats > 0).mean()), 0.10),
        Figure("guests who came again three times or more", "CDNOW", 0.124, float((repeats >= 3).mean()), 0.20),
        Figure("later visits per guest in 39 weeks", "CDNOW", 1.042, float(repeats.mean()), 0.15),
        Figure("days between visits, first quarter", "CDNOW", 10.0, float(quarter), 0.25),
        Figure("days between visits, middle", "CDNOW", 27.0, float(half), 0.25),
        Figure("days between visits, third quarter", "CDNOW", 60.0, float(three), 0.25),
    ]


def _checks(place: Town) -> list[Figure]:
    check = place.orders["amount_minor"].to_numpy() / place.average_check
    return [
        Figure("average check, in units of the stated one", "CDNOW", 1.0, float(check.mean()), 0.05),
        Figure("middle check", "CDNOW", 26.13 / 35.32, float(np.median(check)), 0.10),
        Figure("spread of checks, per mean", "CDNOW", 0.965, float(check.std() / check.mean()), 0.15),
    ]


def _redemptions(place: Town) -> list[Figure]:
    guest, day = guest_and_day(place.orders)
    seen = np.zeros(len(place), bool)
    seen[guest[day > day.max() - TARGETED_DAYS]] = True
    share = place.truth.redemption[seen].mean(axis=0)
    real = (0.166, 0.065, 0.059)
    return [
        Figure(f"guests lately seen who redeem {offer}", f"Complete Journey, type {kind}", told, float(found), 0.20)
        for offer, kind, told, found in zip(place.offer_ids, "ABC", real, share, strict=True)
    ]
