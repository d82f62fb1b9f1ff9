"""Batches: a raw batch becomes rows of a contract, and rows that are none, each with its column and reason."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.clock import StoreClock
from regulars.clock.arrays import INSTANT, trading_day
from regulars.errors import DataError
from regulars.tables import bounds
from regulars.tables.contracts import Column, Kind
from regulars.tables.gathering import Gatherer
from regulars.tables.intake import LINE, REASONS, ROW, Intake, midnight_of
from regulars.tables.mapping import From
from regulars.tables.moments import Clocks, Instants, to_instants
from regulars.tables.readings import Moments, Reading, read, read_moments
from regulars.tables.readings.words import means_nothing
from regulars.tables.refunds import given_back, refund_of, with_refunded
from regulars.tables.shaping import Parted, Shaped, holds
from regulars.tables.verdict import Verdict


class Taken(NamedTuple):
    """accepted: the contract's columns, line, row and midnights. rejected: row, line, column, reason, original and, where readable, key."""

    accepted: pa.RecordBatch
    rejected: pa.RecordBatch


def take(raw: Shaped, intake: Intake) -> Taken:
    """Read one batch. Every row of the source comes back once, accepted or rejected."""
    batch = _Batch(intake, raw)
    for column in intake.contract.columns:
        batch.read(column)
    if intake.mapping.refund is not None:
        batch.give_back(holds(raw, intake.mapping.refund))
    bounds.check_table(intake.contract.table, batch.columns, batch.verdict, intake.settings)
    if intake.contract.derived:
        batch.derive()
    return batch.part()


def void(parted: Parted, intake: Intake) -> pa.RecordBatch:
    """The keys that never were, and why."""
    batch, names = _Batch(intake, parted.void), intake.contract.key
    keys = [batch.reading(intake.contract.by_name[name]).values for name in names]
    keys[1:] = [pa.nulls(len(key), key.type) if intake.mapping.each else key for key in keys[1:]]
    return pa.RecordBatch.from_arrays([*keys, parted.because], names=[*names, "because"])


@dataclass(slots=True)
class _Batch:
    """One batch while it is read: its columns so far, and what is wrong with its rows."""

    intake: Intake
    raw: Shaped
    columns: dict[str, pa.Array] = field(default_factory=dict)
    midnights: dict[str, pa.Array] = field(default_factory=dict)
    verdict: Verdict = field(init=False)
    stores: Clocks = field(init=False)
    is_date: pa.Array | None = None

    def __post_init__(self) -> None:
        self.verdict = Verdict.none_yet(len(self.raw.rows))
        store_id = self.intake.contract.by_name.get("store_id")
        stores = None if store_id is None else self.reading(store_id).values
        self.stores = self.intake.clocks_of(stores, len(self.raw.rows))

    def read(self, column: Column) -> None:
        """One column of the contract, and what is wrong with its values."""
        if column.kind is Kind.INSTANT:
            values, problem = self._instants(column)
        else:
            values, problem = self.reading(column)
            values = bounds.in_our_words(column, values)
            if column.kind is Kind.TEXT and not column.may_be_absent:
                self.intake.notes.add("words_kept", means_nothing(values), self.raw.line, column=column.name)
        self.verdict.add(column.name, problem)
        values = bounds.without_placeholders(column, values, self.raw.line, self.intake)
        self.columns[column.name] = values
        bounds.check(column, values, problem, self.verdict, self.intake)

    def reading(self, column: Column) -> Reading:
        """What the source says of a column, or what stands in where it says nothing."""
        intake, origin = self.intake, self.intake.mapping.columns.get(column.name)
        if origin is None or origin.value is not None:
            value = intake.default(column) if origin is None else origin.value
            return read(column.kind, pa.array([value] * len(self.raw.rows)), intake.manner(column, From(value=0)))
        if origin.line_number:
            numbers = self.raw.line.cast(pa.string())
            if column.kind is not Kind.INTEGER:
                numbers = pc.binary_join_element_wise(intake.source, numbers, ":")
            return read(column.kind, numbers, intake.manner(column, origin))
        reading = self._gatherer(column, origin).reading(column.kind)
        reading = bounds.stretched(reading, column, origin)
        if column.name == "store_id" and intake.store is not None:
            self._require_store(reading)
        default = intake.store_of(origin) if column.name == "store_id" else intake.default(column)
        if default is None:
            return reading
        filled = pc.fill_null(reading.values, pa.scalar(default, column.kind.arrow))
        return Reading(pc.if_else(pc.is_null(reading.problem), filled, reading.values), reading.problem)

    def _require_store(self, named: Reading) -> None:
        """Raise DataError where a row names another store than the one that was said."""
        store = self.intake.store
        is_other = pc.fill_null(pc.not_equal(named.values, store), False)
        if pc.any(is_other).as_py():
            line, other = (values.filter(is_other)[0] for values in (self.raw.line, named.values))
            raise DataError(
                f"{self.intake.source} line {line}: names the store '{other}', and --store says '{store}'; leave out --store, or say in "
                "a mapping which of your stores that is, with values"
            )

    def _gatherer(self, column: Column, origin: From) -> Gatherer:
        return Gatherer(self.raw, origin, self.intake.manner(column, origin), column.name, self.intake.notes)

    def _instants(self, column: Column) -> Reading:
        """Times as instants; those that the clock never showed are none."""
        origin = self.intake.mapping.columns.get(column.name)
        if origin is None:
            return Reading(pa.nulls(len(self.raw.rows), INSTANT), pa.nulls(len(self.raw.rows), pa.string()))
        found = self._moments(column, origin)
        found = bounds.without_no_dates(column, found, self.raw.line, self.intake)
        instants = to_instants(found, self._zones(column, origin), self.stores)
        self._count(column, found, instants)
        gap = pa.scalar("this time never was: the clock was put forward over it")
        problem = pc.if_else(pc.fill_null(instants.in_gap, False), gap, pa.scalar(None, pa.string()))
        return Reading(instants.values, pc.coalesce(found.problem, problem))

    def _moments(self, column: Column, origin: From) -> Moments:
        manner = self.intake.manner(column, origin)
        if origin.value is not None:
            return read_moments(pa.array([origin.value] * len(self.raw.rows)), manner)
        return read_moments(self._gatherer(column, origin).values(), manner)

    def _count(self, column: Column, found: Moments, instants: Instants) -> None:
        """Keep what tells dates alone from times, and times with offsets from those without."""
        times = self.intake.times.setdefault(column.name, [0, 0])
        times[0] += len(found.wall) - found.wall.null_count
        times[1] += len(instants.midnight) - instants.midnight.null_count
        self.midnights[column.name] = instants.midnight
        if column.name == "ordered_at":
            self.is_date = instants.is_date
        is_local = pc.and_(pc.and_(pc.is_valid(found.wall), pc.is_null(found.offset)), pc.invert(instants.is_date))
        self.intake.notes.add("times_without_offset", is_local, self.raw.line, column=column.name)
        self.intake.notes.add("times_with_offset", pc.is_valid(found.offset), self.raw.line, column=column.name)

    def _zones(self, column: Column, origin: From) -> Clocks:
        """The zone of each row: the one its row or its mapping names, else the store's, else the workspace's."""
        rows, zones = len(self.raw.rows), self.stores
        if origin.zone is not None:
            return Clocks.one(StoreClock(origin.zone), rows)
        if "store_id" not in self.intake.contract.references:
            zones = Clocks.one(StoreClock(self.intake.settings.zone), rows)
        if origin.zone_column is None:
            return zones
        said = read(Kind.ZONE, self.raw.column(origin.zone_column), self.intake.manner(column, origin))
        self.verdict.add(column.name, said.problem)
        named = pc.dictionary_encode(said.values)
        own = np.asarray(pc.fill_null(named.indices, -1), np.int64)
        more = [StoreClock(zone) for zone in named.dictionary.to_pylist()]
        return Clocks(np.where(own >= 0, own + len(zones.clocks), zones.of_row), [*zones.clocks, *more])

    def give_back(self, is_refund: pa.Array) -> None:
        """Make the rows that give money back refunds, each an order of its own."""
        mapping = self.intake.mapping
        origin, at = mapping.refunded_at or mapping.columns.get("ordered_at"), None
        if origin is not None:
            found = self._moments(self.intake.contract.by_name["order_id"], origin)
            self.verdict.add("order_id", pc.if_else(is_refund, found.problem, pa.scalar(None, pa.string())))
            at = found.wall
        self.columns |= given_back(self.columns, is_refund, refund_of(self.columns["order_id"], at))

    def derive(self) -> None:
        """The trading day, which the source may name itself, and the hour."""
        fine = pc.if_else(self.verdict.is_fine, self.columns["ordered_at"], pa.scalar(None, INSTANT))
        day = trading_day(fine, self.stores.of_row, self.stores.clocks)
        given = self.reading(self.intake.contract.derived[0])
        self.verdict.add("business_date", given.problem)
        hour = day.hour
        if self.is_date is not None:
            hour = pc.if_else(self.is_date, pa.scalar(None, pa.int64()), hour)
        self.columns |= {"business_date": pc.coalesce(given.values, day.business_date), "hour": hour}

    def part(self) -> Taken:
        """The rows of which nothing is wrong, and the others."""
        raw, verdict, contract = self.raw, self.verdict, self.intake.contract
        rows = pa.RecordBatch.from_arrays([self.columns[n] for n in contract.schema.names], schema=contract.schema)
        if self.intake.mapping.each is not None and self.intake.mapping.one_row_per is None:
            key = [self.columns[name] for name in contract.key]
            verdict.add(contract.key[-1], _twice_in_one_list(raw.row, key))
        back = self._refunded()
        accepted = rows.append_column(LINE, raw.line).append_column(ROW, raw.row)
        for column in contract.instants:
            midnight = self.midnights.get(column.name)
            none = pa.nulls(len(rows), pa.date32())
            accepted = accepted.append_column(midnight_of(column), none if midnight is None else midnight)
        rejected = pa.RecordBatch.from_pylist([], REASONS)
        bad = np.flatnonzero(np.asarray(pc.is_valid(verdict.reason)))
        if len(bad):
            is_fine = pc.invert(pc.is_in(raw.row, raw.row.take(pa.array(bad))))
            accepted, back = accepted.filter(is_fine), back.filter(is_fine)
            rejected = self._rejected(bad[np.unique(raw.place[bad], return_index=True)[1]])
        return Taken(with_refunded(accepted, back), _with_misshapen(rejected, raw))

    def _refunded(self) -> pa.Array:
        """What was given back of each order, where the mapping names a column of it."""
        origin = self.intake.mapping.refunded
        if origin is None:
            return pa.nulls(len(self.raw.rows), pa.int64())
        reading = self._gatherer(self.intake.contract.by_name["amount_minor"], origin).reading(Kind.MONEY)
        self.verdict.add("amount_minor", reading.problem)
        return reading.values

    def _rejected(self, bad: np.ndarray) -> pa.RecordBatch:
        raw, verdict = self.raw, self.verdict
        written = raw.raw.rows.take(pa.array(raw.place[bad])).to_pylist()
        at, key = pa.array(bad), self.columns[self.intake.contract.key[0]]
        columns = [
            raw.row.take(at),
            raw.line.take(at),
            verdict.column.take(at),
            verdict.reason.take(at),
            pa.array([self.intake.written(row) for row in written], pa.string()),
            key.take(at),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=REASONS)


def _twice_in_one_list(row: pa.Array, key: list[pa.Array]) -> pa.Array:
    """A sentence for each row whose key another row has that came from the same list."""
    words = [values.cast(pa.string()) for values in (row, *key)]
    codes = np.asarray(
        pc.dictionary_encode(pc.binary_join_element_wise(*words, "\x1f")).indices.fill_null(-1), np.int64
    )
    times = np.bincount(codes + 1)[codes + 1] if len(codes) else codes
    is_twice = pa.array((times > 1) & (codes >= 0))
    return pc.if_else(is_twice, pa.scalar("stands twice in one list"), pa.scalar(None, pa.string()))


def _with_misshapen(rejected: pa.RecordBatch, raw: Shaped) -> pa.RecordBatch:
    if not raw.misshapen:
        return rejected
    rows = [{"line": row.line, "reason": row.reason, "original": row.original} for row in raw.misshapen]
    both = pa.Table.from_batches([rejected, pa.RecordBatch.from_pylist(rows, REASONS)]).combine_chunks()
    return both.to_batches()[0]
