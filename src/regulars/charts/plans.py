"""Pictures of a plan: what past offers changed, what was foretold, what other budgets would bring, who gets what."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import altair as alt

from regulars.charts.theme import INK, MAIN, PALE, SOFT, WARM, Chart, data, themed
from regulars.money import exponent_of
from regulars.wording import Voice

_OFFERS = (MAIN, "#38bdf8", WARM, "#a78bfa", "#f472b6", "#84cc16")
_NOTHING = "#e4e7eb"
_SEEMS = "#cbd2d9"


class Change(NamedTuple):
    """What a past offer changed per guest, minor units, with its interval."""

    offer: str
    is_adjusted: bool
    estimate: float
    low: float
    high: float


def average_effects(changes: Sequence[Change], voice: Voice) -> Chart:
    """What each past offer changed per guest: as it seems, and when likes are compared with likes; 95 % intervals."""
    scale, ways = _scale(voice), (voice.say("chart_as_it_seems"), voice.say("chart_adjusted"))
    rows = [
        {"offer": c.offer, "how": ways[c.is_adjusted], "effect": c.estimate / scale, "low": c.low / scale, "high": c.high / scale}
        for c in changes
        if math.isfinite(c.estimate)
    ]  # fmt: skip
    colour = alt.Color("how:N", scale=alt.Scale(domain=list(ways), range=[_SEEMS, MAIN]))
    title = voice.say("chart_change", unit=voice.currency)
    base = alt.Chart(data(rows)).encode(
        y=alt.Y("offer:N", title=None), yOffset=alt.YOffset("how:N", sort=list(ways)), color=colour
    )
    lines = base.mark_rule(strokeWidth=3).encode(x=alt.X("low:Q", title=title), x2="high:Q")
    dots = base.mark_circle(size=90, opacity=1).encode(x="effect:Q")
    zero = alt.Chart(data([{"zero": 0}])).mark_rule(color=INK, strokeDash=[3, 3]).encode(x="zero:Q")
    height = 40 + 60 * len({row["offer"] for row in rows})
    return themed(zero + lines + dots, voice.say("chart_effects"), height=height)  # type: ignore[no-any-return]


class Spread(NamedTuple):
    """How a number spreads over guests: its 5, 25, 50, 75 and 95 % quantiles, minor units."""

    offer: str
    least: float
    low: float
    middle: float
    high: float
    most: float


def spread(offers: Sequence[Spread], voice: Voice) -> Chart:
    """How the expected gain of each offer spreads over guests: nine in ten on the line, half of them in the bar."""
    scale = _scale(voice)
    rows = [
        {"offer": one.offer, **{name: value / scale for name, value in one._asdict().items() if name != "offer"}}
        for one in offers
    ]
    base = alt.Chart(data(rows)).encode(y=alt.Y("offer:N", title=None, sort=[one.offer for one in offers]))
    lines = base.mark_rule(color=SOFT).encode(
        x=alt.X("least:Q", title=voice.say("chart_change", unit=voice.currency)), x2="most:Q"
    )
    bars = base.mark_bar(color=PALE, height=16, cornerRadius=2).encode(x="low:Q", x2="high:Q")
    ticks = base.mark_tick(color=MAIN, thickness=3, height=22).encode(x="middle:Q")
    zero = alt.Chart(data([{"zero": 0}])).mark_rule(color=INK, strokeDash=[3, 3]).encode(x="zero:Q")
    return themed(zero + lines + bars + ticks, voice.say("chart_gains"), height=40 + 40 * len(rows))  # type: ignore[no-any-return]


class Foretold(NamedTuple):
    """Guests with about the same chance to redeem: foretold, and what happened with its interval; shares."""

    predicted: float
    actual: float
    low: float
    high: float


def calibration(bands: Sequence[Foretold], title: str, voice: Voice) -> Chart:
    """Foretold against real redemption, with 95 % intervals and the line on which both are the same."""
    rows = [band._asdict() for band in bands]
    top = max(max(band.high, band.predicted) for band in bands) * 1.05
    axis = alt.Axis(format=".0%", tickCount=5)
    scale = alt.Scale(domain=[0, top])
    base = alt.Chart(data(rows)).encode(
        x=alt.X("predicted:Q", title=voice.say("chart_share_foretold"), axis=axis, scale=scale)
    )
    y = alt.Y("low:Q", title=voice.say("chart_share_real"), axis=axis, scale=scale)
    lines = base.mark_rule(strokeWidth=2, color=MAIN).encode(y=y, y2="high:Q")
    dots = base.mark_circle(color=MAIN, opacity=1).encode(y="actual:Q", size=alt.value(80))
    ends = data([{"a": 0, "b": 0}, {"a": top, "b": top}])
    ideal = alt.Chart(ends).mark_line(color=SOFT, strokeDash=[4, 4]).encode(x="a:Q", y="b:Q")
    return themed(ideal + lines + dots, title, height=300)  # type: ignore[no-any-return]


def frontier(points: Sequence[tuple[float, float]], chosen: tuple[float, float] | None, voice: Voice) -> Chart:
    """What the whole audience would bring at each budget, minor units, with the chosen one marked, if one is."""
    scale, unit = _scale(voice), voice.currency
    rows = [{"budget": budget / scale, "gain": gain / scale} for budget, gain in points if math.isfinite(gain)]
    base = alt.Chart(data(rows)).encode(
        x=alt.X("budget:Q", title=voice.say("chart_budget", unit=unit), axis=alt.Axis(format="~s", tickCount=6)),
        y=alt.Y("gain:Q", title=voice.say("chart_gain", unit=unit), axis=alt.Axis(format="~s", tickCount=5)),
    )
    area = base.mark_area(color=PALE, opacity=0.4) + base.mark_line(color=MAIN, strokeWidth=2.5)
    title = voice.say("chart_frontier")
    if chosen is None:
        return themed(area, title)  # type: ignore[no-any-return]
    here = data([{"budget": chosen[0] / scale, "gain": chosen[1] / scale}])
    point = alt.Chart(here).encode(x="budget:Q", y="gain:Q")
    mark = point.mark_circle(size=130, color=WARM, opacity=1) + point.mark_text(
        align="left", dx=10, dy=14, color=WARM, fontWeight="bold", text=voice.say("chart_this_budget")
    )
    return themed(area + mark, title)  # type: ignore[no-any-return]


def who_gets_what(counts: Sequence[tuple[str, str | None, int]], voice: Voice) -> Chart:
    """What the guests of each stage get. counts: stage, offer by its title (None: nothing), guests."""
    nothing = voice.say("nothing")
    offers = list(dict.fromkeys(offer for _, offer, _ in counts if offer is not None))
    stages = {stage: voice.say(f"stage_{stage}") for stage, _, _ in counts}
    rows = [{"stage": stages[stage], "gets": offer or nothing, "guests": guests} for stage, offer, guests in counts]
    palette = [_OFFERS[place % len(_OFFERS)] for place in range(len(offers))] + [_NOTHING]
    names = [*offers, nothing]
    chart = alt.Chart(data(rows)).mark_bar().encode(
        y=alt.Y("stage:N", sort=list(stages.values()), title=None),
        x=alt.X("guests:Q", title=voice.say("chart_guests"), axis=alt.Axis(tickCount=6, format=",d")),
        color=alt.Color("gets:N", scale=alt.Scale(domain=names, range=palette), sort=names),
        order=alt.Order("order:Q"),
    )  # fmt: skip
    return themed(chart, voice.say("chart_who"), height=40 + 34 * len(stages))  # type: ignore[no-any-return]


def _scale(voice: Voice) -> float:
    """How many minor units the currency has to one; without a currency numbers stay as they are."""
    return 1.0 if voice.currency is None else float(10 ** exponent_of(voice.currency))
