"""Answers as JSON: results to plain values under keys that stay the same; sentences in words, money in minor units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from regulars.wording import Voice

if TYPE_CHECKING:
    from regulars.planning import PlanSummary
    from regulars.results import Measured, Season


_LEFT_OUT = {"staff": "work here", "held_back": "are in the global holdout", "rested": "had an offer in the rest days"}


def plan(found: PlanSummary, voice: Voice) -> dict[str, Any]:
    """What a plan comes to."""
    return {
        "plan_id": found.plan_id,
        "campaign_id": found.campaign.identity,
        "name": found.campaign.name,
        "currency": found.currency,
        "audience": found.audience,
        "left_out": {_LEFT_OUT[why]: count for why, count in found.left_out.items()},
        "basis": voice.say(found.basis_words),
        "learned_from": {"campaigns": found.campaigns, "exposures": found.exposures},
        "arms": found.arms,
        "offers": found.offers,
        "expected": found.expected._asdict(),
        "verdict": voice.each(found.verdict),
        "limits": [use._asdict() for use in found.limits],
        "design": None if found.design is None else found.design._asdict(),
        "warnings": voice.each(found.warnings),
        "versions": found.versions,
    }


def measured(found: Measured, voice: Voice) -> dict[str, Any]:
    """What a campaign brought."""
    told = found.statement
    kept = told.as_dict() | {"advice": voice.say(told.advice), "notes": voice.each(told.notes)}
    window = {"first": found.first.isoformat(), "last": found.last.isoformat(), "after_days": found.after_days}
    return {
        "campaign_id": found.campaign_id,
        "plan_id": found.plan_id,
        "currency": found.currency,
        "window": window,
        "arms": found.arms,
        "is_known": told.is_known,
        **kept,
    }


def season(found: Season, voice: Voice) -> dict[str, Any]:
    """What the campaigns of a quarter brought together."""
    low, high = found.lift.interval
    return {
        "season": found.season,
        "currency": found.currency,
        "first": found.first.isoformat(),
        "last": found.last.isoformat(),
        "is_over": found.is_over,
        "campaigns": list(found.campaigns),
        "guests": found.guests,
        "held_back": found.lift.n_control,
        "is_known": found.lift.is_conclusive,
        "gain_minor": found.lift.estimate * found.guests,
        "gain_interval_minor": [low * found.guests, high * found.guests],
        "per_guest_minor": found.lift.estimate,
        "per_guest_interval_minor": [low, high],
        "words": found.lift.words(voice),
        "notes": voice.each(found.lift.notes),
    }
