"""Restoration where the records are a file: staged beside it, checked there, and taken in by one transaction of SQLite.

It is taken in and not renamed: whoever opens the records in that moment would go on writing to a file that nobody reads again.
Only where what stands there is too damaged for SQLite does the staged file take its place.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.db import DatabaseError, connection

from regulars.errors import DataError
from regulars.records.rooms import Drift, reconcile
from regulars.service import schema
from regulars.service.backups import copy_file

_BESIDE = ("-wal", "-shm", "-journal")
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_IN_USE = (
    "something uses these records, such as `regulars serve` or `regulars worker`; stop it first. Nothing was changed"
)


def restore(file: Path, *, is_forced: bool) -> list[Drift]:
    target = Path(connection.settings_dict["NAME"])
    try:
        with schema.alone():
            _check_whole(file)
            _check_target(target, file, is_forced=is_forced)
            _check_room(file, target)
            with _staged(file, target) as staged:
                drifts = _prepared(file, staged)
                _take_in(staged, target)
    except sqlite3.Error as error:
        raise DataError(f"{file}: cannot be put back: {error}; nothing was changed") from None
    return drifts


def _check_whole(file: Path) -> None:
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as opened:
            said = opened.execute("pragma integrity_check").fetchone()[0]
            if opened.execute("select 1 from django_migrations where app = 'offers'").fetchone() is None:
                raise sqlite3.DatabaseError("it has no offers")
            strays = opened.execute("pragma foreign_key_check").fetchone()
            [page_bytes] = opened.execute("pragma page_size").fetchone()
            if file.stat().st_size % page_bytes:
                raise sqlite3.DatabaseError("its end is missing")
    except sqlite3.DatabaseError as error:
        raise DataError(f"{file}: is damaged, or no backup of ours: {error}") from None
    if said != "ok" or strays:
        raise DataError(f"{file}: is damaged: {said if said != 'ok' else f'{strays[0]} refers to what is not there'}")


def _check_target(target: Path, file: Path, *, is_forced: bool) -> None:
    """Whose records stand there, and whether they are wanted still."""
    if not target.exists() or not target.stat().st_size:
        return
    if target.samefile(file):
        raise DataError(f"{file}: is the records themselves; name a backup of them")
    with target.open("rb") as opened:
        if not opened.read(16).startswith(b"SQLite format 3\0"):
            raise DataError(f"{target}: is no database, and a backup would take its place; move it away first")
    try:
        reason, is_empty = schema.another_program(), schema.is_empty()
        connection.close()
    except DatabaseError as error:
        connection.close()
        if is_forced:
            return
        words = schema.first_line(error)
        raise DataError(f"{target}: cannot be read ({words}); --force takes the backup in its place") from None
    if reason:
        raise DataError(reason)
    if not is_empty and not is_forced:
        raise schema.there_already()
    with _alone_on(target):
        pass


def _check_room(file: Path, target: Path) -> None:
    """For the staged copy twice, as it is while tables are changed, and for what SQLite notes while it takes it in."""
    held = target.stat().st_size if target.exists() else 0
    size = file.stat().st_size
    wanted, free = 2 * size + max(size, held), shutil.disk_usage(target.parent).free
    if free < wanted:
        raise DataError(
            f"{target.parent}: {free:,} bytes are free, and {wanted:,} are needed to put this backup back safely; make room first"
        )


@contextmanager
def _staged(file: Path, target: Path) -> Iterator[Path]:
    """A copy beside the records that goes away whatever happens."""
    staged = target.with_name(f".{target.name}.restoring")
    leftovers = [staged, *(Path(f"{staged}{end}") for end in (*_BESIDE, ".lock"))]
    for leftover in leftovers:
        leftover.unlink(missing_ok=True)
    try:
        staged.touch(mode=0o600)
        copy_file(file, staged)
        yield staged
    finally:
        for leftover in leftovers:
            leftover.unlink(missing_ok=True)


def _prepared(file: Path, staged: Path) -> list[Drift]:
    """Bring the copy to this version, and reconcile it."""
    with schema.elsewhere(staged):
        if reason := schema.foreign():
            raise DataError(f"{file}: {reason}")
        schema.migrate()
        drifts = reconcile()
        with connection.cursor() as cursor:
            cursor.execute("pragma journal_mode = delete")
    return drifts


def _take_in(staged: Path, target: Path) -> None:
    if not target.exists():
        target.touch(mode=0o600)
    try:
        with _alone_on(target) as written, closing(sqlite3.connect(staged)) as read:
            read.backup(written)
    except sqlite3.DatabaseError as error:
        if _kind_of(error) not in _DAMAGED:
            raise
        _take_the_place(staged, target)


@contextmanager
def _alone_on(target: Path) -> Iterator[sqlite3.Connection]:
    """A connection beside which there is no other: what is open in another process, even idle, keeps a lock in this mode."""
    with closing(sqlite3.connect(target, timeout=0, isolation_level=None)) as opened:
        try:
            opened.execute("pragma locking_mode = exclusive")
            opened.execute("pragma journal_mode = delete")
            opened.execute("begin exclusive")
            opened.execute("commit")
        except sqlite3.OperationalError as error:
            if _kind_of(error) in _BUSY:
                raise DataError(_IN_USE) from None
            raise
        opened.execute("pragma synchronous = full")
        yield opened


def _take_the_place(staged: Path, target: Path) -> None:
    with staged.open("rb+") as written:
        os.fsync(written.fileno())
    for end in _BESIDE:
        Path(f"{target}{end}").unlink(missing_ok=True)
    staged.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _kind_of(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
