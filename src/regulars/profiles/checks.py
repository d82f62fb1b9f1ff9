"""Checks of the orders that a caller brings as a frame of their own: what would be counted wrongly is refused.

Tables of a lake were checked when they were loaded; they are known by having every column of the contract.
"""

from typing import Any

import narwhals as nw

from regulars.errors import DataError
from regulars.tables.contracts import CONTRACTS
from regulars.tables.readings.words import NOTHING

Known = nw.DataFrame[Any] | nw.LazyFrame[Any]
_MONEY = ("amount_minor", "discount_minor", "margin_minor")
_NOISE = 1e-6
_MIDNIGHT = (nw.col("ordered_at").dt.hour() == 0) & (nw.col("ordered_at").dt.minute() == 0)


def is_of_a_lake(orders: Known) -> bool:
    """Whether orders are a table of a lake, which was checked already."""
    is_lazy = isinstance(orders, nw.LazyFrame)
    return is_lazy and set(CONTRACTS["orders"].schema.names) <= set(orders.collect_schema().names())


def refuse_odd_orders(orders: Known) -> None:
    """Raise DataError where an order stands twice, or an amount is no whole number of minor units."""
    schema = orders.collect_schema()
    for name in _MONEY:
        if name in schema and not schema[name].is_numeric() and schema[name] not in (nw.Unknown, nw.Object):
            raise DataError(f"orders: {name} is {schema[name]}; make it whole minor units, such as 1250 for 12.50")
    broken = [name for name in _MONEY if name in schema and not schema[name].is_integer()]
    for name in broken:
        amount = nw.col(name).cast(nw.Float64)
        is_broken = ~amount.is_nan() & ((amount - amount.round(0)).abs() > _NOISE)
        odd = _first(orders.filter(is_broken.fill_null(False)).select("order_id", name))
        if odd is not None:
            raise DataError(
                f"orders: {name} of order {odd['order_id']} is {odd[name]}, no whole number of minor units; 12.50 is 1250"
            )
    times = orders.select("order_id", rows=nw.lit(1)).group_by("order_id").agg(nw.col("rows").sum())
    twice = _first(times.filter(nw.col("rows") > 1))
    if twice is not None:
        raise DataError(
            f"orders: order {twice['order_id']} stands in {twice['rows']} rows; give each order one row, or an id of its own"
        )


def without_nobody(orders: Known) -> Known:
    """Orders whose guest is a word for nothing, such as NaN, as orders of nobody."""
    guest = nw.col("guest_id").cast(nw.String)
    is_nobody = guest.str.strip_chars().str.to_lowercase().is_in(NOTHING) & (guest != "Nan")
    return orders.filter(~is_nobody.fill_null(True))


def holds_dates(orders: Known) -> bool:
    """Whether `ordered_at` has dates without times of day."""
    kind = orders.collect_schema()["ordered_at"]
    if kind == nw.Date:
        return True
    timed = orders.select(nw.col("ordered_at")).filter(~nw.col("ordered_at").is_null())
    return _first(timed) is not None and _first(timed.filter(~_MIDNIGHT)) is None


def _first(rows: Known) -> dict[str, Any] | None:
    head = rows.head(1)
    eager = head.collect() if isinstance(head, nw.LazyFrame) else head
    return next(iter(eager.rows(named=True)), None)
