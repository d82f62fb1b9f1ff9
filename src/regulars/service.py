"""The command line of the records: serve, keys, offers, vouchers, backups. Django is loaded only when one of them runs."""

import datetime as dt
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from regulars.errors import DataError

out, err = Console(highlight=False, soft_wrap=True), Console(stderr=True, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Answer as JSON.")]
Workspace = Annotated[
    Path | None, typer.Option("--workspace", "-w", help="The folder of the records.", envvar="REGULARS_WORKSPACE")
]
OfferId = Annotated[str, typer.Argument(help="The offer's id.")]
MOST_THREADS = 256

keys = typer.Typer(
    no_args_is_help=True, help="Make, list and revoke the keys of tills and apps.  Example:  regulars keys list"
)
offers = typer.Typer(no_args_is_help=True, help="Define and list offers.  Example:  regulars offers define lunch.toml")
stores = typer.Typer(no_args_is_help=True, help="Say where vouchers are taken.  Example:  regulars stores list")


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (serve, migrate, worker, issue, halt, resume, reconcile, backup, restore):
        app.command()(command)
    for name, group in {"keys": keys, "offers": offers, "stores": stores}.items():
        app.add_typer(group, name=name)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _answer(as_json: bool, value: Any, words: str) -> None:
    if as_json:
        print(json.dumps(value, ensure_ascii=False, default=str))  # noqa: T201
    else:
        out.print(escape(words))


def _table(as_json: bool, rows: list[dict[str, Any]], columns: tuple[str, ...]) -> None:
    from regulars import screens

    if as_json:
        print(json.dumps(rows, ensure_ascii=False, default=_plain))  # noqa: T201
    else:
        cells = [[_cell(row.get(column)) for column in columns] for row in rows]
        out.print(screens.sheet(columns, cells) if rows else "none yet")


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, set | frozenset) else str(value)


def _cell(value: object) -> str:
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return (
        " ".join(map(str, value))
        if isinstance(value, list | tuple | set | frozenset)
        else ""
        if value is None
        else str(value)
    )


@contextmanager
def opened_records(workspace: Path | None, *, is_prepared: bool = True) -> Iterator[None]:
    """The records of a workspace, or of DATABASE_URL: within, Django is there."""
    if workspace is not None:
        os.environ["REGULARS_WORKSPACE"] = str(workspace)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "regulars.settings")
    import django
    from django.db import DatabaseError

    django.setup()
    from regulars.console import records

    try:
        if is_prepared:
            records.prepare()
        yield
    except DatabaseError as error:
        raise DataError(f"the records would not: {records.first_line(error)}") from None


def serve(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Where to listen.")] = 8000,
    host: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for all of this machine.")] = "127.0.0.1",
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes; SQLite has one.")] = 1,
    threads: Annotated[int, typer.Option(min=1, max=MOST_THREADS, help="Requests at once in each process.")] = 32,
    workspace: Workspace = None,
) -> None:
    """Serve the till API until it is stopped.  Example:  regulars serve --port 8000"""
    with opened_records(workspace):
        from regulars.console import records, serving

        processes = 1 if records.is_embedded() else workers
        kind = "SQLite" if records.is_embedded() else "PostgreSQL"
        if processes < workers:
            err.print(
                f"SQLite lets one process write: serving with 1 of {workers} workers; DATABASE_URL names a PostgreSQL"
            )
        place = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        words = f"regulars serves {place}/api/v1 ({kind}, {processes} x {threads}); Ctrl-C stops it"
        serving.share_figures(processes)
        serving.serve(
            host,
            port,
            processes=processes,
            threads=threads,
            ready=lambda: print(words, flush=True),  # noqa: T201
        )


def migrate(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Bring the tables of the records to this version.  Example:  regulars migrate"""
    with opened_records(workspace, is_prepared=False):
        from regulars.console import records

        steps = records.migrate()
    _answer(as_json, {"applied": steps}, f"applied {', '.join(steps)}" if steps else "nothing to do")


def worker(
    every: Annotated[float, typer.Option(min=1, help="Seconds between sweeps.")] = 60,
    once: Annotated[bool, typer.Option("--once", help="Sweep once and leave, for cron.")] = False,
    workspace: Workspace = None,
) -> None:
    """Let go what was reserved too long and end what expired, every minute.  Example:  regulars worker"""
    with opened_records(workspace):
        from regulars.console.sweeping import work

        work(every, once=once)


@keys.command("new")
def new_key(
    name: Annotated[str, typer.Argument(help="Whose it is, such as 'till 3'.")],
    scope: Annotated[list[str], typer.Option(help="redeem, issue, offers, halt, events, metrics; repeat for several.")],
    store: Annotated[list[str] | None, typer.Option(help="A store where it may act; repeat for several.")] = None,
    everywhere: Annotated[bool, typer.Option("--everywhere", help="It may act at all stores.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Make a key, and show it this once.  Example:  regulars keys new 'till 3' --scope redeem --store S1"""
    if everywhere == bool(store):
        raise typer.BadParameter("give either --store, once or more, or --everywhere")
    with opened_records(workspace):
        from regulars.offers import actions, tills

        known = {row["store_id"] for row in actions.stores()}
        if unknown := [one for one in store or () if one not in known]:
            raise DataError(
                f"there is no store '{unknown[0]}'; `regulars stores add {unknown[0]} --zone ZONE` makes it known"
            )
        token = tills.open_till(name, scope, None if everywhere else store, now=_now())
    _answer(as_json, {"name": name, "till_id": token.split("_")[1], "key": token}, token)
    if not as_json:
        err.print("nobody can show it again; whoever has it may do what it may do")


@keys.command("list")
def list_keys(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """List the keys, without their secrets.  Example:  regulars keys list"""
    with opened_records(workspace):
        from regulars.offers import tills

        rows = tills.tills()
    _table(as_json, rows, ("till_id", "name", "scopes", "stores", "made_at", "revoked_at"))


@keys.command("revoke")
def revoke_key(
    till_id: Annotated[str, typer.Argument(help="As `regulars keys list` shows it.")],
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Revoke a key: from now on nobody may use it.  Example:  regulars keys revoke abcdefgh23456789"""
    with opened_records(workspace):
        from regulars.offers import tills

        if not tills.revoke(till_id, now=_now()):
            raise DataError(f"there is no key '{till_id}' that could be revoked; `regulars keys list` shows them")
    _answer(as_json, {"till_id": till_id, "is_revoked": True}, f"revoked {till_id}")


@offers.command("define")
def define_offer(
    file: Annotated[Path, typer.Argument(help="An offer file (TOML).")],
    offer_id: Annotated[str | None, typer.Option(help="Its id; left out, the file's name.")] = None,
    campaign: Annotated[str | None, typer.Option(help="The campaign it belongs to.")] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Make an offer from a file, or change its terms.  Example:  regulars offers define lunch.toml"""
    from regulars.documents import read
    from regulars.offers.terms import Terms

    terms = read(file, Terms)
    with opened_records(workspace):
        from regulars.offers import actions

        made = actions.define(offer_id or file.stem, terms, campaign_id=campaign, now=_now())
    words = f"offer {made['offer_id']}, version {made['version']}; next: regulars issue {made['offer_id']} --count 100"
    _answer(as_json, made, words)


@offers.command("list")
def list_offers(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """List the offers and their accounts.  Example:  regulars offers list"""
    with opened_records(workspace):
        from regulars.offers import actions

        rows = actions.offers()
    shown = rows if as_json else [_offer(row) for row in rows]
    _table(as_json, shown, ("offer", "kind", "budget", "reserved", "spent", "uses"))


def _offer(row: dict[str, Any]) -> dict[str, Any]:
    from regulars.offers.refusals import money

    account, currency = row["account"], row["terms"]["currency"]
    kept = {name: money(account[f"{name}_minor"], currency, "en") for name in ("budget", "reserved", "spent")}
    uses = f"{account['spent_uses']:,} of {account['cap']:,}"
    return {"offer": row["offer_id"], "kind": row["terms"]["kind"], **kept, "uses": uses}


def issue(
    offer_id: OfferId,
    count: Annotated[
        int | None, typer.Option(min=1, max=100_000_000, help="How many, for nobody in particular.")
    ] = None,
    guests: Annotated[Path | None, typer.Option(help="A file with one guest's id on each line: one for each.")] = None,
    batch: Annotated[
        str | None, typer.Option(help="A name for these; the same name continues what was stopped.")
    ] = None,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Issue vouchers, many at once.  Example:  regulars issue lunch --count 1000 --batch autumn"""
    if (count is None) == (guests is None):
        raise typer.BadParameter("give either --count or --guests")
    named = None if guests is None else _lines(guests)
    name = batch or f"{offer_id}-{_now():%Y%m%d%H%M%S}"
    with opened_records(workspace), _bar(f"issuing {name}") as say:
        from regulars.offers.issuing import issue_many

        done = issue_many(offer_id, name, count=count, guests=named, now=_now(), progress=say)
    words = f"batch {done.batch_id}: {done.issued:,} of {done.wanted:,} issued"
    _answer(as_json, done._asdict(), words)


def _lines(file: Path) -> list[str]:
    from regulars.documents import read_text

    return [line.strip() for line in read_text(file).splitlines() if line.strip()]


@contextmanager
def _bar(words: str) -> Iterator[Callable[[int, int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(words, total=None)
        yield lambda done, wanted: bar.update(task, completed=done, total=wanted)


Kind = Annotated[str, typer.Argument(help="offer, campaign or store.")]
Key = Annotated[str, typer.Argument(help="Its id.")]


def _kind(kind: str) -> Any:
    if kind not in ("offer", "campaign", "store"):
        raise typer.BadParameter(f"there is no halting a '{kind}'; it is offer, campaign or store")
    return kind


def halt(
    kind: Kind,
    key: Key,
    reason: Annotated[str, typer.Option(help="Why; it is shown wherever the halt is.")],
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Stop an offer, a campaign or a store at once.  Example:  regulars halt offer lunch --reason 'too many'"""
    _kind(kind)
    with opened_records(workspace):
        from regulars.offers import actions

        actions.halt(_kind(kind), key, reason=reason, by=os.environ.get("USER", "the command line"), now=_now())
    _answer(as_json, {"kind": kind, "key": key, "is_halted": True}, f"halted; next: regulars resume {kind} {key}")


def resume(kind: Kind, key: Key, workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Lift a halt.  Example:  regulars resume offer lunch"""
    _kind(kind)
    with opened_records(workspace):
        from regulars.offers import actions

        if not actions.resume(_kind(kind), key, now=_now()):
            raise DataError(f"{kind} '{key}' is not halted")
    _answer(as_json, {"kind": kind, "key": key, "is_halted": False}, "it goes on")


@stores.command("add")
def add_store(
    store_id: Annotated[str, typer.Argument(help="The store's id.")],
    zone: Annotated[str, typer.Option(help="Its time zone, such as Asia/Shanghai.")],
    day_closes_at: Annotated[str, typer.Option(help="When its trading day ends.")] = "04:00",
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Make a store known, or change its clock.  Example:  regulars stores add S1 --zone Asia/Shanghai"""
    from zoneinfo import available_timezones

    if zone not in available_timezones():
        raise typer.BadParameter(f"'{zone}' is no time zone; give one such as Asia/Shanghai")
    try:
        dt.time.fromisoformat(day_closes_at)
    except ValueError:
        raise typer.BadParameter(f"'{day_closes_at}' is no time of day; give one such as 04:00") from None
    with opened_records(workspace):
        from regulars.offers import actions

        actions.add_store(store_id, zone, day_closes_at)
    _answer(as_json, {"store_id": store_id, "zone": zone, "day_closes_at": day_closes_at}, f"store {store_id} is known")


@stores.command("list")
def list_stores(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """List the stores.  Example:  regulars stores list"""
    with opened_records(workspace):
        from regulars.offers import actions

        rows = actions.stores()
    _table(as_json, list(rows), ("store_id", "zone", "day_closes_at"))


def reconcile(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Work out every counter from the ledger; status 1 where one drifted.  Example:  regulars reconcile"""
    with opened_records(workspace):
        from regulars.offers.reconciling import reconcile as work_out

        drifts = [drift._asdict() for drift in work_out()]
    _show_drifts(drifts, as_json)


def _show_drifts(drifts: list[dict[str, Any]], as_json: bool) -> None:
    if drifts or as_json:
        _table(as_json, drifts, ("table", "key", "counter", "kept", "counted"))
    else:
        out.print("every counter is what the ledger says")
    if drifts:
        raise typer.Exit(1)


def backup(
    file: Annotated[Path, typer.Argument(help="A new file.")], workspace: Workspace = None, as_json: AsJson = False
) -> None:
    """Write all records to one file, while tills go on.  Example:  regulars backup records-2026-11-24.backup"""
    with opened_records(workspace):
        from regulars.console.backups import back_up

        size = back_up(file)
    words = f"wrote {file} ({size:,} bytes); keep the secret key too, elsewhere: without it guests are strangers again"
    _answer(as_json, {"file": str(file), "bytes": size}, words)


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `regulars backup` wrote.")],
    force: Annotated[bool, typer.Option("--force", help="Also where there are records; they are gone then.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Put a backup back, and check every counter.  Example:  regulars restore records-2026-11-24.backup"""
    with opened_records(workspace, is_prepared=False):
        from regulars.console.backups import restore as put_back

        drifts = [drift._asdict() for drift in put_back(file, is_forced=force)]
    _show_drifts(drifts, as_json)
