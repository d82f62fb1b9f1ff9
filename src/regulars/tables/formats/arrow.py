"""Sources that are typed already: Parquet files and Arrow objects."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from regulars.errors import DataError
from regulars.tables.formats.raw import ROWS_PER_BATCH, RawBatch, as_json, check_header, hash_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ParquetSource:
    """A Parquet file; a row's line is its number, from 1."""

    path: Path
    name: str
    identity: str
    columns: list[str]

    @classmethod
    def of(cls, path: Path) -> "ParquetSource":
        try:
            schema = pq.read_schema(path)
        except pa.ArrowInvalid as error:
            raise DataError(f"{path.name}: no Parquet file: {error}") from None
        return cls(path=path, name=path.name, identity=hash_of(path), columns=check_header(schema.names, path.name))

    def written(self, row: dict[str, Any]) -> str:
        return as_json(row)

    def batches(self) -> Iterator[RawBatch]:
        with pq.ParquetFile(self.path) as file:
            yield from _numbered(file.iter_batches(ROWS_PER_BATCH))


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrowSource:
    """A frame in memory, or a stream; a row's line is its number, from 1."""

    reader: pa.RecordBatchReader
    name: str
    columns: list[str]
    identity: None = None

    @classmethod
    def of(cls, data: Any) -> "ArrowSource":
        reader = pa.RecordBatchReader.from_stream(data)
        name = f"a {type(data).__name__}"
        return cls(reader=reader, name=name, columns=check_header(reader.schema.names, name))

    def written(self, row: dict[str, Any]) -> str:
        return as_json(row)

    def batches(self) -> Iterator[RawBatch]:
        yield from _numbered(self.reader)


def _numbered(batches: Iterator[pa.RecordBatch]) -> Iterator[RawBatch]:
    first = 1
    for rows in batches:
        yield RawBatch(_plain(rows), pa.array(np.arange(first, first + len(rows)), pa.int64()))
        first += len(rows)


def _plain(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Every kind of text as one kind, of which all of Arrow's functions know; nested values as JSON."""
    return pa.RecordBatch.from_arrays([_as_text(column) for column in rows.columns], names=rows.schema.names)


def _as_text(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        said = [None if v is None else json.dumps(v, ensure_ascii=False, default=str) for v in column.to_pylist()]
        return pa.array(said, pa.string())
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return column.cast(pa.string())
    return column
