"""The picture of the learning loop: what policies brought, campaign after campaign."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np

from regulars.charts.theme import GRID, INK, MAIN, SOFT, WARM, WIDTH, Chart, data, themed
from regulars.wording import Voice

_COLOURS = {"ours": MAIN, "oracle": INK}
_OTHERS = (WARM, "#b45309", "#7c6fb0", "#9aa5b1", "#c4a484")


def learning_curves(gains: Mapping[str, Sequence[Sequence[float]]], title: str, voice: Voice) -> Chart:
    """Cumulative gain after each campaign: the middle of all seeds, and around ours the range of nine in ten.

    gains: policy -> gain of each campaign (columns) in each town (rows), major units of the currency.
    """
    names = list(gains)
    colours = [_COLOURS.get(name) or _OTHERS[place % len(_OTHERS)] for place, name in enumerate(names)]
    rows = [row for name, table in gains.items() for row in _rows(name, np.asarray(table, float))]
    last = [row for row in rows if row["campaign"] == max(row["campaign"] for row in rows)]
    base = alt.Chart(data(rows)).encode(
        x=alt.X(
            "campaign:Q",
            title=voice.say("chart_campaign"),
            axis=alt.Axis(tickMinStep=1, grid=False),
            scale=alt.Scale(nice=False),
        ),
    )
    money = alt.Axis(format="~s", title=voice.say("chart_gain_so_far", unit=voice.currency), tickCount=6)
    band = base.transform_filter("datum.policy == 'ours'").mark_area(color=MAIN, opacity=0.15)
    band = band.encode(y=alt.Y("low:Q", axis=money), y2="high:Q")
    colour = alt.Color("policy:N", scale=alt.Scale(domain=names, range=colours), legend=None)
    dash = alt.StrokeDash("policy:N", scale=alt.Scale(domain=names, range=[_dash(name) for name in names]), legend=None)
    lines = base.mark_line(strokeWidth=2.5).encode(y=alt.Y("gain:Q", axis=money), color=colour, strokeDash=dash)
    zero = alt.Chart(data([{"y": 0}])).mark_rule(color=GRID).encode(y="y:Q")
    labels = alt.Chart(data(_apart(last))).mark_text(align="left", dx=8, fontSize=12).encode(
        x="campaign:Q", y="place:Q", text="policy:N", color=colour
    )  # fmt: skip
    note = alt.Chart(data([{"note": voice.say("chart_simulated")}])).mark_text(
        align="right", baseline="bottom", x="width", y="height", dx=-6, dy=-8, fontSize=22, opacity=0.35, color=SOFT
    )
    return themed(zero + band + lines + labels + note.encode(text="note:N"), title, WIDTH, 320)  # type: ignore[no-any-return]


def _dash(name: str) -> list[int]:
    return [6, 4] if name == "oracle" else [1, 0]


def _rows(name: str, table: np.ndarray) -> list[dict[str, Any]]:
    so_far = np.concatenate([np.zeros((len(table), 1)), np.cumsum(table, axis=1)], axis=1)
    low, middle, high = np.quantile(so_far, [0.05, 0.5, 0.95], axis=0)
    return [
        {"policy": name, "campaign": number, "gain": float(middle[number]), "low": float(low[number]), "high": float(high[number])}
        for number in range(so_far.shape[1])
    ]  # fmt: skip


def _apart(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The ends of the lines with places for their names that do not overlap."""
    room = 0.055 * max(abs(row["gain"]) for row in rows)
    placed: list[dict[str, Any]] = []
    for row in sorted(rows, key=lambda row: float(row["gain"])):
        least = placed[-1]["place"] + room if placed else -np.inf
        placed.append(row | {"place": float(max(row["gain"], least))})
    return placed
