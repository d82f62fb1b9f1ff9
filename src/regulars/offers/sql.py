"""Statements of the hot path: rows in and out in as few and as plain statements as a database allows.

Each is the same text every time, whatever the number of rows, so that nothing is planned anew: PostgreSQL takes all rows as
one JSON text, SQLite a statement executed many times. The names in them are those of our own tables.
"""

import datetime as dt
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from operator import attrgetter
from typing import Any

from django.db import connection, models
from django.db.models.base import ModelState


class LostUpdateError(RuntimeError):
    """A row that was locked has gone: nothing is committed."""


@contextmanager
def together() -> Iterator[None]:
    """What is asked inside travels together: an answer is waited for when it is looked at, or at the end.

    It is psycopg's pipeline; SQLite is in this process, and nothing travels.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def ask(statement: str, parameters: Sequence[object]) -> Any:
    """Execute a statement by its cursor, past the layers that Django has for others; prepared where it came before."""
    with connection.wrap_database_errors:
        if connection.vendor != "postgresql":
            return connection.connection.cursor().execute(statement.replace("%s", "?"), parameters)
        from psycopg import Cursor

        return Cursor(connection.connection).execute(statement, parameters)


def among(column: str, values: Collection[object]) -> tuple[str, object]:
    """A condition that a column is one of the values, and its one parameter."""
    if connection.vendor == "postgresql":
        return f"{column} = any(%s)", list(values)
    return f"{column} in (select value from json_each(%s))", json.dumps(list(values))  # noqa: S608  (a column of ours)


class Rows:
    """The rows of a table that meet a condition, read when they are gone through."""

    def __init__(self, table: Any, condition: str, parameters: Sequence[object]) -> None:
        self._table = table
        columns = _shape(table)[1]
        self._cursor = ask(f"select {columns} from {table._meta.db_table} where {condition}", parameters)  # noqa: S608

    def __iter__(self) -> Iterator[Any]:
        names, _, instants = _shape(self._table)
        with connection.wrap_database_errors:
            found = self._cursor.fetchall()
        if connection.vendor != "postgresql":
            found = [[_instant(value) if at in instants else value for at, value in enumerate(row)] for row in found]
        return iter([_row(self._table, dict(zip(names, values, strict=True))) for values in found])


def within(table: Any, column: str, values: Collection[object], more: str = "true") -> Iterable[Any]:
    """The rows of a table whose column is one of the values; nothing is asked where there are none."""
    if not values:
        return ()
    condition, given = among(column, values)
    return Rows(table, f"{condition} and {more}", [given])


def made(table: Any, **values: object) -> Any:
    """A new row, by attributes: offer_id and not offer; what is not given has its default."""
    row = _row(table, _defaults(table) | values)
    row._state.adding = True
    return row


def _row(table: Any, values: dict[str, Any]) -> Any:
    """A row as Django has it, without its constructor, which is made for forms and was a quarter of a redemption."""
    row = table.__new__(table)
    row.__dict__.update(values)
    row._state = ModelState()
    row._state.adding, row._state.db = False, connection.alias
    return row


@lru_cache(maxsize=64)
def _defaults(table: Any) -> dict[str, Any]:
    return {field.attname: field.get_default() for field in table._meta.concrete_fields}


def _instant(value: object) -> object:
    return value.replace(tzinfo=dt.UTC) if isinstance(value, dt.datetime) else value


@lru_cache(maxsize=64)
def _shape(table: Any) -> tuple[tuple[str, ...], str, frozenset[int]]:
    """Attributes and columns of a table, and the places of those that are instants."""
    fields = table._meta.concrete_fields
    instants = frozenset(at for at, field in enumerate(fields) if isinstance(field, models.DateTimeField))
    return tuple(field.attname for field in fields), ", ".join(field.column for field in fields), instants


def locked() -> str:
    """What ends a query whose rows nobody else may touch before the commit; on SQLite the transaction sees to it."""
    return " for update" if connection.vendor == "postgresql" else ""


def insert(table: Any, new: Sequence[models.Model]) -> None:
    """Put rows in; they do not learn the numbers that the database gives them."""
    fields = tuple(field.attname for field in table._meta.concrete_fields if not isinstance(field, models.AutoField))
    columns, values = _columns(table, fields), attrgetter(*fields)
    _many(_insert(table, columns, connection.vendor), columns, [values(row) for row in new])


def update(table: Any, changed: Sequence[models.Model], fields: tuple[str, ...]) -> Callable[[], None]:
    """Set these fields of rows by their keys. What it returns raises LostUpdateError unless each was there."""
    key = table._meta.pk.attname
    columns, values = _columns(table, (*fields, key)), attrgetter(*fields, key)
    statement = _update(table, columns[:-1], columns[-1], connection.vendor)
    cursor = _many(statement, columns, [values(row) for row in changed])

    def check() -> None:
        if cursor.rowcount != len(changed):
            raise LostUpdateError(
                f"{table._meta.db_table}: {cursor.rowcount} of {len(changed)} rows are there to be changed"
            )

    return check


def _many(statement: str, names: tuple[str, ...], values: list[tuple[Any, ...]]) -> Any:
    """Execute a statement for many rows; its cursor."""
    if connection.vendor == "postgresql":
        told = [dict(zip(names, row, strict=True)) for row in values]
        return ask(statement, [json.dumps(told, ensure_ascii=False, default=dt.datetime.isoformat)])
    with connection.wrap_database_errors:
        rows = [tuple(map(_plain, row)) for row in values]
        return connection.connection.cursor().executemany(statement.replace("%s", "?"), rows)


def _plain(value: object) -> object:
    """As Django keeps it in SQLite: instants as text, in UTC."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).replace(tzinfo=None).isoformat(" ")
    return value


@lru_cache(maxsize=64)
def _insert(table: Any, names: tuple[str, ...], vendor: str) -> str:
    name, columns = table._meta.db_table, ", ".join(names)
    if vendor == "postgresql":
        return f"insert into {name} ({columns}) select {columns} from {_given(name)}"  # noqa: S608
    return f"insert into {name} ({columns}) values ({', '.join(['%s'] * len(names))})"  # noqa: S608


@lru_cache(maxsize=64)
def _update(table: Any, names: tuple[str, ...], key: str, vendor: str) -> str:
    name = table._meta.db_table
    if vendor == "postgresql":
        changes = ", ".join(f"{column} = new.{column}" for column in names)
        return f"update {name} set {changes} from {_given(name)} as new where {name}.{key} = new.{key}"  # noqa: S608
    changes = ", ".join(f"{column} = %s" for column in names)
    return f"update {name} set {changes} where {key} = %s"  # noqa: S608


def _given(name: str) -> str:
    return f"json_populate_recordset(null::{name}, %s::json)"


@lru_cache(maxsize=64)
def _columns(table: Any, attributes: tuple[str, ...]) -> tuple[str, ...]:
    """The columns that attributes of a model are kept in."""
    known = {field.attname: field.column for field in table._meta.concrete_fields}
    return tuple(known[name] for name in attributes)
