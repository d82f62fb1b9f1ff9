"""Data: make a workspace, load files into it, and see what is wrong with them."""

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from regulars.cli.answers import HERE, AsJson, Workspace, answer, opened, progress, voice
from regulars.cli.screens.layout import plain, whole
from regulars.wording import Sentence


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
    done = voice(lake).say("init_done", folder=str(folder))
    answer(as_json, {"workspace": str(folder), **settings}, lambda: plain(done))


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
    from regulars.tables.proposal import doubts, propose
    from regulars.tables.vendors import recognise

    if table is not None:
        contract(table)
    source = open_source(file)
    known = recognise(source.columns, table)
    mapping = known[0].mapping if known else propose(source, table)
    text = mapping.to_toml()
    if known:
        text = f"# {voice().say('map_known', export=known[0].export)}\n{text}"
    else:
        text = "".join(f"# {voice().say(doubt)}\n" for doubt in doubts(source, mapping)) + text
    if save:
        path = opened(workspace).save_mapping(mapping)
        text += f"\n# {voice().say('map_kept', path=str(path), table=mapping.table, file=str(file))}"
    answer(as_json, mapping.model_dump(exclude_defaults=True), lambda: whole(text))


def load(
    table: Annotated[
        str,
        typer.Argument(
            help="stores, guests, menu_items, orders, order_items, kitchen, reviews, offers, exposures, redemptions"
        ),
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
    from regulars.cli.screens import data as screens
    from regulars.tables import read_mapping

    lake = opened(workspace)
    chosen = None if mapping is None else read_mapping(mapping)
    with progress("load_reading", file=file.name) as say:
        report = lake.load(
            table, file, mapping=chosen, progress=lambda rows: say(Sentence("load_reading", file=file.name, rows=rows))
        )
    answer(as_json, report, lambda: screens.load_report(report, voice(lake)))


def loads(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many to show.")] = 20,
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """List the loads, the latest first.  Example:  regulars loads --limit 5"""
    from regulars.cli.screens import data as screens

    lake = opened(workspace)
    found = lake.loads()[:limit]
    answer(as_json, found, lambda: screens.loads(found, voice(lake)))


def unload(
    load: Annotated[str, typer.Argument(help="The load, as its report and `regulars loads` call it.")],
    table: Annotated[str | None, typer.Option(help="Only from this table.")] = None,
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """Take back a load; what a later load replaced stays.  Example:  regulars unload 3fa2b1c8"""
    from regulars.cli.screens import data as screens

    lake = opened(workspace)
    found = lake.unload(load, table)
    answer(as_json, found, lambda: screens.unloaded(found, voice(lake)))


def rejects(
    table: Annotated[str | None, typer.Option(help="Only of this table.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many rows to show.")] = 20,
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """Show the rows that were rejected, and why.  Example:  regulars rejects --table orders --limit 5"""
    from regulars.cli.screens import data as screens

    lake = opened(workspace)
    found = lake.why_rejected(table, limit)
    value = {"total": found.total, "rows": found.rows.to_pylist()}
    answer(as_json, value, lambda: screens.rejects(found.total, found.reasons, found.rows, voice(lake)))


def doctor(workspace: Workspace = HERE, as_json: AsJson = False) -> None:
    """Check a workspace and say what is wrong.  Example:  regulars doctor"""
    from regulars.cli.screens import data as screens
    from regulars.doctor import examine

    lake = opened(workspace)
    found = examine(lake, dt.datetime.now(dt.UTC))
    answer(as_json, found, lambda: screens.findings(found, voice(lake)))
    if any(finding.state == "wrong" for finding in found):
        raise typer.Exit(1)
