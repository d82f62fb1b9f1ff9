"""The lake: the tables of a workspace."""

import datetime as dt
import functools
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import narwhals as nw
import pyarrow as pa

from regulars.clock import StoreClock
from regulars.documents import nearest
from regulars.errors import DataError
from regulars.tables import delta, loading, recognition, rejects, unloading
from regulars.tables import mapping as mappings
from regulars.tables.contracts import CONTRACTS, contract
from regulars.tables.engines import Engine, Frame, open_engine
from regulars.tables.formats import FrameSource, JsonLinesSource, Source, in_decimals, open_source
from regulars.tables.guesses import sample_of
from regulars.tables.intake import Intake
from regulars.tables.names import has_same_names, same_names
from regulars.tables.recognition import Share
from regulars.tables.remarks import guessed
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


class Manner(NamedTuple):
    """How a load is done. store: the one that the source is of. load: what the loads of one file share. progress: told the rows read."""

    store: str | None = None
    load: str | None = None
    now: dt.datetime | None = None
    progress: Callable[[int], None] | None = None


def _require_store(store: str | None, table: str, clocks: dict[str, StoreClock]) -> None:
    """Raise DataError where a store is said that cannot be."""
    if store is None:
        return
    if "store_id" not in contract(table).references:
        raise DataError(f"the rows of {table} are of no store; leave out --store")
    if store not in clocks:
        raise DataError(f"no store '{store}'{nearest(store, clocks)} in stores; load it there first")


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
        store: str | None = None,
        encoding: str | None = None,
        now: dt.datetime | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> LoadReport:
        """Load a file, or any object with `__arrow_c_stream__`, into a table. The same file again changes nothing.

        mapping: None takes the workspace's mapping of that table, else the columns by our own names, else what is known of
        the export that the source is. store: the one that the source is of, where no column names it. encoding: of a text file.
        now: dates after it are rejected; None takes the clock. progress: told the rows read so far.
        Raises DataError where the source cannot be read or storage refuses; the table is then as it was.
        """
        contract(table)
        self.workspace.require_writable()
        clocks = self._clocks()
        _require_store(store, table, clocks)
        mapping = mapping or self.mapping(table)
        opened = open_source(
            source, **((mapping.manner if mapping else {}) | ({"encoding": encoding} if encoding else {}))
        )
        names = [*opened.columns, *(["store_id"] if store else [])]
        export = None if mapping or has_same_names(table, names) else self._export(table, opened)
        mapping = mapping or (recognition.in_its_manner(export.mapping, opened) if export else same_names(table, names))
        if mapping.table != table:
            raise DataError(f"this mapping makes {mapping.table}, not {table}")
        share = Share(mapping, "export" if export else "names", export.export if export else None)
        return self._load(opened, share, Manner(store=store, now=now, progress=progress), clocks)

    def load_files(
        self,
        sources: Iterable[Any],
        *,
        store: str | None = None,
        encoding: str | None = None,
        now: dt.datetime | None = None,
        progress: Callable[[str, int], None] | None = None,
    ) -> list[LoadReport]:
        """Load files, each into the tables that its columns show it to hold, stores before orders and orders before their lines.

        store: the one that the files are of. progress: told the name of a file and the rows read so far.
        Raises DataError where it cannot be told what a file holds, before anything is loaded. Whatever stops the loading of
        one of them takes back what was loaded so far.
        """
        self.workspace.require_writable()
        if store is not None and self.has("stores"):
            _require_store(store, "orders", self._clocks())
        opened = [open_source(source, **({"encoding": encoding} if encoding else {})) for source in sources]
        known = recognition.Known(self._kept(), self._chosen, store, self.has("stores"))
        plan = recognition.plan_of(opened, known)
        self._require_some_store(plan, store)
        names = {id(source): secrets.token_hex(4) for source in opened}
        manner = Manner(store=store, now=now or dt.datetime.now(dt.UTC))
        try:
            return list(self._load_all(plan, names, manner, progress))
        except BaseException:
            unloading.roll_back(self.workspace, self.engine, names.values())
            raise

    def _load_all(
        self,
        plan: list[tuple[Source, Share]],
        names: dict[int, str],
        manner: Manner,
        progress: Callable[[str, int], None] | None,
    ) -> Iterator[LoadReport]:
        """One table after another, of all files."""
        if manner.store is not None and not self.has("stores"):
            made = Share(same_names("stores", ["store_id"]), "names")
            first = manner._replace(store=None, load=next(iter(names.values())))
            said = replace(FrameSource.of(pa.table({"store_id": [manner.store]})), name="--store")
            yield self._load(said, made, first, {})
        for table in CONTRACTS:
            clocks = self._clocks()
            for source, share in plan:
                if share.table == table:
                    tell = None if progress is None else functools.partial(progress, source.name)
                    yield self._load(source, share, manner._replace(load=names[id(source)], progress=tell), clocks)

    def _load(self, source: Source, share: Share, manner: Manner, clocks: dict[str, StoreClock]) -> LoadReport:
        """Load a source into one table."""
        mapping = share.mapping
        store = manner.store if "store_id" in contract(mapping.table).references else None
        if store is not None:
            mapping = recognition.of_store(mapping, store, source.columns)
        if mapping.only is None or not isinstance(source, JsonLinesSource):
            mapping.require(source.columns, source.name)
        source = in_decimals(source, mapping.decimal)
        intake = Intake(
            mapping=mapping, settings=self.settings, clocks=clocks, now=manner.now or dt.datetime.now(dt.UTC), store=store,
            written=source.written, source=source.name, vendor=share.export, load=manner.load, only_new=share.only_new,
            guesses=guessed(share, source), also_read=share.also_read,
        )  # fmt: skip
        before = loading.repeated(source, intake, self.workspace)
        return before or loading.load(source, intake, self.workspace, self.engine, manner.progress)

    def _kept(self) -> dict[str, mappings.Mapping]:
        """The mappings that the workspace keeps, by their tables."""
        return {table: kept for table in CONTRACTS if (kept := self.mapping(table)) is not None}

    def _require_some_store(self, plan: list[tuple[Source, Share]], store: str | None) -> None:
        """Raise DataError where orders name no store and it cannot be known which one they are of."""
        if store is not None or len(self._clocks()) == 1:
            return
        for source, share in plan:
            if "store_id" in share.mapping.contract.references and not recognition.names_stores(share.mapping, source):
                has = f"{len(self._clocks())} stores" if self.has("stores") else "none yet"
                raise DataError(
                    f"{source.name}: names no store, and the workspace has {has}; say which it is of, with --store NAME"
                )

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
        return self._chosen(found, source)

    def _chosen(self, found: list[Export], source: Source) -> Export:
        if len(found) == 1 or source.identity is None or not self.has("orders"):
            return found[0]
        first = sample_of(source)
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
