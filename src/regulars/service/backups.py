"""Backups: all records in one file, made while tills go on, and put back.

The secret key is not in it: whoever finds a backup must not find with it what the guests' names were hashed with.
"""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from django.db import connection

from regulars.errors import DataError
from regulars.records.rooms import Drift, reconcile
from regulars.service import schema

_SQLITE, _POSTGRES = b"SQLite format 3\0", b"PGDMP"


def back_up(file: Path) -> int:
    """Write all records, as they stand at one instant, to a new file; its size. Raises DataError where there is one already."""
    if file.exists():
        raise DataError(f"{file}: is there already; name a new file")
    draft = file.with_name(f".{file.name}.part")
    try:
        draft.touch(mode=0o600)
        if schema.is_embedded():
            _copy(Path(connection.settings_dict["NAME"]), draft)
        else:
            _run(
                "pg_dump", ["--format=custom", "--no-owner", "--no-privileges", f"--file={draft}", "--dbname", _name()]
            )
        with draft.open("rb+") as written:
            os.fsync(written.fileno())
        draft.rename(file)
    except OSError as error:
        raise DataError(f"{file}: cannot be written: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)
    return file.stat().st_size


def restore(file: Path, *, is_forced: bool = False) -> list[Drift]:
    """Put back what a backup holds, bring it to this version, and work out every counter again: the drifts, which must be none.

    Raises DataError where there are records already, unless forced; nothing is changed then.
    """
    _check_kind(file)
    if not is_forced and not schema.is_empty():
        raise DataError(
            "there are records here already; --force takes the backup in their place, and they are gone then"
        )
    if schema.is_embedded():
        _copy(file, Path(connection.settings_dict["NAME"]))
    else:
        connection.close()
        options = ["--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
        _run("pg_restore", [*options, "--dbname", _name(), str(file)])
    connection.close()
    schema.migrate()
    return reconcile()


def _check_kind(file: Path) -> None:
    try:
        with file.open("rb") as opened:
            begins = opened.read(16)
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror}") from None
    wanted, other = (_SQLITE, _POSTGRES) if schema.is_embedded() else (_POSTGRES, _SQLITE)
    if begins.startswith(other):
        raise DataError(
            f"{file}: is a backup of the other kind of database; set DATABASE_URL to one like that it was made from"
        )
    if not begins.startswith(wanted):
        raise DataError(f"{file}: is no backup made by `regulars backup`")
    if schema.is_embedded():
        _check_whole(file)


def _check_whole(file: Path) -> None:
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as opened:
            said = opened.execute("pragma integrity_check").fetchone()[0]
            if opened.execute("select 1 from django_migrations where app = 'offers'").fetchone() is None:
                raise sqlite3.DatabaseError("it has no offers")
    except sqlite3.DatabaseError as error:
        said = str(error)
        raise DataError(f"{file}: is damaged, or no backup of ours: {said}") from None
    if said != "ok":
        raise DataError(f"{file}: is damaged: {said}")


def _copy(source: Path, target: Path) -> None:
    """SQLite's own way: one consistent state, while others write."""
    with closing(sqlite3.connect(source, timeout=30)) as read, closing(sqlite3.connect(target, timeout=30)) as written:
        read.backup(written)


def _name() -> str:
    return str(connection.settings_dict["NAME"])


def _run(program: str, options: Sequence[str]) -> None:
    """One of PostgreSQL's own programs. Where and who goes through its environment, for arguments can be seen by everybody."""
    if shutil.which(program) is None:
        raise DataError(
            f"{program} is not installed, and a backup of PostgreSQL needs it: `apt-get install postgresql-client`"
        )
    settings: dict[str, Any] = connection.settings_dict
    named = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD"}
    environment = {variable: str(settings[name]) for variable, name in named.items() if settings[name]}
    if mode := settings["OPTIONS"].get("sslmode"):
        environment["PGSSLMODE"] = mode
    done = subprocess.run(
        [program, *options], env=os.environ | environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise DataError(f"{program}: {schema.first_line(RuntimeError(done.stderr))}")
