"""Books: what the commands of one transaction have in hand while they are decided, under the locks of their accounts."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import models

from regulars.records import statements
from regulars.records.shelves import SHELVES, Need, Row, Shelf, questions
from regulars.records.statements import Change

_T = TypeVar("_T", bound=models.Model)


class NotAloneError(RuntimeError):
    """What others in the same transaction have not read cannot be decided beside them."""


class Books(defaultdict[Shelf[Any], dict[Any, Any]]):
    """The rows on their shelves, by the key of each, those that were read and those that are new; and what was changed.

    >>> Books(now=dt.datetime(2026, 3, 1, tzinfo=dt.UTC)).now.year
    2026
    """

    def __init__(self, *, now: dt.datetime, is_alone: bool = True) -> None:
        super().__init__(dict)
        self.now, self.is_alone = now, is_alone
        self._new: list[_Added] = []
        self._kept: list[_Added] = []
        self._undo: list[tuple[models.Model, str, Any]] = []

    if TYPE_CHECKING:

        def __getitem__(self, shelf: Shelf[Row]) -> dict[Any, Row]: ...

    def read(self, needs: Iterable[Need]) -> None:
        """Put the rows that are needed on their shelves, all at once. A row that is there already stays as it is."""
        if not (asked := questions(needs)):
            return
        found = statements.read([question for _, question in asked])
        for (shelf, _), rows in zip(asked, found, strict=True):
            for row in rows:
                self[shelf].setdefault(shelf.key(row), row)

    def demand_alone(self) -> None:
        """Raises NotAloneError where other commands are decided in the same transaction."""
        if not self.is_alone:
            raise NotAloneError

    @contextmanager
    def trial(self, *, is_kept: bool = True) -> Iterator[None]:
        """All or nothing: what was changed inside is undone where it is refused, or is not to be kept, and then alarms too."""
        changes, added, kept = len(self._undo), len(self._new), len(self._kept)
        try:
            yield
        except Exception:
            self._back_to(changes, added)
            if not is_kept:
                self._take_off(self._kept, kept)
            raise
        if not is_kept:
            self._back_to(changes, added)
            self._take_off(self._kept, kept)

    def _back_to(self, changes: int, added: int) -> None:
        for row, name, value in reversed(self._undo[changes:]):
            setattr(row, name, value)
        del self._undo[changes:]
        self._take_off(self._new, added)

    def _take_off(self, rows: "list[_Added]", first: int) -> None:
        """The rows from this one on were never there; what stood in their places is back."""
        for row, before in reversed(rows[first:]):
            shelf = SHELVES[type(row)]
            del self[shelf][shelf.key(row)]
            if before is not None:
                self[shelf][shelf.key(before)] = before
        del rows[first:]

    def change(self, row: models.Model, **values: Any) -> None:
        """Set fields of a row."""
        for name, value in values.items():
            self._undo.append((row, name, getattr(row, name)))
            setattr(row, name, value)

    def add(self, row: _T) -> _T:
        """A new row, found under its key at once."""
        self._new.append((row, self._put(row)))
        return row

    def keep(self, row: models.Model) -> None:
        """A new row that stays even where its command is refused, such as the alarm it raised."""
        self._kept.append((row, self._put(row)))

    def _put(self, row: models.Model) -> models.Model | None:
        """What stood in its place before."""
        shelf = SHELVES[type(row)]
        key = shelf.key(row)
        before = self[shelf].get(key)
        self[shelf][key] = row
        return before

    def write(self) -> None:
        """Write everything down. Raises IntegrityError where a constraint of the database says no; nothing is written then."""
        new = [row for row, _ in (*self._new, *self._kept)]
        known = set(map(id, new))
        changed = {id(row): row for row, _, _ in self._undo if id(row) not in known}.values()
        statements.write([*_changes(_number(new), has_fields=False), *_changes(changed, has_fields=True)])


_Added = tuple[models.Model, models.Model | None]
"""A new row, and the one in whose place it stands."""


def _changes(rows: Iterable[models.Model], *, has_fields: bool) -> list[Change]:
    """By table and in the order of keys, so that those who write at once wait for each other in one order."""
    by_table: dict[str, list[models.Model]] = {}
    for row in rows:
        by_table.setdefault(SHELVES[type(row)].name, []).append(row)
    found = []
    for name in sorted(by_table):
        some = by_table[name]
        shelf = SHELVES[type(some[0])]
        found.append(Change(shelf.table, sorted(some, key=shelf.key), shelf.changes if has_fields else ()))
    return found


def _number(new: Sequence[models.Model]) -> Sequence[models.Model]:
    """Rows that others refer to by number are written first; until now the row itself stood where its number belongs. The others."""
    numbered = [row for row in new if SHELVES[type(row)].is_numbered]
    if not numbered:
        return new
    for table in sorted({type(row) for row in numbered}, key=lambda table: table._meta.db_table):
        table.objects.bulk_create([row for row in numbered if type(row) is table])
    for row in new:
        for field, value in vars(row).items():
            if isinstance(value, models.Model):
                setattr(row, field, value.pk)
    return [row for row in new if not SHELVES[type(row)].is_numbered]
