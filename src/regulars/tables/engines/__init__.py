"""Engines: who does the work on tables. A few verbs; the only place that names DuckDB or Spark."""

import importlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import narwhals as nw
import pyarrow as pa

from regulars.errors import DataError

Frame = nw.LazyFrame[Any]

_ENGINES = {"duckdb": "regulars.tables.engines.duckdb"}


class Engine(Protocol):
    """What every engine can do. Frames are lazy narwhals frames over the engine's own kind."""

    name: str

    def scan(self, files: Sequence[str], schema: pa.Schema) -> Frame:
        """The rows of Parquet files; none gives an empty frame of `schema`."""
        ...

    def write(self, frame: Frame, path: Path) -> None:
        """Write a frame to one Parquet file."""
        ...

    def keep(self, frame: Frame) -> Frame:
        """A frame worked out once, to be read often; it goes away with the engine."""
        ...

    def stream(self, frame: Frame) -> pa.RecordBatchReader:
        """The rows of a frame as Arrow batches, one after another."""
        ...

    def sql(self, query: str, tables: dict[str, Frame]) -> Frame:
        """A query over named frames."""
        ...

    def map_batches(
        self, frame: Frame, function: Callable[[pa.RecordBatch], pa.RecordBatch], schema: pa.Schema
    ) -> Frame:
        """Run a function over Arrow batches of a frame; `schema` is that of what it returns."""
        ...


def open_engine(name: str, *, memory: str, scratch: Path) -> Engine:
    """The engine of that name. Raises DataError where there is none."""
    if name not in _ENGINES:
        raise DataError(f"no engine is called '{name}'; there is {', '.join(_ENGINES)}")
    engine: Engine = importlib.import_module(_ENGINES[name]).open_engine(memory=memory, scratch=scratch)
    return engine


def rechunked(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatchReader:
    """Batches as one reader, each cast to `schema`."""
    return pa.RecordBatchReader.from_batches(schema, (batch.cast(schema) for batch in batches))
