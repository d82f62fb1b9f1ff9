"""Pictures of all guests: stages of life, where the value is, how often they come, and visits foretold."""

from collections.abc import Sequence

import altair as alt

from regulars.charts.theme import MAIN, NARROW, PALE, SOFT, Chart, data, themed
from regulars.wording import Voice


def life_cycle(stages: Sequence[tuple[str, float, float]], voice: Voice) -> Chart:
    """Share of guests and of spend in each stage of life. stages: name, share of all guests, share of all they spent."""
    guests, spend = voice.say("chart_guests"), voice.say("chart_spend")
    named = [(voice.say(f"stage_{name}"), of_guests, of_spend) for name, of_guests, of_spend in stages]
    rows = [
        {"stage": name, "what": what, "share": share, "label": voice.percent(share)}
        for name, of_guests, of_spend in named
        for what, share in ((guests, of_guests), (spend, of_spend))
    ]
    base = alt.Chart(data(rows)).encode(
        y=alt.Y("stage:N", sort=[name for name, *_ in named], title=None),
        yOffset=alt.YOffset("what:N", sort=[guests, spend]),
        x=alt.X("share:Q", axis=alt.Axis(format="%", title=voice.say("chart_of_all"), tickCount=5)),
    )
    colour = alt.Color("what:N", scale=alt.Scale(domain=[guests, spend], range=[PALE, MAIN]))
    labels = base.mark_text(align="left", dx=4, color=SOFT, fontSize=11).encode(text="label:N")
    bars = base.mark_bar(cornerRadiusEnd=2).encode(color=colour)
    return themed(bars + labels, voice.say("chart_life_cycle"), NARROW)  # type: ignore[no-any-return]


def concentration(shares: Sequence[float], voice: Voice) -> Chart:
    """How much of the margin each tenth of the guests brings. shares: of the tenths, the best first."""
    rows = [{"tenth": place, "share": share, "label": voice.percent(share)} for place, share in enumerate(shares, 1)]
    base = alt.Chart(data(rows)).encode(
        x=alt.X("tenth:O", title=voice.say("chart_tenth"), axis=alt.Axis(labelAngle=0)),
        y=alt.Y("share:Q", axis=alt.Axis(format="%", title=voice.say("chart_of_margin"), tickCount=5)),
    )
    colour = alt.condition("datum.tenth <= 2", alt.value(MAIN), alt.value(PALE))
    bars = base.mark_bar(cornerRadiusEnd=2).encode(color=colour)
    labels = base.mark_text(dy=-7, color=SOFT, fontSize=11).encode(text="label:N")
    return themed(bars + labels, voice.say("chart_concentration"), NARROW)  # type: ignore[no-any-return]


def visit_gaps(bands: Sequence[tuple[float, float | None, int]], voice: Voice) -> Chart:
    """How many guests come how often. bands: over so many days, until so many (None: no end), guests."""
    rows = [
        {"days": _band(above, until), "order": place, "guests": guests}
        for place, (above, until, guests) in enumerate(bands)
        if guests
    ]
    days = alt.X(
        "days:N", sort=alt.SortField("order"), title=voice.say("chart_days_between"), axis=alt.Axis(labelAngle=-40)
    )
    guests = alt.Y("guests:Q", title=voice.say("chart_guests"), axis=alt.Axis(tickCount=5, format=",d"))
    chart = alt.Chart(data(rows)).mark_bar(color=MAIN, cornerRadiusEnd=2).encode(x=days, y=guests)
    return themed(chart, voice.say("chart_visit_gaps"), NARROW)  # type: ignore[no-any-return]


def _band(above: float, until: float | None) -> str:
    if until is None:
        return f">{above:g}"
    return f"{until:g}" if until - above == 1 else f"{above + 1:g}–{until:g}"


def foretold_visits(tenths: Sequence[tuple[float, float]], title: str, voice: Voice) -> Chart:
    """Visits foretold and made in a period held out. tenths: of guests by what was foretold of them, mean visits foretold and made."""
    foretold, made = voice.say("chart_foretold"), voice.say("chart_made")
    rows = [
        {"tenth": place, "what": what, "visits": visits}
        for place, tenth in enumerate(tenths, 1)
        for what, visits in zip((foretold, made), tenth, strict=True)
    ]
    base = alt.Chart(data(rows)).encode(
        x=alt.X("tenth:O", title=voice.say("chart_tenth_foretold"), axis=alt.Axis(labelAngle=0)),
        xOffset=alt.XOffset("what:N", sort=[foretold, made]),
        y=alt.Y("visits:Q", title=voice.say("chart_mean_visits"), axis=alt.Axis(tickCount=5)),
    )
    colour = alt.Color("what:N", scale=alt.Scale(domain=[foretold, made], range=[PALE, MAIN]))
    return themed(base.mark_bar(cornerRadiusEnd=2).encode(color=colour), title)  # type: ignore[no-any-return]
