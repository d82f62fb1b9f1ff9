"""Writing: the report of a kept plan, made from the tables as they were."""

from pathlib import Path

import pyarrow as pa

from regulars.errors import DataError, DesignError
from regulars.guests import Facts, profiles_with_taste
from regulars.planning import Plan, remake
from regulars.profiles import Decile, StageCount, concentration, stage_counts
from regulars.reports.campaign import campaign_report
from regulars.results import Backtest, backtest, middle_date
from regulars.tables import Lake
from regulars.wording import Progress


def write_report(lake: Lake, plan_id: str, progress: Progress | None = None) -> Path:
    """Make a kept plan again and write its report into the workspace; returns the file."""
    then, plan = remake(lake, plan_id, progress)
    crowd = then.collect(profiles_with_taste(then, plan.campaign.decided_on))
    path = lake.workspace.reports / f"{plan.campaign.identity}-{plan.plan_id[:8]}.html"
    path.write_text(
        campaign_report(plan, crowd, test=_look_back(then, plan), mark=lake.settings.mark), encoding="utf-8"
    )
    return path


def crowd(profiles: pa.Table) -> tuple[tuple[StageCount, ...], tuple[Decile, ...]]:
    """The crowd in a few rows: guests by stage, and the margin by tenth (none where there is no margin to share)."""
    try:
        return stage_counts(profiles), concentration(profiles)
    except DataError:
        return stage_counts(profiles), ()


def _look_back(lake: Lake, plan: Plan) -> Backtest | None:
    """What the earlier past campaigns foretold of the later ones, where there are enough of them."""
    window = plan.campaign.window_days
    facts = Facts.of(lake)
    try:
        return backtest(facts, cut_off=middle_date(facts, window), window_days=window, seed=plan.campaign.seed)
    except DesignError:
        return None
