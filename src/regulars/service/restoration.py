"""Restoration: a backup in the place of the records, whole or not at all.

Everything that speaks against it is found before anything is touched: whose file it is and of which version, whether it is whole,
whose records stand there, whether somebody uses them, and whether there is room. Then the backup is brought to this version and
reconciled beside what is there, and takes its place in one step. Whoever is stopped in the middle has the records as they were.
"""

from pathlib import Path

from django.db import DatabaseError

from regulars.errors import DataError
from regulars.records.rooms import Drift
from regulars.service import restoration_postgresql, restoration_sqlite, schema

_SQLITE, _POSTGRES = b"SQLite format 3\0", b"PGDMP"


def restore(file: Path, *, is_forced: bool = False) -> list[Drift]:
    """Put back what a backup holds, bring it to this version, and work out every counter again: the drifts, which must be none.

    Raises DataError where there are records already, unless forced, and wherever it cannot be done; nothing has changed then.
    """
    _check_kind(file)
    way = restoration_sqlite if schema.is_embedded() else restoration_postgresql
    try:
        return way.restore(file, is_forced=is_forced)
    except DatabaseError as error:
        raise DataError(f"{file}: cannot be put back: {schema.first_line(error)}; nothing was changed") from None
    except OSError as error:
        raise DataError(f"{file}: cannot be put back: {error.strerror}; nothing was changed") from None


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
