"""The story of the demo: load a year, know each guest, learn from past campaigns, plan the next one, report."""

import datetime as dt
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from regulars.demo import complete_journey
from regulars.demo.fresh import fresh_lake
from regulars.guests import keep_profiles
from regulars.planning import PlanPage, PlanSummary, make_plan, parse_campaign, save, save_page
from regulars.reports import campaign_report
from regulars.results import Backtest, keep_backtest
from regulars.tables import LoadReport
from regulars.wording import Language, Progress, Sentence

CUT_OFF = dt.date(2017, 10, 3)
MARGIN_RATE = 0.36
ABOUT = Sentence("demo_about", rate_share=MARGIN_RATE)
_FIRST_ROWS = 10


class Told(NamedTuple):
    """What the demo leaves behind. first_rows: of the plan's table."""

    loads: list[LoadReport]
    guests: int
    test: Backtest
    summary: PlanSummary
    page: PlanPage
    first_rows: pa.Table
    plan_folder: Path
    report: Path


def run(folder: Path, say: Progress, language: Language = "en") -> Told:
    """Tell the whole story in a new workspace. `say` is told each step.

    Raises DataError where the folder holds something else than an earlier demo, or where the data are not installed.
    """
    complete_journey.folder()
    settings = {"currency": complete_journey.CURRENCY, "zone": complete_journey.ZONE, "margin_rate": MARGIN_RATE}
    lake = fresh_lake(folder, **settings)
    loads = list(complete_journey.load(lake, lambda table, rows: say(Sentence("load_reading", file=table, rows=rows))))
    campaign = parse_campaign(campaign_text(), name="campaign.toml")
    (folder / "campaign.toml").write_text(campaign_text(), encoding="utf-8")
    say(Sentence("profiles_progress"))
    guests = len(keep_profiles(lake, campaign.decided_on)[1])
    plan = make_plan(lake, campaign, lambda step: say(Sentence("step_of_plan", step=step)))
    plan_folder = save(plan, lake.workspace)
    say(Sentence("step_page"))
    page, summary = save_page(plan, lake), PlanSummary.of(plan)
    say(Sentence("step_looks_back", day=CUT_OFF))
    test = keep_backtest(lake, plan, CUT_OFF)
    assert test is not None, f"there are campaigns on both sides of {CUT_OFF}"
    say(Sentence("step_report"))
    report = lake.workspace.reports / f"{campaign.identity}.html"
    report.write_text(campaign_report(summary, page, test=test, about=ABOUT, language=language), encoding="utf-8")
    first = plan.assignments().slice(0, _FIRST_ROWS)
    return Told(loads, guests, test, summary, page, first, plan_folder, report)


def campaign_text() -> str:
    """The campaign file of the demo."""
    return resources.files("regulars.demo").joinpath("campaign.toml").read_text(encoding="utf-8")
