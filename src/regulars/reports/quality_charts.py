"""Pictures of quality: score card, control chart, consistency, and what to mend; titles in English or Chinese."""

from collections.abc import Sequence
from typing import Any, Literal

import altair as alt
import numpy as np
import pyarrow as pa

from regulars.charts.theme import GRID, HEIGHT, INK, MAIN, PALE, SOFT, WARM, Chart, data, themed
from regulars.quality import MEASURES, Change, Consistency, Mend, Stream
from regulars.quality.aspects import in_words
from regulars.quality.control import Measure
from regulars.reports.quality_words import words as words_in

_MOST_ROWS, _MOST_MENDS, _BINS = 20, 10, 40


def score_card(card: pa.Table, unit: str, *, name: str | None = None, language: str = "en") -> Chart:
    """Praise of one unit's aspects beside its peers. card: `score_cards`, whose first column names the unit."""
    words = words_in(language)["charts"]
    rows = [
        row | {"what": in_words(row["aspect"], language), "said": f"{row['estimate']:.0%} · {row['n']:.0f}"}
        for row in card.to_pylist()
        if row[card.column_names[0]] == unit and row["measure"] == "positive" and row["n"] > 0
    ]
    rows.sort(key=lambda row: -row["n"])
    rows = [row | {"is_known": bool(row["is_known"])} for row in rows[:_MOST_ROWS]]
    base = alt.Chart(data(rows)).encode(y=alt.Y("what:N", sort=[row["what"] for row in rows], title=None))
    scale = alt.Scale(domain=[0, 1])
    shade = alt.condition("datum.is_known", alt.value(MAIN), alt.value("#cbd2d9"))
    lines = base.mark_rule(strokeWidth=3).encode(
        x=alt.X("low:Q", title=words["of_talk"], axis=alt.Axis(format="%", tickCount=5), scale=scale),
        x2="high:Q",
        color=shade,
    )
    dots = base.mark_circle(size=80, opacity=1).encode(x="estimate:Q", color=shade)
    peers = base.mark_tick(color=WARM, thickness=2, size=16).encode(x="group_mean:Q")
    counts = base.mark_text(align="left", color=SOFT, fontSize=11).encode(x=alt.value(568), text="said:N")
    title = words["card"].format(unit=name or unit)
    return themed(lines + peers + dots + counts, title, height=max(24 * len(rows), 60))  # type: ignore[no-any-return]


def control_chart(stream: Stream, change: Change, *, name: str | None = None, language: str = "en") -> Chart:
    """A measure over time, in equal parts, with its baseline, the change with its 95 % range, and the day of the alarm."""
    words, measure = words_in(language)["charts"], MEASURES[change.measure]
    called = measure.called(language) + (", s" if measure.is_log else "")
    rows = np.flatnonzero(np.all([_is(stream, key, value) for key, value in change.by.items()], axis=0))
    value, day = stream.value[rows], stream.day[rows]
    parts = np.array_split(np.arange(len(rows)), min(_BINS, max(len(rows) // 20, 1)))
    dots = [_dot(value[part], int(day[part].mean()), measure) for part in parts if len(part)]
    form = ".0%" if measure.is_share else ",.0f" if measure.is_log else ".2f"
    x = alt.X("day:T", title=None, axis=alt.Axis(format="%Y-%m", labelAngle=0, tickCount=8))
    y = alt.Y("low:Q", title=called, axis=alt.Axis(format=form, tickCount=5), scale=alt.Scale(zero=False))
    base = alt.Chart(data(dots)).encode(x=x)
    spread = base.mark_rule(color=PALE, strokeWidth=2).encode(y=y, y2="high:Q")
    middle = base.mark_circle(color=MAIN, size=45, opacity=1).encode(y="middle:Q")
    span = alt.Chart(data([{"a": str(change.changed_from), "b": str(change.changed_until)}]))
    range_ = span.mark_rect(color=WARM, opacity=0.12).encode(x="a:T", x2="b:T")
    levels = _levels(change, str(_date(int(day[0]))), str(_date(int(day[-1]))), words, measure)
    marks = [
        _mark(str(change.changed_on), words["changed"], WARM, 8),
        _mark(str(change.alarmed_on), words["alarmed"], INK, 24),
    ]
    title = words["chart"].format(unit=name or " · ".join(change.by.values()), measure=called)
    return themed(alt.layer(range_, spread, middle, *levels, *marks), title)  # type: ignore[no-any-return]


def _is(stream: Stream, key: str, value: str) -> np.ndarray:
    coded = stream.factors[key]
    return np.asarray(coded.code == int(np.flatnonzero(coded.names == value)[0]))


def _date(day: int) -> Any:
    return np.datetime64("1970-01-01") + np.timedelta64(day - 719_163, "D")


def _dot(value: np.ndarray, day: int, measure: Measure) -> dict[str, Any]:
    middle = float(value.mean())
    error = float(
        np.sqrt(middle * (1 - middle) / len(value)) if measure.is_share else value.std() / np.sqrt(len(value))
    )
    ends = {"middle": middle, "low": middle - 1.645 * error, "high": middle + 1.645 * error}
    return {"day": str(_date(day))} | {name: measure.shown(end) for name, end in ends.items()}


def _levels(change: Change, first: str, last: str, words: dict[str, str], measure: Measure) -> list[Any]:
    """The level before and the level since, as lines, and in words at the foot."""
    before, after = measure.shown(change.before), measure.shown(change.after)
    rows = [
        {"a": first, "b": str(change.changed_on), "level": before},
        {"a": str(change.changed_on), "b": last, "level": after},
    ]
    lines = alt.Chart(data(rows)).mark_rule(color=INK, strokeDash=[4, 3]).encode(x="a:T", x2="b:T", y="level:Q")
    feet = [
        _foot(first, words["before"].format(value=measure.written(change.before)), "left", 6),
        _foot(last, words["since"].format(value=measure.written(change.after)), "right", -6),
    ]
    return [lines, *feet]


def _foot(day: str, words: str, align: Literal["left", "right"], shift: int) -> Any:
    text = alt.Chart(data([{"day": day, "said": words}])).mark_text(align=align, dx=shift, color=INK, fontSize=11)
    return text.encode(x="day:T", y=alt.value(HEIGHT - 10), text="said:N")


def _mark(day: str, words: str, colour: str, height: int) -> Any:
    base = alt.Chart(data([{"day": day, "said": words.format(day=day)}])).encode(x="day:T")
    text = base.mark_text(align="right", dx=-5, color=colour, fontWeight="bold", fontSize=11)
    return base.mark_rule(color=colour, strokeWidth=1.5) + text.encode(y=alt.value(height), text="said:N")


def consistency_chart(found: Consistency, *, name: str | None = None, language: str = "en") -> Chart:
    """Each store's departure from the dish's mean, with 90 % intervals and the line of what still counts as the standard."""
    words, measure = words_in(language)["charts"], MEASURES[found.measure]
    called = measure.called(language)
    rows = [s._asdict() | {"how": words["holds"] if s.holds >= 0.9 else words["misses"]} for s in found.stores]
    base = alt.Chart(data(rows)).encode(
        y=alt.Y("store:N", sort=[row["store"] for row in rows], title=words["stores"]),
        color=alt.Color(
            "how:N", title=None, scale=alt.Scale(domain=[words["holds"], words["misses"]], range=[MAIN, WARM])
        ),
    )
    tall = max(26 * len(rows), 80)
    form = "+.0%" if measure.is_share or measure.is_log else "+.2f"
    lines = base.mark_rule(strokeWidth=3).encode(
        x=alt.X("low:Q", title=words["effect"], axis=alt.Axis(format=form, tickCount=6)), x2="high:Q"
    )
    dots = base.mark_circle(size=80, opacity=1).encode(x="effect:Q")
    limit = alt.Chart(data([{"x": -found.tolerance, "said": words["standard"]}])).encode(x="x:Q")
    text = limit.mark_text(align="left", dx=5, color=INK, fontSize=11).encode(y=alt.value(tall - 8), text="said:N")
    rule = limit.mark_rule(color=INK, strokeDash=[4, 3]) + text
    zero = alt.Chart(data([{"x": 0}])).mark_rule(color=GRID).encode(x="x:Q")
    title = words["even"].format(unit=name or found.item, measure=called)
    return themed(zero + lines + dots + rule, title, height=tall)  # type: ignore[no-any-return]


def fix_or_coupon(
    mends: Sequence[Mend], exponent: int, unit: str, *, names: dict[str, str] | None = None, language: str = "en"
) -> Chart:
    """What mending goes with a month, with 95 % intervals, the most worth first."""
    words, scale = words_in(language)["charts"], 10**exponent
    rows = [
        {
            "what": f"{(names or {}).get(m.item, m.item)} · {m.store} · {m.experience}", "worth": m.worth_minor / scale,
            "low": m.low_minor / scale, "high": m.high_minor / scale,
        }
        for m in mends[:_MOST_MENDS]
    ]  # fmt: skip
    base = alt.Chart(data(rows)).encode(
        y=alt.Y("what:N", sort=[row["what"] for row in rows], title=None, axis=alt.Axis(labelLimit=240, minExtent=170))
    )
    bars = base.mark_bar(color=PALE, cornerRadiusEnd=2).encode(
        x=alt.X("worth:Q", title=words["worth"].format(unit=unit), axis=alt.Axis(tickCount=6, format="~s"))
    )
    lines = base.mark_rule(color=MAIN, strokeWidth=2).encode(x="low:Q", x2="high:Q")
    return themed(bars + lines, words["fix"], height=max(26 * len(rows), 80))  # type: ignore[no-any-return]
