"""Verdicts: what the command line shows of campaigns that were run, or rehearsed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape

from regulars.money import say as in_words
from regulars.screens import sheet


def statement(told: dict[str, Any]) -> RenderableType:
    """What a campaign brought: how the spend splits, what a unit of subsidy returned, and what to do next."""

    def money(amount: float) -> str:
        return in_words(round(amount), told["currency"])

    def span(ends: Sequence[float]) -> str:
        return f"{money(ends[0])} to {money(ends[1])}"

    window = told["window"]
    arms = ", ".join(f"{count:,} {arm}" for arm, count in told["arms"].items())
    parts = [(part["name"], money(part["amount_minor"]), span(part["interval_minor"])) for part in told["parts"]]
    brought = [
        ("margin brought, after the subsidy", money(told["gain_minor"]), span(told["gain_interval_minor"])),
        ("subsidy", money(told["subsidy_minor"]), ""),
    ]
    for name, words in (
        ("return_on_subsidy", "each unit of subsidy brought"),
        ("next_unit", "the next unit would bring"),
    ):
        if (rate := told[name]) is not None:
            low, high = rate["interval"]
            brought.append((words, f"{rate['estimate']:.2f}", f"{low:.2f} to {high:.2f}"))
    after = f", and {window['after_days']} days after it" if window["after_days"] else ""
    return Group(
        f"[bold]{escape(told['campaign_id'])}[/] from {window['first']} to {window['last']}{after}: {escape(arms)}",
        "",
        sheet(
            [f"{money(told['spend_minor'])} spent on checks with a voucher", "", "95 % interval"],
            [*parts, ("together", money(told["spend_minor"]), "")],
            numbers=[1],
        ),
        "",
        sheet(["", "", "95 % interval"], brought, numbers=[1]),
        "",
        f"[bold]{escape(told['advice'])}[/]",
        *[f"[dim]• {escape(note)}[/]" for note in told["notes"]],
    )


def season(told: dict[str, Any]) -> RenderableType:
    """What all campaigns of a quarter brought together."""

    def row(words: str, amount: str, ends: str) -> tuple[str, str, str]:
        low, high = (in_words(round(end), told["currency"]) for end in told[ends])
        return words, in_words(round(told[amount]), told["currency"]), f"{low} to {high}"

    so_far = "" if told["is_over"] else " so far"
    campaigns = _counted(len(told["campaigns"]), "campaign")
    rows = [
        row("margin they brought, after discounts", "gain_minor", "gain_interval_minor"),
        row("for each guest open to them", "per_guest_minor", "per_guest_interval_minor"),
    ]
    return Group(
        f"[bold]{told['season']}[/] from {told['first']} to {told['last']}{so_far}: {campaigns}, "
        f"{told['guests']:,} guests open to them, {told['held_back']:,} in the global holdout",
        "",
        sheet(["", "", "95 % interval"], rows, numbers=[1]),
        "",
        f"[bold]{escape(told['words'])}[/]",
        *[f"[dim]• {escape(note)}[/]" for note in told["notes"]],
    )


def town(told: dict[str, Any]) -> RenderableType:
    """The demo in the town: each campaign in a line, and where to read on."""

    def money(amount: float) -> str:
        return in_words(round(amount), told["currency"])

    rows = [
        (
            one["name"], one["given"], money(one["subsidy_minor"]),
            money(one["promised_minor"]) if one["promised_minor"] else "nothing known",
            f"{money(one['measured_minor'])} ({money(one['low_minor'])} to {money(one['high_minor'])})",
            money(one["true_minor"]), "yes" if one["is_covered"] else "no",
        )
        for one in told["campaigns"]
    ]  # fmt: skip
    gained, spent = (sum(one[name] for one in told["campaigns"]) for name in ("true_minor", "subsidy_minor"))
    return Group(
        "[bold yellow]SIMULATED[/] [bold]campaign after campaign in a town that never was[/]",
        "",
        sheet(
            ["campaign", "given", "subsidy", "promised", "measured from the holdout", "true", "held?"],
            rows,
            numbers=[1, 2, 3, 4, 5],
        ),
        "",
        f"In truth they brought {money(gained)} of margin after {money(spent)} of subsidy.",
        escape(f"next: open {told['page']}, or `regulars measure -w {told['page'].split('/reports/')[0]}`"),
    )


def rehearsal(told: dict[str, Any]) -> RenderableType:
    """A campaign in the simulated town: what it cost, what it truly brought, and what the referee could see of that."""
    currency, measured, known = told["currency"], told["measured"], told["could_have_been"]

    def money(amount: float) -> str:
        return in_words(round(amount), currency)

    town, true = told["town"], told["true"]
    back = "" if true["return"] is None else f"{true['return']:.2f} per {currency} of subsidy"
    rows = [
        ("subsidy spent", money(told["subsidy_minor"]), f"of a budget of {money(told['budget_minor'])}"),
        ("gain, true", money(true["gain_minor"]), back),
        ("gain, as planned", money(told["planned"]["gain_minor"]), "what the plan expected"),
        ("gain, measured", *_measured(measured, told["is_covered"], money)),
        ("could have been", money(known["gain_minor"]), f"by one who knew the truth, for {money(known['cost_minor'])}"),
    ]
    design = told["design"]
    could = (
        "The holdout could not find out anything."
        if design is None
        else f"The holdout could see a change of {money(design['effect'])} per guest four times in five."
    )
    arms = ", ".join(f"{count:,} {arm}" for arm, count in told["arms"].items())
    title = f"[bold yellow]SIMULATED[/] [bold]{escape(told['name'])}[/] in a town of {town['guests']:,} guests, seed {town['seed']}"
    notes = [could, *([] if measured is None else [measured["advice"]]), *told["warnings"], told["about"]]
    split = [(name, money(amount)) for name, amount in true["split"].items()]
    return Group(
        title,
        f"{told['audience']:,} in the audience: {arms}",
        "",
        sheet(["", "", ""], rows, numbers=[1]),
        "",
        sheet(["spent on checks with a voucher, in truth", ""], split, numbers=[1]),
        "",
        *map(escape, notes),
    )


def _measured(told: dict[str, Any] | None, is_covered: bool, money: Callable[[float], str]) -> tuple[str, str]:
    if told is None:
        return "cannot know", "nobody was held out"
    low, high = (money(end) for end in told["gain_interval_minor"])
    return money(told["gain_minor"]), f"{low} to {high}, which {'holds' if is_covered else 'misses'} the true gain"


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"
