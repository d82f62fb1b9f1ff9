"""The schema: are the tables of the records those of this version, and how they get there."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.apps import apps
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from regulars.errors import DataError


def is_embedded() -> bool:
    """Whether the records are a file of ours, and not in a server."""
    return connection.vendor == "sqlite"


def unapplied() -> list[str]:
    """Changes of the tables that this version needs and the records do not have yet."""
    executor = MigrationExecutor(connection)
    return [f"{step.app_label}.{step.name}" for step, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]


def unknown() -> list[str]:
    """Changes of the tables that a newer version made, and this one does not know."""
    loader = MigrationExecutor(connection).loader
    known = {app for app, _ in loader.graph.nodes}
    return [
        f"{app}.{name}"
        for app, name in loader.applied_migrations
        if app in known and (app, name) not in loader.graph.nodes
    ]


def migrate() -> list[str]:
    """Bring the tables to this version; what was done. Several processes may try at once: one does it.

    Raises DataError where a newer version was here before.
    """
    if newer := unknown():
        raise DataError(
            f"the records were made by a newer version of regulars ({newer[-1]}); install that, or restore a backup"
        )
    if not unapplied():
        return []
    with _alone():
        steps = unapplied()
        call_command("migrate", verbosity=0, interactive=False)
    return steps


@contextmanager
def _alone() -> Iterator[None]:
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
        elif newer := unknown():
            raise DataError(f"the records were made by a newer version of regulars ({newer[-1]}); install that version")
        elif unapplied():
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


def first_line(error: BaseException) -> str:
    """What a database said, as far as a person reads it."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def is_empty() -> bool:
    """Whether there is nothing in the records that a restore would overwrite."""
    tables = set(connection.introspection.table_names())
    models = [model for model in apps.get_app_config("offers").get_models() if model._meta.db_table in tables]
    return not any(model.objects.exists() for model in models)
