"""The next dish: what a guest would like next, from what they had, what guests like them had, and what sells of late."""

from collections.abc import Collection
from datetime import date

import narwhals as nw
import numpy as np
import pyarrow as pa
from narwhals.typing import IntoFrame, IntoFrameT

from regulars.errors import DataError
from regulars.profiles.choices import FEWEST_ORDERS, wilson_low
from regulars.profiles.frames import arrow_of, in_turn, opened, returned
from regulars.profiles.histories import SHIPPED, Blend, Histories, histories, rows_of
from regulars.profiles.likeness import Best, best_dishes
from regulars.profiles.orders import ready_orders
from regulars.profiles.usual import LEAST_SHARE

REASONS = ("usual", "had_before", "similar_guests", "popular")


def next_dishes(
    orders: IntoFrameT, order_items: IntoFrameT, guests: IntoFrameT | None = None, *, as_of: date, k: int = 10,
    stop_list: Collection[object] = (), new_only: bool = False, blend: Blend = SHIPPED,
) -> IntoFrameT:  # fmt: skip
    """The k dishes that each guest would most probably have next, one row for each; what goes in comes out.

    guests: whom to answer for, a frame with guest_id; without it all who ordered. Who has no history gets what is
    popular. stop_list: items never to be offered, such as sold out, alcohol or discontinued. new_only: only dishes they never had.
    Columns: guest_id; rank from 1, without gaps, up to k or as many dishes as there are; item_id; score, the share of their next
    orders expected to have it (`regulars.profiles.likeness` has the formula); times_ordered, how many of their orders had it;
    reason: `usual` (a habit, as in `usual_dishes`), `had_before`, `similar_guests`, or `popular`.
    Refunds, returned lines, orders without a guest and orders after `as_of` are not looked at. A dish is an item_id; where
    every size and flavour has one of its own, give order_items the id of what they share.

    The engine that holds the frames counts what each guest had; the counts are fetched, and the guests ranked in this process
    (on Spark: on the driver). Guests are compared with at most 5,000 of them, evenly taken; where few are asked for, the
    counts of nobody else are fetched.
    Raises DataError if a column is missing or no order has a known item, ValueError if k is below 1.

    >>> orders = pa.table({"order_id": ["1", "2", "3"], "guest_id": ["ann", "ann", "bob"], "store_id": ["S1"] * 3,
    ...                    "hour": [12] * 3, "business_date": [date(2026, 3, 2)] * 3, "amount_minor": [900] * 3})
    >>> items = pa.table({"order_id": ["1", "2", "3", "3"], "item_id": ["tea", "tea", "tea", "pie"]})
    >>> rows = next_dishes(orders, items, as_of=date(2026, 3, 31), stop_list=["beer"]).to_pylist()
    >>> [(row["guest_id"], row["rank"], row["item_id"], row["times_ordered"], row["reason"]) for row in rows[:2]]
    [('ann', 1, 'tea', 2, 'had_before'), ('ann', 2, 'pie', 0, 'popular')]
    """
    asked = (orders, order_items, guests)
    return returned(ranked(*asked, as_of=as_of, k=k, stop_list=stop_list, new_only=new_only, blend=blend), like=orders)


@in_turn
def ranked(
    orders: IntoFrame, order_items: IntoFrame, guests: IntoFrame | None, *, as_of: date, k: int,
    stop_list: Collection[object], new_only: bool, blend: Blend = SHIPPED,
) -> pa.Table:  # fmt: skip
    """`next_dishes` as Arrow, whatever the frames are, by guest_id and rank."""
    if k < 1:
        raise ValueError(f"k is how many dishes each guest gets, 1 or more, not {k}")
    if isinstance(stop_list, str):
        raise TypeError(f"stop_list is a list of items, such as [{stop_list!r}]")
    asked = ready_orders(orders, as_of=as_of) if guests is None else opened(guests, needs=("guest_id",), name="guests")
    ids = arrow_of(asked.select("guest_id").filter(~nw.col("guest_id").is_null()).unique()).sort_by("guest_id")
    known = histories(orders, order_items, ids["guest_id"].combine_chunks(), as_of=as_of, blend=blend)
    if len(ids) and not len(known.items):
        raise DataError(f"order_items: no line belongs to a sale until {as_of}; load the lines of these orders")
    stopped = {str(item) for item in stop_list}
    is_barred = np.array([str(item) in stopped for item in known.items.to_pylist()], np.bool_)
    best = best_dishes(
        rows_of(known.decayed), known.weight, known.stands, known.crowd, is_barred, min(k, len(known.items)),
        blend.neighbours, blend.prior_orders, new_only,
    )  # fmt: skip
    return _table(known, best)


def _table(known: Histories, best: Best) -> pa.Table:
    guest, rank = np.nonzero(best.item >= 0)
    item = best.item[guest, rank]
    had = np.asarray(known.times[guest, item]).ravel().astype(np.int64) if item.size else np.zeros(0, np.int64)
    orders = np.maximum(known.orders[guest], 1.0)
    is_habit = (had >= FEWEST_ORDERS) & (wilson_low(had / orders, orders) >= LEAST_SHARE)
    reason = np.select([is_habit, had > 0, best.alike[guest, rank]], [0, 1, 2], 3)
    return pa.table(
        {
            "guest_id": known.guests.take(pa.array(guest)),
            "rank": pa.array(rank + 1, pa.int64()),
            "item_id": known.items.take(pa.array(item)),
            "score": np.minimum(best.score[guest, rank], 1.0),
            "times_ordered": had,
            "reason": pa.array(REASONS).take(pa.array(reason)),
        }
    )
