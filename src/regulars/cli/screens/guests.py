"""Screens of guests: all of them at a glance, segments, one guest, and what to offer them next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType

from regulars.cli.screens.layout import faint, plain, sheet, strong
from regulars.profiles import DAYPARTS
from regulars.wording import Voice

if TYPE_CHECKING:
    import datetime as dt

    from regulars.guests import Counted, Everybody, Found, Moved, NextDishes, Portrait

_MOST_OF_A_KIND, _MOST_USUAL, _MOST_STOPPED = 4, 5, 8
_HORIZONS = (90, 365)
Row = Mapping[str, Any]


def profile(everybody: Everybody, as_of: dt.date, voice: Voice) -> RenderableType:
    """All guests at a glance."""
    rows = [
        (
            voice.say(f"stage_{count.stage}"), count.guests, voice.percent(count.share), voice.money(count.spend_minor),
            voice.percent(count.spend_share),
        )
        for count in everybody.stages
    ]  # fmt: skip
    title = strong(voice.say("profile_title", guests=everybody.guests, as_of=as_of))
    stages = sheet(
        voice, ["stage", "guests", "share", "spend", "share_of_spend"], rows, numbers=[1, 2, 3, 4], title=title
    )
    if not everybody.tenths:
        return stages
    best = voice.say("profile_best_tenth", guests=everybody.tenths[0].guests, part_share=everybody.tenths[0].share)
    return Group(stages, "", plain(best))


def segments(counted: Sequence[Counted], voice: Voice) -> RenderableType:
    """All segments, the workspace's own first, with their guests."""
    rows = [
        (
            f"@{row.segment.name}" + (f":{row.segment.version}" if row.segment.version else ""),
            None if row.lacking else row.guests,
            "" if row.lacking else voice.percent(row.share, 1),
            voice.say("segment_lacks", facts=row.lacking) if row.lacking else row.segment.meaning or row.segment.rule,
        )
        for row in counted
    ]
    table = sheet(voice, ["segment", "guests", "share", "who"], rows, numbers=[1, 2])
    return Group(table, "", *_dated(counted[0].as_of, counted[0].orders_until, voice)) if counted else table


def segment(found: Found, limit: int, voice: Voice) -> RenderableType:
    """The guests who meet a rule, the best first."""
    rows = [
        (row["guest_id"], _stage(row["stage"], voice), row["visits"], row["recency_days"], voice.money(row["spend_minor"]))
        for row in found.guests.slice(0, limit).to_pylist()
    ]  # fmt: skip
    title = Group(
        strong(voice.say("segment_title", guests=len(found.guests), of=found.of)),
        *_dated(found.as_of, found.orders_until, voice),
    )
    return sheet(voice, ["guest", "stage", "visits", "days_away", "spend"], rows, numbers=[2, 3, 4], title=title)


def _dated(as_of: dt.date, orders_until: dt.date | None, voice: Voice) -> Iterator[RenderableType]:
    """Of which date profiles are; loudly where orders are newer."""
    yield faint(voice.say("profiles_of", as_of=as_of))
    if orders_until is not None:
        yield strong(voice.say("profiles_older", orders_until=orders_until))


def moved(told: Moved, limit: int, voice: Voice) -> RenderableType:
    """Who entered a segment and who left it: the reasons by their number of guests, then the first guests."""
    grouped = told.guests.group_by(["change", "because"]).aggregate([("guest_id", "count")])
    reasons = grouped.sort_by([("guest_id_count", "descending"), ("change", "ascending")]).to_pylist()
    counted = [(_change(row, voice), row["guest_id_count"], row["because"]) for row in reasons]
    title = strong(voice.say("moved_title", guests=len(told.guests), before=told.before, after=told.after))
    why = sheet(voice, ["change", "guests", "because"], counted, numbers=[1], title=title)
    rows = [(row["guest_id"], _change(row, voice), row["because"]) for row in told.guests.slice(0, limit).to_pylist()]
    return Group(why, "", sheet(voice, ["guest", "change", "because"], rows)) if rows else why


def next_dishes(found: NextDishes, limit: int, voice: Voice) -> RenderableType:
    """What to offer the first guests, of how many, and what is offered to nobody."""
    rows = [
        (row["guest_id"] if row["rank"] == 1 else "", row["dish"], *_why(row, voice))
        for row in found.first(limit).to_pylist()
    ]
    title: list[RenderableType] = [strong(voice.say("next_title", guests=found.guests, as_of=found.as_of))]
    if found.stop_list:
        more = max(len(found.stop_list) - _MOST_STOPPED, 0) or None
        title.append(faint(voice.say("next_never", dishes=found.stop_list[:_MOST_STOPPED], more=more)))
    return sheet(voice, ["guest", "dish", "because", "expected_in"], rows, title=Group(*title))


def guest(known: Portrait, voice: Voice) -> RenderableType:
    """One guest, for the person who is about to greet them."""
    parts: list[RenderableType] = [strong(voice.told(known.guest_id)), *map(plain, _habits(known.profile, voice))]
    if known.outlook:
        parts += ["", _outlook(known.outlook, voice)]
    else:
        parts += ["", plain(voice.say("outlook_unknown", why=known.doubt))]
    for part in (_likes(known.tastes, voice), _usual(known.usual, voice), _next(known.next_dishes, voice)):
        parts += ["", part] if part else []
    return Group(*parts)


def _habits(facts: Row, voice: Voice) -> Iterator[str]:
    """The profile in sentences."""
    if not facts["visits"]:
        yield voice.say("habits_refunds_only")
        return
    yield _stage(facts["stage"], voice)
    yield _visits(facts, voice)
    yield voice.say(
        "habits_spend", spend_minor=facts["spend_minor"], order_minor=facts["average_order_minor"],
        discounted_share=facts["discounted_share"],
    )  # fmt: skip
    parts = {part: facts[f"{part}_share"] or 0.0 for part in DAYPARTS}
    mostly = max(parts, key=parts.__getitem__)
    yield voice.say(
        "habits_place", store=facts["home_store"], home_share=facts["home_store_share"],
        mostly=voice.say(f"daypart_{mostly}"), mostly_share=parts[mostly],
    )  # fmt: skip
    if (birthday := facts.get("birthday_in_days")) is not None:
        yield voice.say("habits_birthday", days=birthday) if birthday else voice.say("habits_birthday_today")


def _visits(facts: Row, voice: Voice) -> str:
    if facts["rhythm_days"] is None:
        return voice.say("habits_once", first=facts["first_ordered_on"])
    due = round(facts["due_in_days"])
    return voice.say(
        "habits_visits", visits=facts["visits"], first=facts["first_ordered_on"], days=round(facts["rhythm_days"]),
        last=facts["last_ordered_on"],
        when=voice.say("habits_due", days=due) if due >= 0 else voice.say("habits_overdue", days=-due),
    )  # fmt: skip


def _outlook(outlook: Mapping[str, float], voice: Voice) -> RenderableType:
    """What to expect of a guest, with what holds for nine in ten like them."""
    rows: list[tuple[str, ...]] = []
    for days in _HORIZONS:
        visits, margin = f"expected_visits_{days}", f"expected_margin_{days}_minor"
        likely, low, high = (outlook[f"{visits}{end}"] for end in ("", "_low", "_high"))
        rows.append((voice.say("outlook_visits", days=days), f"{likely:.1f}", f"{low:.0f}", f"{high:.0f}"))
        if outlook.get(f"{margin}_low") is not None:
            amounts = (voice.money(outlook[f"{margin}{end}"]) for end in ("", "_low", "_high"))
            rows.append((voice.say("outlook_margin", days=days), *amounts))
    table = sheet(voice, ["outlook", "expected", "at_least", "at_most"], rows, numbers=[1, 2, 3])
    return Group(table, faint(voice.say("outlook_note", again_share=1 - outlook["no_visit_30_probability"])))


def _likes(tastes: Sequence[Row], voice: Voice) -> RenderableType | None:
    """The surest tastes of each kind."""
    kinds = dict.fromkeys(taste["kind"] for taste in tastes)
    best = [taste for kind in kinds for taste in [t for t in tastes if t["kind"] == kind][:_MOST_OF_A_KIND]]
    rows = [
        (t["what"], _kind(t["kind"], voice), _of(t["orders_with"], t["orders_known"], voice), voice.percent(t["crowd_share"], 1))
        for t in best
    ]  # fmt: skip
    return sheet(voice, ["likes", "kind", "of_their_orders", "of_all_orders"], rows, numbers=[2, 3]) if rows else None


def _usual(dishes: Sequence[Row], voice: Voice) -> RenderableType | None:
    rows = [
        (row["dish"], _of(row["times_ordered"], row["orders_known"], voice), row["last_ordered_on"])
        for row in dishes[:_MOST_USUAL]
    ]
    return sheet(voice, ["usual", "of_their_orders", "last_had"], rows, numbers=[1]) if rows else None


def _next(dishes: Sequence[Row], voice: Voice) -> RenderableType | None:
    rows = [(row["dish"], *_why(row, voice)) for row in dishes]
    return sheet(voice, ["offer_next", "because", "expected_in"], rows) if rows else None


def _why(row: Row, voice: Voice) -> tuple[str, str]:
    """Why a dish is offered, and how many orders are expected to have it."""
    reason = voice.say(f"dish_{row['reason'].replace(' ', '_')}", times=row["times_ordered"])
    return reason, voice.say("share_of_their_orders", dish_share=row["score"])


def _of(some: int, all_of_them: int, voice: Voice) -> str:
    return voice.say("some_of", some=some, of=all_of_them)


def _stage(stage: str | None, voice: Voice) -> str:
    return "" if stage is None else voice.say(f"stage_{stage}")


def _kind(kind: str, voice: Voice) -> str:
    return voice.say(f"taste_{kind.replace(' ', '_')}")


def _change(row: Row, voice: Voice) -> str:
    return voice.say(f"change_{row['change']}")
