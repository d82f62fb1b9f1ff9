"""Tabular: how a result of many rows shows itself: as a frame of any kind, in a few lines, and in a notebook."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

import narwhals as nw
import pyarrow as pa
from markupsafe import escape

from regulars.wording import clean

_Row = TypeVar("_Row")
_MOST_ROWS, _MOST_LETTERS, _MOST_WIDTH = 10, 24, 120


class Tabular:
    """A result with rows. Whoever has them gives `to_arrow` and, where it says more than a count, `headline`.

    `repr` is at most twelve lines: the headline, the heads, and ten rows.
    """

    __slots__ = ()

    def to_arrow(self) -> pa.Table:
        """The rows."""
        raise TypeError(f"{type(self).__name__} gives no rows")

    @property
    def headline(self) -> str:
        """What it is, for programmers."""
        return f"{type(self).__name__}: {len(self.to_arrow()):,} rows"

    def to_frame(self) -> "nw.DataFrame[pa.Table]":
        """The rows as a narwhals frame."""
        return nw.from_native(self.to_arrow(), eager_only=True)

    def to_pandas(self) -> Any:
        return self.to_arrow().to_pandas()

    def to_polars(self) -> Any:
        return self.to_frame().to_polars()

    def _head(self, most: int) -> tuple[pa.Table, int]:
        """At most so many of its first rows, and how many there are."""
        table = self.to_arrow()
        return table.slice(0, most), len(table)

    def __repr__(self) -> str:
        table, count = self._head(_MOST_ROWS)
        heads, rows = _cells(table.slice(0, _MOST_ROWS - (count > _MOST_ROWS)))
        if not rows:
            return self.headline
        widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in (heads, *rows)
        ]
        more = [f"... and {count - len(rows):,} more"] if count > len(rows) else []
        return "\n".join([self.headline, *(line[:_MOST_WIDTH].rstrip() for line in lines), *more])

    def _repr_html_(self) -> str:
        heads, rows = _cells(self._head(_MOST_ROWS)[0])
        body = "".join(f"<tr>{_row('td', row)}</tr>" for row in rows)
        return f"<p>{escape(self.headline)}</p><table><thead><tr>{_row('th', heads)}</tr></thead><tbody>{body}</tbody></table>"


class Rows(Tabular, tuple[_Row, ...], Generic[_Row]):
    """Values of one kind, as a tuple that shows itself. schema: the columns that a value makes, by the names of its attributes."""

    __slots__ = ()
    schema: ClassVar[Mapping[str, pa.DataType]]

    def to_arrow(self) -> pa.Table:
        return rows_table(self, self.schema)


def rows_table(rows: Sequence[Any], schema: Mapping[str, pa.DataType]) -> pa.Table:
    """A table of one row for each value, by the names of its attributes; of these columns even where there are no rows."""
    columns = [pa.array([getattr(row, name) for row in rows], kind) for name, kind in schema.items()]
    return pa.table(columns, schema=pa.schema(list(schema.items())))


def _cells(table: pa.Table) -> tuple[list[str], list[list[str]]]:
    """Heads and rows in letters that are safe to show."""
    return table.column_names, [[_shown(value) for value in row.values()] for row in table.to_pylist()]


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else clean(str(value), _MOST_LETTERS)


def _row(tag: str, cells: Sequence[str]) -> str:
    return "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells)
