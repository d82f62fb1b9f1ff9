"""Spark: the cluster that many companies already have, for when one machine is not enough.

Spark reads and writes Parquet files; which of them make up a table is Delta's log, kept by deltalake on the driver. So no
jar beyond Spark's own is needed, and a result is committed in the same way whichever engine wrote it. The workspace must lie
where the driver and all executors see it under the same path.
"""

import logging
import os
import re
import shutil
import socket
import sys
import uuid
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa
import pyarrow.dataset as ds

from regulars.errors import DataError
from regulars.tables.engines import Frame
from regulars.tables.engines.frames import completed

try:
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession
    from pyspark.sql.pandas.types import from_arrow_schema
except ModuleNotFoundError:
    raise DataError("the engine spark needs PySpark: pip install 'regulars[spark]', and Java 17 or newer") from None

_LOCAL = "local[*]"
_SECONDS_TO_ANSWER = 5.0
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.compression.codec": "zstd",
}
_AT_START = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}


class SparkEngine:
    """One Spark session; half-done work lies in `scratch`, which every executor must see."""

    name = "spark"

    def __init__(self, session: SparkSession, *, scratch: Path) -> None:
        self._scratch = (scratch / f"engine-{uuid.uuid4().hex}").absolute()
        weakref.finalize(self, shutil.rmtree, self._scratch, ignore_errors=True)
        self.session = session

    def scan(self, files: Sequence[str], schema: pa.Schema) -> Frame:
        if not files:
            return nw.from_native(self.session.createDataFrame([], from_arrow_schema(schema)))
        found = self.session.read.option("mergeSchema", len(files) > 1).parquet(*map(_uri, files))
        return completed(nw.from_native(found), schema)

    def write(self, frame: Frame, path: Path) -> None:
        folder = self._new_folder()
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(self._written(nw.to_native(frame).coalesce(1), folder)[0], path)
        shutil.rmtree(folder)

    def write_files(self, frame: Frame, folder: Path) -> list[Path]:
        """Executors write into a new folder inside, so that a try of a task that failed leaves nothing among the files."""
        return self._written(nw.to_native(frame), folder / f"part-{uuid.uuid4().hex}")

    def keep(self, frame: Frame) -> Frame:
        folder = self._new_folder()
        self._written(nw.to_native(frame), folder)
        return nw.from_native(self.session.read.parquet(_uri(str(folder))))

    def stream(self, frame: Frame) -> pa.RecordBatchReader:
        """The rows are spooled to files, so that the driver never holds more than a batch of them."""
        folder = self._new_folder()
        rows = ds.dataset(self._written(nw.to_native(frame), folder))
        return pa.RecordBatchReader.from_batches(rows.schema, _read_once(rows, folder))

    def sql(self, query: str, tables: dict[str, Frame]) -> Frame:
        for name, frame in tables.items():
            nw.to_native(frame).createOrReplaceTempView(name)
        try:
            return nw.from_native(self.session.sql(query))
        except PySparkException as error:
            raise DataError(f"the query failed: {error}") from None

    def map_batches(
        self, frame: Frame, function: Callable[[pa.RecordBatch], pa.RecordBatch], schema: pa.Schema
    ) -> Frame:
        """The function runs on the executors: it is pickled, and must find its modules there."""

        def mapped(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            return (function(batch).cast(schema) for batch in batches)

        frames: Frame = nw.from_native(nw.to_native(frame).mapInArrow(mapped, from_arrow_schema(schema)))
        return frames

    def _written(self, native: Any, folder: Path) -> list[Path]:
        native.write.parquet(_uri(str(folder)))
        return sorted(folder.glob("*.parquet"))

    def _new_folder(self) -> Path:
        self._scratch.mkdir(parents=True, exist_ok=True)
        return self._scratch / uuid.uuid4().hex


def open_engine(*, memory: str, scratch: Path, address: str = "") -> SparkEngine:
    """The engine over a cluster, or over the session that already runs in this process.

    address: a master (`local[4]`, `spark://host:7077`, `yarn`, `k8s://...`) or a Spark Connect address (`sc://host:15002`);
    left empty, what SPARK_REMOTE or SPARK_MASTER say, else this machine.
    """
    return SparkEngine(_session(address or _from_environment(), memory), scratch=scratch)


def _session(address: str, memory: str) -> SparkSession:
    running = SparkSession.getActiveSession()
    if running is not None:
        return _set_up(running)
    _require_reachable(address)
    builder = SparkSession.builder.appName("regulars")
    logging.getLogger("py4j").setLevel(logging.ERROR)
    if address.startswith("sc://"):
        return _set_up(builder.remote(address).getOrCreate())
    if address.startswith("local"):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    for name, value in (_AT_START | {"spark.driver.memory": memory.replace(" ", "").removesuffix("B")}).items():
        builder = builder.config(name, value)
    try:
        return _set_up(builder.master(address).getOrCreate())
    except (PySparkException, Py4JError) as error:
        why = " ".join(str(error).splitlines()[:2])
        raise DataError(
            f"Spark did not start at {address}: {why}; it needs Java 17 or newer, and the cluster within reach"
        ) from None


def _require_reachable(address: str) -> None:
    """Ask the door before Spark does: it would knock for a minute."""
    if place := re.fullmatch(r"(spark|sc)://([^:/;]+):(\d+).*", address):
        try:
            socket.create_connection((place[2], int(place[3])), timeout=_SECONDS_TO_ANSWER).close()
        except OSError as error:
            raise DataError(
                f"nothing answers at {address}: {error.strerror or error}; is the cluster running, and its port open?"
            ) from None


def _set_up(session: SparkSession) -> SparkSession:
    for name, value in _SETTINGS.items():
        session.conf.set(name, value)
    return session


def _from_environment() -> str:
    return os.environ.get("SPARK_REMOTE") or os.environ.get("SPARK_MASTER") or _LOCAL


def _uri(path: str) -> str:
    return path if "://" in path else Path(path).absolute().as_uri()


def _read_once(rows: ds.Dataset, folder: Path) -> Iterator[pa.RecordBatch]:
    try:
        yield from rows.to_batches()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
