"""Intake: a raw batch becomes rows of a contract, and rows that are none, each with its column and reason."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.tables.clocks import StoreClock, to_instant, trading_day
from regulars.tables.contracts import INSTANT, Column, Contract, Kind
from regulars.tables.mapping import From, Mapping
from regulars.tables.readings import Manner, Reading, read
from regulars.tables.sources import RawBatch
from regulars.tables.workspace import Settings

LINE = "__line"
FUTURE_ALLOWED = dt.timedelta(days=1)
EARLIEST = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
REASONS = pa.schema(
    [
        ("line", pa.int64()),
        ("column", pa.string()),
        ("reason", pa.string()),
        ("original", pa.string()),
        ("key", pa.string()),
    ]
)


class Taken(NamedTuple):
    """accepted: the contract's columns and the line. rejected: line, column, reason, original and, where readable, key."""

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

    def take(self, raw: RawBatch) -> Taken:
        """Read one batch. Every row comes back once, accepted or rejected."""
        verdict = _Verdict.none_yet(len(raw.line))
        columns: dict[str, pa.Array] = {}
        clock_of_row, clocks = self._clocks_of(raw)
        for column in self.contract.columns:
            reading = self._column(column, raw)
            values = reading.values
            verdict.add(column.name, reading.problem)
            if column.kind is Kind.INSTANT and values.type.tz is None:
                zone = self._zone_of(column)
                rows, known = (clock_of_row, clocks) if zone is None else (np.zeros(len(values), np.int64), [zone])
                values, in_gap = to_instant(values, rows, known)
                verdict.add_where(column.name, in_gap, "this time never was: the clock was put forward over it")
            columns[column.name] = values
            self._check(column, values, reading.problem, verdict)
        self._check_table(columns, verdict)
        if self.contract.derived:
            day = trading_day(columns["ordered_at"], clock_of_row, clocks)
            columns |= {"business_date": day.business_date, "hour": day.hour}
        return self._part(columns, raw, verdict)

    def _clocks_of(self, raw: RawBatch) -> tuple[np.ndarray, list[StoreClock]]:
        """The clock of each row's store, -1 where the store is unknown."""
        if self.contract.references.get("store_id") != "stores":
            workspace = StoreClock.of(self.settings.zone, self.settings.day_closes_at)
            return np.zeros(len(raw.line), dtype=np.int64), [workspace]
        stores = pc.dictionary_encode(self._column(self.contract.by_name["store_id"], raw).values)
        clocks = sorted({self.clocks[s] for s in stores.dictionary.to_pylist() if s in self.clocks})
        place = {clock: index for index, clock in enumerate(clocks)}
        of_store = [place.get(self.clocks.get(s), -1) for s in stores.dictionary.to_pylist()]  # type: ignore[arg-type]
        indices = np.asarray(pc.fill_null(stores.indices, len(of_store)), dtype=np.int64)
        return np.array([*of_store, -1], dtype=np.int64)[indices], clocks

    def _zone_of(self, column: Column) -> StoreClock | None:
        """The zone that the mapping names for a column, the workspace's for tables without stores, None for the store's."""
        origin = self.mapping.columns.get(column.name)
        if origin is not None and origin.zone is not None:
            return StoreClock(origin.zone, 0)
        return None if "store_id" in self.contract.references else StoreClock(self.settings.zone, 0)

    def _column(self, column: Column, raw: RawBatch) -> Reading:
        origin, length = self.mapping.columns.get(column.name), len(raw.line)
        if origin is None or origin.value is not None:
            value = self._default(column) if origin is None else origin.value
            return read(column.kind, pa.array([value] * length), self._manner(From(value=0)))
        if origin.line_number:
            numbers = raw.line.cast(pa.string())
            if column.kind is not Kind.INTEGER:
                numbers = pc.binary_join_element_wise(self.source, numbers, ":")
            return read(column.kind, numbers, self._manner(origin))
        reading = self._combined(column.kind, [raw.rows.column(name) for name in origin.sources], origin)
        default = self._default(column)
        if default is None:
            return reading
        filled = pc.fill_null(reading.values, pa.scalar(default, column.kind.arrow))
        return Reading(pc.if_else(pc.is_null(reading.problem), filled, reading.values), reading.problem)

    def _default(self, column: Column) -> str | int | float | bool | None:
        return str(getattr(self.settings, column.name)) if column.is_setting else column.default

    def _combined(self, kind: Kind, parts: list[pa.Array], origin: From) -> Reading:
        manner = self._manner(origin)
        parts = [_translated(part, origin.values) for part in parts]
        if len(parts) == 1:
            return read(kind, parts[0], manner)
        if kind in (Kind.MONEY, Kind.NUMBER, Kind.INTEGER):
            return _added([read(kind, part, manner) for part in parts])
        return read(kind, pc.binary_join_element_wise(*[_as_words(part) for part in parts], " "), manner)

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
            verdict.add_where(column.name, pc.and_(pc.is_null(values), pc.is_null(problem)), "is missing")
        if column.least is not None:
            verdict.add_where(column.name, pc.less(values, column.least), f"is less than {column.least:g}")
        if column.most is not None:
            verdict.add_where(column.name, pc.greater(values, column.most), f"is more than {column.most:g}")
        if column.kind is Kind.INSTANT:
            verdict.add_where(column.name, pc.less(values, pa.scalar(EARLIEST, INSTANT)), "lies before 1970")
            is_late = pc.greater(values, pa.scalar(self.now + FUTURE_ALLOWED, INSTANT))
            verdict.add_where(column.name, is_late, f"lies in the future (it is {self.now:%Y-%m-%d %H:%M} UTC now)")
        if self.contract.references.get(column.name) == "stores":
            self._check_stores(column.name, values, verdict)

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

    def _part(self, columns: dict[str, pa.Array], raw: RawBatch, verdict: _Verdict) -> Taken:
        schema = self.contract.schema
        rows = pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema).append_column(
            LINE, raw.line
        )
        is_fine = pc.is_null(verdict.reason)
        bad = pc.invert(is_fine)
        key = columns[self.contract.key[0]].filter(bad)
        original = [self.written(row) for row in raw.rows.filter(bad).to_pylist()]
        rejected = pa.RecordBatch.from_arrays(
            [
                raw.line.filter(bad),
                verdict.column.filter(bad),
                verdict.reason.filter(bad),
                pa.array(original, pa.string()),
                key,
            ],
            schema=REASONS,
        )
        return Taken(rows.filter(is_fine), _with_misshapen(rejected, raw))


def _translated(values: pa.Array, words: dict[str, str | int | float | bool] | None) -> pa.Array:
    if words is None:
        return values
    encoded = pc.dictionary_encode(_as_words(values))
    ours = [str(words.get(word, word)) for word in encoded.dictionary.to_pylist()]
    return pa.array(ours, pa.string()).take(encoded.indices)


def _as_words(values: pa.Array) -> pa.Array:
    return values if pa.types.is_string(values.type) else values.cast(pa.string())


def _added(readings: list[Reading]) -> Reading:
    total, problem = readings[0]
    for values, wrong in readings[1:]:
        total = pc.add(pc.fill_null(total, 0), pc.fill_null(values, 0))
        problem = pc.coalesce(problem, wrong)
    return Reading(total, problem)


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


def _with_misshapen(rejected: pa.RecordBatch, raw: RawBatch) -> pa.RecordBatch:
    if not raw.misshapen:
        return rejected
    rows = [{"line": row.line, "reason": row.reason, "original": row.original} for row in raw.misshapen]
    both = pa.Table.from_batches([rejected, pa.RecordBatch.from_pylist(rows, REASONS)]).combine_chunks()
    return both.to_batches()[0]
