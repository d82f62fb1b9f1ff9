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
    from regulars.planning import PlanPage, PlanSummary
    from regulars.planning.limits import LimitUse

_MOST_LIMITS = 8


def plan(made: PlanSummary, voice: Voice) -> RenderableType:
    """A plan: whether to run it, who gets what, what it is expected to bring, its limits and its warnings."""
    parts: list[RenderableType] = [
        strong(voice.say("plan_title", name=made.campaign.name, plan=made.plan_id)),
        *(plain(words) for words in voice.each(made.verdict)),
        "",
        sheet(voice, ["", ""], list(_facts(made, voice))),
    ]
    if scarce := [use for use in made.limits if use.price > 0]:
        parts += ["", _scarce(scarce, voice)]
    if made.warnings:
        parts += ["", *notes(voice, made.warnings, "yellow")]
    return Group(*parts)


def _facts(made: PlanSummary, voice: Voice) -> Iterator[tuple[str, str]]:
    expected = made.expected
    arms = [voice.say(f"arm_{arm}", guests=count) for arm, count in made.arms.items()]
    yield voice.say("plan_audience"), voice.say("plan_arms", guests=made.audience, arms=arms)
    left_out = (voice.say(f"left_out_{why}", guests=count) for why, count in made.left_out.items() if count)
    yield voice.say("plan_left_out"), voice.listed(left_out) or voice.say("nobody")
    yield (
        voice.say("plan_offers"),
        voice.listed((f"{count:,} × {offer}" for offer, count in made.offers.items()), most=None),
    )
    yield voice.say("plan_subsidy"), voice.money(expected.cost)
    if made.is_known:
        ends = {"low_minor": expected.gain_low, "high_minor": expected.gain_high} if made.has_interval else {}
        gain = "amount_between" if ends else "amount_alone"
        yield voice.say("plan_gain"), voice.say(gain, gain_minor=expected.gain, **ends)
    yield voice.say("plan_basis"), voice.say(made.basis_words)
    if (certificate := made.certificate) is not None:
        yield voice.say("plan_certificate"), voice.say(certificate)
    if made.design is not None:
        yield voice.say("plan_design"), voice.say("plan_finds", change_minor=made.design.effect)


def _scarce(limits: Sequence[LimitUse], voice: Voice) -> RenderableType:
    """The limits of which one more unit would bring something, the dearest first."""
    rows = [
        (_limit(use, voice), *_used(use, voice), voice.say(use.next_units(voice.currency or "USD")))
        for use in sorted(limits, key=lambda use: -use.price)[:_MOST_LIMITS]
    ]
    table = sheet(voice, ["scarce_limit", "may_use", "uses", "next_unit_brings"], rows, numbers=[1, 2, 3])
    more = len(limits) - _MOST_LIMITS
    return Group(table, faint(voice.say("limits_more", limits=more))) if more > 0 else table


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


def averages(page: PlanPage, basis: Sentence, voice: Voice) -> RenderableType:
    """What past offers changed on average, as it seems and adjusted, and what to make of it."""
    rows = [
        (effect.offer, effect.exposures, voice.money(effect.naive), voice.money(effect.gain), span(effect.interval, voice),
         voice.say("effect_is_clear" if effect.is_clear else "effect_is_not_shown"))
        for effect in page.averages
    ]  # fmt: skip
    columns = ["past_offer", "given", "as_it_seems", "adjusted", "interval", "is_effect"]
    title = plain(voice.say("averages_title", basis=basis))
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
