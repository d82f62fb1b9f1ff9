"""Guests: who they are, who meets a rule, and one of them."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regulars.cli.answers import HERE, AsJson, Workspace, answer, err, opened, progress, voice

if TYPE_CHECKING:
    from regulars.tables import Lake

Stop = Annotated[
    list[str] | None,
    typer.Option(metavar="ITEM", help="A dish never to offer, by its id or name; also those the menu tags with stop."),
]


def profile(
    as_of: Annotated[
        dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="A business date; left out, the last one.")
    ] = None,
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """Work out the profile of every guest and keep it as the table profiles.  Example:  regulars profile --as-of 2026-10-31"""
    from regulars.cli.screens import guests as screens
    from regulars.guests import Everybody, keep_profiles

    lake = opened(workspace)
    with progress("profiles_progress"):
        date, profiles = keep_profiles(lake, as_of.date() if as_of else None)
    everybody = Everybody.of(profiles)
    value = {"as_of": date, "guests": everybody.guests, "stages": everybody.stages}
    answer(as_json, value, lambda: screens.profile(everybody, date, voice(lake)))


def segments(
    rule: Annotated[
        str | None, typer.Argument(help="A rule over profiles, or @NAME of a segment; left out, all segments.")
    ] = None,
    save: Annotated[str | None, typer.Option(metavar="NAME", help="Keep the rule under this name.")] = None,
    meaning: Annotated[str | None, typer.Option(help="What it is for, kept beside the rule.")] = None,
    since: Annotated[
        dt.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Who entered and who left since this date, and why."),
    ] = None,
    export: Annotated[Path | None, typer.Option(help="Write the guests to this CSV or Parquet file.")] = None,
    limit: Annotated[int, typer.Option(min=0, max=10_000, help="How many guests to show.")] = 10,
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """Find the guests that meet a rule; without one, count all segments.

    Example:  regulars segments 'visits >= 3 and recency_days > 45' --save drifting; regulars segments @drifting --since 2026-10-01
    """
    from regulars.cli.screens import guests as screens
    from regulars.guests import count_segments, find_segment, moved

    lake = opened(workspace)
    if rule is None:
        if save or since or export:
            raise typer.BadParameter("--save, --since and --export need a rule, or @NAME")
        counted = count_segments(lake)
        rows = [{**row.segment._asdict(), **row._asdict(), "segment": row.segment.name} for row in counted]
        return answer(as_json, rows, lambda: screens.segments(counted, voice(lake)))
    if since is not None:
        told = moved(lake, rule, since=since.date(), export=export)
        rows = told.guests.slice(0, limit).to_pylist()
        value = told._asdict() | {"guests": len(told.guests), "rows": rows}
        answer(as_json, value, lambda: screens.moved(told, limit, voice(lake)))
    else:
        found = find_segment(lake, rule, export)
        rows = found.guests.slice(0, limit).to_pylist()
        dates = {"as_of": found.as_of, "orders_until": found.orders_until}
        value = {"rule": found.rule, "guests": len(found.guests), "of": found.of, **dates, "rows": rows}
        answer(as_json, value, lambda: screens.segment(found, limit, voice(lake)))
    if save is not None:
        _keep(lake, save, rule, meaning)
    return None


def _keep(lake: "Lake", name: str, rule: str, meaning: str | None) -> None:
    """Keep a rule under a name, and say so."""
    from regulars.guests import rule_of
    from regulars.segments import save

    kept = save(lake.workspace, name, rule_of(lake, rule), meaning=meaning, now=dt.datetime.now(dt.UTC))
    err.print(voice(lake).say("segment_kept", name=kept.name, version=kept.version))


def guest(
    guest_id: Annotated[str, typer.Argument(help="The guest's id.")],
    stop: Stop = None,
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """Show what is known of one guest, what to expect of them, and what to offer them.

    Example:  regulars guest G0042 --stop "Red wine"
    """
    from regulars.cli.screens import guests as screens
    from regulars.guests import portrait

    lake = opened(workspace)
    with progress("guest_progress"):
        known = portrait(lake, guest_id, stop=stop or ())
    answer(as_json, known, lambda: screens.guest(known, voice(lake)))


def next_dishes(
    k: Annotated[int, typer.Option("--k", min=1, max=100, help="How many dishes for each guest.")] = 3,
    new_only: Annotated[bool, typer.Option("--new-only", help="Only dishes they never had.")] = False,
    stop: Stop = None,
    export: Annotated[Path | None, typer.Option(help="Write all rows to this CSV or Parquet file.")] = None,
    limit: Annotated[int, typer.Option(min=0, max=10_000, help="How many guests to show.")] = 5,
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """Say what to offer every guest next.  Example:  regulars next-dishes --k 3 --stop "Red wine" --export next.csv"""
    from regulars.cli.screens import guests as screens
    from regulars.guests import next_dishes as find_next_dishes

    lake = opened(workspace)
    with progress("next_progress"):
        found = find_next_dishes(lake, k=k, new_only=new_only, stop=stop or (), export=export)
    told = {"as_of": found.as_of, "stop_list": found.stop_list, "guests": found.guests}
    value = told | {"rows": found.first(limit).to_pylist()}
    answer(as_json, value, lambda: screens.next_dishes(found, limit, voice(lake)))
