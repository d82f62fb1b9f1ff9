"""Screens of the demo: the main job on real orders, and campaign after campaign in the simulated town."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType

from regulars.cli.screens.campaigns import assignments, averages, plan, span
from regulars.cli.screens.data import load_report
from regulars.cli.screens.layout import plain, sheet, simulated, spoken, strong, whole
from regulars.wording import Voice

if TYPE_CHECKING:
    from regulars.demo.story import Told
    from regulars.demo.town import TownTold
    from regulars.reports import Episode


def demo(told: Told, voice: Voice) -> RenderableType:
    """From the loads to the report."""
    files = {"table": str(told.plan_folder / "assignments.parquet"), "report": str(told.report)}
    return Group(
        *(load_report(loaded, voice) for loaded in told.loads),
        "",
        plain(voice.say("demo_guests", guests=told.guests)),
        plain(spoken(told.test.sentence, voice)),
        "",
        averages(told.page, told.summary.basis_words, voice),
        "",
        plan(told.summary, voice),
        "",
        strong(voice.say("demo_first_rows")),
        assignments(told.first_rows, voice),
        "",
        whole(voice.say("demo_files", **files)),
    )


def town(told: TownTold, voice: Voice) -> RenderableType:
    """Each campaign in a line, and where to read on."""
    gained, spent = (sum(getattr(one, name) for one in told.episodes) for name in ("true_minor", "subsidy_minor"))
    columns = ["campaign", "given", "subsidy", "promised", "measured", "interval", "true", "holds"]
    return Group(
        simulated(voice),
        strong(voice.say("town_title")),
        "",
        sheet(voice, columns, [_episode(one, voice) for one in told.episodes], numbers=[1, 2, 3, 4, 5, 6]),
        "",
        plain(voice.say("town_truth", gained_minor=gained, spent_minor=spent)),
        whole(voice.say("town_next", page=str(told.page), workspace=str(told.page.parent.parent))),
    )


def _episode(one: Episode, voice: Voice) -> tuple[object, ...]:
    promised = voice.money(one.promised_minor) if one.promised_minor else voice.say("nothing_known")
    return (
        one.name, one.given, voice.money(one.subsidy_minor), promised, voice.money(one.measured_minor),
        span((one.low_minor, one.high_minor), voice), voice.money(one.true_minor),
        voice.say("holds" if one.is_covered else "misses"),
    )  # fmt: skip
