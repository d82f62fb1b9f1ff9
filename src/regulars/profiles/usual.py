"""The usual: the dishes a guest has a habit of."""

from datetime import date

import narwhals as nw
from narwhals.typing import IntoFrameT

from regulars.profiles.choices import FEWEST_ORDERS, chosen, count, wilson_low
from regulars.profiles.frames import handed_back, in_turn
from regulars.profiles.habits import ratio

LEAST_SHARE = 0.1


@in_turn
def usual_dishes(
    orders: IntoFrameT, order_items: IntoFrameT, *, as_of: date, least_share: float = LEAST_SHARE
) -> IntoFrameT:
    """One row for each guest and each dish they have a habit of; what goes in comes out, the rows in no particular order.

    A habit is had in at least 3 orders, and in so many of their orders that the lower end of the 95 % interval of their
    share (Wilson 1927) is `least_share` or more: twice is no habit, nor is three times in a hundred.
    Columns: guest_id; item_id; times_ordered, how many of their orders had it; orders_known, how many there are with any
    item; share, the one by the other; share_low, the lower end; last_ordered_on, the business date they last had it.
    Refunds, returned lines, orders without a guest and orders after `as_of` are left out. Raises DataError if a column is
    missing, ValueError unless least_share is between 0 and 1.

    >>> import pyarrow as pa
    >>> orders = pa.table({"order_id": list("12345"), "guest_id": ["ann"] * 5, "store_id": ["S1"] * 5, "hour": [12] * 5,
    ...                    "business_date": [date(2026, 3, day) for day in (2, 4, 6, 8, 9)], "amount_minor": [900] * 5})
    >>> items = pa.table({"order_id": list("1234555"), "item_id": ["tea", "tea", "tea", "tea", "pie", "bun", "bun"]})
    >>> usual_dishes(orders, items, as_of=date(2026, 3, 31)).select(["item_id", "times_ordered", "orders_known"]).to_pylist()
    [{'item_id': 'tea', 'times_ordered': 4, 'orders_known': 5}]
    """
    if not 0 <= least_share <= 1:
        raise ValueError(f"least_share is a share of their orders between 0 and 1, not {least_share}")
    had = chosen(orders, order_items, as_of=as_of)
    once = had.group_by("guest_id", "order_id", "item_id").agg(nw.col("business_date").max())
    known = once.group_by("guest_id", "order_id").agg(count("items")).group_by("guest_id").agg(count("orders_known"))
    last = nw.col("business_date").max().alias("last_ordered_on")
    dishes = once.group_by("guest_id", "item_id").agg(count("times_ordered"), last).join(known, on="guest_id")
    shares = dishes.with_columns(share=ratio(nw.col("times_ordered"), nw.col("orders_known")))
    sure = shares.with_columns(share_low=wilson_low(nw.col("share"), nw.col("orders_known")))
    is_habit = (nw.col("times_ordered") >= FEWEST_ORDERS) & (nw.col("share_low") >= least_share)
    columns = ("times_ordered", "orders_known", "share", "share_low", "last_ordered_on")
    return handed_back(sure.filter(is_habit).select("guest_id", "item_id", *columns), like=orders)
