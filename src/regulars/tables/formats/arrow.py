"""Sources that are typed already: Parquet files and frames."""

import json
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from regulars.errors import DataError
from regulars.tables.formats.raw import ROWS_PER_BATCH, RawBatch, as_json, check_header, hash_of
from regulars.wording import Sentence

_INDEX = "__index_level_"
_ABSENT = ("None", "nan", "<NA>", "NaT")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParquetSource:
    """A Parquet file; a row's line is its number, from 1."""

    path: Path
    name: str
    identity: str
    columns: list[str]
    notes: tuple[Sentence, ...] = ()

    @classmethod
    def of(cls, path: Path) -> "ParquetSource":
        try:
            schema = pq.read_schema(path)
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(f"{path.name}: no Parquet file: {error}") from None
        return cls(path=path, name=path.name, identity=hash_of(path), columns=check_header(schema.names, path.name))

    def written(self, row: dict[str, Any]) -> str:
        return as_json(row)

    def batches(self) -> Generator[RawBatch, None, None]:
        try:
            with pq.ParquetFile(self.path) as file:
                yield from _numbered(file.iter_batches(ROWS_PER_BATCH), self.columns)
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(f"{self.name}: cannot be read to its end: {error}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameSource:
    """A frame in memory, or a stream, which can be read once only; a row's line is its number, from 1."""

    data: Any
    name: str
    columns: list[str]
    identity: None = None
    notes: tuple[Sentence, ...] = ()

    @classmethod
    def of(cls, data: Any) -> "FrameSource":
        name = f"a {type(data).__name__}"
        mend = "give each column one kind of value, such as frame.astype({'COLUMN': str})"
        try:
            kept = data if isinstance(data, pa.RecordBatchReader) else _readable(data)
            names = kept.schema.names if isinstance(kept, pa.RecordBatchReader) else _reader(kept).schema.names
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise DataError(f"{name}: cannot be read as columns: {error}; {mend}") from None
        return cls(data=kept, name=name, columns=check_header(_without_index(names), name))

    def written(self, row: dict[str, Any]) -> str:
        return as_json(row)

    def batches(self) -> Generator[RawBatch, None, None]:
        reader = self.data if isinstance(self.data, pa.RecordBatchReader) else _reader(self.data)
        there = _without_index(reader.schema.names)
        yield from _numbered((rows.select(there) for rows in reader), self.columns)


def _reader(data: Any) -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_stream(data)


def _readable(data: Any) -> Any:
    """The frame, or what can be read in its place: of pandas, columns that mix kinds of values become text.

    A guest may be 7 here and A7 there.
    """
    try:
        _reader(data)
    except (pa.ArrowException, TypeError, OverflowError):
        if not hasattr(data, "dtypes") or not hasattr(data, "items"):
            raise
        return pa.table({str(name): _as_column(column) for name, column in data.items()})
    return data


def _as_column(column: Any) -> pa.Array:
    if column.dtype != object:
        return pa.Array.from_pandas(column)
    return pa.array([None if str(value) in _ABSENT else str(value) for value in column], pa.string())


def _without_index(names: list[str]) -> list[str]:
    """Without the index of a pandas frame, which has no name and is no column of the caller's."""
    return [name for name in names if not name.startswith(_INDEX)]


def _numbered(batches: Iterator[pa.RecordBatch], names: list[str]) -> Iterator[RawBatch]:
    first = 1
    for rows in batches:
        plain = pa.RecordBatch.from_arrays([_as_text(column) for column in rows.columns], names=names)
        yield RawBatch(plain, pa.array(np.arange(first, first + len(rows)), pa.int64()))
        first += len(rows)


def _as_text(column: pa.Array) -> pa.Array:
    """Every kind of text as one kind, of which all of Arrow's functions know; nested values as JSON."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _as_text(column.cast(kind.value_type))
    if pa.types.is_nested(kind):
        said = [None if v is None else json.dumps(v, ensure_ascii=False, default=str) for v in column.to_pylist()]
        return pa.array(said, pa.string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return pa.array([_decoded(v) for v in column.to_pylist()], pa.string())
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return column.cast(pa.string())
    if pa.types.is_float16(kind) or pa.types.is_float32(kind):
        return column.cast(pa.float64()) if _is_exact(column) else pa.array(_shortest(column), pa.float64())
    return column


def _decoded(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")


def _is_exact(column: pa.Array) -> bool:
    numbers = np.asarray(column.cast(pa.float64()).drop_null())
    return bool(np.all(numbers == np.rint(numbers)))


def _shortest(column: pa.Array) -> list[float | None]:
    """Single-precision numbers as the decimal numbers that they were: 12.1, not 12.100000381."""
    return [None if v is None else float(str(np.float32(v))) for v in column.to_pylist()]
