"""The demo in the town: the whole loop, campaign after campaign, on simulated guests of simulated restaurants.

Load a year of orders, know each guest, plan, give vouchers, see who redeems, measure, learn, and plan again. Every figure and picture
says that it is simulated; beside what an operator would see stands what was true.
"""

from pathlib import Path
from typing import NamedTuple

from regulars.demo.fresh import fresh_lake
from regulars.planning import Plan, PlanSummary, make_plan, save, save_page
from regulars.rehearsal import Run, Town, town
from regulars.rehearsal.contract_tables import ZONE
from regulars.rehearsal.loop import PACE, campaign_of, keep, load_past, planned_action
from regulars.rehearsal.vouchers import CURRENCY
from regulars.reports import Episode, campaign_report, town_page
from regulars.results import measure_campaign
from regulars.tables import Lake
from regulars.wording import Language, Progress, Sentence

MARK = "simulated"
ABOUT = Sentence("simulated_about")
GUESTS, STORES, CAMPAIGNS, BUDGET_EACH = 6_000, 12, 5, 0.15


class TownTold(NamedTuple):
    """What the demo in the town leaves behind. pages: the report of each plan; page: all campaigns on one."""

    episodes: list[Episode]
    currency: str
    page: Path
    pages: list[Path]


def run_town(
    folder: Path, say: Progress, *, guests: int = GUESTS, campaigns: int = CAMPAIGNS, language: Language = "en"
) -> TownTold:
    """Live the campaigns in a new workspace. `say` is told each step. Raises DataError as `run` does."""
    say(Sentence("town_progress"))
    place = town(guests, STORES, seed=0, pace=PACE)
    lake = fresh_lake(folder, currency=CURRENCY, zone=ZONE, mark=MARK)
    say(Sentence("step_loads_past"))
    load_past(lake, place)
    episodes, pages, links = [], [], {}
    for number in range(campaigns):
        tell = _step_of(say, number + 1, campaigns)
        campaign = campaign_of(place, number, 100 * BUDGET_EACH * guests, name="Town")
        plan = make_plan(lake, campaign, tell)
        save(plan, lake.workspace)
        tell(Sentence("step_report"))
        pages.append(_report(lake, plan, language))
        tell(Sentence("step_lived"))
        run = place.run(planned_action(plan, place), campaign.window_days, later_days=campaign.after_days)
        keep(lake, run, plan)
        tell(Sentence("measure_progress"))
        episodes.append(_episode(lake, plan, run))
        links[episodes[-1].name] = pages[-1].name
        place = run.after
    page = lake.workspace.reports / "town.html"
    told = town_page(episodes, currency=CURRENCY, about=ABOUT, mark=MARK, links=links, language=language)
    page.write_text(told, encoding="utf-8")
    return TownTold(episodes, CURRENCY, page, pages)


def _step_of(say: Progress, number: int, of: int) -> Progress:
    """Tell the steps of one campaign of several."""
    return lambda step: say(Sentence("step_of_campaign", number=number, of=of, step=step))


def _report(lake: Lake, plan: Plan, language: Language) -> Path:
    path = lake.workspace.reports / f"{plan.campaign.identity}.html"
    page = save_page(plan, lake)
    told = campaign_report(PlanSummary.of(plan), page, about=ABOUT, mark=MARK, language=language)
    path.write_text(told, encoding="utf-8")
    return path


def _episode(lake: Lake, plan: Plan, run: Run[Town]) -> Episode:
    """What was promised, measured and true of a campaign that is over."""
    told = measure_campaign(lake, plan.campaign.identity, as_of=run.after.today).statement
    known = plan.decision.certificate.gain if plan.lessons.is_known else 0.0
    return Episode(
        name=plan.campaign.name,
        given=int((plan.decision.action >= 0).sum()),
        subsidy_minor=float(run.subsidy_minor.sum()),
        promised_minor=known,
        true_minor=run.true_gain_minor,
        measured_minor=float(told.gain_minor),
        low_minor=float(told.gain_interval_minor[0]),
        high_minor=float(told.gain_interval_minor[1]),
        advice=told.advice,
    )
