"""Backtest: what a model of earlier campaigns foretold of later ones, beside what then happened."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.stats import beta

from regulars import effects
from regulars.charts.plans import Foretold, calibration
from regulars.charts.theme import Chart
from regulars.errors import DesignError
from regulars.guests.facts import Facts
from regulars.planning.history import LEAST_HISTORY, History, build_history, past_campaigns
from regulars.planning.plan import Plan
from regulars.planning.values import read_value, write_value
from regulars.tables import Lake
from regulars.wording import Sentence, Voice

BANDS = 8
FEWEST_IN_BAND = 30
_FILE = "backtest.json"


class Band(NamedTuple):
    """Guests with about the same predicted probability of redemption; shares of those guests."""

    guests: int
    predicted: float
    actual: float
    low: float
    high: float


class OfferTotal(NamedTuple):
    """Guests who redeemed one past offer after the cut-off: predicted, and actual with its 95 % interval."""

    offer: str
    campaigns: int
    guests: int
    predicted: float
    actual: int
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """Redemptions foretold from campaigns before `cut_off`, against those of campaigns that began on or after it.

    bands: by predicted probability. offers: by past offer. before, after: how many exposures to an offer on either side.
    """

    cut_off: dt.date
    bands: tuple[Band, ...]
    offers: tuple[OfferTotal, ...]
    before: int
    after: int

    @property
    def sentence(self) -> Sentence:
        """The result in one sentence."""
        return Sentence(
            "back_test", after=self.after, day=self.cut_off, redeemed=sum(offer.actual for offer in self.offers),
            foretold=round(sum(offer.predicted for offer in self.offers)), bands=len(self.bands),
            inside=sum(band.low <= band.predicted <= band.high for band in self.bands),
        )  # fmt: skip

    def plot(self, voice: Voice | None = None) -> Chart:
        """Foretold against real redemption, band by band."""
        voice = voice or Voice()
        bands = [Foretold(band.predicted, band.actual, band.low, band.high) for band in self.bands]
        return calibration(bands, voice.say("chart_back_test", day=self.cut_off), voice)


def middle_date(facts: Facts, window_days: int) -> dt.date:
    """A cut-off with about two thirds of the usable past campaigns before it. Raises DesignError where there are too few."""
    first, last = facts.span()
    latest = last - dt.timedelta(days=window_days - 1)
    starts = [c.starts_on for c in past_campaigns(facts.lake) if first + LEAST_HISTORY <= c.starts_on <= latest]
    if len(starts) < 3:
        raise DesignError(
            f"{len(starts)} past campaigns are too few to foretell some of them from the others; it takes 3"
        )
    return starts[2 * len(starts) // 3]


def backtest(facts: Facts, *, cut_off: dt.date, window_days: int, seed: int = 0) -> Backtest:
    """Learn from windows that were over before `cut_off`, and look at the campaigns that began from then on.

    Raises DesignError where there is no campaign on one of the sides.
    """
    campaigns = past_campaigns(facts.lake)
    eve, last = cut_off - dt.timedelta(days=1), facts.span()[1]
    earlier = build_history(facts, campaigns, window_days=window_days, known_until=eve)
    later_ones = [campaign for campaign in campaigns if campaign.starts_on >= cut_off]
    later = build_history(facts, campaigns, window_days=window_days, known_until=last, only=later_ones)
    if earlier is None or later is None or not (earlier.action >= 0).any() or not (later.action >= 0).any():
        raise DesignError(f"no campaigns lie on both sides of {cut_off}; choose a date between the past campaigns")
    model = effects.fit(
        earlier.features, earlier.action, earlier.margin,
        cost=earlier.cost, offers=earlier.offers, cluster=earlier.guest, seed=seed,
    )  # fmt: skip
    offered = later.only(later.action >= 0)
    names = earlier.features.column_names
    foretold = model.predict(offered.features.select(names)).redemption[np.arange(len(offered)), offered.action]
    return Backtest(
        cut_off=cut_off,
        bands=_bands(foretold, offered.redeemed),
        offers=tuple(_total(offered, foretold, index) for index in np.unique(offered.action)),
        before=int((earlier.action >= 0).sum()),
        after=len(offered),
    )


def _bands(foretold: np.ndarray, redeemed: np.ndarray) -> tuple[Band, ...]:
    count = int(np.clip(len(foretold) // FEWEST_IN_BAND, 1, BANDS))
    parts = np.array_split(np.argsort(foretold, kind="stable"), count)
    return tuple(
        Band(len(part), float(foretold[part].mean()), float(redeemed[part].mean()), *_share_interval(redeemed[part]))
        for part in parts
    )


def _total(offered: History, foretold: np.ndarray, offer: int) -> OfferTotal:
    rows = offered.action == offer
    low, high = _share_interval(offered.redeemed[rows])
    return OfferTotal(
        offer=offered.offers[offer],
        campaigns=len(np.unique(offered.campaign[rows])),
        guests=int(rows.sum()),
        predicted=float(foretold[rows].sum()),
        actual=int(offered.redeemed[rows].sum()),
        low=low * rows.sum(),
        high=high * rows.sum(),
    )


def _share_interval(redeemed: np.ndarray) -> tuple[float, float]:
    """95 % interval of a share by Clopper and Pearson (1934)."""
    hits, tries = int(redeemed.sum()), len(redeemed)
    low = float(beta.ppf(0.025, hits, tries - hits + 1)) if hits else 0.0
    high = float(beta.ppf(0.975, hits + 1, tries - hits)) if hits < tries else 1.0
    return low, high


def keep_backtest(lake: Lake, plan: Plan, cut_off: dt.date | None = None) -> Backtest | None:
    """Look back from a kept plan and keep what is found with it; None where there are too few past campaigns.

    lake: the one the plan was made from. cut_off: None takes `middle_date`.
    """
    file = lake.workspace.plans / plan.plan_id / _FILE
    if not file.exists():
        facts, window = Facts.of(lake), plan.campaign.window_days
        try:
            day = cut_off or middle_date(facts, window)
            found = backtest(facts, cut_off=day, window_days=window, seed=plan.campaign.seed)
        except DesignError:
            return None
        write_value(file, found)
    return kept_backtest(file.parent)


def kept_backtest(folder: Path) -> Backtest | None:
    """What was kept with a plan, None where nothing was. Raises DataError where another version kept it."""
    file = folder / _FILE
    return read_value(file, Backtest, mend="plan its campaign again") if file.exists() else None
