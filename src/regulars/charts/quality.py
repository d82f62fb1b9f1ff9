"""Pictures of quality: what is praised, a measure over time, how even a dish is, and what to mend first."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import altair as alt

from regulars.charts.theme import GRID, HEIGHT, INK, MAIN, PALE, SOFT, WARM, Chart, data, themed
from regulars.wording import Sentence, Voice

_MOST_ROWS, _MOST_MENDS = 20, 10
_UNKNOWN = "#cbd2d9"
_AXES = {"share": ".0%", "stars": ".2f", "seconds": ",.0f"}
_DEPARTURES = {"share": "+.0%", "stars": "+.2f", "seconds": "+.0%"}
Unit = Literal["share", "stars", "seconds"]


class Praise(NamedTuple):
    """How much one aspect is praised. n: judgements. low, high: 90 %. peers: the share among peers. is_known: by its own data."""

    aspect: str
    n: float
    estimate: float
    low: float
    high: float
    peers: float
    is_known: bool


class Point(NamedTuple):
    """A part of the time. day: its middle. low, high: 90 %."""

    day: dt.date
    middle: float
    low: float
    high: float


class Shift(NamedTuple):
    """A measure of a unit that changed, in the unit that people read, between two days, on the likeliest; the chart alarmed later."""

    unit: Sentence
    measure: Sentence
    kind: Unit
    before: float
    after: float
    changed_on: dt.date
    changed_from: dt.date
    changed_until: dt.date
    alarmed_on: dt.date


class Departure(NamedTuple):
    """A store's departure from a dish's mean, better where positive; low, high: 90 %. holds: whether it holds the standard."""

    store: str
    effect: float
    low: float
    high: float
    holds: bool


class Evenness(NamedTuple):
    """How even one dish is over its stores. tolerance: what still counts as the standard."""

    dish: str
    measure: Sentence
    kind: Unit
    tolerance: float
    stores: Sequence[Departure]


class Mending(NamedTuple):
    """What mending one thing goes with a month, in the money's own unit; low, high: 95 %."""

    what: str
    worth: float
    low: float
    high: float


def score_card(praises: Sequence[Praise], unit: str, voice: Voice) -> Chart:
    """Praise of the aspects of one unit beside its peers, the most judged first."""
    known = sorted((praise for praise in praises if praise.n > 0), key=lambda praise: -praise.n)[:_MOST_ROWS]
    rows = [
        praise._asdict() | {"what": voice.say(f"aspect_{praise.aspect}"), "said": f"{praise.estimate:.0%} · {praise.n:.0f}"}
        for praise in known
    ]  # fmt: skip
    base = alt.Chart(data(rows)).encode(y=alt.Y("what:N", sort=[row["what"] for row in rows], title=None))
    shade = alt.condition("datum.is_known", alt.value(MAIN), alt.value(_UNKNOWN))
    x = alt.X(
        "low:Q", title=voice.say("chart_praise"), axis=alt.Axis(format="%", tickCount=5), scale=alt.Scale(domain=[0, 1])
    )
    lines = base.mark_rule(strokeWidth=3).encode(x=x, x2="high:Q", color=shade)
    dots = base.mark_circle(size=80, opacity=1).encode(x="estimate:Q", color=shade)
    peers = base.mark_tick(color=WARM, thickness=2, size=16).encode(x="peers:Q")
    counts = base.mark_text(align="left", color=SOFT, fontSize=11).encode(x=alt.value(568), text="said:N")
    title = voice.say("chart_card", unit=unit)
    return themed(lines + peers + dots + counts, title, height=max(24 * len(rows), 60))  # type: ignore[no-any-return]


def control_chart(points: Sequence[Point], shift: Shift, voice: Voice) -> Chart:
    """A measure over time, in equal parts, with its baseline, the change with its 95 % range, and the day of the alarm."""
    called = voice.say(shift.measure)
    rows = [point._asdict() | {"day": str(point.day)} for point in points]
    x = alt.X("day:T", title=None, axis=alt.Axis(format="%Y-%m", labelAngle=0, tickCount=8))
    y = alt.Y(
        "low:Q", title=voice.say("chart_seconds", measure=called) if shift.kind == "seconds" else called,
        axis=alt.Axis(format=_AXES[shift.kind], tickCount=5), scale=alt.Scale(zero=False),
    )  # fmt: skip
    base = alt.Chart(data(rows)).encode(x=x)
    spread = base.mark_rule(color=PALE, strokeWidth=2).encode(y=y, y2="high:Q")
    middle = base.mark_circle(color=MAIN, size=45, opacity=1).encode(y="middle:Q")
    span = alt.Chart(data([{"a": str(shift.changed_from), "b": str(shift.changed_until)}]))
    range_ = span.mark_rect(color=WARM, opacity=0.12).encode(x="a:T", x2="b:T")
    levels = _levels(shift, rows[0]["day"], rows[-1]["day"], voice)
    marks = [
        _mark(shift.changed_on, voice.say("chart_changed", day=shift.changed_on), WARM, 8),
        _mark(shift.alarmed_on, voice.say("chart_alarmed", day=shift.alarmed_on), INK, 24),
    ]
    title = voice.say("chart_measure", unit=shift.unit, measure=called)
    return themed(alt.layer(range_, spread, middle, *levels, *marks), title)  # type: ignore[no-any-return]


def _levels(shift: Shift, first: str, last: str, voice: Voice) -> list[Any]:
    """The level before and the level since, as lines, and in words at the foot."""
    rows = [
        {"a": first, "b": str(shift.changed_on), "level": shift.before},
        {"a": str(shift.changed_on), "b": last, "level": shift.after},
    ]
    lines = alt.Chart(data(rows)).mark_rule(color=INK, strokeDash=[4, 3]).encode(x="a:T", x2="b:T", y="level:Q")
    before, after = (Sentence(f"value_{shift.kind}", value=level) for level in (shift.before, shift.after))
    feet = [
        _foot(first, voice.say("chart_before", value=before), "left", 6),
        _foot(last, voice.say("chart_since", value=after), "right", -6),
    ]
    return [lines, *feet]


def _foot(day: str, words: str, align: Literal["left", "right"], shift: int) -> Any:
    text = alt.Chart(data([{"day": day, "said": words}])).mark_text(align=align, dx=shift, color=INK, fontSize=11)
    return text.encode(x="day:T", y=alt.value(HEIGHT - 10), text="said:N")


def _mark(day: dt.date, words: str, colour: str, height: int) -> Any:
    base = alt.Chart(data([{"day": str(day), "said": words}])).encode(x="day:T")
    text = base.mark_text(align="right", dx=-5, color=colour, fontWeight="bold", fontSize=11)
    return base.mark_rule(color=colour, strokeWidth=1.5) + text.encode(y=alt.value(height), text="said:N")


def evenness(found: Evenness, voice: Voice) -> Chart:
    """Each store's departure from the dish's mean, with 90 % intervals and the line of what still counts as the standard."""
    answers = [voice.say("chart_holds"), voice.say("chart_misses")]
    rows = [one._asdict() | {"how": answers[0] if one.holds else answers[1]} for one in found.stores]
    base = alt.Chart(data(rows)).encode(
        y=alt.Y("store:N", sort=[row["store"] for row in rows], title=voice.say("chart_stores")),
        color=alt.Color("how:N", title=None, scale=alt.Scale(domain=answers, range=[MAIN, WARM])),
    )
    tall = max(26 * len(rows), 80)
    axis = alt.Axis(format=_DEPARTURES[found.kind], tickCount=6)
    lines = base.mark_rule(strokeWidth=3).encode(
        x=alt.X("low:Q", title=voice.say("chart_departure"), axis=axis), x2="high:Q"
    )
    dots = base.mark_circle(size=80, opacity=1).encode(x="effect:Q")
    limit = alt.Chart(data([{"x": -found.tolerance, "said": voice.say("chart_standard")}])).encode(x="x:Q")
    text = limit.mark_text(align="left", dx=5, color=INK, fontSize=11).encode(y=alt.value(tall - 8), text="said:N")
    rule = limit.mark_rule(color=INK, strokeDash=[4, 3]) + text
    zero = alt.Chart(data([{"x": 0}])).mark_rule(color=GRID).encode(x="x:Q")
    title = voice.say("chart_even", unit=found.dish, measure=found.measure)
    return themed(zero + lines + dots + rule, title, height=tall)  # type: ignore[no-any-return]


def fix_or_coupon(mendings: Sequence[Mending], voice: Voice) -> Chart:
    """What mending goes with a month, with 95 % intervals, the most worth first."""
    rows = [mending._asdict() for mending in mendings[:_MOST_MENDS]]
    axis = alt.Axis(labelLimit=240, minExtent=170)
    base = alt.Chart(data(rows)).encode(y=alt.Y("what:N", sort=[row["what"] for row in rows], title=None, axis=axis))
    title = voice.say("chart_worth", currency=voice.currency or "")
    bars = base.mark_bar(color=PALE, cornerRadiusEnd=2).encode(
        x=alt.X("worth:Q", title=title, axis=alt.Axis(tickCount=6, format="~s"))
    )
    lines = base.mark_rule(color=MAIN, strokeWidth=2).encode(x="low:Q", x2="high:Q")
    return themed(bars + lines, voice.say("chart_fix"), height=max(26 * len(rows), 80))  # type: ignore[no-any-return]
