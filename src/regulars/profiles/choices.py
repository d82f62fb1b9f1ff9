"""Choices: which guest had which item in which order, and how sure a share is that rests on few of them."""

from datetime import date
from typing import Any, TypeVar

import narwhals as nw
import numpy as np
from narwhals.typing import IntoFrame
from numpy.typing import NDArray

from regulars.errors import DataError
from regulars.profiles.frames import opened
from regulars.profiles.orders import ready_orders

FEWEST_ORDERS = 3
"""Fewer are never called a taste or a habit."""

_Numbers = TypeVar("_Numbers", nw.Expr, NDArray[np.float64])
_Z = 1.959963984540054


def chosen(orders: IntoFrame, order_items: IntoFrame | None, *, as_of: date) -> nw.LazyFrame[Any]:
    """guest_id, order_id, business_date and item_id of each line of a sale.

    A line that was returned (its quantity is not above 0) or names no item is none. Raises DataError where there are no lines.
    """
    if order_items is None:
        raise DataError("order_items: none given; load the lines of the orders, each with order_id and item_id")
    sales = ready_orders(orders, as_of=as_of).filter(~nw.col("is_refund"))
    lines = opened(order_items, needs=("order_id", "item_id"), name="order_items")
    kept = lines.filter(~nw.col("item_id").is_null())
    if "quantity" in lines.collect_schema():
        kept = kept.filter(nw.col("quantity").fill_null(1) > 0)
    return kept.select("order_id", "item_id").join(sales.select("order_id", "guest_id", "business_date"), on="order_id")


def count(name: str) -> nw.Expr:
    """The rows of a group, under this name."""
    return nw.len().cast(nw.Int64).alias(name)


def wilson_low(share: _Numbers, trials: _Numbers) -> _Numbers:
    """The lower end of the 95 % interval of a share of so many trials (Wilson 1927)."""
    spread = ((share * (1 - share) + _Z**2 / 4 / trials) / trials) ** 0.5
    return (share + _Z**2 / 2 / trials - spread * _Z) / (_Z**2 / trials + 1)
