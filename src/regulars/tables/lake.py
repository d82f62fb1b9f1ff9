"""The lake: the tables of a workspace."""

import datetime as dt
import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import narwhals as nw
import pyarrow as pa

from regulars.clock import StoreClock
from regulars.errors import DataError
from regulars.tables import delta, loading, rejects, unloading
from regulars.tables import mapping as mappings
from regulars.tables.contracts import CONTRACTS, contract
from regulars.tables.engines import Engine, Frame, open_engine
from regulars.tables.formats import JsonLinesSource, Source, open_source
from regulars.tables.intake import Intake
from regulars.tables.names import has_same_names, same_names
from regulars.tables.report import LoadReport
from regulars.tables.unloading import Load, Unloaded
from regulars.tables.vendors import Export, recognise, unknown_source
from regulars.tables.workspace import Settings, Workspace

_MOST_IDS = 500


class Rejected(NamedTuple):
    """total: how many rows. reasons: table, column, n and an example. rows: single rows, those of the latest load first."""

    total: int
    reasons: pa.Table
    rows: pa.Table


class Lake:
    """The tables of one workspace, read and changed through one engine.

    >>> import tempfile, pyarrow as pa, regulars as rg
    >>> lake = rg.Lake.create(tempfile.mkdtemp() + "/workspace", zone="America/New_York")
    >>> report = lake.load("stores", pa.table({"store_id": ["S1"], "zone": ["America/New_York"]}))
    >>> report.accepted, report.rejected, report.changed
    (1, 0, 1)
    >>> lake.read("stores")["store_id"].to_pylist()
    ['S1']
    """

    def __init__(self, workspace: Workspace, engine: Engine, versions: Mapping[str, int] | None = None) -> None:
        self.workspace = workspace
        self.engine = engine
        self._versions = versions or {}

    @classmethod
    def create(cls, path: str | Path, **settings: Any) -> "Lake":
        """Make a workspace; settings are those of workspace.toml (currency, zone, day_closes_at, margin_rate, memory, engine)."""
        return cls._over(Workspace.create(Path(path), Settings(**settings)))

    @classmethod
    def open(cls, path: str | Path, *, engine: str | None = None) -> "Lake":
        """Open a workspace. engine: `duckdb`, `spark` or the address of a Spark cluster; None takes that of workspace.toml.

        Raises DataError where there is no workspace, one that a newer version made, or no such engine.
        """
        return cls._over(Workspace.open(Path(path)), engine)

    @classmethod
    def _over(cls, workspace: Workspace, engine: str | None = None) -> "Lake":
        settings = workspace.settings
        return cls(workspace, open_engine(engine or settings.engine, memory=settings.memory, scratch=workspace.scratch))

    @property
    def settings(self) -> Settings:
        return self.workspace.settings

    def load(
        self,
        table: str,
        source: Any,
        *,
        mapping: mappings.Mapping | None = None,
        now: dt.datetime | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> LoadReport:
        """Load a file, or any object with `__arrow_c_stream__`, into a table. The same file again changes nothing.

        mapping: None takes the workspace's mapping of that table, else the columns by our own names, else what is known of
        the export that the source is.
        now: dates after it are rejected; None takes the clock. progress: told the rows read so far.
        Raises DataError where the source cannot be read or storage refuses; the table is then as it was.
        """
        contract(table)
        self.workspace.require_writable()
        mapping = mapping or self.mapping(table)
        opened = open_source(source, **mapping.manner) if mapping else open_source(source)
        export = None if mapping or has_same_names(table, opened.columns) else self._export(table, opened)
        mapping = mapping or (export.mapping if export else same_names(table, opened.columns))
        if mapping.table != table:
            raise DataError(f"this mapping makes {mapping.table}, not {table}")
        if mapping.only is None or not isinstance(opened, JsonLinesSource):
            mapping.require(opened.columns, opened.name)
        intake = Intake(
            mapping=mapping, settings=self.settings, clocks=self._clocks(), now=now or dt.datetime.now(dt.UTC),
            written=opened.written, source=opened.name, vendor=export.export if export else None,
        )  # fmt: skip
        before = loading.repeated(opened, intake, self.workspace)
        return before or loading.load(opened, intake, self.workspace, self.engine, progress)

    def at(self, versions: Mapping[str, int]) -> "Lake":
        """The same lake as it was: each table at the version given, others as they are now."""
        return Lake(self.workspace, self.engine, versions)

    def has(self, table: str) -> bool:
        """Whether anything was ever loaded into a table."""
        return bool(self._files(table))

    def scan(self, table: str) -> Frame:
        """A table as a lazy narwhals frame. Raises DataError where nothing was loaded into it yet."""
        files = self._files(table)
        if not files:
            contract(table)
            raise DataError(f"{self.workspace.path} holds no {table} yet; `regulars load {table} FILE` brings them")
        schema = CONTRACTS[table].schema if table in CONTRACTS else pa.schema([])
        return self.engine.scan(files, schema)

    def read(self, table: str) -> pa.Table:
        """A whole table, as Arrow."""
        return self.collect(self.scan(table))

    def collect(self, frame: Frame) -> pa.Table:
        """The rows of a frame, as Arrow."""
        return self.engine.stream(frame).read_all()

    def sql(self, query: str) -> Frame:
        """A query over the tables of the lake, by their names."""
        return self.engine.sql(query, {table: self.scan(table) for table in CONTRACTS if self.has(table)})

    def write(self, table: str, frame: Frame) -> None:
        """Put a frame in the place of a table that regulars derives, such as profiles."""
        if table in CONTRACTS:
            raise DataError(f"{table} is loaded, never written; use load")
        self.workspace.require_writable()
        delta.replace_with_files(self.workspace.table(table), functools.partial(self.engine.write_files, frame))

    def loads(self) -> list[Load]:
        """Every load that the workspace remembers, the latest first, those that were taken back too."""
        return unloading.loads(self.workspace)

    def unload(self, load: str, table: str | None = None) -> list[Unloaded]:
        """Take back a load, by what its report calls it: from one of its tables, or from all.

        What it had replaced comes back; what a later load replaced stays that load's. The same file can be loaded again afterwards.
        Raises DataError where no load is called so, or several are.
        """
        self.workspace.require_writable()
        if table is not None:
            contract(table)
        return unloading.unload(self.workspace, self.engine, load, table)

    def rejects(self) -> Frame:
        """The rejected rows that wait: load_id, table, file, line, column, reason, original, loaded_at, key, content."""
        return rejects.frame(self.workspace, self.engine)

    def why_rejected(self, table: str | None = None, limit: int = 20) -> Rejected:
        """The rejected rows of one table, or of all: how many, the commonest reasons, and the first `limit` of them."""
        frame = self.rejects() if table is None else self.rejects().filter(nw.col("table") == contract(table).table)
        counted = frame.group_by("table", "column").agg(
            nw.len().cast(nw.Int64).alias("n"), nw.col("reason").min().alias("example")
        )
        reasons = self.collect(counted).sort_by([("n", "descending"), ("table", "ascending")])
        rows = self.collect(frame.sort("loaded_at", "file", "line", descending=[True, False, False]).head(limit))
        return Rejected(sum(reasons["n"].to_pylist()), reasons, rows)

    def file_count(self, table: str) -> int:
        """How many files a table is kept in."""
        return len(self._files(table))

    def version(self, table: str) -> int:
        """The version of a table; it grows with every commit. -1 where nothing was loaded."""
        return delta.version(self.workspace.table(table))

    def mapping(self, table: str) -> mappings.Mapping | None:
        """The mapping that the workspace keeps for a table, None where it keeps none."""
        path = self.workspace.mappings / f"{table}.toml"
        return mappings.read_mapping(path) if path.exists() else None

    def save_mapping(self, mapping: mappings.Mapping) -> Path:
        """Keep a mapping with the workspace, as the one for its table."""
        self.workspace.require_writable()
        path = self.workspace.mappings / f"{mapping.table}.toml"
        path.write_text(mapping.to_toml(), encoding="utf-8")
        return path

    def _export(self, table: str, source: Source) -> Export:
        """The known export that a source is; where two have the same columns, the one whose orders are in the lake."""
        found = recognise(source.columns, table)
        if not found:
            raise unknown_source(table, source.columns, source.name)
        if len(found) == 1 or source.identity is None or not self.has("orders"):
            return found[0]
        first = next(source.batches()).rows
        return max(found, key=lambda export: self._orders_among(first.column(export.columns["order_id"].sources[0])))

    def _orders_among(self, ids: pa.Array) -> int:
        """How many of the first ids are orders that were loaded."""
        some = ids.unique().to_pylist()[:_MOST_IDS]
        return len(self.collect(self.scan("orders").filter(nw.col("order_id").is_in(some)).select("order_id")))

    def _files(self, table: str) -> list[str]:
        return delta.files(self.workspace.table(table), self._versions.get(table))

    def _clocks(self) -> dict[str, StoreClock]:
        if not self.has("stores"):
            return {}
        stores = self.collect(self.scan("stores").select(nw.col("store_id", "zone", "day_closes_at")))
        return {row["store_id"]: StoreClock(row["zone"], row["day_closes_at"]) for row in stores.to_pylist()}
