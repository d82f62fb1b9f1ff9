"""Statements: rows in and out, in as few and as plain ones as a database allows.

What is asked at once, and what is written at once, is one statement for PostgreSQL, with rows as JSON: each journey to it costs
more than what it does there. SQLite is in this process, and is asked one by one. Each statement is the same text every time,
whatever the number of rows, so that it is planned once. The names in them are those of our own tables.
"""

import datetime as dt
import json
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.base import ModelState
from pydantic_core import from_json, to_json


class LostUpdateError(RuntimeError):
    """A row that was locked has gone: nothing is committed."""


class Question(NamedTuple):
    """Which rows of a table? Those that meet a condition, with its parameters."""

    table: Any
    condition: str
    parameters: tuple[object, ...] = ()


class Change(NamedTuple):
    """Rows of a table to be put in, or, where fields are named, rows of which these are to be set anew."""

    table: Any
    rows: Sequence[models.Model]
    fields: tuple[str, ...] = ()


def question(table: Any, condition: str, *values: Collection[object]) -> Question:
    """The rows of a table that meet a condition. In it {} stands for "is one of the values", {past} for "is at or before the
    value", an instant, and {locked} for the lock.

    values: one for each {} and {past}, or one for all of them.
    """
    is_postgres = is_postgresql()
    given = [list(some) if is_postgres else json.dumps(list(some), default=_as_kept) for some in values]
    many = len(_PLACES.findall(condition)) // len(given) if given else 1
    return Question(table, _said(condition, is_postgres), tuple(given * many))


_PLACES = re.compile(r"\{(?:past)?\}")


@lru_cache(maxsize=1024)
def _said(condition: str, is_postgres: bool) -> str:
    one_of = "= any(%s)" if is_postgres else "in (select value from json_each(%s))"
    past = "<= all(%s)" if is_postgres else "<= (select min(value) from json_each(%s))"
    said = condition.replace("{}", one_of).replace("{past}", past)
    return said.replace("{locked}", " for update" if is_postgres else "")


def _as_kept(instant: dt.datetime) -> str:
    """An instant as Django keeps it in SQLite: as text, in UTC."""
    return instant.astimezone(dt.UTC).replace(tzinfo=None).isoformat(" ")


def read(questions: Sequence[Question]) -> list[list[Any]]:
    """The rows that answer each question, as models; new ones each time."""
    if is_postgresql():
        [found] = execute(_asking(tuple(question[:2] for question in questions)), _flat(questions)).fetchall()
        return [_told(question.table, text) for question, text in zip(questions, found, strict=True)]
    return list(map(_fetched, questions))


def execute(statement: str, parameters: Sequence[object]) -> Any:
    """Execute a statement by its cursor, past the layers that Django has for others; prepared where it comes often."""
    with _raw() as raw:
        if is_postgresql():
            from psycopg import Cursor

            return Cursor(raw).execute(statement, parameters)
        return raw.execute(statement.replace("%s", "?"), parameters)


def write(changes: Sequence[Change]) -> None:
    """Put rows in and set fields of others; new rows do not learn the numbers that the database gives them.

    Raises LostUpdateError unless each row that is to change is there.
    """
    if not changes:
        return
    if is_postgresql():
        shapes = tuple((change.table, change.fields) for change in changes)
        [found] = execute(_writing(shapes), [_as_json(change) for change in changes]).fetchall()
    else:
        found = [_written(change) for change in changes]
    for change, count in zip(changes, found, strict=True):
        if count != len(change.rows):
            raise LostUpdateError(f"{change.table._meta.db_table}: {count} of {len(change.rows)} rows were written")


def made(table: Any, **values: object) -> Any:
    """A new row, by attributes: offer_id and not offer; what is not given has its default."""
    row = _row(table, _defaults(table) | values)
    row._state.adding = True
    return row


def lock(name: str) -> None:
    """Be the only transaction that holds this lock, until it ends. SQLite lets only one write anyway."""
    if is_postgresql():
        execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def is_postgresql() -> bool:
    return bool(connections[DEFAULT_DB_ALIAS].vendor == "postgresql")


@contextmanager
def _raw() -> Iterator[Any]:
    """The driver's own connection; its errors are Django's."""
    connection = connections[DEFAULT_DB_ALIAS]
    with connection.wrap_database_errors:
        yield connection.connection


# Reading


@lru_cache(maxsize=256)
def _asking(questions: tuple[tuple[Any, str], ...]) -> str:
    parts = (
        f"(select json_agg(q)::text from (select {_names(table)} from {table._meta.db_table} where {condition}) q)"  # noqa: S608
        for table, condition in questions
    )
    return f"select {', '.join(parts)}"


def _flat(questions: Sequence[Question]) -> list[object]:
    return [parameter for question in questions for parameter in question.parameters]


def _told(table: Any, text: str | None) -> list[Any]:
    if text is None:
        return []
    rows = from_json(text)
    for row in rows:
        for name in _instants(table):
            if row[name] is not None:
                row[name] = dt.datetime.fromisoformat(row[name])
    return [_row(table, row) for row in rows]


def _fetched(question: Question) -> list[Any]:
    table = question.table
    statement = f"select {_names(table)} from {table._meta.db_table} where {question.condition}"  # noqa: S608
    rows = []
    for values in execute(statement, question.parameters).fetchall():
        row = dict(zip(_attributes(table), values, strict=True))
        for name in _instants(table):
            if row[name] is not None:
                row[name] = row[name].replace(tzinfo=dt.UTC)
        rows.append(_row(table, row))
    return rows


def _row(table: Any, values: dict[str, Any]) -> Any:
    """A row as Django has it, without its constructor, which is made for forms and was a quarter of a redemption."""
    row = table.__new__(table)
    row.__dict__.update(values)
    row._state = ModelState()
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    return row


# Writing


@lru_cache(maxsize=256)
def _writing(shapes: tuple[tuple[Any, tuple[str, ...]], ...]) -> str:
    parts = (f"w{place} as ({_part(table, fields)} returning 1)" for place, (table, fields) in enumerate(shapes))
    counts = (f"(select count(*) from w{place})" for place in range(len(shapes)))  # noqa: S608
    return f"with {', '.join(parts)} select {', '.join(counts)}"


def _part(table: Any, fields: tuple[str, ...]) -> str:
    name, key = table._meta.db_table, table._meta.pk.column
    rows = f"json_populate_recordset(null::{name}, %s::json)"
    if not fields:
        columns = ", ".join(_insertable(table))
        return f"insert into {name} ({columns}) select {columns} from {rows}"  # noqa: S608
    changes = ", ".join(f"{field} = new.{field}" for field in fields)
    return f"update {name} set {changes} from {rows} as new where {name}.{key} = new.{key}"  # noqa: S608


def _as_json(change: Change) -> str:
    names = _columns_of(change)
    values = attrgetter(*names)
    told = [dict(zip(names, values(row), strict=True)) for row in change.rows]
    return to_json(told).decode()


def _written(change: Change) -> int:
    name, names = change.table._meta.db_table, _columns_of(change)
    if change.fields:
        sets = ", ".join(f"{field} = ?" for field in names[:-1])
        statement = f"update {name} set {sets} where {names[-1]} = ?"  # noqa: S608
    else:
        statement = f"insert into {name} ({', '.join(names)}) values ({', '.join('?' * len(names))})"  # noqa: S608
    values = attrgetter(*names)
    places = [names.index(name) for name in _instants(change.table) if name in names]
    rows = []
    for row in change.rows:
        plain = list(values(row))
        for place in places:
            if plain[place] is not None:
                plain[place] = _as_kept(plain[place])
        rows.append(plain)
    with _raw() as raw:
        return int(raw.executemany(statement, rows).rowcount)


def _columns_of(change: Change) -> tuple[str, ...]:
    return (*change.fields, change.table._meta.pk.column) if change.fields else _insertable(change.table)


# The shape of a table. Attributes and columns have the same names.


@lru_cache(maxsize=64)
def _attributes(table: Any) -> tuple[str, ...]:
    return tuple(field.attname for field in table._meta.concrete_fields)


@lru_cache(maxsize=64)
def _names(table: Any) -> str:
    return ", ".join(_attributes(table))


@lru_cache(maxsize=64)
def _insertable(table: Any) -> tuple[str, ...]:
    return tuple(field.attname for field in table._meta.concrete_fields if not isinstance(field, models.AutoField))


@lru_cache(maxsize=64)
def _instants(table: Any) -> tuple[str, ...]:
    return tuple(field.attname for field in table._meta.concrete_fields if isinstance(field, models.DateTimeField))


@lru_cache(maxsize=64)
def _defaults(table: Any) -> dict[str, Any]:
    return {field.attname: field.get_default() for field in table._meta.concrete_fields}
