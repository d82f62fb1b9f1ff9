"""Backups: all records in one file, made while tills go on.

The secret key is not in it: whoever finds a backup must not find with it what the guests' names were hashed with.
"""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

from django.db import connection

from regulars.errors import DataError
from regulars.records.rooms import rooms
from regulars.service import schema


def back_up(file: Path) -> int:
    """Write all records, as they stand at one instant, to a new file; its size. Raises DataError where there is one already."""
    if file.exists():
        raise DataError(f"{file}: is there already; name a new file")
    draft = file.with_name(f".{file.name}.part")
    try:
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        if schema.is_embedded():
            copy_file(Path(connection.settings_dict["NAME"]), draft)
        else:
            with postgresql("pg_dump", [*_DUMPED, *_own_tables(), f"--file={draft}", "--dbname", name()]):
                pass
        with draft.open("rb+") as written:
            os.fsync(written.fileno())
        draft.rename(file)
    except (OSError, sqlite3.Error) as error:
        raise DataError(f"{file}: cannot be written: {getattr(error, 'strerror', None) or error}") from None
    finally:
        draft.unlink(missing_ok=True)
    return file.stat().st_size


_DUMPED = ("--format=custom", "--no-owner", "--no-privileges")


def _own_tables() -> list[str]:
    """What else is in the database is not ours to put back."""
    return ["--table=django_migrations", *(f"--table={room.label}_*" for room in rooms())]


def copy_file(source: Path, target: Path) -> None:
    """SQLite's own way: one consistent state, while others write; the copy is one file, with nothing beside it."""
    with (
        closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", timeout=30, uri=True)) as read,
        closing(sqlite3.connect(target, timeout=30, isolation_level=None)) as written,
    ):
        read.backup(written)
        written.execute("pragma journal_mode = delete")


def name() -> str:
    """The database's."""
    return str(connection.settings_dict["NAME"])


@contextmanager
def postgresql(program: str, options: Sequence[str]) -> Iterator[IO[bytes]]:
    """One of PostgreSQL's own programs, and what it says. Where and who goes through its environment: everybody can see arguments.

    Raises DataError where it is missing or fails, once it was read to its end.
    """
    if shutil.which(program) is None:
        raise DataError(
            f"{program} is not installed, and a backup of PostgreSQL needs it: `apt-get install postgresql-client`"
        )
    with tempfile.TemporaryFile() as errors:
        running = subprocess.Popen(
            [program, *options], env=os.environ | _reached(), stdout=subprocess.PIPE, stderr=errors
        )
        assert running.stdout is not None
        try:
            with running.stdout as said:
                yield said
                said.read()
        except BaseException:
            running.kill()
            running.wait()
            raise
        if running.wait():
            errors.seek(0)
            words = errors.read().decode(errors="replace")
            raise DataError(f"{program}: {schema.first_line(RuntimeError(words))}")


def _reached() -> dict[str, str]:
    settings: dict[str, Any] = connection.settings_dict
    named = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD"}
    environment = {variable: str(settings[field]) for variable, field in named.items() if settings[field]}
    if mode := settings["OPTIONS"].get("sslmode"):
        environment["PGSSLMODE"] = mode
    return environment
