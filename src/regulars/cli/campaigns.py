"""Campaigns: plan one, report on it, and see all of it on real orders."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from regulars.cli.answers import HERE, AsJson, Workspace, answer, opened, out, progress


def plan(
    campaign: Annotated[Path, typer.Argument(help="A campaign file (TOML).")],
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """Plan a campaign: who gets what under the budget.  Example:  regulars plan autumn.toml"""
    from regulars import screens
    from regulars.planning import make_plan, read_campaign, save, summary

    lake = opened(workspace)
    with progress("planning") as say:
        made = make_plan(lake, read_campaign(campaign), say)
    folder = save(made, lake.workspace)
    comes_to = summary(made)
    answer(as_json, comes_to, lambda: screens.plan(comes_to))
    if not as_json:
        out.print(escape(f"\nkept in {folder}; next: regulars report"))


def report(
    plan_id: Annotated[
        str | None, typer.Argument(help="The beginning of a plan's id; left out, the latest plan.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--replay", help="Only say whether the plan comes out the same to the byte.")
    ] = False,
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """Write the report of a plan as one HTML file.  Example:  regulars report"""
    from regulars.planning import find, replay
    from regulars.reports import write_report

    lake = opened(workspace)
    folder = find(lake.workspace, plan_id)
    with progress("making the plan again") as say:
        if check:
            same = replay(lake, folder.name)
            words = (
                "comes out the same to the byte"
                if same
                else "comes out different: the code or the tables' history changed"
            )
            answer(as_json, {"plan_id": folder.name, "is_same": same}, lambda: f"plan {folder.name} {words}")
            raise typer.Exit(0 if same else 1)
        path = write_report(lake, folder.name, say)
    answer(as_json, {"plan_id": folder.name, "report": str(path)}, lambda: escape(f"wrote {path}"))


def measure(
    campaign_id: Annotated[
        str | None, typer.Argument(help="A campaign of the exposures; left out, the latest.")
    ] = None,
    after: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=365,
            help="Days after the window in which what was pulled forward is missing; 28 unless its plan says.",
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="The last business date that is known (ISO); left out, that of the latest order.")
    ] = None,
    season: Annotated[
        str | None, typer.Option(help="All campaigns of a quarter (2026Q4) together, by the global holdout.")
    ] = None,
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """Say what a campaign brought, from its holdout.  Example:  regulars measure autumn-20261005"""
    from regulars import verdicts
    from regulars.guests.facts import known_span
    from regulars.results import measure_campaign, measure_season

    if season is not None and (campaign_id is not None or after is not None):
        raise typer.BadParameter("a season has all its campaigns in it; leave the campaign and --after out")
    lake = opened(workspace)
    with progress("measuring"):
        known = known_span(lake)[1] if until is None else _day(until)
        if season is not None:
            together = measure_season(lake, season, as_of=known).summary()
            answer(as_json, together, lambda: verdicts.season(together))
            return
        comes_to = measure_campaign(lake, campaign_id, as_of=known, after_days=after).summary()
    answer(as_json, comes_to, lambda: verdicts.statement(comes_to))


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"'{text}' is no date; give ISO 8601, such as 2026-11-30") from None


def rehearse(
    campaign: Annotated[Path, typer.Argument(help="A campaign file (TOML).")],
    guests: Annotated[int, typer.Option(min=1, help="How many guests the town has.")] = 10_000,
    stores: Annotated[int, typer.Option(min=1, help="How many stores.")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another town.")] = 0,
    lessons: Annotated[int, typer.Option(min=0, help="How many campaigns at random came before, to learn from.")] = 1,
    pace: Annotated[
        float,
        typer.Option(
            min=0.01, max=100, help="How often guests come; 1 is about once in four weeks for those who come again."
        ),
    ] = 1,
    average_check: Annotated[float, typer.Option(min=0.01, help="Your average check, in the file's money.")] = 35.32,
    as_json: AsJson = False,
) -> None:
    """Run a campaign in a simulated town before money is spent.  Example:  regulars rehearse autumn.toml --lessons 0"""
    from regulars import verdicts
    from regulars.planning import read_campaign
    from regulars.rehearsal import rehearse as live

    file = read_campaign(campaign)
    town = {"guests": guests, "stores": stores, "seed": seed, "lessons": lessons}
    with progress("a town") as say:
        lived = live(file, **town, pace=pace, average_check=100 * average_check, progress=say)
    comes_to = lived.summary()
    answer(as_json, comes_to, lambda: verdicts.rehearsal(comes_to))


def sync(workspace: Workspace = HERE, as_json: AsJson = False) -> None:
    """Bring back to the lake what tills did, and tell the tills of its stores.  Example:  regulars sync"""
    from regulars import screens
    from regulars.cli.records import opened_records

    lake = opened(workspace)
    with opened_records(workspace), progress("syncing"):
        from regulars.campaigns import sync as bring_back

        synced = bring_back(lake, now=dt.datetime.now(dt.UTC))
    answer(as_json, synced._asdict(), lambda: screens.synced(synced))


def demo(
    folder: Annotated[Path, typer.Argument(help="Where to make the workspace.")] = Path("demo"),
    in_town: Annotated[
        bool, typer.Option("--town", help="Live campaign after campaign in a simulated town instead.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run the main job from end to end on a year of real orders.  Example:  regulars demo --town"""
    if in_town:
        return _demo_in_town(folder, as_json)
    from regulars import screens
    from regulars.demo import run
    from regulars.planning import summary

    with progress("starting") as say:
        told = run(folder, say)
    comes_to = summary(told.plan)
    value = {
        "loads": [r._asdict() for r in told.loads],
        "guests": told.guests,
        "plan": comes_to,
        "report": str(told.report),
    }
    if as_json:
        return answer(True, value, str)
    for loaded in told.loads:
        out.print(screens.load_report(loaded))
    out.print(f"\n{told.guests:,} guests known\n{told.test.sentence}\n")
    out.print(screens.averages(told.test.model, comes_to["currency"]))
    out.print()
    out.print(screens.plan(comes_to))
    out.print("\nthe first ten rows of the plan table:")
    out.print(screens.assignments(told.plan.assignments().slice(0, 10), comes_to["currency"]))
    out.print(escape(f"\nplan table   {told.plan_folder / 'assignments.parquet'}\nreport       {told.report}"))
    return None


def _demo_in_town(folder: Path, as_json: bool) -> None:
    from regulars import verdicts
    from regulars.demo import run_town

    with progress("a simulated town") as say:
        told = run_town(folder, say)
    lived = [episode._asdict() | {"is_covered": episode.is_covered} for episode in told.episodes]
    value = {
        "simulated": True,
        "currency": told.currency,
        "campaigns": lived,
        "page": str(told.page),
        "reports": [str(page) for page in told.pages],
    }
    answer(as_json, value, lambda: verdicts.town(value))
