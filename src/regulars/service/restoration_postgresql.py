"""Restoration where the records are in PostgreSQL: taken out, put in, changed and reconciled in one transaction.

`pg_restore` is asked for the statements and does not execute them: its own transaction would end before the tables are those of
this version, and leave tables that the backup does not know.
"""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from regulars.errors import DataError
from regulars.records.rooms import Drift, reconcile, rooms
from regulars.service import schema, upgrade
from regulars.service.backups import postgresql

_STEPS = "django_migrations"
_COPY, _END = b"COPY ", b"\\.\n"
_FOR_PSQL = (b"\\restrict ", b"\\unrestrict ")
_BEGINNING = """
    set local lock_timeout = '10s';
    set local idle_in_transaction_session_timeout = 0"""
_USERS = "select count(*) from pg_stat_activity where datname = current_database() and application_name = %s and pid <> pg_backend_pid()"


def restore(file: Path, *, is_forced: bool) -> list[Drift]:
    steps = _steps_of(file)
    if reason := schema.newer_version(steps):
        raise DataError(f"{file}: {reason}")
    _check_whole(file)
    with schema.alone():
        _check_target(is_forced=is_forced)
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(_BEGINNING)
                _take_out(cursor, {app for app, _ in steps})
                _put_in(file, cursor)
                if not upgrade.is_due():  # a table with checks that wait for the end cannot be changed
                    cursor.execute("set constraints all immediate")
                schema.migrate()
                drifts = reconcile()
        finally:
            _forget_settings()
    return drifts


def _forget_settings() -> None:
    """The statements of a backup set much for their session."""
    with connection.cursor() as cursor:
        cursor.execute("reset all")
        connection.ensure_timezone()


def _steps_of(file: Path) -> list[tuple[str, str]]:
    """The steps in which the tables of the backup were made; where there are none, it is no backup of ours."""
    with postgresql("pg_restore", ["--data-only", f"--table={_STEPS}", "--file=-", str(file)]) as said:
        lines = iter(said)
        header = next((line for line in lines if line.startswith(_COPY)), b"")
        rows = [line.decode().rstrip("\n").split("\t") for line in takewhile(lambda line: line != _END, lines)]
    names = header.decode().partition("(")[2].partition(")")[0].split(", ")
    if "app" not in names or not any(row[names.index("app")] == "offers" for row in rows):
        raise DataError(f"{file}: is no backup made by `regulars backup`: it has no offers")
    return [(row[names.index("app")], row[names.index("name")]) for row in rows]


def _check_whole(file: Path) -> None:
    """Every byte is read once."""
    with postgresql("pg_restore", ["--file=/dev/null", str(file)]):
        pass


def _check_target(*, is_forced: bool) -> None:
    if reason := schema.another_program():
        raise DataError(reason)
    if not is_forced and not schema.is_empty():
        raise schema.there_already()
    name = connection.settings_dict["OPTIONS"].get("application_name", "regulars")
    with connection.cursor() as cursor:
        cursor.execute(_USERS, [name])
        [count] = cursor.fetchone()
    if count:
        raise DataError(
            f"{count} connections use these records, such as those of `regulars serve` or `regulars worker`; stop them first."
            " Nothing was changed"
        )


def _take_out(cursor: Any, apps: set[str]) -> None:
    """Drop every table of ours, whichever version made it. Another program's that stand beside them stay."""
    labels = tuple(f"{label}_" for label in apps | _apps_here(cursor) | {room.label for room in rooms()})
    here = connection.introspection.table_names(cursor)
    ours = [table for table in here if table == _STEPS or table.startswith(labels)]
    if ours:
        cursor.execute(f"drop table {', '.join(map(connection.ops.quote_name, ours))}")


def _apps_here(cursor: Any) -> set[str]:
    if _STEPS not in connection.introspection.table_names(cursor):
        return set()
    cursor.execute(f"select distinct app from {_STEPS}")  # noqa: S608
    return {app for (app,) in cursor.fetchall()}


def _put_in(file: Path, cursor: Any) -> None:
    """Execute the statements of a backup, in the transaction that is under way."""
    cursor.execute("show search_path")
    [path] = cursor.fetchone()
    with postgresql("pg_restore", ["--no-owner", "--no-privileges", "--file=-", str(file)]) as said:
        _execute(iter(said))
    cursor.execute("select set_config('search_path', %s, false)", [path])


def _execute(lines: Iterator[bytes]) -> None:
    """Statements as they come, and the rows after each COPY."""
    raw = connection.connection
    pending: list[bytes] = []
    with connection.wrap_database_errors:
        for line in lines:
            if line.startswith(_COPY):
                _execute_all(raw, pending)
                with raw.cursor() as cursor, cursor.copy(line) as copy:
                    for row in takewhile(lambda row: row != _END, lines):
                        copy.write(row)
            elif not line.startswith(_FOR_PSQL):
                pending.append(line)
        _execute_all(raw, pending)


def _execute_all(raw: Any, pending: list[bytes]) -> None:
    statements: Sequence[bytes] = list(pending)
    pending.clear()
    if statements:
        raw.execute(b"".join(statements), prepare=False)
