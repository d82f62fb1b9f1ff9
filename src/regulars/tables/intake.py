"""Intake: a raw batch becomes rows of a contract, and rows that are none, each with its column and reason."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.clock import StoreClock
from regulars.clock.arrays import to_instant, trading_day
from regulars.tables.contracts import INSTANT, Column, Contract, Kind
from regulars.tables.gathering import gather
from regulars.tables.mapping import From, Mapping
from regulars.tables.readings import Manner, Reading, read
from regulars.tables.refunds import given_back, with_refunded, with_refunds_of
from regulars.tables.shaping import Parted, Shaped, holds
from regulars.tables.workspace import Settings

LINE, ROW = "__line", "__row"
FUTURE_ALLOWED = dt.timedelta(days=1)
EARLIEST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
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


class Taken(NamedTuple):
    """accepted: the contract's columns, line and row. rejected: row, line, column, reason, original and, where readable, key."""

    accepted: pa.RecordBatch
    rejected: pa.RecordBatch


@dataclass(slots=True)
class _Verdict:
    """The first thing that is wrong with each row, and in which column."""

    column: pa.Array
    reason: pa.Array

    @classmethod
    def none_yet(cls, length: int) -> "_Verdict":
        return cls(pa.nulls(length, pa.string()), pa.nulls(length, pa.string()))

    def add(self, name: str, reason: pa.Array) -> None:
        if reason.null_count == len(reason):
            return
        is_first = pc.and_(pc.is_null(self.reason), pc.is_valid(reason))
        self.column = pc.if_else(is_first, pa.scalar(name), self.column)
        self.reason = pc.coalesce(self.reason, reason)

    def add_where(self, name: str, is_bad: pa.Array, sentence: str) -> None:
        if pc.any(is_bad).as_py():
            self.add(name, pc.if_else(pc.fill_null(is_bad, False), pa.scalar(sentence), pa.scalar(None, pa.string())))


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Reads raw batches of one source by one mapping.

    clocks: store -> its clock, for tables that name stores. now: nothing may lie more than a day after it.
    """

    mapping: Mapping
    settings: Settings
    clocks: dict[str, StoreClock]
    now: dt.datetime
    written: Callable[[dict[str, object]], str]
    source: str

    @property
    def contract(self) -> Contract:
        return self.mapping.contract

    def take(self, raw: Shaped) -> Taken:
        """Read one batch. Every row of the source comes back once, accepted or rejected."""
        verdict = _Verdict.none_yet(len(raw.line))
        columns: dict[str, pa.Array] = {}
        clock_of_row, clocks = self._clocks_of(raw)
        for column in self.contract.columns:
            reading = self._column(column, raw)
            values = reading.values
            verdict.add(column.name, reading.problem)
            if column.kind is Kind.INSTANT and values.type.tz is None:
                rows, known = self._zones_of(column, raw, clock_of_row, clocks, verdict)
                values, in_gap = to_instant(values, rows, known)
                verdict.add_where(column.name, in_gap, "this time never was: the clock was put forward over it")
            columns[column.name] = values
            self._check(column, values, reading.problem, verdict)
        if self.mapping.refund is not None:
            columns |= given_back(columns, holds(raw, self.mapping.refund))
        self._check_table(columns, verdict)
        if self.contract.derived:
            is_fine = pc.is_null(verdict.reason)
            fine = pc.if_else(is_fine, columns["ordered_at"], pa.scalar(None, INSTANT))
            day = trading_day(fine, clock_of_row, clocks)
            given = self._given_date(raw, verdict)
            columns |= {"business_date": pc.coalesce(given, day.business_date), "hour": day.hour}
        return self._part(columns, raw, verdict)

    def void(self, parted: Parted) -> pa.RecordBatch:
        """The keys that never were, and why; with each order, its refund."""
        raw, because = parted.void, parted.because
        names = self.contract.key
        keys = [self._column(self.contract.by_name[name], raw).values for name in names]
        keys[1:] = [pa.nulls(len(key), key.type) if self.mapping.each else key for key in keys[1:]]
        void = pa.RecordBatch.from_arrays([*keys, because], names=[*names, "because"])
        return void if names[0] != "order_id" else with_refunds_of(void)

    def _given_date(self, raw: Shaped, verdict: _Verdict) -> pa.Array:
        """The trading day that the source itself names, where it does."""
        reading = self._column(self.contract.derived[0], raw)
        verdict.add("business_date", reading.problem)
        return reading.values

    def _clocks_of(self, raw: Shaped) -> tuple[np.ndarray, list[StoreClock]]:
        """The clock of each row's store, -1 where the store is unknown."""
        if self.contract.references.get("store_id") != "stores":
            workspace = StoreClock(self.settings.zone, self.settings.day_closes_at)
            return np.zeros(len(raw.rows), dtype=np.int64), [workspace]
        stores = pc.dictionary_encode(self._column(self.contract.by_name["store_id"], raw).values)
        clocks = sorted({self.clocks[s] for s in stores.dictionary.to_pylist() if s in self.clocks})
        place = {clock: index for index, clock in enumerate(clocks)}
        of_store = [place.get(self.clocks.get(s), -1) for s in stores.dictionary.to_pylist()]  # type: ignore[arg-type]
        indices = np.asarray(pc.fill_null(stores.indices, len(of_store)), dtype=np.int64)
        return np.array([*of_store, -1], dtype=np.int64)[indices], clocks

    def _zones_of(
        self, column: Column, raw: Shaped, clock_of_row: np.ndarray, clocks: list[StoreClock], verdict: _Verdict
    ) -> tuple[np.ndarray, list[StoreClock]]:
        """The zone of each row: the one its row or its mapping names, else the store's, else the workspace's."""
        origin = self.mapping.columns.get(column.name)
        if origin is not None and origin.zone is not None:
            return np.zeros(len(raw.rows), np.int64), [StoreClock(origin.zone)]
        if "store_id" not in self.contract.references:
            clock_of_row, clocks = np.zeros(len(raw.rows), np.int64), [StoreClock(self.settings.zone)]
        if origin is None or origin.zone_column is None:
            return clock_of_row, clocks
        said = read(Kind.ZONE, raw.column(origin.zone_column), self._manner(origin))
        verdict.add(column.name, said.problem)
        named = pc.dictionary_encode(said.values)
        own = np.asarray(pc.fill_null(named.indices, -1), np.int64)
        zones = [StoreClock(zone) for zone in named.dictionary.to_pylist()]
        return np.where(own >= 0, own + len(clocks), clock_of_row), [*clocks, *zones]

    def _column(self, column: Column, raw: Shaped) -> Reading:
        origin, length = self.mapping.columns.get(column.name), len(raw.rows)
        if origin is None or origin.value is not None:
            value = self._default(column) if origin is None else origin.value
            return read(column.kind, pa.array([value] * length), self._manner(From(value=0)))
        if origin.line_number:
            numbers = raw.line.cast(pa.string())
            if column.kind is not Kind.INTEGER:
                numbers = pc.binary_join_element_wise(self.source, numbers, ":")
            return read(column.kind, numbers, self._manner(origin))
        reading = _stretched(gather(column.kind, raw, origin, self._manner(origin)), column, origin)
        default = self._default(column) if not origin.only_store else self._only_store()
        if default is None:
            return reading
        filled = pc.fill_null(reading.values, pa.scalar(default, column.kind.arrow))
        return Reading(pc.if_else(pc.is_null(reading.problem), filled, reading.values), reading.problem)

    def _only_store(self) -> str | None:
        return next(iter(self.clocks)) if len(self.clocks) == 1 else None

    def _default(self, column: Column) -> str | int | float | bool | None:
        return str(getattr(self.settings, column.name)) if column.is_setting else column.default

    def _manner(self, origin: From) -> Manner:
        return Manner(
            exponent=self.settings.exponent,
            is_major=origin.unit == "major",
            decimal=self.mapping.decimal,
            format=origin.format,
            currency=self.settings.currency,
        )

    def _check(self, column: Column, values: pa.Array, problem: pa.Array, verdict: _Verdict) -> None:
        if not column.may_be_absent:
            is_missing = pc.and_(pc.is_null(values), pc.is_null(problem))
            verdict.add_where(column.name, is_missing, self._missing(column))
        mend = (
            "; if the source has another scale, say so in the mapping, such as scale = [0, 10]"
            if column.is_scale
            else ""
        )
        if column.least is not None:
            verdict.add_where(column.name, pc.less(values, column.least), f"is less than {column.least:g}{mend}")
        if column.most is not None:
            verdict.add_where(column.name, pc.greater(values, column.most), f"is more than {column.most:g}{mend}")
        if column.kind is Kind.INSTANT:
            verdict.add_where(column.name, pc.less(values, pa.scalar(EARLIEST, INSTANT)), "lies before 1970")
            is_late = pc.greater(values, pa.scalar(self.now + FUTURE_ALLOWED, INSTANT))
            verdict.add_where(column.name, is_late, f"lies in the future (it is {self.now:%Y-%m-%d %H:%M} UTC now)")
        if self.contract.references.get(column.name) == "stores":
            self._check_stores(column.name, values, verdict)

    def _missing(self, column: Column) -> str:
        origin = self.mapping.columns.get(column.name)
        if origin is None or not origin.only_store:
            return "is missing"
        stores = f"{len(self.clocks)} stores" if self.clocks else "no store"
        return f"is missing, and the workspace has {stores}; say in a mapping which one this file is of"

    def _check_stores(self, name: str, values: pa.Array, verdict: _Verdict) -> None:
        stores = pc.dictionary_encode(values)
        said = [
            None if s is None or s in self.clocks else f"store '{s}' is not in stores; load it there first"
            for s in stores.dictionary.to_pylist()
        ]
        verdict.add(name, pa.array(said, pa.string()).take(stores.indices))

    def _check_table(self, columns: dict[str, pa.Array], verdict: _Verdict) -> None:
        if check := _TABLE_CHECKS.get(self.contract.table):
            check(columns, verdict, self.settings)

    def _part(self, columns: dict[str, pa.Array], raw: Shaped, verdict: _Verdict) -> Taken:
        schema = self.contract.schema
        rows = pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)
        if self.mapping.each is not None and self.mapping.one_row_per is None:
            verdict.add(
                self.contract.key[-1], _twice_in_one_list(raw.row, [columns[name] for name in self.contract.key])
            )
        back = self._refunded(raw, verdict)
        accepted = rows.append_column(LINE, raw.line).append_column(ROW, raw.row)
        rejected = pa.RecordBatch.from_pylist([], REASONS)
        bad = np.flatnonzero(np.asarray(pc.is_valid(verdict.reason)))
        if len(bad):
            is_fine = pc.invert(pc.is_in(raw.row, raw.row.take(pa.array(bad))))
            accepted, back = accepted.filter(is_fine), back.filter(is_fine)
            first = bad[np.unique(raw.place[bad], return_index=True)[1]]
            rejected = self._rejected(columns[self.contract.key[0]], raw, verdict, first)
        return Taken(with_refunded(accepted, back), _with_misshapen(rejected, raw))

    def _refunded(self, raw: Shaped, verdict: _Verdict) -> pa.Array:
        """What was given back of each order, where the mapping names a column of it."""
        origin = self.mapping.refunded
        if origin is None:
            return pa.nulls(len(raw.rows), pa.int64())
        reading = gather(Kind.MONEY, raw, origin, self._manner(origin))
        verdict.add("amount_minor", reading.problem)
        return reading.values

    def _rejected(self, key: pa.Array, raw: Shaped, verdict: _Verdict, bad: np.ndarray) -> pa.RecordBatch:
        written = raw.raw.rows.take(pa.array(raw.place[bad])).to_pylist()
        at = pa.array(bad)
        columns = [
            raw.row.take(at),
            raw.line.take(at),
            verdict.column.take(at),
            verdict.reason.take(at),
            pa.array([self.written(row) for row in written], pa.string()),
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


def _check_orders(columns: dict[str, pa.Array], verdict: _Verdict, settings: Settings) -> None:
    amount, is_refund = columns["amount_minor"], columns["is_refund"]
    is_unmarked = pc.and_(pc.less(amount, 0), pc.invert(is_refund))
    verdict.add_where("amount_minor", is_unmarked, "is negative and the order is not marked as a refund; map is_refund")
    is_positive = pc.and_(pc.greater(amount, 0), is_refund)
    verdict.add_where("amount_minor", is_positive, "is positive on a refund; a refund is written as -12.50")
    is_foreign = pc.not_equal(columns["currency"], settings.currency)
    currency = settings.currency
    verdict.add_where(
        "currency", is_foreign, f"is not {currency}, in which this workspace counts; load it into another"
    )


def _check_order_items(columns: dict[str, pa.Array], verdict: _Verdict, settings: Settings) -> None:
    is_odd = pc.and_(pc.less(columns["amount_minor"], 0), pc.greater(columns["quantity"], 0))
    verdict.add_where(
        "amount_minor", is_odd, "is negative though the quantity is not; a returned line has both negative"
    )


_TABLE_CHECKS: MappingProxyType[str, Callable[[dict[str, pa.Array], _Verdict, Settings], None]] = MappingProxyType(
    {"orders": _check_orders, "order_items": _check_order_items}
)


def _with_misshapen(rejected: pa.RecordBatch, raw: Shaped) -> pa.RecordBatch:
    if not raw.misshapen:
        return rejected
    rows = [{"line": row.line, "reason": row.reason, "original": row.original} for row in raw.misshapen]
    both = pa.Table.from_batches([rejected, pa.RecordBatch.from_pylist(rows, REASONS)]).combine_chunks()
    return both.to_batches()[0]


def _stretched(reading: Reading, column: Column, origin: From) -> Reading:
    """Judgements on the source's scale as judgements on ours."""
    if origin.scale is None or column.least is None or column.most is None:
        return reading
    low, high = origin.scale
    share = pc.divide(pc.subtract(reading.values, low), high - low)
    return Reading(pc.add(pc.multiply(share, column.most - column.least), column.least), reading.problem)
