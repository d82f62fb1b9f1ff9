"""Snapshots: many questions to one state of the database."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def snapshot() -> Iterator[None]:
    """What is read within is one state of the database, while others write: it holds no lock that anybody would wait for.

    Within a transaction that is under way already it is that transaction's own view.
    """
    if connection.in_atomic_block:
        yield
        return
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("set transaction isolation level repeatable read, read only")
            yield
        return
    connection.ensure_connection()
    mode = connection.transaction_mode
    connection.transaction_mode = "DEFERRED"  # IMMEDIATE takes the one lock of all who write
    try:
        with transaction.atomic():
            yield
    finally:
        connection.transaction_mode = mode
