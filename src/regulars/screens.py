"""Screens: what the command line shows of results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from regulars.money import say as in_words
from regulars.profiles import DAYPARTS

if TYPE_CHECKING:
    import pyarrow as pa

    from regulars.campaigns import Synced
    from regulars.doctor import Finding
    from regulars.effects import EffectModel
    from regulars.guests import Counted, Found, Moved, NextDishes, Portrait
    from regulars.profiles import Decile, StageCount
    from regulars.tables import LoadReport

_MOST_OF_A_KIND, _MOST_USUAL, _MOST_STOPPED = 4, 5, 8
_HORIZONS = (90, 365)
_MARKS = {"good": "[green]✓[/]", "look": "[yellow]•[/]", "wrong": "[red]✗[/]"}


def sheet(
    columns: Sequence[str], rows: Sequence[Sequence[object]], *, numbers: Sequence[int] = (), title: str = ""
) -> RenderableType:
    """A plain table under its title; `numbers` are the columns that stand on the right."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for place, name in enumerate(columns):
        table.add_column(name, justify="right" if place in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*[escape(f"{cell:,}" if isinstance(cell, int) else str(cell)) for cell in row])
    return Group(title, table) if title else table


def load_report(report: LoadReport) -> RenderableType:
    """What a load did, and what to do next."""
    if report.is_repeated:
        return escape(f"{report.table}: {report.source} was loaded before; nothing changed ({report.accepted:,} rows)")
    line = f"{report.table}: {report.accepted:,} rows accepted, {report.rejected:,} rejected; {report.changed:,} changed in the lake"
    if report.read_as:
        line += f"\n[dim]read as {escape(report.read_as)}[/]"
    if report.set_aside:
        counted = ", ".join(f"{count:,} {reason}" for reason, count in report.set_aside.items())
        line += f"\nset aside, for they are not meant for {report.table}: {escape(counted)}"
    if report.rejected:
        line += f"\n[yellow]`regulars rejects --table {report.table}` shows what is wrong with the rejected ones[/]"
    return line


def rejects(total: int, reasons: pa.Table, rows: pa.Table) -> RenderableType:
    """The commonest reasons, then single rows."""
    if not total:
        return "no row was rejected"
    common = [(r["n"], r["table"], r["column"] or "", r["example"]) for r in reasons.to_pylist()]
    single = [(r["file"], r["line"], r["column"] or "", r["reason"], r["original"] or "") for r in rows.to_pylist()]
    return Group(
        sheet(["rows", "table", "column", "such as"], common, numbers=[0], title=f"[bold]{total:,} rejected rows[/]"),
        "",
        sheet(["file", "line", "column", "reason", "original"], single, numbers=[1]),
    )


def profile(counts: Sequence[StageCount], deciles: Sequence[Decile], as_of: object, currency: str) -> RenderableType:
    """The crowd at a glance."""
    stages = [
        (c.stage, c.guests, f"{c.share:.0%}", in_words(c.spend_minor, currency), f"{c.spend_share:.0%}") for c in counts
    ]
    total = sum(count.guests for count in counts)
    lines: list[RenderableType] = [
        sheet(
            ["stage", "guests", "share", "spent", "share of spend"], stages, numbers=[1, 2, 3, 4],
            title=f"[bold]{total:,} guests, as of {as_of}[/]",
        )
    ]  # fmt: skip
    if deciles:
        best = deciles[0]
        lines += ["", f"the best tenth ({best.guests:,} guests) brings {best.share:.0%} of the margin"]
    return Group(*lines)


def segments(counted: Sequence[Counted]) -> RenderableType:
    """All segments, the workspace's own first, with their guests."""
    rows = [
        (
            f"@{row.segment.name}" + (f":{row.segment.version}" if row.segment.version else ""),
            "" if row.lacking else row.guests,
            f"needs {', '.join(row.lacking)}" if row.lacking else f"{row.share:.1%}",
            row.segment.meaning or row.segment.rule,
        )
        for row in counted
    ]
    return sheet(["segment", "guests", "share", "who they are"], rows, numbers=[1, 2])


def segment(found: Found, limit: int) -> RenderableType:
    """The guests who meet a rule, the best first."""
    shown = ["guest_id", "stage", "visits", "recency_days", "spend_minor"]
    rows = [[guest[name] for name in shown] for guest in found.guests.slice(0, limit).to_pylist()]
    title = f"[bold]{len(found.guests):,} of {found.of:,} guests[/]"
    return sheet(shown, rows, numbers=[2, 3, 4], title=title)


def guest(known: Portrait, currency: str) -> RenderableType:
    """One guest, for the person who is about to greet him."""
    parts: list[RenderableType] = [f"[bold]{escape(known.guest_id)}[/]: {_habits(known.profile, currency)}"]
    if known.outlook:
        parts += ["", _expected(known.outlook, currency)]
    else:
        parts += ["", escape(f"what to expect of him cannot be known yet: {known.doubt}")]
    for part in (_likes(known.tastes), _usual(known.usual), _next(known.next_dishes)):
        parts += ["", part] if part else []
    return Group(*parts)


def _likes(tastes: Sequence[dict[str, Any]]) -> RenderableType | None:
    """The surest tastes of each kind."""
    kinds = dict.fromkeys(taste["kind"] for taste in tastes)
    best = [taste for kind in kinds for taste in [t for t in tastes if t["kind"] == kind][:_MOST_OF_A_KIND]]
    rows = [
        (t["what"], t["kind"], f"{t['orders_with']} of {t['orders_known']}", f"{t['crowd_share']:.1%}") for t in best
    ]
    return sheet(["what he likes", "kind", "of his orders", "of all orders"], rows, numbers=[2, 3]) if rows else None


def _usual(dishes: Sequence[dict[str, Any]]) -> RenderableType | None:
    rows = [
        (row["dish"], f"{row['times_ordered']} of {row['orders_known']}", row["last_ordered_on"])
        for row in dishes[:_MOST_USUAL]
    ]
    return sheet(["his usual", "of his orders", "last had on"], rows, numbers=[1]) if rows else None


def _next(dishes: Sequence[dict[str, Any]]) -> RenderableType | None:
    rows = [(row["dish"], *_why(row)) for row in dishes]
    columns = ["what to offer him next", "because", "expected in"]
    return sheet(columns, rows) if rows else None


def _why(row: dict[str, Any]) -> tuple[str, str]:
    """Why a dish is offered, and how many orders are expected to have it."""
    why = {"popular": "popular", "guests like him": "guests like him have it"}
    times = "once" if row["times_ordered"] == 1 else f"{row['times_ordered']:,} times"
    return why.get(row["reason"], f"{row['reason']}, {times}"), f"{row['score']:.0%} of his orders"


def next_dishes(found: NextDishes, limit: int) -> RenderableType:
    """What to offer the first guests, of how many, and what is offered to nobody."""
    rows = [
        (row["guest_id"] if row["rank"] == 1 else "", row["dish"], *_why(row)) for row in found.first(limit).to_pylist()
    ]
    title = f"[bold]what to offer {found.guests:,} guests next, as of {found.as_of}[/]"
    if found.stop_list:
        named, more = ", ".join(found.stop_list[:_MOST_STOPPED]), len(found.stop_list) - _MOST_STOPPED
        title += f"\n[dim]never: {escape(named)}{f' and {more:,} more' if more > 0 else ''}[/]"
    return sheet(["guest", "dish", "because", "expected in"], rows, title=title)


def _habits(facts: dict[str, Any], currency: str) -> str:
    """The profile in sentences."""
    if not facts["visits"]:
        return "has only ever been given money back"
    due = facts["due_in_days"]
    when = f"due in {due:.0f} days" if due >= 0 else f"{-due:.0f} days past the day he was due"
    parts = {part: facts[f"{part}_share"] or 0.0 for part in DAYPARTS}
    mostly = max(parts, key=parts.__getitem__)
    birthday = facts.get("birthday_in_days")
    lines = [
        facts["stage"],
        f"{facts['visits']:,} visits since {facts['first_ordered_on']}, one every {facts['rhythm_days']:.0f} days; "
        f"last here on {facts['last_ordered_on']}, {when}",
        f"{in_words(facts['spend_minor'], currency)} in all, {in_words(facts['average_order_minor'], currency)} an order; "
        f"{facts['discounted_share']:.0%} of the orders had a discount",
        f"at home in {facts['home_store']} ({facts['home_store_share']:.0%} of the visits), comes mostly for {mostly} "
        f"({parts[mostly]:.0%})",
    ]
    if birthday is not None:
        lines.append("has his birthday today" if birthday == 0 else f"has his birthday in {birthday} days")
    return escape("\n".join(lines))


def _expected(outlook: dict[str, float], currency: str) -> RenderableType:
    """What to expect of a guest, with what holds for nine in ten like him."""
    rows = []
    for days in _HORIZONS:
        visits, margin = f"expected_visits_{days}", f"expected_margin_{days}_minor"
        low, high = outlook[f"{visits}_low"], outlook[f"{visits}_high"]
        rows.append([f"visits in {days} days", f"{outlook[visits]:.1f}", f"{low:.0f}", f"{high:.0f}"])
        if outlook.get(f"{margin}_low") is not None:
            ends = ("", "_low", "_high")
            rows.append([f"margin in {days} days", *(in_words(outlook[f"{margin}{end}"], currency) for end in ends)])
    table = sheet(["what to expect", "expected", "at least", "at most"], rows, numbers=[1, 2, 3])
    again = 1 - outlook["no_visit_30_probability"]
    return Group(table, f"[dim]nine in ten like him; {again:.0%} come again within 30 days[/]")


def moved(told: Moved, limit: int) -> RenderableType:
    """Who entered a segment and who left it: the reasons by their number of guests, then the first guests."""
    grouped = told.guests.group_by(["change", "because"]).aggregate([("guest_id", "count")])
    reasons = grouped.sort_by([("guest_id_count", "descending"), ("change", "ascending")]).to_pylist()
    title = f"[bold]{len(told.guests):,} guests entered or left between {told.before} and {told.after}[/]"
    why = sheet(
        ["change", "guests", "because of"],
        [(row["change"], row["guest_id_count"], row["because"]) for row in reasons], numbers=[1], title=title,
    )  # fmt: skip
    rows = [list(row.values()) for row in told.guests.slice(0, limit).to_pylist()]
    return Group(why, "", sheet(told.guests.column_names, rows)) if rows else why


def synced(done: Synced) -> RenderableType:
    """What a sync brought."""
    told = [(f"{count:,}", words) for count, words in zip(done, _SYNCED, strict=True)]
    return sheet(["", ""], told, numbers=[0])


_SYNCED = (
    "stores that the tills know", "offers new or changed in the lake", "redemptions new, changed or taken out",
    "orders told as events", "lines of these orders", "guests with an outcome of a campaign",
)  # fmt: skip


def averages(model: EffectModel, currency: str) -> RenderableType:
    """What past offers changed on average, as it seems and adjusted, and what to make of it."""

    def span(interval: tuple[float, float]) -> str:
        return f"{in_words(interval[0], currency)} to {in_words(interval[1], currency)}"

    rows = [
        (a.offer, a.exposures, in_words(a.naive, currency), in_words(a.gain, currency), span(a.interval),
         "yes" if a.is_clear else "not shown")
        for a in model.averages
    ]  # fmt: skip
    return Group(
        f"what past offers changed per guest, after the subsidy; basis: [bold]{model.basis_words}[/]",
        sheet(
            ["past offer", "given", "as it seems", "adjusted", "95 % interval", "an effect?"],
            rows,
            numbers=[1, 2, 3, 4],
        ),
        '[dim]"as it seems" compares those who got the offer with those who did not, who were other guests to begin with[/]',
    )


def plan(summary: dict[str, Any]) -> RenderableType:
    """A plan: who gets what, what it is expected to bring, its limits and its warnings."""

    def money(amount: float) -> str:
        return in_words(amount, summary["currency"])

    expected, arms = summary["expected"], summary["arms"]
    facts = [
        (
            "audience",
            f"{summary['audience']:,} guests: " + ", ".join(f"{count:,} {arm}" for arm, count in arms.items()),
        ),
        ("left out", ", ".join(f"{n:,} {why}" for why, n in summary["left_out"].items() if n) or "nobody"),
        ("offers", ", ".join(f"{count:,} × {offer}" for offer, count in summary["offers"].items())),
        ("expected subsidy", money(expected["cost"])),
        (
            "expected gain",
            f"{money(expected['gain'])} ({money(expected['gain_low'])} to {money(expected['gain_high'])})",
        ),
        ("basis", summary["basis"]),
        ("certificate", f"no plan under these limits beats it by more than {expected['gap']:.3%}"),
    ]
    if design := summary["design"]:
        facts.append(("can find out", f"a change of {money(design['effect'])} per guest or more"))
    parts: list[RenderableType] = [
        f"[bold]{escape(summary['name'])}[/], plan {summary['plan_id']}",
        sheet(["", ""], facts),
    ]
    if any(use["price"] > 0 for use in summary["limits"]):
        parts += ["", scarce_limits(summary["limits"], money)]
    if summary["warnings"]:
        parts += ["", *[f"[yellow]•[/] {escape(warning)}" for warning in summary["warnings"]]]
    return Group(*parts)


def scarce_limits(limits: Sequence[dict[str, Any]], money: Callable[[float], str]) -> RenderableType:
    """The limits of which one more unit would bring something, the dearest first."""
    scarce = sorted((use for use in limits if use["price"] > 0), key=lambda use: -use["price"])[:8]
    rows = [
        (
            f"{use['limit']} {use['group']}",
            money(use["amount"]) if use["is_money"] else f"{use['amount']:,.0f}",
            money(use["used"]) if use["is_money"] else f"{use['used']:,.0f}",
            f"{use['price']:,.2f}" if use["is_money"] else money(use["price"]),
        )
        for use in scarce
    ]
    return sheet(["scarce limit", "may use", "uses", "next unit brings"], rows, numbers=[1, 2, 3])


def assignments(rows: pa.Table, currency: str) -> RenderableType:
    """The first rows of a plan's table."""
    shown = [
        (r["guest_id"], r["arm"], r["offer_id"] or "nothing", f"{r['propensity']:.3f}", in_words(r["gain_minor"], currency),
         in_words(r["cost_minor"], currency))
        for r in rows.to_pylist()
    ]  # fmt: skip
    return sheet(["guest", "arm", "gets", "propensity", "expected gain", "cost"], shown, numbers=[3, 4, 5])


def findings(found: Sequence[Finding]) -> RenderableType:
    """What the doctor saw."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for finding in found:
        table.add_row(_MARKS[finding.state], finding.subject, escape(finding.words))
    return table


def refusal(console: Console, words: str) -> None:
    """An error as a person would want to read it."""
    console.print(Panel(escape(words), title="cannot do that", title_align="left", border_style="red", expand=False))
