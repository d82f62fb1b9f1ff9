"""Patience: how long a server waits for a row that somebody else holds, and who else has to wait for it.

SQLite has one lock for all who write, and its own patience in the settings.
"""

import threading
from collections.abc import Sequence

from django.db import connection, transaction

from regulars.ledger.commands import Command
from regulars.ledger.models import Account
from regulars.records import statements

MOST_MILLISECONDS = 400
"""Many times as long as a transaction of ours takes."""

_LOCK_NOT_AVAILABLE = "55P03"
_limited = threading.local()


def limit_waits() -> None:
    """From now on, this thread's connection waits no longer than that for a lock."""
    if connection.vendor != "postgresql":
        return
    connection.ensure_connection()
    if getattr(_limited, "connection", None) is not connection.connection:
        with connection.cursor() as cursor:
            cursor.execute(f"set lock_timeout = {MOST_MILLISECONDS}")
        _limited.connection = connection.connection


def is_locked_out(error: BaseException) -> bool:
    """Whether it failed because somebody else held a row for too long."""
    return getattr(error.__cause__, "sqlstate", None) == _LOCK_NOT_AVAILABLE


def blocked(commands: Sequence[Command]) -> list[bool]:
    """Which commands concern an account that somebody else holds now."""
    with transaction.atomic():
        return [_is_blocked(command) for command in commands]


def _is_blocked(command: Command) -> bool:
    for query, names in command.accounts():
        if names:
            asked = statements.question(Account, f"account_id in ({query})", names)
            question = f"select account_id from ledger_account where {asked.condition}"  # noqa: S608
            some, free = (
                statements.execute(question + lock, asked.parameters).fetchall()
                for lock in ("", " for update skip locked")
            )
            if len(some) != len(free):
                return True
    return False
