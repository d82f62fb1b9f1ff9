"""The page of campaigns that were lived one after another: what each promised, what was measured of it, and what was true."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import altair as alt

from regulars import __version__
from regulars.charts.theme import INK, MAIN, PALE, SOFT, WARM, WIDTH, Chart, data, marked, themed
from regulars.measurement.contrasts import holds
from regulars.money import exponent_of
from regulars.reports.page import render
from regulars.wording import Sentence, Voice


class Episode(NamedTuple):
    """One campaign, minor units. promised: what its plan expected, 0 where nothing was known. low, high: of what was measured."""

    name: str
    given: int
    subsidy_minor: float
    promised_minor: float
    true_minor: float
    measured_minor: float
    low_minor: float
    high_minor: float
    advice: Sentence

    @property
    def is_covered(self) -> bool:
        """Whether the measured interval holds the truth."""
        return holds((self.low_minor, self.high_minor), self.true_minor)


def told_page(
    episodes: Sequence[Episode], *, currency: str, title: str, about: str, mark: str, links: Mapping[str, str]
) -> str:
    """One HTML page. about: what the data are. mark: a word under every picture. links: name of a page -> its file."""
    voice = Voice(currency=currency)
    values = {
        "version": __version__, "title": title, "about": about, "money": voice.money, "voice": voice, "episodes": episodes, "links": links,
        "covered": sum(episode.is_covered for episode in episodes),
        "gained": sum(episode.true_minor for episode in episodes),
        "spent": sum(episode.subsidy_minor for episode in episodes),
        "gains": marked(gains(episodes, currency), mark),
        "spans": marked(spans(episodes, currency), mark),
    }  # fmt: skip
    return render("told.html", values)


def gains(episodes: Sequence[Episode], currency: str) -> Chart:
    """What each campaign promised and what it truly brought."""
    unit = 10 ** exponent_of(currency)
    rows = [
        {"campaign": place, "what": what, "gain": amount / unit}
        for place, episode in enumerate(episodes, 1)
        for what, amount in (("promised", episode.promised_minor), ("true", episode.true_minor))
    ]
    bars = alt.Chart(data(rows)).mark_bar(cornerRadiusEnd=2).encode(
        x=alt.X("campaign:O", axis=alt.Axis(labelAngle=0)),
        xOffset=alt.XOffset("what:N", sort=["promised", "true"]),
        y=alt.Y("gain:Q", axis=alt.Axis(format="~s", title=f"gain, {currency}", tickCount=5)),
        color=alt.Color("what:N", scale=alt.Scale(domain=["promised", "true"], range=[PALE, MAIN])),
    )  # fmt: skip
    return themed(bars, "What was promised, and what it brought", WIDTH)  # type: ignore[no-any-return]


def spans(episodes: Sequence[Episode], currency: str) -> Chart:
    """What could be measured of each campaign, and where the truth lay."""
    unit = 10 ** exponent_of(currency)
    rows = [
        {
            "campaign": place, "low": e.low_minor / unit, "high": e.high_minor / unit, "measured": e.measured_minor / unit,
            "true": e.true_minor / unit,
        }
        for place, e in enumerate(episodes, 1)
    ]  # fmt: skip
    base = alt.Chart(data(rows)).encode(x=alt.X("campaign:O", axis=alt.Axis(labelAngle=0)))
    axis = alt.Axis(format="~s", title=f"gain, {currency}", tickCount=5)
    lines = base.mark_rule(strokeWidth=8, opacity=0.5, color=PALE).encode(y=alt.Y("low:Q", axis=axis), y2="high:Q")
    found = base.mark_tick(color=SOFT, thickness=2, width=18).encode(y="measured:Q")
    truth = base.mark_point(filled=True, size=70, color=WARM, opacity=1).encode(y="true:Q")
    zero = alt.Chart(data([{"y": 0}])).mark_rule(color=INK, opacity=0.4).encode(y="y:Q")
    return themed(zero + lines + found + truth, "Measured from the holdout (bar: 95 %), and the truth (dot)", WIDTH)  # type: ignore[no-any-return]
