"""The schema: are the tables of the records those of this version, and how they get there."""

import fcntl
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from regulars.errors import DataError
from regulars.records.rooms import tables
from regulars.service import upgrade

_STEPS = "django_migrations"


def is_embedded() -> bool:
    """Whether the records are a file of ours, and not in a server."""
    return connection.vendor == "sqlite"


def unapplied() -> list[str]:
    """Changes of the tables that this version needs and the records do not have yet."""
    executor = MigrationExecutor(connection)
    return [f"{step.app_label}.{step.name}" for step, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]


def foreign() -> str:
    """Why these records are not ours to touch: a newer version or another program made them. Empty where they are ours, or none."""
    return another_program() or newer_version()


def newer_version(steps: Collection[tuple[str, str]] | None = None) -> str:
    """Which step of a newer version was taken, in a sentence; empty where none was. steps: of a backup, and not of these records."""
    known, unknown = _known(steps)
    if unknown and known:
        return (
            f"the records were made by a newer version of regulars ({unknown[-1]}); install that, or restore a backup"
        )
    return ""


def another_program() -> str:
    """Whose database it is, in a sentence; empty where it is ours, or nobody's."""
    known, unknown = _known()
    if known or not (others := unknown or _others()):
        return ""
    return f"this database belongs to another program ({others[0]}); name one of its own in DATABASE_URL"


def _known(steps: Collection[tuple[str, str]] | None = None) -> tuple[bool, list[str]]:
    """Whether steps of ours were taken, and the steps nobody here knows."""
    executor = MigrationExecutor(connection)
    taken = executor.loader.applied_migrations.keys() if steps is None else set(steps)
    if upgrade.is_due(taken):
        return True, []
    ours = executor.loader.graph.nodes
    return bool(taken & ours.keys()), [f"{app}.{name}" for app, name in taken if (app, name) not in ours]


def _others() -> list[str]:
    """Tables in a database where we never were; those that extensions bring do not count."""
    if is_embedded():
        return [name for name in connection.introspection.table_names() if name != _STEPS]
    with connection.cursor() as cursor:
        cursor.execute("""
            select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'p') and n.nspname = current_schema() and c.relname <> %s
            and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')""", [_STEPS])  # fmt: skip
        return [row[0] for row in cursor.fetchall()]


def migrate() -> list[str]:
    """Bring the tables to this version; what was done. Several processes may try at once: one does it.

    Raises DataError where a newer version was here before, or another program.
    """
    if reason := foreign():
        raise DataError(reason)
    if not upgrade.is_due() and not unapplied():
        return []
    with alone():
        if upgrade.is_due():
            rows = upgrade.bring_over(_make_tables)
            return [f"{rows:,} rows brought over from the earlier tables"]
        steps = unapplied()
        _make_tables()
    return steps


def _make_tables() -> None:
    call_command("migrate", verbosity=0, interactive=False)


@contextmanager
def alone() -> Iterator[None]:
    """Nobody else changes the tables meanwhile. PostgreSQL does that in transactions; a file has no such thing across several."""
    if not is_embedded():
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_lock(hashtextextended('regulars migrate', 0))")
            try:
                yield
            finally:
                cursor.execute("select pg_advisory_unlock(hashtextextended('regulars migrate', 0))")
        return
    lock = os.open(f"{connection.settings_dict['NAME']}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def prepare() -> None:
    """See that the records are there and of this version: a file is brought to it at once, a server only by `regulars migrate`.

    Raises DataError with the mend.
    """
    try:
        if is_embedded():
            _make_file()
            migrate()
        elif reason := foreign():
            raise DataError(reason)
        elif upgrade.is_due() or unapplied():
            raise DataError("the records do not have the tables of this version; run `regulars migrate` first")
    except DatabaseError as error:
        raise DataError(f"the records cannot be reached: {first_line(error)}") from None


def _make_file() -> None:
    """Only its owner reads it."""
    file = Path(connection.settings_dict["NAME"])
    try:
        file.touch(mode=0o600)
    except OSError as error:
        raise DataError(f"{file}: cannot be made ({error.strerror}); name a folder of yours with -w FOLDER") from None


@contextmanager
def elsewhere(file: Path) -> Iterator[None]:
    """The records are those of another file, for this thread alone."""
    connection.close()
    before = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = str(file)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def first_line(error: BaseException) -> str:
    """What a database said, as far as a person reads it."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def is_empty() -> bool:
    """Whether there is nothing in the records that a restore would overwrite."""
    there = set(connection.introspection.table_names())
    return not any(table.objects.exists() for table in tables() if table._meta.db_table in there)


def there_already() -> DataError:
    """Why a restore does not begin."""
    return DataError("there are records here already; --force takes the backup in their place, and they are gone then")
