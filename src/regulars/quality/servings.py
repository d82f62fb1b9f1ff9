"""Servings: one row for each dish served, as arrays, with all that a judgement of it may rest on.

The engine joins the lines of the checks with their checks and with what the kitchen recorded; what the guest did next is found
by one sort of whole numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from narwhals.typing import IntoFrame
from numpy.typing import NDArray

from regulars.errors import DataError
from regulars.profiles import DAYPARTS
from regulars.profiles.frames import arrow_of, in_turn, opened

HORIZON_DAYS = 60
_RUSH_SHARE = 0.8
_UNKNOWN_HOUR = 12
_KITCHEN: Mapping[str, pa.DataType] = {
    "cook": pa.string(), "batch": pa.string(), "prep_seconds": pa.float64(), "is_void": pa.bool_(),
}  # fmt: skip
IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


class Coded(NamedTuple):
    """Names as numbers. names: (k,) objects. code: (n,) place in names, -1 where there is none."""

    names: np.ndarray
    code: IntArray

    @classmethod
    def of(cls, values: pa.ChunkedArray | pa.Array) -> "Coded":
        """Names in their order of the alphabet, so that the same rows give the same codes."""
        whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
        encoded = whole.cast(pa.string()).dictionary_encode()
        order = pc.sort_indices(encoded.dictionary).to_numpy()
        place = np.empty(len(order) + 1, dtype=np.int64)
        place[order], place[-1] = np.arange(len(order)), -1
        code = place[pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)]
        return cls(encoded.dictionary.take(pa.array(order)).to_numpy(zero_copy_only=False), code)

    def only(self, kept: np.ndarray) -> "Coded":
        return Coded(self.names, self.code[kept])


@dataclass(frozen=True, slots=True, kw_only=True)
class Servings:
    """n servings, in the order of `day`.

    order_id: Arrow strings. guest, store, item, shift (a part of the day), cook, batch: coded. day: proleptic Gregorian day.
    price: of one, minor units, NaN where unknown. prep_seconds: NaN where unknown. is_rush: whether the store had at least .8
    of its busiest hour.
    is_bad: given back or struck off. reordered: 1 if the guest had the dish again within the horizon, 0 if not, NaN where that
    cannot be known: guest unknown, horizon not over at the last day of all, or given back.
    """

    order_id: pa.Array
    guest: Coded
    store: Coded
    item: Coded
    shift: Coded
    cook: Coded
    batch: Coded
    day: IntArray
    price: FloatArray
    prep_seconds: FloatArray
    is_rush: np.ndarray
    is_bad: np.ndarray
    reordered: FloatArray
    horizon_days: int

    def __len__(self) -> int:
        return len(self.day)

    def only(self, kept: np.ndarray) -> "Servings":
        """The rows of a mask or of places."""
        known = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "horizon_days"}
        rows = np.flatnonzero(kept) if kept.dtype == bool else kept
        return replace(self, **{name: _rows_of(value, rows) for name, value in known.items()})


def _rows_of(value: Any, rows: IntArray) -> Any:
    if isinstance(value, Coded):
        return value.only(rows)
    return value.take(pa.array(rows)) if isinstance(value, pa.Array) else value[rows]


@in_turn
def servings(
    orders: IntoFrame, order_items: IntoFrame, kitchen: IntoFrame | None = None, *, horizon_days: int = HORIZON_DAYS
) -> Servings:
    """The servings of orders, order_items and kitchen in our contracts, all of one kind of frame.

    Raises DataError if a column is missing, ValueError for a horizon below one day.
    """
    if horizon_days < 1:
        raise ValueError(f"horizon_days is {horizon_days}; a guest needs at least one day to come again")
    checks = opened(orders, needs=("order_id", "store_id", "business_date", "hour"), name="orders")
    lines = opened(order_items, needs=("order_id", "line", "item_id", "amount_minor"), name="order_items")
    table = arrow_of(_with_kitchen(_lines(lines), kitchen).join(_checks(checks), on="order_id"))
    return _as_arrays(table, horizon_days)


def of_lake(lake: Any, *, horizon_days: int = HORIZON_DAYS) -> Servings:
    """The servings of a lake. Raises DataError where it holds no orders or no order items."""
    for table in ("orders", "order_items"):
        if not lake.has(table):
            raise DataError(
                f"{lake.workspace.path}: dishes are judged by {table}; `regulars load {table} FILE` brings them"
            )
    kitchen = nw.to_native(lake.scan("kitchen")) if lake.has("kitchen") else None
    tables = [nw.to_native(lake.scan(name)) for name in ("orders", "order_items")]
    return servings(tables[0], tables[1], kitchen, horizon_days=horizon_days)


def _checks(known: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    names = known.collect_schema().names()
    guest = nw.col("guest_id") if "guest_id" in names else nw.lit(None, dtype=nw.String)
    is_refund = nw.col("is_refund").fill_null(False) if "is_refund" in names else nw.lit(False)
    hour = nw.col("hour").cast(nw.Int64)
    return known.select("order_id", "store_id", "business_date", hour, guest_id=guest, is_refund=is_refund)


def _lines(known: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    has_quantity = "quantity" in known.collect_schema().names()
    quantity = nw.col("quantity").cast(nw.Float64) if has_quantity else nw.lit(1.0)
    return known.select(
        "order_id", "line", "item_id", amount=nw.col("amount_minor").cast(nw.Float64), quantity=quantity
    )


def _with_kitchen(lines: nw.LazyFrame[Any], kitchen: IntoFrame | None) -> nw.LazyFrame[Any]:
    """Lines with what the kitchen recorded of them, and the struck-off lines that only the kitchen knows."""
    if kitchen is None:
        return lines.drop("line")
    known = opened(kitchen, needs=("order_id", "line"), name="kitchen")
    there = [name for name in (*_KITCHEN, "item_id") if name in known.collect_schema().names()]
    known = known.select("order_id", "line", *there)
    both = lines.join(known.drop("item_id", strict=False), on=["order_id", "line"], how="left").drop("line")
    if "item_id" not in there:
        return both
    struck = known.filter(~nw.col("item_id").is_null()).join(
        lines.select("order_id", "line"), on=["order_id", "line"], how="anti"
    )
    struck = struck.with_columns(amount=nw.lit(0.0), quantity=nw.lit(1.0), is_void=nw.lit(True))
    names = both.collect_schema().names()
    return nw.concat([both, struck.select(*names)], how="vertical") if "is_void" in names else both


def _as_arrays(table: pa.Table, horizon_days: int) -> Servings:
    for name, kind in _KITCHEN.items():
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(len(table), kind))
    day = table["business_date"].cast(pa.date32()).cast(pa.int32()).to_numpy().astype(np.int64) + 719_163
    hour = pc.fill_null(table["hour"], _UNKNOWN_HOUR).to_numpy()
    coded = {name: Coded.of(table[f"{name}_id"]) for name in ("guest", "item", "store")}
    order = _in_time(day, hour, coded["guest"], coded["item"])
    day, hour = day[order], hour[order]
    guest, item, store = (known.only(order) for known in coded.values())
    quantity, amount = (table[name].to_numpy()[order] for name in ("quantity", "amount"))
    is_bad = (_true(table["is_void"]) | _true(table["is_refund"]))[order] | (quantity < 0)
    price = np.divide(amount, np.abs(quantity), out=np.full(len(day), np.nan), where=(quantity != 0) & (amount > 0))
    return Servings(
        order_id=table["order_id"].combine_chunks().cast(pa.string()).take(pa.array(order)),
        guest=guest, store=store, item=item, shift=_shifts(hour),
        cook=Coded.of(table["cook"]).only(order), batch=Coded.of(table["batch"]).only(order), day=day, price=price,
        prep_seconds=pc.fill_null(table["prep_seconds"].cast(pa.float64()), np.nan).to_numpy()[order],
        is_rush=_rush(store, day, hour), is_bad=is_bad,
        reordered=_reordered(guest.code, item, day, is_bad, horizon_days), horizon_days=horizon_days,
    )  # fmt: skip


def _in_time(day: IntArray, hour: IntArray, guest: Coded, item: Coded) -> IntArray:
    """The order of rows by day and hour, then by guest and dish: the same whatever order an engine gives them in."""
    when = (day - (day.min() if len(day) else 0)) * 24 + hour
    key = (when * (len(guest.names) + 1) + guest.code + 1) * len(item.names) + item.code
    return np.argsort(key, kind="stable")


def _true(values: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(pc.fill_null(values, False).to_numpy())


def _shifts(hour: IntArray) -> Coded:
    names = np.array(list(DAYPARTS), dtype=object)
    by_hour = np.full(24, -1, dtype=np.int64)
    for place, hours in enumerate(DAYPARTS.values()):
        by_hour[list(hours)] = place
    return Coded(names, by_hour[hour % 24])


def _rush(store: Coded, day: IntArray, hour: IntArray) -> np.ndarray:
    """Lines per store and hour against the busiest hour of the store."""
    if not len(day):
        return np.zeros(0, dtype=bool)
    span = int(day[-1] - day[0]) + 1
    slot = (store.code * span + day - day[0]) * 24 + hour
    lines = np.bincount(slot, minlength=len(store.names) * span * 24)
    most = lines.reshape(len(store.names), -1).max(axis=1)
    return np.asarray(lines[slot] >= _RUSH_SHARE * most[store.code])


def _reordered(guest: IntArray, item: Coded, day: IntArray, is_bad: np.ndarray, horizon_days: int) -> FloatArray:
    """Whether each guest had each dish again: the next later day in the sorted days of the pair."""
    found = np.full(len(day), np.nan)
    rows = np.flatnonzero((guest >= 0) & ~is_bad)
    if not len(rows):
        return found
    span = int(day[-1] - day[0]) + 1
    pair = guest[rows] * len(item.names) + item.code[rows]
    key = pair * span + (day[rows] - day[0])
    distinct, place = np.unique(key, return_inverse=True)
    gap = np.full(len(distinct), span + horizon_days + 1, dtype=np.int64)
    is_same = distinct[1:] // span == distinct[:-1] // span
    gap[:-1][is_same] = np.diff(distinct)[is_same]
    is_over = day[-1] - day[rows] >= horizon_days
    found[rows] = np.where(is_over, gap[place] <= horizon_days, np.nan)
    return found
