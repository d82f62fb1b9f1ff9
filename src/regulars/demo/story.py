"""The story of the demo: load a year, know each guest, learn from past campaigns, plan the next one, report."""

import datetime as dt
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from regulars.demo import complete_journey
from regulars.demo.fresh import fresh_lake
from regulars.guests import Facts, keep_profiles
from regulars.planning import Plan, make_plan, parse_campaign, save
from regulars.reports import campaign_report
from regulars.results import Backtest, backtest
from regulars.tables import LoadReport
from regulars.wording import Progress, Sentence

CUT_OFF = dt.date(2017, 10, 3)
MARGIN_RATE = 0.36
ABOUT = (
    "Data: Complete Journey, a year of 2,469 households at a grocery chain (84.51°), the nearest open data that link people, "
    "items, coupons and redemptions. Households stand for guests, baskets for orders, departments for menu categories. Margin is "
    f"taken as {MARGIN_RATE:.0%} of shelf prices less all discounts, about a quarter of what is paid; about half of the redemptions "
    "have a known cost, the others count as the mean of those."
)


class Told(NamedTuple):
    """What the demo leaves behind."""

    loads: list[LoadReport]
    guests: int
    test: Backtest
    plan: Plan
    plan_folder: Path
    report: Path


def run(folder: Path, say: Progress) -> Told:
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
    crowd = keep_profiles(lake, campaign.decided_on)[1]
    say(Sentence("step_looks_back", day=CUT_OFF))
    test = backtest(Facts.of(lake), cut_off=CUT_OFF, window_days=campaign.window_days, seed=campaign.seed)
    plan = make_plan(lake, campaign, lambda step: say(Sentence("step_of_plan", step=step)))
    plan_folder = save(plan, lake.workspace)
    say(Sentence("step_report"))
    report = lake.workspace.reports / f"{plan.campaign.identity}.html"
    report.write_text(campaign_report(plan, crowd, test=test, about=ABOUT), encoding="utf-8")
    return Told(loads, len(crowd), test, plan, plan_folder, report)


def campaign_text() -> str:
    """The campaign file of the demo."""
    return resources.files("regulars.demo").joinpath("campaign.toml").read_text(encoding="utf-8")
