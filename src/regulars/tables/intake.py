"""Intake: all that decides how the rows of one source are read, and what is noticed on the way."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.clock import StoreClock
from regulars.tables.contracts import Column, Contract, Kind
from regulars.tables.mapping import From, Mapping
from regulars.tables.moments import Clocks, at_noon
from regulars.tables.notes import Notes
from regulars.tables.readings import Manner
from regulars.tables.workspace import Settings
from regulars.wording import Sentence

LINE, ROW = "__line", "__row"
_MIDNIGHT = "__midnight of "
REASONS = pa.schema(
    [
        ("row", pa.int64()),
        ("line", pa.int64()),
        ("column", pa.string()),
        ("reason", pa.string()),
        ("original", pa.string()),
        ("key", pa.string()),
    ]
)


def midnight_of(column: Column) -> str:
    """The column of staged rows that holds the date of each time that was written as midnight."""
    return _MIDNIGHT + column.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Reads raw batches of one source by one mapping.

    clocks: store -> its clock, for tables that name stores. now: nothing may lie more than a day after it. vendor: the known
    export that the source is. load: what the loads of one file into several tables share. only_new: keep what the table holds.
    store: the one that the source is of, where that was said. guesses: what to say of how the source is read.
    also_read: columns from which other tables are read.
    notes: what else there is to say, gathered batch by batch. times: by column, how many times there were, and at midnight.
    """

    mapping: Mapping
    settings: Settings
    clocks: dict[str, StoreClock]
    now: dt.datetime
    written: Callable[[dict[str, object]], str]
    source: str
    vendor: str | None = None
    load: str | None = None
    only_new: bool = False
    store: str | None = None
    guesses: tuple[Sentence, ...] = ()
    also_read: tuple[str, ...] = ()
    notes: Notes = field(default_factory=Notes)
    times: dict[str, list[int]] = field(default_factory=dict)

    @property
    def contract(self) -> Contract:
        return self.mapping.contract

    def holds_dates(self, column: Column) -> bool:
        """Whether every time of a column was written as midnight, so that the source has dates alone."""
        times, midnights = self.times.get(column.name, [0, 0])
        return 0 < times == midnights

    def on_their_days(self, staged: pa.RecordBatch, column: Column) -> pa.RecordBatch:
        """Staged rows whose times at midnight were dates alone: each on its day, with no hour."""
        names, midnight = staged.schema.names, staged.column(midnight_of(column))
        stores = self.clocks_of(staged.column("store_id") if "store_id" in names else None, len(staged))
        changed = {column.name: at_noon(midnight, stores)}
        if self.contract.derived:
            changed |= {"hour": pa.nulls(len(staged), pa.int64())}
            if "business_date" not in self.mapping.columns:
                changed |= {"business_date": midnight}
        arrays = [changed.get(name, staged.column(name)) for name in names]
        return pa.RecordBatch.from_arrays(arrays, schema=staged.schema)

    def clocks_of(self, store_id: pa.Array | None, rows: int) -> Clocks:
        """The clock of each row's store; the workspace's in tables that do not need one."""
        if self.contract.references.get("store_id") != "stores" or store_id is None:
            return Clocks.one(StoreClock(self.settings.zone, self.settings.day_closes_at), rows)
        stores = pc.dictionary_encode(store_id)
        clocks = sorted({self.clocks[s] for s in stores.dictionary.to_pylist() if s in self.clocks})
        place = {clock: index for index, clock in enumerate(clocks)}
        of_store = [place.get(self.clocks.get(s), -1) for s in stores.dictionary.to_pylist()]  # type: ignore[arg-type]
        indices = np.asarray(pc.fill_null(stores.indices, len(of_store)), dtype=np.int64)
        return Clocks(np.array([*of_store, -1], dtype=np.int64)[indices], clocks)

    @property
    def only_store(self) -> str | None:
        return next(iter(self.clocks)) if len(self.clocks) == 1 else None

    def store_of(self, origin: From) -> str | None:
        """The store of rows that name none."""
        return self.store or (self.only_store if origin.only_store else None)

    def default(self, column: Column) -> str | int | float | bool | None:
        return str(getattr(self.settings, column.name)) if column.is_setting else column.default

    def manner(self, column: Column, origin: From) -> Manner:
        return Manner(
            exponent=self.settings.exponent,
            is_major=origin.unit == "major",
            decimal=self.mapping.decimal,
            format=origin.format,
            currency=self.settings.currency,
            nothing=origin.nothing,
            is_percent=column.is_percent,
            keeps_words=column.kind is Kind.TEXT and not column.may_be_absent,
        )
