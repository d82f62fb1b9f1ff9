"""Sales: what came in, by store, by weekday and by hour of the stores' own clocks."""

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.errors import DataError
from regulars.tables import Lake
from regulars.tables.engines import Frame
from regulars.tabular import Tabular, rows_table

DAYS = 7
HOURS = 24


class StoreSales(NamedTuple):
    """One store. days: trading days with an order; sales_minor: paid less what was given back; average_minor: a check, refunds left out."""

    store_id: str
    days: int
    orders: int
    sales_minor: int
    discount_minor: int
    refunded_minor: int

    @property
    def average_minor(self) -> float:
        return (self.sales_minor + self.refunded_minor) / self.orders if self.orders else float("nan")

    @property
    def daily_minor(self) -> float:
        return self.sales_minor / self.days


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Sales(Tabular):
    """What came in from `first` to `last`, business dates. stores: the largest first.

    named_share: of the orders that say whose they are. weekdays: sales on an average open day of each, Monday first, nan where none
    was, shape (7,). hours: orders by the hour of the day, of those whose hour is known, shape (24,); hourless: orders without one.
    """

    first: dt.date
    last: dt.date
    stores: tuple[StoreSales, ...]
    named_share: float
    weekdays: np.ndarray
    hours: np.ndarray
    hourless: int

    schema: ClassVar = {
        "store_id": pa.string(), "days": pa.int64(), "orders": pa.int64(), "sales_minor": pa.int64(),
        "discount_minor": pa.int64(), "refunded_minor": pa.int64(), "average_minor": pa.float64(),
    }  # fmt: skip

    def to_arrow(self) -> pa.Table:
        return rows_table(self.stores, self.schema)

    @property
    def orders(self) -> int:
        return sum(store.orders for store in self.stores)

    @property
    def sales_minor(self) -> int:
        return sum(store.sales_minor for store in self.stores)

    @property
    def average_minor(self) -> float:
        """A check, refunds left out."""
        return sum(store.sales_minor + store.refunded_minor for store in self.stores) / max(self.orders, 1)

    @property
    def headline(self) -> str:
        return f"Sales of {self.first} to {self.last}, minor units: {self.sales_minor:,} in {self.orders:,} orders"


def sales(lake: Lake, *, store: str | None = None, since: dt.date | None = None, until: dt.date | None = None) -> Sales:
    """What came in at one store, or at all, on these business dates. Raises DataError where no order is of them."""
    is_visit = ~nw.col("is_refund")
    counted = orders_of(lake, store, since, until).with_columns(
        visits=is_visit.cast(nw.Int64),
        named=(is_visit & ~nw.col("guest_id").is_null()).cast(nw.Int64),
        refunded_minor=nw.when(nw.col("is_refund")).then(-nw.col("amount_minor")).otherwise(0),
    )
    sums = ("visits", "named", "amount_minor", "discount_minor", "refunded_minor")
    cells = counted.group_by("store_id", "business_date", "hour").agg(nw.col(*sums).sum())
    return _told(lake.collect(cells.select("store_id", "business_date", "hour", nw.col(*sums).cast(nw.Int64))))


def orders_of(lake: Lake, store: str | None, since: dt.date | None, until: dt.date | None) -> Frame:
    """The orders of a store, or of all, on these business dates. Raises DataError where there is none."""
    orders = lake.scan("orders")
    if store is not None:
        orders = orders.filter(nw.col("store_id") == store)
    if since is not None:
        orders = orders.filter(nw.col("business_date") >= since)
    if until is not None:
        orders = orders.filter(nw.col("business_date") <= until)
    if not len(lake.collect(orders.select("order_id").head(1))):
        raise DataError(
            f"no order is of {_wanted(store, since, until)}; `regulars doctor` says which days and stores there are"
        )
    return orders


def _wanted(store: str | None, since: dt.date | None, until: dt.date | None) -> str:
    where = "any store" if store is None else f"store '{store}'"
    return where + (f" from {since} on" if since else "") + (f" until {until}" if until else "")


def _told(cells: pa.Table) -> Sales:
    """cells: sums by store, business date and hour."""
    days = cells.group_by("business_date").aggregate([("amount_minor", "sum")])
    weekday = pc.day_of_week(days["business_date"]).to_numpy()
    with np.errstate(invalid="ignore"):
        weekdays = np.bincount(weekday, days["amount_minor_sum"].to_numpy(), DAYS) / np.bincount(
            weekday, minlength=DAYS
        )
    timed = cells.filter(pc.is_valid(cells["hour"]))
    visits = pc.sum(cells["visits"]).as_py()
    hours = np.bincount(timed["hour"].to_numpy(), timed["visits"].to_numpy(), HOURS)
    return Sales(
        first=pc.min(days["business_date"]).as_py(),
        last=pc.max(days["business_date"]).as_py(),
        stores=_stores(cells),
        named_share=pc.sum(cells["named"]).as_py() / visits if visits else 0.0,
        weekdays=weekdays,
        hours=hours,
        hourless=visits - int(hours.sum()),
    )


def _stores(cells: pa.Table) -> tuple[StoreSales, ...]:
    sums = [(name, "sum") for name in ("visits", "amount_minor", "discount_minor", "refunded_minor")]
    found = cells.group_by("store_id").aggregate([("business_date", "count_distinct"), *sums])
    rows = found.sort_by([("amount_minor_sum", "descending"), ("store_id", "ascending")]).to_pylist()
    return tuple(
        StoreSales(
            store_id=row["store_id"], days=row["business_date_count_distinct"], orders=row["visits_sum"],
            sales_minor=row["amount_minor_sum"], discount_minor=row["discount_minor_sum"], refunded_minor=row["refunded_minor_sum"],
        )
        for row in rows
    )  # fmt: skip
