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
_BLANKS = " \t\n\r\u00a0\u3000\ufeff"
_BEGINNINGS = sorted(
    {case(word[:2]) for word in NOTHING for case in (str.lower, str.upper, str.capitalize, str.swapcase)}
)
"""With what a word for nothing may begin, where no blank does: few ids do, and only they are looked at closely."""
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
    for name in (name for name in _MONEY if name in schema and not schema[name].is_integer()):
        amount = nw.col(name).cast(nw.Float64)
        is_broken = ~amount.is_nan() & ((amount - amount.round(0)).abs() > _NOISE)
        odd = _first(orders.filter(is_broken.fill_null(False)).select("order_id", name))
        if odd is not None:
            raise DataError(
                f"orders: {name} of order {odd['order_id']} is {odd[name]}, no whole number of minor units; 12.50 is 1250"
            )
    counted = _first(orders.select(rows=nw.len(), ids=nw.col("order_id").n_unique())) or {}
    if (counted["ids"] or 0) < counted["rows"]:
        _refuse_doubled(orders)


def _refuse_doubled(orders: Known) -> None:
    times = orders.select("order_id", rows=nw.lit(1)).group_by("order_id").agg(nw.col("rows").sum())
    twice = _first(times.filter((nw.col("rows") > 1) & ~nw.col("order_id").is_null()))
    if twice is not None:
        raise DataError(
            f"orders: order {twice['order_id']} stands in {twice['rows']} rows; give each order one row, or an id of its own"
        )


def without_nobody(orders: Known) -> Known:
    """Orders whose guest is a word for nothing, such as NaN, as orders of nobody."""
    if orders.collect_schema()["guest_id"].is_integer():
        return orders
    guest = nw.col("guest_id").cast(nw.String)
    may_be = guest.str.slice(0, 2).is_in(_BEGINNINGS) | guest.str.slice(0, 1).is_in(list(_BLANKS))
    few = orders.filter(may_be).select("guest_id").unique()
    ids = (few.collect() if isinstance(few, nw.LazyFrame) else few)["guest_id"].to_list()
    found = [one for one in ids if str(one).strip().lower() in NOTHING and one != "Nan"]
    return orders.filter(~nw.col("guest_id").is_in(found)) if found else orders


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
