"""Charts: one function, one picture. Each takes results and gives an Altair chart for notebook, page or file."""

from collections.abc import Callable, Sequence

import altair as alt
import numpy as np

from regulars.allocation import Frontier
from regulars.charts.theme import INK, MAIN, NARROW, PALE, SOFT, WARM, Chart, data, themed
from regulars.effects import AverageEffect
from regulars.profiles import Decile, GapBand, StageCount
from regulars.profiles.lifetime import HoldoutCheck
from regulars.results.backtest import Backtest

Words = Callable[[float], str]


def life_cycle(counts: Sequence[StageCount]) -> Chart:
    """Share of guests and of spend in each stage of life."""
    rows = [
        {"stage": c.stage, "what": what, "share": share, "label": f"{share:.0%}"}
        for c in counts
        for what, share in (("guests", c.share), ("spend", c.spend_share))
    ]
    stages = [count.stage for count in counts]
    base = alt.Chart(data(rows)).encode(
        y=alt.Y("stage:N", sort=stages, title=None),
        yOffset=alt.YOffset("what:N", sort=["guests", "spend"]),
        x=alt.X("share:Q", axis=alt.Axis(format="%", title="share of all guests, and of all they spent", tickCount=5)),
    )
    colour = alt.Color("what:N", scale=alt.Scale(domain=["guests", "spend"], range=[PALE, MAIN]))
    labels = base.mark_text(align="left", dx=4, color=SOFT, fontSize=11).encode(text="label:N")
    return themed(base.mark_bar(cornerRadiusEnd=2).encode(color=colour) + labels, "Stages of life", NARROW)  # type: ignore[no-any-return]


def concentration(deciles: Sequence[Decile]) -> Chart:
    """How much of the margin each tenth of the guests brings."""
    rows = [{"tenth": d.decile, "share": d.share, "label": f"{d.share:.0%}"} for d in deciles]
    base = alt.Chart(data(rows)).encode(
        x=alt.X("tenth:O", title="tenth of the guests, best first", axis=alt.Axis(labelAngle=0)),
        y=alt.Y("share:Q", axis=alt.Axis(format="%", title="share of the margin", tickCount=5)),
    )
    bars = base.mark_bar(cornerRadiusEnd=2).encode(
        color=alt.condition("datum.tenth <= 2", alt.value(MAIN), alt.value(PALE))
    )
    labels = base.mark_text(dy=-7, color=SOFT, fontSize=11).encode(text="label:N")
    return themed(bars + labels, "Where the value is", NARROW)  # type: ignore[no-any-return]


def visit_gaps(bands: Sequence[GapBand]) -> Chart:
    """How many guests come how often."""
    rows = [{"days": _band(b), "order": place, "guests": b.guests} for place, b in enumerate(bands) if b.guests]
    chart = (
        alt.Chart(data(rows))
        .mark_bar(color=MAIN, cornerRadiusEnd=2)
        .encode(
            x=alt.X(
                "days:N",
                sort=alt.SortField("order"),
                title="typical days between visits",
                axis=alt.Axis(labelAngle=-40),
            ),
            y=alt.Y("guests:Q", title="guests", axis=alt.Axis(tickCount=5, format=",d")),
        )
    )
    return themed(chart, "How often guests come", NARROW)  # type: ignore[no-any-return]


def _band(band: GapBand) -> str:
    low, high = band.above_days, band.until_days
    if high is None:
        return f">{low:g}"
    return f"{high:g}" if high - low == 1 else f"{low + 1:g}–{high:g}"


def predicted_and_made(check: HoldoutCheck, title: str) -> Chart:
    """Visits predicted and made in a period held out, for each tenth of the guests by what was predicted of them."""
    rows = [
        {"tenth": place, "what": what, "visits": visits}
        for place, tenth in enumerate(check.tenths, 1)
        for what, visits in (("predicted", tenth.predicted), ("made", tenth.actual))
    ]
    base = alt.Chart(data(rows)).encode(
        x=alt.X("tenth:O", title="tenth of the guests, the most expected of first", axis=alt.Axis(labelAngle=0)),
        xOffset=alt.XOffset("what:N", sort=["predicted", "made"]),
        y=alt.Y("visits:Q", title="mean visits", axis=alt.Axis(tickCount=5)),
    )
    colour = alt.Color("what:N", scale=alt.Scale(domain=["predicted", "made"], range=[PALE, MAIN]))
    return themed(base.mark_bar(cornerRadiusEnd=2).encode(color=colour), title)  # type: ignore[no-any-return]


def average_effects(averages: Sequence[AverageEffect], exponent: int, unit: str) -> Chart:
    """What each past offer changed per guest: as it seems, and when likes are compared with likes; 95 % intervals."""
    scale = 10**exponent
    rows = [
        {"offer": a.offer, "how": how, "effect": value / scale, "low": low / scale, "high": high / scale}
        for a in averages
        for how, value, (low, high) in (
            ("plain difference (misleading)", a.naive, a.naive_interval),
            ("adjusted for who was chosen", a.gain, a.interval),
        )
        if np.isfinite(value)
    ]
    colour = alt.Color(
        "how:N",
        scale=alt.Scale(
            domain=["plain difference (misleading)", "adjusted for who was chosen"], range=["#cbd2d9", MAIN]
        ),
    )
    base = alt.Chart(data(rows)).encode(
        y=alt.Y("offer:N", title=None), yOffset=alt.YOffset("how:N", sort="descending"), color=colour
    )
    lines = base.mark_rule(strokeWidth=3).encode(x=alt.X("low:Q", title=f"change per guest, {unit}"), x2="high:Q")
    dots = base.mark_circle(size=90, opacity=1).encode(x="effect:Q")
    zero = alt.Chart(data([{"zero": 0}])).mark_rule(color=INK, strokeDash=[3, 3]).encode(x="zero:Q")
    height = 40 + 60 * len({row["offer"] for row in rows})
    return themed(zero + lines + dots, "What past offers changed, as it seems and as it is", height=height)  # type: ignore[no-any-return]


def calibration(test: Backtest) -> Chart:
    """Predicted against actual redemption of later campaigns, with 95 % intervals and the line of perfect prediction."""
    rows = [b._asdict() for b in test.bands]
    top = max(max(b.high for b in test.bands), max(b.predicted for b in test.bands)) * 1.05
    axis = alt.Axis(format=".0%", tickCount=5)
    base = alt.Chart(data(rows)).encode(
        x=alt.X("predicted:Q", title="predicted share that redeems", axis=axis, scale=alt.Scale(domain=[0, top]))
    )
    y = alt.Y("low:Q", title="share that did", axis=axis, scale=alt.Scale(domain=[0, top]))
    lines = base.mark_rule(strokeWidth=2, color=MAIN).encode(y=y, y2="high:Q")
    dots = base.mark_circle(color=MAIN, opacity=1).encode(y="actual:Q", size=alt.value(80))
    ideal = (
        alt.Chart(data([{"a": 0, "b": 0}, {"a": top, "b": top}]))
        .mark_line(color=SOFT, strokeDash=[4, 4])
        .encode(x="a:Q", y="b:Q")
    )
    return themed(ideal + lines + dots, f"Foretold before {test.cut_off}, seen after it", height=300)  # type: ignore[no-any-return]


def profit_curve(frontier: Frontier, chosen: float, gain: float, exponent: int, unit: str) -> Chart:
    """What the whole audience would bring at each budget, with the chosen one marked."""
    scale = 10**exponent
    rows = [{"budget": b / scale, "gain": g / scale} for b, g in zip(frontier.budget, frontier.gain, strict=True)]
    base = alt.Chart(data(rows)).encode(
        x=alt.X("budget:Q", title=f"budget for subsidies, {unit}", axis=alt.Axis(format="~s")),
        y=alt.Y("gain:Q", title=f"expected gain, {unit}", axis=alt.Axis(format="~s", tickCount=5)),
    )
    area = base.mark_area(color=PALE, opacity=0.4) + base.mark_line(color=MAIN, strokeWidth=2.5)
    point = alt.Chart(data([{"budget": chosen / scale, "gain": gain / scale}])).encode(x="budget:Q", y="gain:Q")
    mark = point.mark_circle(size=130, color=WARM, opacity=1) + point.mark_text(
        align="left", dx=10, dy=14, color=WARM, fontWeight="bold", text="this budget"
    )
    return themed(area + mark, "What other budgets would bring")  # type: ignore[no-any-return]


def who_gets_what(stage: np.ndarray, action: np.ndarray, offers: Sequence[str], stages: Sequence[str]) -> Chart:
    """What the guests of each stage get. stage, action: (n,)."""
    names = [*offers, "nothing"]
    rows = [
        {
            "stage": s,
            "gets": name,
            "guests": int(((stage == s) & (action == (place if name != "nothing" else -1))).sum()),
        }
        for s in stages
        for place, name in enumerate(names)
    ]
    colours = [MAIN, "#38bdf8", WARM, "#a78bfa", "#f472b6", "#84cc16"]
    palette = [colours[place % len(colours)] for place in range(len(offers))] + ["#e4e7eb"]
    chart = (
        alt.Chart(data(rows))
        .mark_bar()
        .encode(
            y=alt.Y("stage:N", sort=list(stages), title=None),
            x=alt.X("guests:Q", title="guests", axis=alt.Axis(tickCount=6, format=",d")),
            color=alt.Color("gets:N", scale=alt.Scale(domain=names, range=palette), sort=names),
            order=alt.Order("order:Q"),
        )
    )
    return themed(chart, "Who gets what", height=40 + 34 * len(stages))  # type: ignore[no-any-return]
