"""Writing: the report of a kept plan, from what was kept with it."""

from pathlib import Path

from regulars.planning.kept_plans import find, read_page, read_summary
from regulars.reports.campaign import campaign_report
from regulars.results import kept_backtest
from regulars.tables import Lake
from regulars.wording import Language


def write_report(lake: Lake, plan_id: str, language: Language = "en") -> Path:
    """Write the report of a kept plan into the workspace; returns the file.

    Raises DataError where there is no such plan, or where nothing was kept for a page of it.
    """
    folder = find(lake.workspace, plan_id)
    summary = read_summary(folder)
    report = campaign_report(
        summary, read_page(folder), test=kept_backtest(folder), mark=lake.settings.mark, language=language
    )
    path = lake.workspace.reports / f"{summary.campaign.identity}-{summary.plan_id[:8]}.html"
    path.write_text(report, encoding="utf-8")
    return path
