"""Redesigns: what else a campaign that loses could have given in the same town, and what the truth says it would bring."""

import contextlib
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from regulars.allocation import solve
from regulars.errors import BudgetError, DesignError
from regulars.planning import Offer
from regulars.planning.limits import limits_of
from regulars.planning.plan import Plan
from regulars.rehearsal.towns import LATER_DAYS, Town

_QUIET = ("monday", "tuesday", "wednesday", "thursday")
_MOST = 3


class Known(NamedTuple):
    """What somebody who knew the truth would have done with the same audience and limits, minor units, expected."""

    gain_minor: float
    cost_minor: float


class Redesign(NamedTuple):
    """A change to every offer of a campaign, by its sentence `redesign_` and the name, and what could be gained with it."""

    name: str
    known: Known


def redesigns(plan: Plan, place: Town, rows: np.ndarray) -> tuple[Redesign, ...]:
    """The changes with which most could be gained, at most three, the best first; none where none of those tried would gain.

    place: the town on the campaign's eve. rows: the place in the town of each guest of the audience.
    """
    gaining = [Redesign(name, known) for name, known in _tried(plan, place, rows) if known.gain_minor > 0]
    return tuple(sorted(gaining, key=lambda one: -one.known.gain_minor)[:_MOST])


def best_known(plan: Plan, offers: tuple[Offer, ...], place: Town, rows: np.ndarray) -> Known:
    """The best that the truth allows with these offers under the campaign's limits, nobody held out.

    Raises DesignError for offers that the town cannot give, BudgetError where the limits cannot be kept.
    """
    campaign = plan.campaign.model_copy(update={"offers": offers})
    truth = place.with_offers(offers).truth_of(campaign.window_days, LATER_DAYS)
    limits = limits_of(campaign, plan.audience.store, plan.currency)
    best = solve(truth.gain[rows], truth.cost[rows], limits, min_roi=campaign.min_roi, seed=campaign.seed)
    return Known(gain_minor=float(best.gain), cost_minor=float(best.spend))


def _tried(plan: Plan, place: Town, rows: np.ndarray) -> Iterator[tuple[str, Known]]:
    for name, offers in _changed(plan.campaign.offers):
        with contextlib.suppress(
            BudgetError, DesignError
        ):  # this change cannot be given in this town, or under these limits
            yield name, best_known(plan, offers, place, rows)


def _changed(offers: tuple[Offer, ...]) -> Iterator[tuple[str, tuple[Offer, ...]]]:
    """Each way to change all offers that changes any."""
    for name, change in _CHANGES.items():
        changed = tuple(change(offer) for offer in offers)
        if changed != offers:
            yield name, changed


def _half(offer: Offer) -> Offer:
    match offer.kind:
        case "amount_off":
            return offer.model_copy(update={"amount": Decimal(str(offer.amount)) / 2})
        case "percent_off":
            return offer.model_copy(
                update={"percent": float(offer.percent or 0) / 2, "most": Decimal(str(offer.most)) / 2}
            )
    return offer


def _dearer(offer: Offer) -> Offer:
    """Only on checks that are half as large again as they must be now."""
    if offer.minimum_spend is None:
        return offer
    return offer.model_copy(update={"minimum_spend": Decimal(str(offer.minimum_spend)) * 3 / 2})


def _quiet(offer: Offer) -> Offer:
    return offer.model_copy(update={"weekdays": tuple(day for day in offer.weekdays or _QUIET if day in _QUIET)})


_CHANGES: dict[str, Callable[[Offer], Offer]] = {
    "half": _half,
    "dearer": _dearer,
    "quiet": _quiet,
    "half_dearer": lambda offer: _dearer(_half(offer)),
    "half_quiet": lambda offer: _quiet(_half(offer)),
}
