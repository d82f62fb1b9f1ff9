"""Statements of the hot path: rows in and out in as few and as plain statements as a database allows.

Each is the same text every time, whatever the number of rows, so that nothing is compiled anew: PostgreSQL takes a column as
one array, SQLite a statement executed many times. The names in them are those of our own tables.
"""

import datetime as dt
import json
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, TypeVar

from django.db import connection, models

Row = TypeVar("Row", bound=models.Model)


class LostUpdateError(RuntimeError):
    """A row that was locked has gone: nothing is committed."""


def among(column: str, values: Collection[object]) -> tuple[str, object]:
    """A condition that a column is one of the values, and its one parameter."""
    if connection.vendor == "postgresql":
        return f"{column} = any(%s)", list(values)
    return f"{column} in (select value from json_each(%s))", json.dumps(list(values))  # noqa: S608  (a column of ours)


def rows(table: type[Row], condition: str, parameters: Sequence[object]) -> Iterable[Row]:
    """The rows of a table that meet a condition."""
    return table._default_manager.raw(f"select * from {table._meta.db_table} where {condition}", parameters)  # noqa: S608


def locked() -> str:
    """What ends a query whose rows nobody else may touch before the commit; on SQLite the transaction sees to it."""
    return " for update" if connection.vendor == "postgresql" else ""


def insert(table: Any, new: Sequence[models.Model]) -> None:
    """Put rows in; they do not learn the numbers that the database gives them."""
    fields = tuple(field.attname for field in table._meta.concrete_fields if not isinstance(field, models.AutoField))
    _execute(_insert(table, fields, connection.vendor), [_values(table, fields)(row) for row in new])


def update(table: Any, changed: Sequence[models.Model], fields: tuple[str, ...]) -> None:
    """Set these fields of rows by their keys. Raises LostUpdateError unless each is there."""
    key = table._meta.pk.attname
    values = _values(table, (*fields, key))
    if _execute(_update(table, fields, connection.vendor), [values(row) for row in changed]) != len(changed):
        raise LostUpdateError(f"{table._meta.db_table}: {len(changed)} rows were to be changed, and not all are there")


def _execute(statement: str, values: list[tuple[Any, ...]]) -> int:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(statement, [list(column) for column in zip(*values, strict=True)])
        else:
            cursor.executemany(statement, [tuple(map(_plain, row)) for row in values])
        return int(cursor.rowcount)


def _plain(value: object) -> object:
    """As Django keeps it in SQLite: instants as text, in UTC."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).replace(tzinfo=None).isoformat(" ")
    return value


@lru_cache(maxsize=64)
def _values(table: Any, names: tuple[str, ...]) -> "attrgetter[Any]":
    return attrgetter(*names)


@lru_cache(maxsize=64)
def _insert(table: Any, names: tuple[str, ...], vendor: str) -> str:
    columns = ", ".join(_column(table, name) for name in names)
    if vendor == "postgresql":
        return f"insert into {table._meta.db_table} ({columns}) select * from unnest({_arrays(table, names)})"  # noqa: S608
    return f"insert into {table._meta.db_table} ({columns}) values ({', '.join(['%s'] * len(names))})"  # noqa: S608


@lru_cache(maxsize=64)
def _update(table: Any, names: tuple[str, ...], vendor: str) -> str:
    name, key = table._meta.db_table, table._meta.pk.attname
    columns = [_column(table, field) for field in names]
    if vendor != "postgresql":
        changes = ", ".join(f"{column} = %s" for column in columns)
        return f"update {name} set {changes} where {_column(table, key)} = %s"  # noqa: S608
    changes = ", ".join(f"{column} = new.{column}" for column in columns)
    given = f"unnest({_arrays(table, (*names, key))}) as new ({', '.join([*columns, 'its_key'])})"
    return f"update {name} set {changes} from {given} where {name}.{_column(table, key)} = new.its_key"  # noqa: S608


def _arrays(table: type[models.Model], names: Iterable[str]) -> str:
    kinds = (_field(table, name).db_type(connection) for name in names)
    return ", ".join(f"%s::{kind}[]" for kind in kinds)


def _column(table: type[models.Model], name: str) -> str:
    return str(_field(table, name).column)


def _field(table: type[models.Model], name: str) -> Any:
    return next(field for field in table._meta.concrete_fields if field.attname == name)
