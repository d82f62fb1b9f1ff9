"""The theme: the size, the colours and the heading that all pictures have, and how rows get into them."""

from collections.abc import Sequence
from typing import Any

import altair as alt

INK, SOFT, GRID = "#1f2933", "#7b8794", "#e4e7eb"
MAIN, WARM, PALE = "#0f766e", "#d97706", "#99d5cf"
WIDTH, HEIGHT = 560, 240
NARROW = 340

Chart = alt.Chart | alt.LayerChart


def themed(chart: Any, title: str, width: int = WIDTH, height: int = HEIGHT) -> Any:
    """The chart with the size, the colours and the heading that all of ours have."""
    heading = alt.TitleParams(title, anchor="start", fontSize=14, color=INK, offset=12)
    return (
        chart.properties(width=width, height=height, title=heading)
        .configure(font="Helvetica, Arial, sans-serif", background="transparent")
        .configure_view(strokeWidth=0)
        .configure_axis(
            gridColor=GRID, domainColor=GRID, tickColor=GRID, labelColor=SOFT, titleColor=SOFT,
            labelFontSize=11, titleFontWeight="normal", titlePadding=8,
        )
        .configure_legend(labelColor=SOFT, titleColor=SOFT, orient="top", title=None, offset=6, columnPadding=28, labelLimit=260)
    )  # fmt: skip


def marked(chart: Chart | None, mark: str) -> Chart | None:
    """The same chart with a word under its title, such as simulated; unchanged without one."""
    if chart is None or not mark:
        return chart
    heading = chart.title.copy()
    heading.subtitle, heading.subtitleColor, heading.subtitleFontSize = mark, WARM, 12
    return chart.properties(title=heading)


def data(rows: Sequence[dict[str, Any]]) -> alt.InlineData:
    """Rows inside the chart, which then needs no file."""
    return alt.InlineData(values=list(rows))
