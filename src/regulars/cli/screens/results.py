"""Screens of results: what a campaign brought, and what all campaigns of a quarter did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType

from regulars.cli.screens.campaigns import span
from regulars.cli.screens.layout import notes, plain, sheet, strong
from regulars.wording import Voice

if TYPE_CHECKING:
    from regulars.measurement import Statement
    from regulars.results import Measured, Season

_ARMS = ("contacted", "holdout", "nothing")


def statement(measured: Measured, voice: Voice) -> RenderableType:
    """What a campaign brought: how the spend splits, what a unit of subsidy returned, and what to do next."""
    told = measured.statement
    arms = [_arm(arm, count, voice) for arm, count in measured.arms.items()]
    spent = voice.money(told.spend_minor)
    parts = [
        (part_name(part.name, voice), voice.money(part.amount_minor), span(part.interval_minor, voice))
        for part in told.parts
    ]
    together = (voice.say("parts_together"), spent, "")
    title = strong(voice.say("parts_title", spent=spent))
    return Group(
        strong(
            voice.say(
                "statement_title", campaign=measured.campaign_id, first=measured.first, last=measured.last,
                after=measured.after_days or None, arms=voice.listed(arms, most=None),
            )
        ),
        "",
        sheet(voice, ["", "amount", "interval"], [*parts, together], numbers=[1], title=title),
        "",
        sheet(voice, ["", "amount", "interval"], list(_brought(told, voice)), numbers=[1]),
        "",
        strong(voice.say(told.advice)),
        *notes(voice, told.notes),
    )  # fmt: skip


def _brought(told: Statement, voice: Voice) -> Iterator[tuple[str, str, str]]:
    yield voice.say("margin_brought"), voice.money(told.gain_minor), span(told.gain_interval_minor, voice)
    yield voice.say("subsidy"), voice.money(told.subsidy_minor), ""
    for name, rate in (("return_on_subsidy", told.return_on_subsidy), ("next_unit", told.next_unit)):
        if rate is not None:
            low, high = (f"{end:.2f}" for end in rate.interval)
            yield voice.say(name), f"{rate.estimate:.2f}", voice.say("between", low=low, high=high)


def _arm(arm: str, guests: int, voice: Voice) -> str:
    """An arm with its guests; whatever is no name of ours is an offer, given to all of an arm."""
    if arm in _ARMS:
        return voice.say(f"arm_{arm}", guests=guests)
    return voice.say("arm_of_offer", offer=arm, guests=guests)


def season(told: Season, voice: Voice) -> RenderableType:
    """What all campaigns of a quarter brought together."""
    lift, guests = told.lift, told.guests
    low, high = lift.interval
    rows = [
        (voice.say("season_gain"), voice.money(lift.estimate * guests), span((low * guests, high * guests), voice)),
        (voice.say("season_per_guest"), voice.money(lift.estimate), span((low, high), voice)),
    ]
    counts = {"campaigns": len(told.campaigns), "guests": guests, "held_back": lift.n_control}
    dates = {"season": told.season, "first": told.first, "last": told.last}
    return Group(
        strong(voice.say("season_title" if told.is_over else "season_title_so_far", **dates)),
        plain(voice.say("season_counts", **counts)),
        "",
        sheet(voice, ["", "amount", "interval"], rows, numbers=[1]),
        "",
        strong(lift.words(voice)),
        *notes(voice, lift.notes),
    )


def part_name(name: str, voice: Voice) -> str:
    return voice.say(f"part_{name}")
