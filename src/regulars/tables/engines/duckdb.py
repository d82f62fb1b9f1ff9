"""DuckDB: embedded, the engine by default."""

import contextlib
import shutil
import uuid
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb
import narwhals as nw
import pyarrow as pa
import pyarrow.parquet as pq

from regulars.errors import DataError
from regulars.tables.engines import Frame
from regulars.tables.engines.frames import completed

_ROWS_PER_BATCH = 131_072


class DuckDBEngine:
    """One in-memory connection; tables stay in the lake's Parquet files, large work spills to `scratch`."""

    name = "duckdb"

    def __init__(self, *, memory: str, scratch: Path) -> None:
        self._scratch = scratch / f"engine-{uuid.uuid4().hex}"
        with contextlib.suppress(OSError):  # who may only read has nowhere to spill
            scratch.mkdir(parents=True, exist_ok=True)  # DuckDB makes the last folder of a path, not those above
        weakref.finalize(self, shutil.rmtree, self._scratch, ignore_errors=True)
        self._connection = duckdb.connect()
        self._connection.execute(f"SET memory_limit = '{memory}'")
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("SET temp_directory = " + _quoted(str(self._scratch)))
        self._connection.execute("SET preserve_insertion_order = false")
        self._connection.execute("SET enable_progress_bar = false")

    def scan(self, files: Sequence[str], schema: pa.Schema) -> Frame:
        if not files:
            return nw.from_native(self._connection.from_arrow(schema.empty_table()))
        return completed(
            nw.from_native(self._connection.read_parquet(list(files), union_by_name=len(files) > 1)), schema
        )

    def write(self, frame: Frame, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            nw.to_native(frame).write_parquet(str(path), compression="zstd")
        except duckdb.IOException as error:
            raise OSError(str(error)) from None

    def write_files(self, frame: Frame, folder: Path) -> list[Path]:
        path = folder / f"part-{uuid.uuid4().hex}.parquet"
        self.write(frame, path)
        return [path]

    def keep(self, frame: Frame) -> Frame:
        path = self._new_file()
        self.write(frame, path)
        return nw.from_native(self._connection.read_parquet(str(path)))

    def stream(self, frame: Frame) -> pa.RecordBatchReader:
        return nw.to_native(frame).to_arrow_reader(_ROWS_PER_BATCH)

    def sql(self, query: str, tables: dict[str, Frame]) -> Frame:
        for name, frame in tables.items():
            nw.to_native(frame).create_view(name, replace=True)
        try:
            return nw.from_native(self._connection.sql(query))
        except duckdb.Error as error:
            raise DataError(f"the query failed: {error}") from None

    def map_batches(
        self, frame: Frame, function: Callable[[pa.RecordBatch], pa.RecordBatch], schema: pa.Schema
    ) -> Frame:
        """The results are spooled to a file, so that the frame can be read again and memory stays flat."""
        path = self._new_file()
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for batch in self.stream(frame):
                writer.write_batch(function(batch).cast(schema))
        return self.scan([str(path)], schema)

    def _new_file(self) -> Path:
        self._scratch.mkdir(parents=True, exist_ok=True)
        return self._scratch / f"{uuid.uuid4().hex}.parquet"


def open_engine(*, memory: str, scratch: Path) -> DuckDBEngine:
    return DuckDBEngine(memory=memory, scratch=scratch)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
