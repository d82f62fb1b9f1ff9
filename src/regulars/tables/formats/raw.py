"""What every source gives: raw batches, and rows that are too misshapen to be in one."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pyarrow as pa

from regulars.errors import DataError

ROWS_PER_BATCH = 65_536
BYTES_PER_BLOCK = 8 << 20


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

    identity: hash of the whole content; None where it is only known by reading it.
    """

    @property
    def name(self) -> str: ...
    @property
    def identity(self) -> str | None: ...
    @property
    def columns(self) -> list[str]: ...
    def batches(self) -> Iterator[RawBatch]: ...
    def written(self, row: dict[str, Any]) -> str:
        """One row as the source has it, to be shown and mended."""
        ...


def hash_of(path: Path) -> str:
    """The SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_header(columns: list[str], name: str) -> list[str]:
    """The column names of a source, trimmed. Raises DataError where one stands twice or all are empty."""
    trimmed = [column.strip().lstrip("\ufeff") for column in columns]
    if not any(trimmed):
        raise DataError(f"{name}: the first line is empty; it must name the columns")
    for place, column in enumerate(trimmed):
        if column and (first := trimmed.index(column)) < place:
            raise DataError(
                f"{name} line 1: column '{column}' stands twice in the header (columns {first + 1} and {place + 1}); rename one"
            )
    return [column or f"column {place + 1}" for place, column in enumerate(trimmed)]


def as_json(row: dict[str, Any]) -> str:
    """One row as JSON: what a source shows that has no text of its own."""
    return json.dumps(
        {name: value for name, value in row.items() if value is not None}, ensure_ascii=False, default=str
    )
