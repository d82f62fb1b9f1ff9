"""Shelves: where the rows of a table stand while commands are decided. Each table that commands touch has one.

A shelf says how a row is found and which of its fields may change. What is asked, read, put back and written follows from that.
"""

from collections.abc import Collection, Iterable
from operator import attrgetter
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import models

from regulars.records import statements
from regulars.records.statements import Question

Row = TypeVar("Row", bound=models.Model)

SHELVES: "dict[type[models.Model], Shelf[Any]]" = {}
"""The shelf on which the rows of a table stand."""


class Shelf(Generic[Row]):
    """The shelf of a table.

    by: the fields that name a row; changes: those that may change. lock: the order in which rows are locked when they are read,
    where the lock of their account does not do for them. is_numbered: entries refer to a row by the number that the database gives.
    """

    def __init__(
        self, table: type[Row], *, by: str, changes: str = "", lock: str = "", is_numbered: bool = False
    ) -> None:
        self.table: Any = table
        self.is_numbered = is_numbered
        self.key = attrgetter(*by.split())
        self.changes = tuple(changes.split())
        self.name: str = self.table._meta.db_table
        self._lock = f" order by {lock}{{locked}}" if lock else ""
        SHELVES[table] = self

    def where(self, condition: str, *values: Collection[object]) -> "Need":
        """Rows that a command needs: those that meet a condition, in which {} stands for "is one of the values".

        values: one for each {}, or one for all of them.
        """
        return Need(self, condition + self._lock, values)


class Need(NamedTuple):
    """Rows of a shelf that meet a condition, with values for its {}."""

    shelf: Shelf[Any]
    condition: str
    values: tuple[Collection[object], ...]


def questions(needs: Iterable[Need]) -> list[tuple[Shelf[Any], Question]]:
    """One question for all who need rows of a shelf by the same condition, in the same order every time."""
    merged: dict[tuple[str, str], tuple[Shelf[Any], list[set[object]]]] = {}
    for shelf, condition, values in needs:
        known = merged.get((shelf.name, condition))
        if known is None:
            merged[shelf.name, condition] = shelf, list(map(set, values))
            continue
        for some, more in zip(known[1], values, strict=True):
            some.update(more)
    asked = []
    for place in sorted(merged):
        shelf, sets = merged[place]
        if not sets or any(sets):
            asked.append((shelf, statements.question(shelf.table, place[1], *sets)))
    return asked
