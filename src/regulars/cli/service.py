"""The service: serve, migrate, sweep, reconcile, back up, restore."""

from pathlib import Path
from typing import Annotated, Any

import typer

from regulars.cli.answers import AsJson, err, show, voice
from regulars.cli.records import Workspace, opened_records, say, table
from regulars.cli.screens.layout import plain

MOST_THREADS = 256


def serve(
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Where to listen.")] = 8000,
    host: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for all of this machine.")] = "127.0.0.1",
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes; SQLite has one.")] = 1,
    threads: Annotated[int, typer.Option(min=1, max=MOST_THREADS, help="Requests at once in each process.")] = 16,
    workspace: Workspace = None,
) -> None:
    """Serve the till API until it is stopped.  Example:  regulars serve --port 8000"""
    with opened_records(workspace):
        from regulars.service import schema, server

        processes = 1 if schema.is_embedded() else workers
        kind = "SQLite" if schema.is_embedded() else "PostgreSQL"
        if processes < workers:
            err.print(voice().say("serve_one_writes", workers=workers))
        place = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        facts = {"place": f"{place}/api/v1", "database": kind, "processes": processes, "threads": threads}
        words = voice().say("serve_ready", **facts)
        server.share_figures(processes)
        server.serve(
            host,
            port,
            processes=processes,
            threads=threads,
            ready=lambda: print(words, flush=True),  # noqa: T201
        )


def migrate(workspace: Workspace = None, as_json: AsJson = False) -> None:
    """Bring the tables of the records to this version.  Example:  regulars migrate"""
    with opened_records(workspace, is_prepared=False):
        from regulars.service import schema

        steps = schema.migrate()
    done = voice().listed(steps, most=None)
    say(as_json, {"applied": steps}, "migrate_applied" if steps else "migrate_nothing", steps=done)


def worker(
    every: Annotated[float, typer.Option(min=1, help="Seconds between sweeps.")] = 60,
    once: Annotated[bool, typer.Option("--once", help="Do what is due and leave, for cron.")] = False,
    workspace: Workspace = None,
) -> None:
    """Do the jobs that are due; every minute, let go what was reserved too long and end what expired.  Example:  regulars worker"""
    with opened_records(workspace):
        from regulars.service.worker import work

        work(every, once=once)


def reconcile(
    mend: Annotated[
        bool,
        typer.Option("--mend", help="First give guests who were taken for one their one root, where that was damaged."),
    ] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Work out every counter from the ledger; status 1 where one drifted.  Example:  regulars reconcile"""
    with opened_records(workspace):
        from regulars.offers import links
        from regulars.records.rooms import reconcile as work_out

        if mend and (count := links.mend()):
            err.print(voice().say("people_mended", families=count))
        drifts = [drift._asdict() for drift in work_out()]
    _show_drifts(drifts, as_json)


def _show_drifts(drifts: list[dict[str, Any]], as_json: bool) -> None:
    if drifts or as_json:
        table(as_json, drifts, ("table", "key", "counter", "kept", "counted"))
    else:
        show(plain(voice().say("reconcile_good")))
    if drifts:
        raise typer.Exit(1)


def backup(
    file: Annotated[Path, typer.Argument(help="A new file.")], workspace: Workspace = None, as_json: AsJson = False
) -> None:
    """Write all records to one file, while tills go on.  Example:  regulars backup records-2026-11-24.backup"""
    with opened_records(workspace):
        from regulars.service.backups import back_up

        size = back_up(file)
    say(as_json, {"file": str(file), "bytes": size}, "backup_done", file=str(file), size=size)


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `regulars backup` wrote.")],
    force: Annotated[bool, typer.Option("--force", help="Also where there are records; they are gone then.")] = False,
    workspace: Workspace = None,
    as_json: AsJson = False,
) -> None:
    """Put a backup back, and check every counter.  Example:  regulars restore records-2026-11-24.backup"""
    with opened_records(workspace, is_prepared=False):
        from regulars.service.restoration import restore as put_back

        drifts = [drift._asdict() for drift in put_back(file, is_forced=force)]
    _show_drifts(drifts, as_json)
