"""Data: make a workspace, load files into it, and see what is wrong with them."""

import datetime as dt
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regulars.cli.answers import HERE, AsJson, Workspace, answer, err, opened, progress, voice
from regulars.cli.screens.layout import Words, plain, whole
from regulars.wording import Sentence

if TYPE_CHECKING:
    from regulars.tables.formats import Source
    from regulars.tables.vendors import Export

Encoding = Annotated[
    str | None, typer.Option(help="Of a text file that is not UTF-8, such as cp1252; left out, it is found out.")
]
TableAndFiles = Annotated[
    list[str],
    typer.Argument(
        metavar="[TABLE] FILE...",
        help="CSV, Parquet, JSON Lines or XLSX; before them the table, where it is not to be found by their columns: "
        "stores, guests, menu_items, orders, order_items, kitchen, reviews, offers, exposures, redemptions",
    ),
]


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
    encoding: Encoding = None,
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """Show the mapping of a known export, or propose one from a file's columns to ours.

    What is written is a whole mapping file; what is not found stands in it as comments, with the columns that might be it.

    Example:  regulars map export.csv --table orders > mapping.toml
    """
    from regulars.tables import contract, open_source
    from regulars.tables.proposal import propose

    if table is not None:
        contract(table)
    source, speaker = open_source(file, encoding=encoding), voice()
    if known := _known(source, table):
        heads, text = [speaker.say("map_known", export=known.export)], known.mapping.to_toml()
        told, lacks = known.mapping.model_dump(exclude_defaults=True), ""
    else:
        found = propose(source, table)
        heads, text, told, lacks = speaker.each(found.doubts), found.to_toml(), found.as_plain(), "; ".join(found.lacks)
    mapping = known.mapping if known else found.mapping if save else None
    kept = opened(workspace).save_mapping(mapping) if save and mapping else None
    shown = "".join(f"# {head}\n" for head in heads) + text.rstrip("\n")
    answer(as_json, told | ({"error": lacks} if lacks else {}), lambda: whole(shown))
    if kept is not None and mapping is not None:
        said = speaker.say("map_kept", path=str(kept), table=mapping.table, file=str(file))
        err.print(Words(text=said, is_whole=True))
    if lacks:
        err.print(Words(text=speaker.say("map_lacks", file=source.name, lacks=lacks, table=found.table)))
        raise typer.Exit(1)


def _known(source: "Source", table: str | None) -> "Export | None":
    """The known export that a source is."""
    from regulars.tables.vendors import recognise

    return next(iter(recognise(source.columns, table)), None)


def load(
    files: TableAndFiles,
    mapping: Annotated[
        Path | None,
        typer.Option(
            help="A mapping file; left out, the workspace's, our own column names, a known export, or a guess."
        ),
    ] = None,
    store: Annotated[
        str | None, typer.Option(help="The store that the files are of, where no column names it.")
    ] = None,
    encoding: Encoding = None,
    workspace: Workspace = HERE,
    as_json: AsJson = False,
) -> None:
    """Load files, each into the tables that it holds, or into the table named first; the same file again changes nothing.

    Example:  regulars load stores.csv export-2026-11.csv; regulars load orders orders-2026-11.csv --store S1
    """
    from regulars.cli.screens import data as screens
    from regulars.tables import read_mapping

    lake = opened(workspace)
    table, paths = _table_and_files(files)
    chosen = None if mapping is None else read_mapping(mapping)
    options: dict[str, Any] = {"store": store, "encoding": encoding}
    with progress("load_reading", file=paths[0].name) as say:

        def told(file: str, rows: int) -> None:
            say(Sentence("load_reading", file=file, rows=rows))

        if table is None and chosen is None:
            reports = lake.load_files(paths, progress=told, **options)
        else:
            into = table or chosen.table  # type: ignore[union-attr]
            each = ((path, partial(told, path.name)) for path in paths)
            reports = [lake.load(into, path, mapping=chosen, progress=tell, **options) for path, tell in each]
    is_one = table is not None and len(reports) == 1
    answer(as_json, reports[0] if is_one else reports, lambda: screens.load_reports(reports, voice(lake)))


def _table_and_files(words: list[str]) -> tuple[str | None, list[Path]]:
    """The table, where the first word names one, and the files. Raises DataError for a first word that is neither."""
    from regulars.tables import CONTRACTS, contract

    first, *others = words
    if first in CONTRACTS and (others or not Path(first).exists()):
        if not others:
            raise typer.BadParameter(f"name the file as well: regulars load {first} FILE")
        return first, [Path(word) for word in others]
    if others and not Path(first).exists() and not Path(first).suffix:
        contract(first)
    return None, [Path(word) for word in words]


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
