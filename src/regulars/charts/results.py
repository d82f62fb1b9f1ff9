"""Pictures of what campaigns brought: how the spend splits, and campaign after campaign."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import altair as alt

from regulars.charts.theme import INK, MAIN, PALE, SOFT, WARM, WIDTH, Chart, data, themed
from regulars.money import exponent_of
from regulars.wording import Voice


class Span(NamedTuple):
    """An amount with its interval: minor units, or the plain unit of what was compared."""

    name: str
    amount: float
    low: float
    high: float


def changes(found: Sequence[Span], voice: Voice) -> Chart:
    """What each offer changed per guest, beside no change. Amounts are minor units where the voice has a currency."""
    unit = 10 ** exponent_of(voice.currency) if voice.currency else 1
    rows = [
        {"offer": one.name, "change": one.amount / unit, "low": one.low / unit, "high": one.high / unit}
        for one in found
        if math.isfinite(one.low) and math.isfinite(one.high)
    ]
    title = voice.say("chart_change", unit=voice.currency)
    base = alt.Chart(data(rows)).encode(
        y=alt.Y("offer:N", sort=[one.name for one in found], title=None, axis=alt.Axis(labelLimit=240))
    )
    lines = base.mark_rule(strokeWidth=3, color=MAIN).encode(x=alt.X("low:Q", title=title), x2="high:Q")
    dots = base.mark_circle(size=90, opacity=1, color=MAIN).encode(x="change:Q")
    zero = alt.Chart(data([{"zero": 0}])).mark_rule(color=INK, strokeDash=[3, 3]).encode(x="zero:Q")
    return themed(zero + lines + dots, voice.say("chart_lifts"), height=40 + 40 * len(rows))  # type: ignore[no-any-return]


def split(parts: Sequence[Span], title: str, voice: Voice) -> Chart:
    """How the spend on a campaign's checks splits, each part with its 95 % interval."""
    unit = 10 ** exponent_of(voice.currency or "USD")
    rows = [{"part": p.name, "amount": p.amount / unit, "low": p.low / unit, "high": p.high / unit} for p in parts]
    axis = alt.Axis(format="~s", tickCount=6, title=voice.currency)
    base = alt.Chart(data(rows)).encode(
        y=alt.Y("part:N", sort=[p.name for p in parts], title=None, axis=alt.Axis(labelLimit=240))
    )
    bars = base.mark_bar(color=PALE, cornerRadiusEnd=2).encode(x=alt.X("amount:Q", axis=axis))
    lines = base.mark_rule(color=MAIN, strokeWidth=2).encode(x="low:Q", x2="high:Q")
    zero = alt.Chart(data([{"x": 0}])).mark_rule(color=INK).encode(x="x:Q")
    return themed(bars + lines + zero, title, height=40 + 30 * len(rows))  # type: ignore[no-any-return]


class Lived(NamedTuple):
    """One campaign of several in a row, minor units: promised, true, and measured with its interval."""

    promised: float
    true: float
    measured: float
    low: float
    high: float


def promised_and_true(campaigns: Sequence[Lived], voice: Voice) -> Chart:
    """What each campaign promised and what it truly brought."""
    unit = 10 ** exponent_of(voice.currency or "USD")
    kinds = voice.say("chart_promised"), voice.say("chart_true")
    rows = [
        {"campaign": place, "what": what, "gain": amount / unit}
        for place, one in enumerate(campaigns, 1)
        for what, amount in zip(kinds, (one.promised, one.true), strict=True)
    ]
    bars = alt.Chart(data(rows)).mark_bar(cornerRadiusEnd=2).encode(
        x=alt.X("campaign:O", title=voice.say("chart_campaign"), axis=alt.Axis(labelAngle=0)),
        xOffset=alt.XOffset("what:N", sort=list(kinds)),
        y=alt.Y("gain:Q", axis=_gain_axis(voice)),
        color=alt.Color("what:N", scale=alt.Scale(domain=list(kinds), range=[PALE, MAIN])),
    )  # fmt: skip
    return themed(bars, voice.say("chart_promised_and_true"), WIDTH)  # type: ignore[no-any-return]


def measured_and_true(campaigns: Sequence[Lived], voice: Voice) -> Chart:
    """What could be measured of each campaign, and where the truth lay."""
    unit = 10 ** exponent_of(voice.currency or "USD")
    rows = [
        {"campaign": place, **{name: value / unit for name, value in one._asdict().items()}}
        for place, one in enumerate(campaigns, 1)
    ]
    base = alt.Chart(data(rows)).encode(
        x=alt.X("campaign:O", title=voice.say("chart_campaign"), axis=alt.Axis(labelAngle=0))
    )
    lines = base.mark_rule(strokeWidth=8, opacity=0.5, color=PALE)
    spans = lines.encode(y=alt.Y("low:Q", axis=_gain_axis(voice)), y2="high:Q")
    found = base.mark_tick(color=SOFT, thickness=2, width=18).encode(y="measured:Q")
    truth = base.mark_point(filled=True, size=70, color=WARM, opacity=1).encode(y="true:Q")
    zero = alt.Chart(data([{"y": 0}])).mark_rule(color=INK, opacity=0.4).encode(y="y:Q")
    return themed(zero + spans + found + truth, voice.say("chart_measured_and_true"), WIDTH)  # type: ignore[no-any-return]


def _gain_axis(voice: Voice) -> alt.Axis:
    return alt.Axis(format="~s", title=voice.say("chart_gain_of", unit=voice.currency), tickCount=5)
