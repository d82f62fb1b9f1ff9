"""Screens of rehearsal: a campaign in the simulated town, where the truth is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType

from regulars.cli.screens.layout import notes, plain, sheet, simulated, strong
from regulars.cli.screens.results import part_name
from regulars.wording import Sentence, Voice

if TYPE_CHECKING:
    from regulars.measurement import Statement
    from regulars.rehearsal import Rehearsal


def rehearsal(lived: Rehearsal, voice: Voice) -> RenderableType:
    """A campaign in the simulated town: what it cost, what it truly brought, and what the referee could see of that."""
    before, campaign = lived.run.before, lived.plan.campaign
    arms = [voice.say(f"arm_{arm}", guests=count) for arm, count in lived.plan.decision.arm_counts.items()]
    split = [(part_name(name, voice), voice.money(amount)) for name, amount in lived.run.true_split.items()]
    return Group(
        simulated(voice),
        strong(voice.say("rehearsal_title", name=campaign.name, guests=len(before), seed=before.seed)),
        plain(voice.say("rehearsal_audience", guests=len(lived.plan.audience), arms=arms)),
        "",
        sheet(voice, ["", "amount", ""], list(_money(lived, voice)), numbers=[1]),
        "",
        sheet(voice, ["true_split", "amount"], split, numbers=[1]),
        "",
        *map(plain, _words(lived, voice)),
        *notes(voice, lived.plan.warnings),
        *notes(voice, [Sentence("simulated_about")]),
    )


def _money(lived: Rehearsal, voice: Voice) -> Iterator[tuple[str, str, str]]:
    run, cost = lived.run, float(lived.run.subsidy_minor.sum())
    back = voice.say("return_per_unit", times=run.true_gain_minor / cost) if cost else ""
    yield voice.say("subsidy_spent"), voice.money(cost), voice.say("of_a_budget", budget_minor=lived.plan.budget)
    yield voice.say("gain_true"), voice.money(run.true_gain_minor), back
    yield voice.say("gain_planned"), voice.money(lived.plan.decision.certificate.gain), ""
    yield (voice.say("gain_measured"), *_measured(lived.measured, lived.is_covered, voice))
    known = lived.known
    yield (
        voice.say("gain_possible"), voice.money(known.gain_minor), voice.say("gain_possible_for", cost_minor=known.cost_minor)
    )  # fmt: skip


def _measured(told: Statement | None, is_covered: bool, voice: Voice) -> tuple[str, str]:
    if told is None:
        return voice.say("cannot_know"), voice.say("nobody_held_out")
    low, high = told.gain_interval_minor
    words = voice.say("interval_holds" if is_covered else "interval_misses", low_minor=low, high_minor=high)
    return voice.money(told.gain_minor), words


def _words(lived: Rehearsal, voice: Voice) -> Iterator[str]:
    if lived.design is None:
        yield voice.say("holdout_finds_nothing")
    else:
        yield voice.say("holdout_finds", change_minor=lived.design.effect)
    if lived.measured is not None:
        yield voice.say(lived.measured.advice)
    if lived.is_losing:
        yield from voice.each(_instead(lived))


def _instead(lived: Rehearsal) -> Iterator[Sentence]:
    """What to plan instead of a campaign that loses."""
    yield Sentence("rehearsal_loses", loss_minor=-lived.run.true_gain_minor)
    if lived.known.gain_minor > 0:
        yield Sentence("rehearsal_learn_first", **lived.known._asdict())
    if not lived.redesigns:
        yield Sentence("rehearsal_nothing_gains")
    for one in lived.redesigns:
        yield Sentence("rehearsal_redesign", change=Sentence(f"redesign_{one.name}"), **one.known._asdict())
