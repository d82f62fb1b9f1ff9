"""Screens of quality: what was read, score cards, charts, what varies, what it is worth, whom to believe and to answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType

from regulars.cli.screens.layout import faint, plain, sheet, spoken, strong
from regulars.quality.aspects import in_words
from regulars.quality.control import MEASURES
from regulars.quality.safety import CLASSES
from regulars.wording import Voice

if TYPE_CHECKING:
    from regulars.quality import Change, Clue, Consistency, ReadReport, Reply, Watch, Worth
    from regulars.quality.grading import ClauseGrade, ClueGrade

_MOST_CHANGES = 20
_MOST_LETTERS = 100
Row = Mapping[str, Any]


def read(report: ReadReport, voice: Voice) -> RenderableType:
    return Group(
        plain(voice.say("read_reviews", reviews=report.reviews, empty=report.empty)),
        plain(voice.say("read_clauses", clauses=report.clauses, new=report.new, linked=report.linked)),
        plain(voice.say("read_mentions", mentions=report.mentions, untold=report.untold)),
        faint(spoken(report.reader, voice)),
    )


def cards(rows: Sequence[Row], of: int, dishes: Mapping[str, str], voice: Voice) -> RenderableType:
    """Each figure with what holds with 90 % probability, and its possible places."""
    if not rows:
        return plain(voice.say("cards_none"))
    by = [name for name in rows[0] if name in ("store", "item", "shift", "month")]
    shown = [
        [
            " · ".join(str(dishes.get(row[name], row[name])) for name in by),
            _measure(row["measure"], row["aspect"], voice), f"{row['n']:,.0f}",
            _figure(row["measure"], row["estimate"]), _between(row, voice), _place(row, voice),
        ]
        for row in rows
    ]  # fmt: skip
    title = strong(voice.say("rows_of", rows=len(rows), of=of))
    return sheet(
        voice, ["what", "measure", "n", "estimate", "nine_in_ten", "place"], shown, numbers=[2, 3, 4], title=title
    )


def _measure(name: str, aspect: str | None, voice: Voice) -> str:
    said = MEASURES[name].called(voice.language) if name in MEASURES else name
    return (
        said
        if aspect is None
        else voice.say("measure_of_aspect", measure=said, aspect=in_words(aspect, voice.language))
    )


def _between(row: Row, voice: Voice) -> str:
    low, high = (_figure(row["measure"], row[end]) for end in ("low", "high"))
    return voice.say("between", low=low, high=high)


def _place(row: Row, voice: Voice) -> str:
    ranks = {name: f"{row[name]:.0f}" for name in ("rank", "rank_best", "rank_worst")}
    place = voice.say("place_of", **ranks, peers=row["peers"])
    return place if row["is_known"] else voice.say("place_by_peers", place=place)


def _figure(measure: str, value: float) -> str:
    return f"{value:.2f}" if measure == "rating" else f"{value:.1%}"


def watch(found: Watch, measure: str, dishes: Mapping[str, str], voice: Voice) -> RenderableType:
    called = MEASURES[measure].called(voice.language)
    title = Group(
        strong(voice.say("watch_title", alarms=len(found.changes), charts=found.charts, measure=called)),
        faint(voice.say("watch_too_few", units=found.too_few)),
    )
    written = MEASURES[measure].written
    rows = [
        [
            " · ".join(dishes.get(value, value) if key == "item" else value for key, value in change.by.items()),
            change.changed_on, voice.say("between", low=change.changed_from, high=change.changed_until), written(change.before),
            voice.say("figure_between", figure=written(change.after), low=written(change.low), high=written(change.high)),
            _causes(change),
        ]
        for change in found.changes[:_MOST_CHANGES]
    ]  # fmt: skip
    if not rows:
        return title
    return sheet(voice, ["what", "changed_on", "changed_between", "before", "since", "causes"], rows, title=title)


def _causes(change: Change) -> str:
    return "; ".join(f"{cause.factor} {cause.level}: {cause.share:.0%}" for cause in change.causes[:3])


def consistency(found: Consistency, dishes: Mapping[str, str], voice: Voice) -> RenderableType:
    measure = MEASURES[found.measure]
    facts = {"measure": measure.called(voice.language), "mean": measure.written(found.mean), "servings": found.servings}
    title = strong(voice.say("consistency_title", dish=dishes.get(found.item, found.item), **facts))
    parts = [
        (
            c.factor,
            c.levels,
            f"{c.deviation:.3f}",
            voice.say("between", low=f"{c.low:.3f}", high=f"{c.high:.3f}"),
            voice.percent(c.share, 1),
        )
        for c in found.components
    ]
    stores = [
        (
            s.store,
            s.servings,
            f"{s.effect:+.3f}",
            voice.say("between", low=f"{s.low:+.3f}", high=f"{s.high:+.3f}"),
            voice.percent(s.holds),
        )
        for s in found.stores
    ]
    return Group(
        sheet(
            voice,
            ["varies_by", "of_them", "deviation", "nine_in_ten", "share"],
            parts,
            numbers=[1, 2, 3, 4],
            title=title,
        ),
        "",
        sheet(
            voice, ["store", "servings", "effect", "nine_in_ten", "holds_the_standard"], stores, numbers=[1, 2, 3, 4]
        ),
    )


def safety(clues: Sequence[Clue], limit: int, voice: Voice) -> RenderableType:
    if not clues:
        return plain(voice.say("safety_none"))
    called = {kind.name: kind.chinese if voice.language == "zh" else kind.english for kind in CLASSES}
    rows = [(called[c.kind], c.store_id, c.reviewed_at.date(), c.item, c.clause, c.review_id) for c in clues[:limit]]
    title = Group(strong(voice.say("safety_title", clues=len(clues))), plain(voice.say("safety_note")))
    return sheet(voice, ["class", "store", "day", "dish", "wording", "review"], rows, title=title)


def worth(found: Worth, dishes: Mapping[str, str], limit: int, voice: Voice) -> RenderableType:
    """Effects, then what to mend beside the price of the next unit of coupon budget."""
    effects = [
        [
            e.experience, e.outcome, _effect(e.outcome, e.effect, voice),
            voice.say("between", low=_effect(e.outcome, e.low, voice), high=_effect(e.outcome, e.high, voice)),
            e.exposed, f"{e.e_value:.2f} ({e.e_value_low:.2f})",
        ]
        for e in found.effects
    ]  # fmt: skip
    mends = [
        [
            dishes.get(m.item, m.item), m.store, m.experience, voice.say("from_to", before=f"{m.bad:.1%}", after=f"{m.target:.1%}"),
            voice.say("amount_between", gain_minor=m.worth_minor, low_minor=m.low_minor, high_minor=m.high_minor),
            voice.money(m.breakeven_minor),
        ]
        for m in found.mends[:limit]
    ]  # fmt: skip
    return Group(
        sheet(
            voice, ["experience", "outcome", "effect", "interval", "visits", "e_value"], effects, numbers=[2, 3, 4, 5],
            title=strong(voice.say("worth_effects_title")),
        ),
        faint(voice.say("worth_note", price=found.coupon_price)),
        *(faint(spoken(one, voice)) for one in found.unknown),
        "",
        sheet(
            voice, ["dish", "store", "mend", "to_best_stores", "worth_a_month", "pays_up_to"], mends, numbers=[4, 5],
            title=strong(voice.say("worth_mends_title")),
        ),
    )  # fmt: skip


def _effect(outcome: str, value: float, voice: Voice) -> str:
    return f"{value:+.1%}" if outcome == "return" else voice.money(value)


def trust(doubted: Sequence[Row], of: int, limit: int, voice: Voice) -> RenderableType:
    counts = Counter(reason for row in doubted for reason in row["reasons"].split("; "))
    counted = voice.listed((f"{n:,} {reason}" for reason, n in counts.most_common()), most=None)
    rows = [
        (r["review_id"], r["store_id"], f"{r['weight']:.2f}", r["reasons"], _shortened(r["text"]))
        for r in doubted[:limit]
    ]
    title = Group(strong(voice.say("trust_title", doubted=len(doubted), of=of)), faint(counted))
    return (
        sheet(voice, ["review", "store", "weight", "because", "text"], rows, numbers=[2], title=title)
        if rows
        else title
    )


def replies(queue: Sequence[Reply], voice: Voice) -> RenderableType:
    rows = [
        (
            reply.guest_id, reply.facts["store_id"], reply.days_ago, reply.safety, voice.money(reply.at_stake_minor),
            voice.percent(reply.chance), _shortened(reply.text), "; ".join(reply.facts["wrong"]),
        )
        for reply in queue
    ]  # fmt: skip
    columns = ["guest", "store", "days_ago", "harm", "at_stake", "comes_again", "wrote", "went_wrong"]
    return sheet(voice, columns, rows, numbers=[2, 4, 5], title=strong(voice.say("replies_title", replies=len(queue))))


def _shortened(text: str | None) -> str:
    """The beginning of what somebody wrote; an ellipsis says that there is more."""
    text = text or ""
    return text if len(text) <= _MOST_LETTERS else text[:_MOST_LETTERS].rstrip() + "…"


def train(grades: Sequence[ClauseGrade], clues: ClueGrade, voice: Voice) -> RenderableType:
    rows = [
        (g.language, g.clauses, *(f"{v:.3f}" for v in (g.aspect_f1, g.group_f1, g.polarity, g.told_polarity, g.told, g.negated)))
        for g in grades
    ]  # fmt: skip
    columns = ["held_out", "clauses", "aspect_f1", "group_f1", "polarity", "where_told", "told", "negated"]
    facts = {"recall": clues.recall, "precision": clues.precision, "clues": clues.clues, "others": clues.others}
    return Group(sheet(voice, columns, rows, numbers=range(1, 8)), plain(voice.say("train_clues", **facts)))
