"""Screens of campaigns: a plan and its table, what past offers changed, what came back from the tills."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType

from regulars.cli.screens.layout import faint, notes, plain, sheet, strong
from regulars.wording import Sentence, Voice

if TYPE_CHECKING:
    import pyarrow as pa

    from regulars.campaigns import Synced
    from regulars.effects import EffectModel
    from regulars.planning import Plan
    from regulars.planning.limits import LimitUse

_MOST_LIMITS = 8


def plan(made: Plan, voice: Voice) -> RenderableType:
    """A plan: who gets what, what it is expected to bring, its limits and its warnings."""
    parts: list[RenderableType] = [
        strong(voice.say("plan_title", name=made.campaign.name, plan=made.plan_id)),
        sheet(voice, ["", ""], list(_facts(made, voice))),
    ]
    if scarce := [use for use in made.decision.limits if use.price > 0]:
        parts += ["", _scarce(scarce, voice)]
    if made.warnings:
        parts += ["", *notes(voice, made.warnings, "yellow")]
    return Group(*parts)


def _facts(made: Plan, voice: Voice) -> Iterator[tuple[str, str]]:
    expected, lessons = made.decision.certificate, made.lessons
    arms = [voice.say(f"arm_{arm}", guests=count) for arm, count in made.decision.arm_counts.items()]
    yield voice.say("plan_audience"), voice.say("plan_arms", guests=len(made.audience), arms=arms)
    yield voice.say("plan_left_out"), voice.listed(_left_out(made, voice)) or voice.say("nobody")
    offers = made.decision.offer_counts(made.offer_ids)
    yield voice.say("plan_offers"), voice.listed((f"{count:,} × {offer}" for offer, count in offers.items()), most=None)
    yield voice.say("plan_subsidy"), voice.money(expected.cost)
    if lessons.is_known:
        gain = {"gain_minor": expected.gain, "low_minor": expected.gain_low, "high_minor": expected.gain_high}
        yield voice.say("plan_gain"), voice.say("amount_between", **gain)
    yield voice.say("plan_basis"), lessons.basis_words
    if lessons.is_known:
        yield voice.say("plan_certificate"), voice.say("plan_gap", gap=voice.percent(expected.gap, 3))
    if made.design is not None:
        yield voice.say("plan_design"), voice.say("plan_finds", change_minor=made.design.effect)


def _left_out(made: Plan, voice: Voice) -> Iterator[str]:
    audience = made.audience
    for reason, guests in (("staff", audience.staff), ("held_back", audience.held_back), ("rested", audience.rested)):
        if guests:
            yield voice.say(f"left_out_{reason}", guests=guests)


def _scarce(limits: Sequence[LimitUse], voice: Voice) -> RenderableType:
    """The limits of which one more unit would bring something, the dearest first."""
    rows = [
        (_limit(use, voice), *_used(use, voice), f"{use.price:,.2f}" if use.is_money else voice.money(use.price))
        for use in sorted(limits, key=lambda use: -use.price)[:_MOST_LIMITS]
    ]
    return sheet(voice, ["scarce_limit", "may_use", "uses", "next_unit_brings"], rows, numbers=[1, 2, 3])


def _limit(use: LimitUse, voice: Voice) -> str:
    return f"{voice.say(f'limit_{use.limit}')} {use.group}".rstrip()


def _used(use: LimitUse, voice: Voice) -> tuple[str, str]:
    may, does = (voice.money(value) if use.is_money else f"{value:,.0f}" for value in (use.amount, use.used))
    return may, does


def assignments(rows: pa.Table, voice: Voice) -> RenderableType:
    """The first rows of a plan's table."""
    shown = [
        (row["guest_id"], voice.say(f"arm_name_{row['arm']}"), row["offer_id"] or voice.say("nothing"),
         f"{row['propensity']:.3f}", voice.money(row["gain_minor"]), voice.money(row["cost_minor"]))
        for row in rows.to_pylist()
    ]  # fmt: skip
    return sheet(voice, ["guest", "arm", "gets", "propensity", "expected_gain", "cost"], shown, numbers=[3, 4, 5])


def averages(model: EffectModel, voice: Voice) -> RenderableType:
    """What past offers changed on average, as it seems and adjusted, and what to make of it."""
    rows = [
        (effect.offer, effect.exposures, voice.money(effect.naive), voice.money(effect.gain), span(effect.interval, voice),
         voice.say("effect_is_clear" if effect.is_clear else "effect_is_not_shown"))
        for effect in model.averages
    ]  # fmt: skip
    columns = ["past_offer", "given", "as_it_seems", "adjusted", "interval", "is_effect"]
    title = plain(voice.say("averages_title", basis=model.basis_words))
    return Group(
        sheet(voice, columns, rows, numbers=[1, 2, 3, 4], title=title),
        faint(voice.say("averages_note")),
    )


def synced(done: Synced, voice: Voice) -> RenderableType:
    """What a sync brought."""
    told = [(count, voice.say(f"synced_{what}")) for what, count in done._asdict().items()]
    return sheet(voice, ["", ""], told, numbers=[0])


def span(ends: Sequence[float], voice: Voice) -> str:
    """An interval of money."""
    low, high = ends
    return voice.say(Sentence("span", low_minor=low, high_minor=high))
