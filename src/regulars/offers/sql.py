"""Statements of the hot path: rows in and out in as few and as plain statements as a database allows.

Each is the same text every time, whatever the number of rows, so that nothing is compiled anew: PostgreSQL takes all rows as
one JSON text, SQLite a statement executed many times. The names in them are those of our own tables.
"""

import datetime as dt
import json
from collections.abc import Collection, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from django.db import connection, models
from django.db.models.base import ModelState


class LostUpdateError(RuntimeError):
    """A row that was locked has gone: nothing is committed."""


def among(column: str, values: Collection[object]) -> tuple[str, object]:
    """A condition that a column is one of the values, and its one parameter."""
    listed = "json_array_elements_text(%s::json)" if connection.vendor == "postgresql" else "value from json_each(%s)"
    return f"{column} in (select {listed})", json.dumps(list(values))


def rows(table: Any, condition: str, parameters: Sequence[object]) -> list[Any]:
    """The rows of a table that meet a condition."""
    names, columns, instants = _shape(table)
    with connection.cursor() as cursor:
        cursor.execute(f"select {columns} from {table._meta.db_table} where {condition}", parameters)  # noqa: S608
        found = cursor.fetchall()
    if connection.vendor != "postgresql":
        found = [[_instant(value) if at in instants else value for at, value in enumerate(row)] for row in found]
    return [_row(table, dict(zip(names, values, strict=True))) for values in found]


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
    _execute(_insert(table, columns, connection.vendor), columns, [values(row) for row in new])


def update(table: Any, changed: Sequence[models.Model], fields: tuple[str, ...]) -> None:
    """Set these fields of rows by their keys. Raises LostUpdateError unless each is there."""
    key = table._meta.pk.attname
    columns, values = _columns(table, (*fields, key)), attrgetter(*fields, key)
    statement = _update(table, columns[:-1], columns[-1], connection.vendor)
    if _execute(statement, columns, [values(row) for row in changed]) != len(changed):
        raise LostUpdateError(f"{table._meta.db_table}: {len(changed)} rows were to be changed, and not all are there")


def _execute(statement: str, names: tuple[str, ...], values: list[tuple[Any, ...]]) -> int:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            told = [dict(zip(names, row, strict=True)) for row in values]
            cursor.execute(statement, [json.dumps(told, ensure_ascii=False, default=dt.datetime.isoformat)])
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
