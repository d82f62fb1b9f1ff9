"""Campaigns: plan one, report on it, and see all of it on real orders."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group

from regulars.cli.answers import HERE, AsJson, Workspace, answer, opened, progress, voice
from regulars.cli.screens.layout import plain, whole
from regulars.wording import Sentence


def plan(
    campaign: Annotated[Path, typer.Argument(help="A campaign file (TOML).")],
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """Plan a campaign: who gets what under the budget.  Example:  regulars plan autumn.toml"""
    from regulars.cli import as_json as keys
    from regulars.cli.screens import campaigns as screens
    from regulars.planning import PlanSummary, make_plan, read_campaign, save, save_page
    from regulars.results import keep_backtest

    lake = opened(workspace)
    with progress("planning_begins") as say:
        made = make_plan(lake, read_campaign(campaign), say)
        folder, speaker = save(made, lake.workspace), voice(lake)
        say(Sentence("step_page"))
        save_page(made, lake)
        keep_backtest(lake, made)
    summary = PlanSummary.of(made)
    kept = whole(speaker.say("plan_kept", folder=str(folder)))
    answer(as_json, keys.plan(summary, speaker), lambda: Group(screens.plan(summary, speaker), "", kept))


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
    if check:
        with progress("report_progress"):
            is_same = replay(lake, folder.name)
        words = voice(lake).say("replay_is_same" if is_same else "replay_differs", plan=folder.name)
        answer(as_json, {"plan_id": folder.name, "is_same": is_same}, lambda: plain(words))
        raise typer.Exit(0 if is_same else 1)
    path = write_report(lake, folder.name, voice().language)
    wrote = whole(voice(lake).say("wrote_file", file=str(path)))
    answer(as_json, {"plan_id": folder.name, "report": str(path)}, lambda: wrote)


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
    from regulars.cli import as_json as keys
    from regulars.cli.screens import results as screens
    from regulars.guests.facts import known_span
    from regulars.results import measure_campaign, measure_season

    if season is not None and (campaign_id is not None or after is not None):
        raise typer.BadParameter("a season has all its campaigns in it; leave the campaign and --after out")
    lake = opened(workspace)
    with progress("measure_progress"):
        known = known_span(lake)[1] if until is None else _day(until)
        if season is not None:
            together = measure_season(lake, season, as_of=known)
            answer(as_json, keys.season(together, voice(lake)), lambda: screens.season(together, voice(lake)))
            return
        measured = measure_campaign(lake, campaign_id, as_of=known, after_days=after)
    answer(as_json, keys.measured(measured, voice(lake)), lambda: screens.statement(measured, voice(lake)))


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
    from regulars.cli.screens import rehearsal as screens
    from regulars.planning import read_campaign
    from regulars.rehearsal import rehearse as live

    file = read_campaign(campaign)
    town = {"guests": guests, "stores": stores, "seed": seed, "lessons": lessons}
    with progress("town_progress") as say:
        lived = live(file, **town, pace=pace, average_check=100 * average_check, progress=say)
    speaker = voice(currency=lived.plan.currency)
    answer(as_json, lived.summary(), lambda: screens.rehearsal(lived, speaker), speaker)


def sync(workspace: Workspace = HERE, as_json: AsJson = False) -> None:
    """Bring back to the lake what tills did, and tell the tills of its stores.  Example:  regulars sync"""
    from regulars.cli.records import opened_records
    from regulars.cli.screens import campaigns as screens

    lake = opened(workspace)
    with opened_records(workspace), progress("sync_progress"):
        from regulars.campaigns import sync as bring_back

        synced = bring_back(lake, now=dt.datetime.now(dt.UTC))
    answer(as_json, synced._asdict(), lambda: screens.synced(synced, voice(lake)))


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
    from regulars.cli import as_json as keys
    from regulars.cli.screens import demo as screens
    from regulars.demo import run

    with progress("demo_progress") as say:
        told = run(folder, say, voice().language)
    speaker = voice(currency=told.summary.currency)
    summary = keys.plan(told.summary, speaker)
    value = {"loads": told.loads, "guests": told.guests, "plan": summary, "report": str(told.report)}
    return answer(as_json, value, lambda: screens.demo(told, speaker))


def _demo_in_town(folder: Path, as_json: bool) -> None:
    from regulars.cli.screens import demo as screens
    from regulars.demo import run_town

    with progress("town_progress") as say:
        told = run_town(folder, say, language=voice().language)
    lived = [episode._asdict() | {"is_covered": episode.is_covered} for episode in told.episodes]
    value = {
        "simulated": True,
        "currency": told.currency,
        "campaigns": lived,
        "page": str(told.page),
        "reports": [str(page) for page in told.pages],
    }
    answer(as_json, value, lambda: screens.town(told, voice(currency=told.currency)))
