"""Exports of tills and shops that load without a mapping: each a mapping in a TOML file here, and the header that shows it.

A source is known by the names of its columns, in any order and among any others; never by its name, never by position.
"""

from collections.abc import Iterable
from functools import lru_cache
from importlib import resources

import pydantic

from regulars.documents import parse
from regulars.errors import DataError
from regulars.tables.contracts import contract
from regulars.tables.mapping import Mapping

_MOST_LACKING = 0.5
_MOST_TELLING = ("orders", "order_items", "menu_items", "stores")


class Export(Mapping):
    """What becomes of one file of one vendor. export: its name. header: the columns by which it is known.

    A name in the header that ends in a dot stands for any column that begins so.
    """

    export: str
    header: tuple[str, ...] = pydantic.Field(min_length=1)

    def lacks(self, columns: Iterable[str]) -> list[str]:
        """Which of its header are not among some columns."""
        named = set(columns)
        return [name for name in self.header if name not in named and not _begins_one(name, named)]

    @property
    def mapping(self) -> Mapping:
        """The mapping alone, as somebody would have written it."""
        return Mapping.model_validate(self.model_dump(exclude={"export", "header"}))


@lru_cache(maxsize=1)
def known_exports() -> tuple[Export, ...]:
    """All of them, by the names of their files."""
    files = sorted((file for file in resources.files(__name__).iterdir() if file.name.endswith(".toml")), key=str)
    return tuple(parse(file.read_text(encoding="utf-8"), Export, name=file.name) for file in files)


def recognise(columns: Iterable[str], table: str | None = None) -> list[Export]:
    """The exports that have these columns, for one table or for any, the most telling first."""
    named = list(columns)
    fitting = [export for export in known_exports() if table in (None, export.table) and not export.lacks(named)]
    return sorted(fitting, key=lambda export: (_MOST_TELLING.index(export.table), -len(export.header)))


def unknown_source(table: str, columns: list[str], source: str) -> DataError:
    """Why a source cannot be loaded without a mapping: what it lacks, which export it nearly is, and which ones are known."""
    target = contract(table)
    missing = [c.name for c in target.columns if not c.may_be_absent and c.name not in columns]
    known = [export for export in known_exports() if export.table == table]
    words = f"the source has no column {', '.join(missing)}, which {table} needs; it has {', '.join(columns)}. "
    if known:
        words += (
            f"{_nearest(known, columns)}Known without a mapping: {', '.join(dict.fromkeys(e.export for e in known))}. "
        )
    return DataError(f"{source}: {words}`regulars map FILE --table {table}` proposes a mapping")


def _nearest(known: list[Export], columns: list[str]) -> str:
    """`It looks like ..., but lacks ... `, where it does."""

    best = min(known, key=lambda export: len(export.lacks(columns)) / len(export.header))
    lacks = best.lacks(columns)
    if len(lacks) > _MOST_LACKING * len(best.header):
        return ""
    return f"It looks like {best.export}, but lacks its column {', '.join(map(repr, lacks))}. "


def _begins_one(name: str, columns: Iterable[str]) -> bool:
    return name.endswith(".") and any(column.startswith(name) for column in columns)
