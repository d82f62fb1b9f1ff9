"""Screens of quality: what was read, score cards, charts, what varies, what it is worth, whom to believe and to answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType

from regulars.cli.screens.layout import faint, plain, sheet, strong
from regulars.quality.control_charts import MEASURES
from regulars.wording import Sentence, Voice

if TYPE_CHECKING:
    from regulars.quality import Change, Clue, Consistency, Doubt, Names, ReadReport, Reply, Trust, Watch, Worth
    from regulars.quality.grades import ClauseGrade, ClueGrade

_MOST_CHANGES, _MOST_CAUSES = 20, 3
_MOST_LETTERS = 100
Row = Mapping[str, Any]


def read(report: ReadReport, voice: Voice) -> RenderableType:
    return Group(
        plain(voice.say("read_reviews", reviews=report.reviews, empty=report.empty)),
        plain(voice.say("read_clauses", clauses=report.clauses, new=report.new, linked=report.linked)),
        plain(voice.say("read_mentions", mentions=report.mentions, untold=report.untold)),
        faint(voice.say(report.reader)),
    )


def cards(rows: Sequence[Row], of: int, names: Names, voice: Voice) -> RenderableType:
    """Each figure with what holds with 90 % probability, and its possible places."""
    if not rows:
        return plain(voice.say("cards_none"))
    by = [name for name in rows[0] if name in ("store", "item", "shift", "month")]
    shown = [
        [
            voice.say(names.unit({name: row[name] for name in by})),
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
    said = voice.say(f"measure_{name}")
    return said if aspect is None else voice.say("measure_of_aspect", measure=said, aspect=Sentence(f"aspect_{aspect}"))


def _between(row: Row, voice: Voice) -> str:
    low, high = (_figure(row["measure"], row[end]) for end in ("low", "high"))
    return voice.say("between", low=low, high=high)


def _place(row: Row, voice: Voice) -> str:
    ranks = {name: f"{row[name]:.0f}" for name in ("rank", "rank_best", "rank_worst")}
    place = voice.say("place_of", **ranks, peers=row["peers"])
    return place if row["is_known"] else voice.say("place_by_peers", place=place)


def _figure(measure: str, value: float) -> str:
    return f"{value:.2f}" if measure == "rating" else f"{value:.1%}"


def watch(found: Watch, measure: str, names: Names, voice: Voice) -> RenderableType:
    title = Group(
        strong(
            voice.say("watch_title", alarms=len(found.changes), charts=found.charts, measure=MEASURES[measure].called)
        ),
        faint(voice.say("watch_too_few", units=found.too_few)),
    )
    value = MEASURES[measure].value
    rows = [
        [
            voice.say(names.unit(change.by)), change.changed_on,
            voice.say("between", low=change.changed_from, high=change.changed_until), voice.say(value(change.before)),
            voice.say("figure_between", figure=value(change.after), low=value(change.low), high=value(change.high)),
            _causes(change, names, voice),
        ]
        for change in found.changes[:_MOST_CHANGES]
    ]  # fmt: skip
    if not rows:
        return title
    return sheet(voice, ["what", "changed_on", "changed_between", "before", "since", "causes"], rows, title=title)


def _causes(change: Change, names: Names, voice: Voice) -> str:
    return voice.listed(cause.sentence(names) for cause in change.causes[:_MOST_CAUSES])


def consistency(found: Consistency, names: Names, voice: Voice) -> RenderableType:
    measure = MEASURES[found.measure]
    facts = {"measure": measure.called, "mean": measure.value(found.mean), "servings": found.servings}
    title = strong(voice.say("consistency_title", dish=names.dish(found.item), **facts))
    parts = [
        (
            voice.say(f"factor_{c.factor}"), c.levels, f"{c.deviation:.3f}",
            voice.say("between", low=f"{c.low:.3f}", high=f"{c.high:.3f}"), voice.percent(c.share, 1),
        )
        for c in found.components
    ]  # fmt: skip
    stores = [
        (
            names.store(s.store), s.servings, f"{s.effect:+.3f}",
            voice.say("between", low=f"{s.low:+.3f}", high=f"{s.high:+.3f}"), voice.percent(s.holds),
        )
        for s in found.stores
    ]  # fmt: skip
    spread = ["varies_by", "of_them", "deviation", "nine_in_ten", "share"]
    held = ["store", "servings", "effect", "nine_in_ten", "holds_the_standard"]
    numbers = [1, 2, 3, 4]
    return Group(
        sheet(voice, spread, parts, numbers=numbers, title=title), "", sheet(voice, held, stores, numbers=numbers)
    )


def safety(clues: Sequence[Clue], limit: int, names: Names, voice: Voice) -> RenderableType:
    if not clues:
        return plain(voice.say("safety_none"))
    rows = [
        (voice.say(f"harm_{c.kind}"), names.store(c.store_id), c.reviewed_at.date(), c.item, c.clause, c.review_id)
        for c in clues[:limit]
    ]
    title = Group(strong(voice.say("safety_title", clues=len(clues))), plain(voice.say("safety_note")))
    return sheet(voice, ["class", "store", "day", "dish", "wording", "review"], rows, title=title)


def worth(found: Worth, names: Names, limit: int, voice: Voice) -> RenderableType:
    """Effects, then what to mend beside the price of the next unit of coupon budget."""
    effects = [
        [
            voice.say(f"experience_{e.experience}"), voice.say(f"outcome_{e.outcome}"), _effect(e.outcome, e.effect, voice),
            voice.say("between", low=_effect(e.outcome, e.low, voice), high=_effect(e.outcome, e.high, voice)),
            e.exposed, f"{e.e_value:.2f} ({e.e_value_low:.2f})",
        ]
        for e in found.effects
    ]  # fmt: skip
    mends = [
        [
            names.dish(m.item), names.store(m.store), voice.say(f"experience_{m.experience}"),
            voice.say("from_to", before=f"{m.bad:.1%}", after=f"{m.target:.1%}"),
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
        *(faint(voice.say(one)) for one in found.unknown),
        "",
        sheet(
            voice, ["dish", "store", "mend", "to_best_stores", "worth_a_month", "pays_up_to"], mends, numbers=[4, 5],
            title=strong(voice.say("worth_mends_title")),
        ),
    )  # fmt: skip


def _effect(outcome: str, value: float, voice: Voice) -> str:
    return f"{value:+.1%}" if outcome == "return" else voice.money(value)


def trust(doubted: Sequence[Doubt], found: Trust, limit: int, names: Names, voice: Voice) -> RenderableType:
    counted = voice.listed(
        voice.say("doubt_count", reason=reason, reviews=count) for reason, count in found.counts.items()
    )
    rows = [
        (
            d.review_id, names.store(d.store_id), f"{d.weight:.2f}", voice.listed(voice.say(f"doubt_{reason}") for reason in d.reasons),
            _shortened(d.text),
        )
        for d in doubted[:limit]
    ]  # fmt: skip
    title = Group(strong(voice.say("trust_title", doubted=len(doubted), of=len(found.weight))), faint(counted))
    columns = ["review", "store", "weight", "because", "text"]
    return sheet(voice, columns, rows, numbers=[2], title=title) if rows else title


def replies(queue: Sequence[Reply], names: Names, voice: Voice) -> RenderableType:
    rows = [
        (
            reply.guest_id, names.store(reply.facts.store_id), reply.days_ago, voice.say(f"harm_{reply.safety}") if reply.safety else "",
            voice.money(reply.at_stake_minor), voice.percent(reply.chance), _shortened(reply.text), voice.listed(reply.facts.wrong),
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
