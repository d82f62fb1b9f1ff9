"""Engines: who does the work on tables. A few verbs; the only place that names DuckDB or Spark."""

import importlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import narwhals as nw
import pyarrow as pa

from regulars.errors import DataError

Frame = nw.LazyFrame[Any]

_CLUSTER = r"local(\[.+\])?|yarn|(spark|k8s|sc)://\S+"
NAMES = rf"duckdb|spark|{_CLUSTER}"
"""What an engine may be called, as a regular expression."""


class Engine(Protocol):
    """What every engine can do. Frames are lazy narwhals frames over the engine's own kind."""

    name: str

    def scan(self, files: Sequence[str], schema: pa.Schema) -> Frame:
        """The rows of Parquet files; none gives an empty frame of `schema`."""
        ...

    def write(self, frame: Frame, path: Path) -> None:
        """Write a frame to one Parquet file."""
        ...

    def write_files(self, frame: Frame, folder: Path) -> list[Path]:
        """Write a frame to new Parquet files somewhere below a folder, as many as suit the engine."""
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


def open_engine(engine: str, *, memory: str, scratch: Path) -> Engine:
    """`duckdb`, `spark`, or the address of a Spark cluster: a master or a Spark Connect address. Raises DataError for others."""
    if not re.fullmatch(NAMES, engine):
        raise DataError(
            f"no engine is called '{engine}'; there is duckdb, spark, and the address of a cluster such as spark://host:7077"
        )
    is_cluster = re.fullmatch(_CLUSTER, engine) is not None
    module = importlib.import_module(f"regulars.tables.engines.{'spark' if is_cluster else engine}")
    address = {"address": engine} if is_cluster else {}
    opened: Engine = module.open_engine(memory=memory, scratch=scratch, **address)
    return opened
