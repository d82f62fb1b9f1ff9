"""What every source gives: raw batches, and rows that are too misshapen to be in one."""

import hashlib
import json
import re
from collections.abc import Generator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.errors import DataError
from regulars.tables.readings.words import cleaned
from regulars.wording import Sentence

ROWS_PER_BATCH = 65_536
BYTES_PER_BLOCK = 8 << 20
LINES_OF_HEADER = 20
_MOST_OF_A_TITLE = 2
_LEAST_OF_A_HEADER = 4


class Misshapen(NamedTuple):
    """A row that cannot even be split into columns."""

    line: int
    reason: str
    original: str


class RawBatch(NamedTuple):
    """Rows as the source wrote them.

    rows: the source's columns, text or typed, n rows.
    line: int64 array, shape (n,): on which line of text, or as which row, each begins.
    misshapen: rows among them that are not in `rows`.
    """

    rows: pa.RecordBatch
    line: pa.Array
    misshapen: tuple[Misshapen, ...] = ()


class Source(Protocol):
    """Something that can be loaded.

    identity: hash of the whole content; None where it is only known by reading it. notes: what of the file is not read.
    """

    @property
    def name(self) -> str: ...
    @property
    def identity(self) -> str | None: ...
    @property
    def columns(self) -> list[str]: ...
    @property
    def notes(self) -> tuple[Sentence, ...]: ...
    def batches(self) -> Generator[RawBatch, None, None]: ...
    def written(self, row: dict[str, Any]) -> str:
        """One row as the source has it, to be shown and mended."""
        ...


def hash_of(path: Path) -> str:
    """The SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_header(columns: Sequence[str], name: str, line: int = 1) -> list[str]:
    """The column names of a source, cleaned. Raises DataError where one stands twice or all are empty."""
    named = [clean_name(column) for column in columns]
    if not any(named):
        raise DataError(f"{name}: the first line is empty; it must name the columns")
    for place, column in enumerate(named):
        if column and (first := named.index(column)) < place:
            raise DataError(
                f"{name} line {line}: column '{column}' stands twice in the header (columns {first + 1} and {place + 1}); rename one"
            )
    return [column or f"column {place + 1}" for place, column in enumerate(named)]


@lru_cache(maxsize=10_000)
def clean_name(name: str) -> str:
    """The name of a column without spaces around it and marks that cannot be seen."""
    return str(cleaned(pa.array([name]))[0].as_py())


def header_place(rows: Sequence[Sequence[Any]]) -> int:
    """Which of the first rows of a file names the columns: the first, unless titles of a report stand above it.

    rows: the filled cells of each.
    """
    widths = [len(row) for row in rows]
    if not widths or widths[0] > _MOST_OF_A_TITLE:
        return 0
    place = next((place for place, width in enumerate(widths) if width >= _LEAST_OF_A_HEADER), 0)
    cells, below = rows[place], widths[place + 1 :]
    is_header = len(set(cells)) == len(cells) and not any(map(_is_number, cells)) and max(below, default=0) > 1
    return place if is_header else 0


def without_headers(batch: RawBatch, source: Source) -> RawBatch:
    """A batch without the header where it stands again, as where files were joined.

    Raises DataError where it has its columns in another order: the rows after it would be misread.
    """
    named = pa.array([mark + column + mark for column in source.columns for mark in ("", '"')], pa.string())
    first = pc.replace_substring(batch.rows.column(0), "\ufeff", "")
    maybe = np.flatnonzero(np.asarray(pc.fill_null(pc.is_in(first, named), False)))
    again = pa.array([place for place in maybe.tolist() if _is_header(batch, place, source)], pa.int64())
    if not len(again):
        return batch
    is_row = pc.invert(pc.is_in(pa.array(np.arange(len(batch.rows))), again))
    odd = (
        Misshapen(line, "is the header again", source.written(row))
        for line, row in zip(batch.line.take(again).to_pylist(), batch.rows.take(again).to_pylist(), strict=True)
    )
    return RawBatch(batch.rows.filter(is_row), batch.line.filter(is_row), (*batch.misshapen, *odd))


def _is_header(batch: RawBatch, place: int, source: Source) -> bool:
    row = batch.rows.slice(place, 1).to_pylist()[0].values()
    cells = [clean_name(str(value)).strip('"') for value in row]
    if len(cells) > 1 and cells != source.columns and sorted(cells) == sorted(source.columns):
        raise DataError(
            f"{source.name} line {batch.line[place]}: the header stands here again with its columns in another order, as where "
            "files were joined; load those one by one"
        )
    return cells == source.columns


def _is_number(cell: Any) -> bool:
    return re.fullmatch(r"[\d.,:/-]+", str(cell)) is not None


def as_json(row: dict[str, Any]) -> str:
    """One row as JSON: what a source shows that has no text of its own."""
    return json.dumps(
        {name: value for name, value in row.items() if value is not None}, ensure_ascii=False, default=str
    )
