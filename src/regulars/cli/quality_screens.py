"""Screens of quality: what the command line shows of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.markup import escape

from regulars.money import say as in_words
from regulars.quality.control import MEASURES
from regulars.quality.safety import CLASSES
from regulars.screens import sheet

if TYPE_CHECKING:
    from regulars.quality import Change, Clue, Consistency, ReadReport, Reply, Watch, Worth
    from regulars.quality.grading import ClauseGrade, ClueGrade

_MOST_CHANGES = 20


def read(report: ReadReport) -> RenderableType:
    lines = [
        f"{report.reviews:,} reviews, {report.empty:,} of them without words; {report.clauses:,} clauses, {report.new:,} of them new",
        f"{report.mentions:,} judgements of an aspect, {report.untold:,} whose polarity cannot be told and is not counted; "
        f"{report.linked:,} clauses mean a dish",
        f"[dim]{escape(report.reader)}[/]",
    ]
    return "\n".join(lines)


def cards(rows: Sequence[dict[str, Any]], of: int, dishes: dict[str, str]) -> RenderableType:
    """Each figure with what holds with 90 % probability, and its possible places."""
    if not rows:
        return "nothing to show"
    by = [name for name in rows[0] if name in ("store", "item", "shift", "month")]
    shown = [
        [
            *(dishes.get(row[name], row[name]) for name in by), row["measure"], row["aspect"] or "", f"{row['n']:,.0f}",
            *(_figure(row["measure"], row[end]) for end in ("estimate", "low", "high")),
            f"{row['rank']:.0f} ({row['rank_best']:.0f}–{row['rank_worst']:.0f}) of {row['peers']}",
            "" if row["is_known"] else "mostly its peers'",
        ]
        for row in rows
    ]  # fmt: skip
    columns = [*by, "measure", "aspect", "n", "estimate", "at least", "at most", "place", ""]
    numbers = [len(by) + place for place in (2, 3, 4, 5, 6)]
    return sheet(columns, shown, numbers=numbers, title=f"[bold]{len(rows):,} of {of:,} rows[/]")


def _figure(measure: str, value: float) -> str:
    return f"{value:.2f}" if measure == "rating" else f"{value:.1%}"


def watch(found: Watch, measure: str, dishes: dict[str, str]) -> RenderableType:
    title = f"[bold]{len(found.changes):,} of {found.charts:,} charts of {MEASURES[measure].english} alarmed[/]"
    title += f"\n[dim]{found.too_few:,} units have too few observations for a chart[/]"
    rows = [
        [
            " · ".join(dishes.get(v, v) if key == "item" else v for key, v in change.by.items()), change.changed_on,
            f"{change.changed_from} … {change.changed_until}", MEASURES[measure].written(change.before),
            f"{MEASURES[measure].written(change.after)} ({MEASURES[measure].written(change.low)}–{MEASURES[measure].written(change.high)})",
            _causes(change),
        ]
        for change in found.changes[:_MOST_CHANGES]
    ]  # fmt: skip
    columns = [
        "what",
        "changed",
        "between",
        "before",
        "since (90 %)",
        "likeliest causes, and how much of the change lies there",
    ]
    return sheet(columns, rows, title=title) if rows else title


def _causes(change: Change) -> str:
    return "; ".join(f"{cause.factor} {cause.level}: {cause.share:.0%}" for cause in change.causes[:3])


def consistency(found: Consistency, dishes: dict[str, str]) -> RenderableType:
    measure = MEASURES[found.measure]
    title = f"[bold]{escape(dishes.get(found.item, found.item))}[/]: {measure.english} {measure.written(found.mean)}"
    title += f" over {found.servings:,} servings"
    parts = [
        (c.factor, c.levels, f"{c.deviation:.3f}", f"{c.low:.3f}", f"{c.high:.3f}", f"{c.share:.1%}")
        for c in found.components
    ]
    stores = [
        (s.store, s.servings, f"{s.effect:+.3f}", f"{s.low:+.3f}", f"{s.high:+.3f}", f"{s.holds:.0%}")
        for s in found.stores
    ]
    return Group(
        sheet(
            ["varies by", "of them", "deviation", "at least", "at most", "share"],
            parts,
            numbers=[1, 2, 3, 4, 5],
            title=title,
        ),
        "",
        sheet(
            ["store", "servings", "effect", "at least", "at most", "holds the standard"],
            stores,
            numbers=[1, 2, 3, 4, 5],
        ),
    )


def safety(clues: Sequence[Clue], limit: int) -> RenderableType:
    if not clues:
        return "no review hints at harm"
    called = {kind.name: kind.english for kind in CLASSES}
    rows = [
        (called[c.kind], c.store_id, c.reviewed_at.date(), c.item or "", c.clause, c.review_id) for c in clues[:limit]
    ]
    title = f"[bold]{len(clues):,} hints at harm[/]; a hint is no finding, a person reads each of them"
    return sheet(["class", "store", "day", "dish", "words", "review"], rows, title=title)


def worth(found: Worth, currency: str, dishes: dict[str, str], limit: int) -> RenderableType:
    """Effects, then what to mend beside the price of the next unit of coupon budget."""
    effects = [
        [
            e.experience, e.outcome, *(_effect(e.outcome, value, currency) for value in (e.effect, e.low, e.high)),
            e.exposed, f"{e.e_value:.2f} ({e.e_value_low:.2f})",
        ]
        for e in found.effects
    ]  # fmt: skip
    mends = [
        [
            dishes.get(m.item, m.item), m.store, m.experience, f"{m.bad:.1%}", f"{m.target:.1%}",
            *(in_words(value, currency) for value in (m.worth_minor, m.low_minor, m.high_minor, m.breakeven_minor)),
        ]
        for m in found.mends[:limit]
    ]  # fmt: skip
    note = f"[dim]observational; the next unit of coupon budget brings {found.coupon_price:.2f} beyond itself. "
    note += f"{escape('; '.join(found.unknown))}[/]"
    columns = ["dish", "store", "mend", "now", "best stores", "worth a month", "at least", "at most", "pays up to"]
    return Group(
        sheet(
            ["experience", "on", "effect", "at least", "at most", "visits", "E-value"], effects, numbers=[2, 3, 4, 5, 6],
            title="[bold]what one more goes with, within guest and dish[/]",
        ),
        note, "", sheet(columns, mends, numbers=[3, 4, 5, 6, 7, 8], title="[bold]fix or coupon[/]"),
    )  # fmt: skip


def _effect(outcome: str, value: float, currency: str) -> str:
    return f"{value:+.1%}" if outcome == "return" else in_words(value, currency)


def trust(doubted: Sequence[dict[str, Any]], of: int, limit: int) -> RenderableType:
    counts = Counter(reason for row in doubted for reason in row["reasons"].split("; "))
    counted = ", ".join(f"{n:,} {reason}" for reason, n in counts.most_common())
    rows = [
        (r["review_id"], r["store_id"], f"{r['weight']:.2f}", r["reasons"], (r["text"] or "")[:80])
        for r in doubted[:limit]
    ]
    title = f"[bold]{len(doubted):,} of {of:,} reviews weigh less[/]\n[dim]{escape(counted)}[/]"
    return sheet(["review", "store", "weight", "because", "text"], rows, numbers=[2], title=title) if rows else title


def replies(queue: Sequence[Reply], currency: str) -> RenderableType:
    rows = [
        (
            reply.guest_id or "", reply.facts["store_id"], reply.days_ago, reply.safety or "", in_words(reply.at_stake_minor, currency),
            f"{reply.chance:.0%}", reply.text[:100], "; ".join(reply.facts["wrong"])[:120],
        )
        for reply in queue
    ]  # fmt: skip
    columns = [
        "guest",
        "store",
        "days ago",
        "harm",
        "at stake a year",
        "comes again",
        "what he wrote",
        "what went wrong",
    ]
    return sheet(columns, rows, numbers=[2, 4, 5], title=f"[bold]{len(queue):,} to answer, the most urgent first[/]")


def train(grades: Sequence[ClauseGrade], clues: ClueGrade) -> RenderableType:
    rows = [
        (
            g.language,
            g.clauses,
            *(f"{v:.3f}" for v in (g.aspect_f1, g.group_f1, g.polarity, g.told_polarity, g.told, g.negated)),
        )
        for g in grades
    ]
    columns = ["held out", "clauses", "aspect F1", "group F1", "polarity", "where told", "told", "negated"]
    harm = f"food-safety clues: recall {clues.recall:.3f}, precision {clues.precision:.3f} ({clues.clues} clues, {clues.others} others)"
    return Group(sheet(columns, rows, numbers=range(1, 8)), harm)
