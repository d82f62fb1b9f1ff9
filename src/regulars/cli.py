"""The command line: one command, one call."""

import datetime as dt
import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from regulars import __version__, service
from regulars.errors import RegularsError

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Growth operations for restaurants: know each guest, spend where it changes something, prove what it brought.\n\n"
    "Example:  regulars init shop; cd shop; regulars load stores ../stores.csv; regulars load orders ../orders.csv",
)
out, err = Console(highlight=False, soft_wrap=False), Console(stderr=True, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]
Workspace = Annotated[
    Path, typer.Option("--workspace", "-w", help="The workspace folder.", envvar="REGULARS_WORKSPACE")
]
HERE = Path()


class _StoppedError(BaseException):
    """Somebody pressed Ctrl-C."""


def main() -> None:
    """The program: errors that were foreseen are shown as sentences, and leave with status 1; Ctrl-C leaves with 130."""
    signal.signal(signal.SIGINT, _stop)
    try:
        app()
    except _StoppedError:
        err.print("stopped; nothing was changed")
        sys.exit(130)
    except RegularsError as error:
        _refuse(str(error))
        sys.exit(1)


def _stop(number: int, frame: object) -> NoReturn:
    raise _StoppedError


def _refuse(words: str) -> None:
    from regulars import screens

    if "--json" in sys.argv:
        print(json.dumps({"error": words}, ensure_ascii=False))  # noqa: T201
    else:
        screens.refusal(err, words)


def _answer(as_json: bool, value: Any, screen: Callable[[], Any]) -> None:
    if as_json:
        print(json.dumps(value, ensure_ascii=False, default=str))  # noqa: T201
    else:
        out.print(screen())


@contextmanager
def _progress(words: str, total: float | None = None) -> Iterator[Callable[[str], None]]:
    """A line on the terminal that says what is being done; gone when it is done, silent where nobody looks."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(words, total=total)
        yield lambda said: bar.update(task, description=said)


def _open(workspace: Path) -> Any:
    from regulars.tables import Lake

    return Lake.open(workspace)


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Show the version and leave.")] = False) -> None:
    if show:
        out.print(f"regulars {__version__}")
        raise typer.Exit


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="The folder to make.")],
    currency: Annotated[str, typer.Option(help="ISO 4217 code of all amounts.")] = "USD",
    zone: Annotated[str, typer.Option(help="Time zone of stores that do not say theirs.")] = "UTC",
    margin_rate: Annotated[float, typer.Option(help="Share of a bill left after the cost of food.")] = 0.65,
    as_json: AsJson = False,
) -> None:
    """Make a workspace.  Example:  regulars init shop --currency CNY --zone Asia/Shanghai"""
    import pydantic

    from regulars.tables import Lake

    try:
        lake = Lake.create(folder, currency=currency, zone=zone, margin_rate=margin_rate)
    except pydantic.ValidationError as error:
        raise typer.BadParameter("; ".join(f"{e['loc'][0]}: {e['msg']}" for e in error.errors())) from None
    settings = lake.settings.model_dump(exclude={"salt"})
    next_step = escape(f"made {folder}; next: cd {folder}; regulars load stores FILE; regulars load orders FILE")
    _answer(as_json, {"workspace": str(folder), **settings}, lambda: next_step)


@app.command("map")
def map_file(
    file: Annotated[Path, typer.Argument(help="A file to be loaded later.")],
    table: Annotated[str | None, typer.Option(help="The table it is for; left out, the one that fits best.")] = None,
    save: Annotated[bool, typer.Option("--save", help="Keep it in the workspace as the mapping of its table.")] = False,
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """Show the mapping of a known export, or propose one from a file's columns to ours.

    Example:  regulars map export.csv --table orders --save
    """
    from regulars.tables import contract, open_source
    from regulars.tables.exports import recognise
    from regulars.tables.proposal import propose

    if table is not None:
        contract(table)
    source = open_source(file)
    known = recognise(source.columns, table)
    mapping = known[0].mapping if known else propose(source, table)
    text = mapping.to_toml()
    if known:
        text = f"# {known[0].export}; it loads without this file, which is for changing how\n{text}"
    if save:
        path = _open(workspace).save_mapping(mapping)
        text += f"\n# kept as {path}; look through it, then: regulars load {mapping.table} {file}"
    _answer(as_json, mapping.model_dump(exclude_defaults=True), lambda: escape(text))


@app.command()
def load(
    table: Annotated[
        str,
        typer.Argument(help="stores, guests, menu_items, orders, order_items, reviews, offers, exposures, redemptions"),
    ],
    file: Annotated[Path, typer.Argument(help="CSV, Parquet, JSON Lines or XLSX.")],
    mapping: Annotated[
        Path | None,
        typer.Option(help="A mapping file; left out, the workspace's, our own column names, or a known export."),
    ] = None,
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """Load a file into a table; the same file again changes nothing.  Example:  regulars load orders orders-2026-11.csv"""
    from regulars import screens
    from regulars.tables import read_mapping

    lake = _open(workspace)
    chosen = None if mapping is None else read_mapping(mapping)
    with _progress(f"reading {file.name}") as say:
        report = lake.load(
            table, file, mapping=chosen, progress=lambda rows: say(f"reading {file.name}: {rows:,} rows")
        )
    _answer(as_json, report._asdict(), lambda: screens.load_report(report))


@app.command()
def rejects(
    table: Annotated[str | None, typer.Option(help="Only of this table.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many rows to show.")] = 20,
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """Show the rows that were rejected, and why.  Example:  regulars rejects --table orders --limit 5"""
    from regulars import screens

    found = _open(workspace).why_rejected(table, limit)
    rows = found.rows.to_pylist()
    _answer(
        as_json, {"total": found.total, "rows": rows}, lambda: screens.rejects(found.total, found.reasons, found.rows)
    )


@app.command()
def profile(
    as_of: Annotated[
        dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="A business date; left out, the last one.")
    ] = None,
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """Work out the profile of every guest and keep it as the table profiles.  Example:  regulars profile --as-of 2026-10-31"""
    from regulars import screens
    from regulars.planning import keep_profiles
    from regulars.reports import crowd

    lake = _open(workspace)
    with _progress("profiles"):
        date, profiles = keep_profiles(lake, as_of.date() if as_of else None)
    counts, deciles = crowd(profiles)
    value = {"as_of": date, "guests": len(profiles), "stages": [count._asdict() for count in counts]}
    _answer(as_json, value, lambda: screens.profile(counts, deciles, date, lake.settings.currency))


@app.command()
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
    from regulars import screens
    from regulars.planning import count_segments, find_segment, moved, rule_of
    from regulars.segments import save as keep

    lake = _open(workspace)
    if rule is None:
        if save or since or export:
            raise typer.BadParameter("--save, --since and --export need a rule, or @NAME")
        counted = count_segments(lake)
        rows = [{**row.segment._asdict(), **row._asdict(), "segment": row.segment.name} for row in counted]
        return _answer(as_json, rows, lambda: screens.segments(counted))
    if since is not None:
        told = moved(lake, rule, since=since.date(), export=export)
        rows = told.guests.slice(0, limit).to_pylist()
        value = told._asdict() | {"guests": len(told.guests), "rows": rows}
        _answer(as_json, value, lambda: screens.moved(told, limit))
    else:
        found = find_segment(lake, rule, export)
        rows = found.guests.slice(0, limit).to_pylist()
        value = {"rule": found.rule, "guests": len(found.guests), "of": found.of, "rows": rows}
        _answer(as_json, value, lambda: screens.segment(found, limit))
    if save is not None:
        kept = keep(lake.workspace, save, rule_of(lake, rule), meaning=meaning, now=dt.datetime.now(dt.UTC))
        err.print(escape(f"kept as @{kept.name}, version {kept.version}"))
    return None


@app.command()
def guest(
    guest_id: Annotated[str, typer.Argument(help="The guest's id.")],
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """Show what is known of one guest, and what to expect of him.  Example:  regulars guest G0042"""
    from regulars import screens
    from regulars.planning import portrait

    lake = _open(workspace)
    with _progress("looking at him and the crowd"):
        known = portrait(lake, guest_id)
    _answer(as_json, known._asdict(), lambda: screens.guest(known, lake.settings.currency))


@app.command()
def plan(
    campaign: Annotated[Path, typer.Argument(help="A campaign file (TOML).")],
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """Plan a campaign: who gets what under the budget.  Example:  regulars plan autumn.toml"""
    from regulars import screens
    from regulars.planning import make_plan, read_campaign, save, summary

    lake = _open(workspace)
    with _progress("planning") as say:
        made = make_plan(lake, read_campaign(campaign), say)
    folder = save(made, lake.workspace)
    comes_to = summary(made)
    _answer(as_json, comes_to, lambda: screens.plan(comes_to))
    if not as_json:
        out.print(escape(f"\nkept in {folder}; next: regulars report"))


@app.command()
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

    lake = _open(workspace)
    folder = find(lake.workspace, plan_id)
    with _progress("making the plan again") as say:
        if check:
            same = replay(lake, folder.name)
            words = (
                "comes out the same to the byte"
                if same
                else "comes out different: the code or the tables' history changed"
            )
            _answer(as_json, {"plan_id": folder.name, "is_same": same}, lambda: f"plan {folder.name} {words}")
            raise typer.Exit(0 if same else 1)
        path = write_report(lake, folder.name, say)
    _answer(as_json, {"plan_id": folder.name, "report": str(path)}, lambda: escape(f"wrote {path}"))


@app.command()
def doctor(workspace: Workspace = HERE, as_json: AsJson = False) -> None:
    """Check a workspace and say what is wrong.  Example:  regulars doctor"""
    from regulars import screens
    from regulars.planning import examine

    found = examine(_open(workspace), dt.datetime.now(dt.UTC))
    _answer(as_json, [finding._asdict() for finding in found], lambda: screens.findings(found))
    if any(finding.state == "wrong" for finding in found):
        raise typer.Exit(1)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Where to make the workspace.")] = Path("demo"), as_json: AsJson = False
) -> None:
    """Run the main job from end to end on a year of real orders.  Example:  regulars demo"""
    from regulars import screens
    from regulars.demo import run
    from regulars.planning import summary

    with _progress("starting") as say:
        told = run(folder, say)
    comes_to = summary(told.plan)
    value = {
        "loads": [r._asdict() for r in told.loads],
        "guests": told.guests,
        "plan": comes_to,
        "report": str(told.report),
    }
    if as_json:
        return _answer(True, value, str)
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


service.register(app)
