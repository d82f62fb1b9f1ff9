"""Books: what the commands of one transaction have in hand while they are decided, under the locks of their accounts."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import models

from regulars.records import statements
from regulars.records.shelves import Need, Row, Shelf, questions, shelf_of
from regulars.records.statements import Change

_T = TypeVar("_T", bound=models.Model)


class Books:
    """The rows on their shelves, by the key of each; what was changed; and what is new.

    >>> Books(now=dt.datetime(2026, 3, 1, tzinfo=dt.UTC)).now.year
    2026
    """

    def __init__(self, *, now: dt.datetime) -> None:
        self.now = now
        self._shelves: defaultdict[Shelf[Any], dict[Any, Any]] = defaultdict(dict)
        self._changed: dict[int, models.Model] = {}
        self._new: list[models.Model] = []
        self._kept: list[models.Model] = []
        self._undo: list[tuple[models.Model, str, Any]] = []

    def __getitem__(self, shelf: Shelf[Row]) -> dict[Any, Row]:
        """The rows of a shelf by their key, those that were read and those that are new."""
        return self._shelves[shelf]

    def read(self, needs: Iterable[Need]) -> None:
        """Put the rows that are needed on their shelves, all at once. A row that is there already stays as it is."""
        asked = questions(needs)
        if not asked:
            return
        found = statements.read(*(question for _, question in asked))
        for (shelf, _), rows in zip(asked, found, strict=True):
            here = self._shelves[shelf]
            for row in rows:
                here.setdefault(shelf.key(row), row)

    @contextmanager
    def trial(self, *, is_kept: bool = True) -> Iterator[None]:
        """All or nothing: what was changed inside is undone where it is refused, or is not to be kept."""
        changes, added = len(self._undo), len(self._new)
        try:
            yield
        except Exception:
            self._back_to(changes, added)
            raise
        if not is_kept:
            self._back_to(changes, added)

    def _back_to(self, changes: int, added: int) -> None:
        for row, name, value in reversed(self._undo[changes:]):
            setattr(row, name, value)
        for row in self._new[added:]:
            shelf = shelf_of(row)
            del self._shelves[shelf][shelf.key(row)]
            self._changed.pop(id(row), None)
        del self._undo[changes:], self._new[added:]

    def change(self, row: models.Model, **values: Any) -> None:
        """Set fields of a row."""
        for name, value in values.items():
            self._undo.append((row, name, getattr(row, name)))
            setattr(row, name, value)
        self._changed[id(row)] = row

    def add(self, row: _T) -> _T:
        """A new row, found under its key at once."""
        self._put(row)
        self._new.append(row)
        return row

    def keep(self, row: models.Model) -> None:
        """A new row that stays even where its command is refused, such as the alarm it raised."""
        self._put(row)
        self._kept.append(row)

    def _put(self, row: models.Model) -> None:
        shelf = shelf_of(row)
        self._shelves[shelf][shelf.key(row)] = row

    def write(self) -> None:
        """Write everything down. Raises IntegrityError where a constraint of the database says no; nothing is written then."""
        new = [*self._new, *self._kept]
        _number(new)
        known = set(map(id, new))
        changed = [row for row in self._changed.values() if id(row) not in known]
        statements.write([*_changes(new), *_changes(changed, has_fields=True)])


def _changes(rows: Sequence[models.Model], *, has_fields: bool = False) -> Iterator[Change]:
    """By table and in the order of keys, so that those who write at once wait for each other in one order."""
    by_shelf: dict[str, tuple[Shelf[Any], list[models.Model]]] = {}
    for row in rows:
        if has_fields or not (shelf := shelf_of(row)).is_numbered:
            shelf = shelf_of(row)
            by_shelf.setdefault(shelf.name, (shelf, []))[1].append(row)
    for name in sorted(by_shelf):
        shelf, some = by_shelf[name]
        yield Change(shelf.table, sorted(some, key=shelf.key), shelf.changes if has_fields else ())


def _number(new: Sequence[models.Model]) -> None:
    """Rows that others refer to by number get theirs first; until now the row itself stood where its number belongs."""
    numbered: dict[Shelf[Any], list[models.Model]] = {}
    for row in new:
        if (shelf := shelf_of(row)).is_numbered:
            numbered.setdefault(shelf, []).append(row)
    for shelf, rows in numbered.items():
        shelf.table.objects.bulk_create(rows)
    if numbered:
        for row in new:
            for field, value in vars(row).items():
                if isinstance(value, models.Model):
                    setattr(row, field, value.pk)
