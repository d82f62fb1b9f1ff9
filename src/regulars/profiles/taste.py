"""Taste: what a guest chooses more often than the crowd does, and whether they repeat or explore.

Counts stand beside every share, and a share is called a taste only where its confidence interval clears the crowd's: three
visits are not a habit.
"""

from datetime import date

import narwhals as nw
from narwhals.typing import IntoFrameT

from regulars.profiles.choices import FEWEST_ORDERS, chosen, count, wilson_low
from regulars.profiles.frames import handed_back, in_turn
from regulars.profiles.habits import ratio
from regulars.profiles.things import things


@in_turn
def taste(
    orders: IntoFrameT, order_items: IntoFrameT, menu_items: IntoFrameT, *, as_of: date, by: str = "category"
) -> IntoFrameT:
    """One row for each guest and each thing they ever chose; what goes in comes out, the rows in no particular order.

    by: the column of menu_items that says what counts as one thing: `category`, `name` for dishes, any other. `tags` are
    several, words separated by semicolons, such as `spicy; vegan`. `price_level` is worked out from price_minor: the thirds
    of the menu's prices are `cheap`, `middle` and `dear`. (The share of each daypart is a column of the profile.)
    Columns: guest_id; the column `by`; orders_with, how many of their orders had it; orders_known, how many there are with
    any known item; share, the one by the other; share_low, the lower end of its 95 % interval (Wilson 1927);
    crowd_share, the share of all orders that had it; lift, share over crowd_share; is_taste, whether share_low is above
    crowd_share and they chose it at least 3 times. Of things they like as the crowd does, one in forty is called a taste.
    Refunds, returned lines, orders without a guest, and orders after `as_of` are left out. Raises DataError if a column is
    missing.

    >>> import pyarrow as pa
    >>> orders = pa.table({"order_id": ["1", "2"], "guest_id": ["ann", "bob"], "store_id": ["S1", "S1"], "hour": [12, 12],
    ...                    "business_date": [date(2026, 3, 2)] * 2, "amount_minor": [900, 900]})
    >>> items = pa.table({"order_id": ["1", "1", "2"], "item_id": ["tea", "cake", "tea"]})
    >>> menu = pa.table({"item_id": ["tea", "cake"], "category": ["drinks", "sweets"]})
    >>> rows = taste(orders, items, menu, as_of=date(2026, 3, 31)).sort_by("category").to_pylist()
    >>> [(row["guest_id"], row["category"], row["share"], row["lift"], row["is_taste"]) for row in rows if row["lift"] > 1]
    [('ann', 'sweets', 1.0, 2.0, False)]
    """
    lines = chosen(orders, order_items, as_of=as_of).join(things(menu_items, by), on="item_id")
    pairs = lines.group_by("guest_id", "order_id", "thing").agg(nw.len().alias("lines"))
    guests = (
        pairs.group_by("guest_id", "order_id")
        .agg(nw.len().alias("things"))
        .group_by("guest_id")
        .agg(count("orders_known"))
    )
    known = guests.with_columns(all_orders=nw.col("orders_known").sum())
    own = (
        pairs.filter(~nw.col("thing").is_null())
        .group_by("guest_id", "thing")
        .agg(count("orders_with"))
        .join(known, on="guest_id")
    )
    crowd = nw.col("orders_with").sum().over("thing")
    shares = own.with_columns(
        share=ratio(nw.col("orders_with"), nw.col("orders_known")), crowd_share=ratio(crowd, nw.col("all_orders"))
    )
    judged = shares.with_columns(
        share_low=wilson_low(nw.col("share"), nw.col("orders_known")), lift=nw.col("share") / nw.col("crowd_share")
    )
    is_taste = (nw.col("share_low") > nw.col("crowd_share")) & (nw.col("orders_with") >= FEWEST_ORDERS)
    columns = ("orders_with", "orders_known", "share", "share_low", "crowd_share", "lift")
    return handed_back(judged.select("guest_id", nw.col("thing").alias(by), *columns, is_taste=is_taste), like=orders)


@in_turn
def variety(orders: IntoFrameT, order_items: IntoFrameT, *, as_of: date) -> IntoFrameT:
    """One row for each guest with a known item: whether they repeat or explore; what goes in comes out.

    Columns: guest_id; dishes, distinct items they ever chose; choices, items chosen, each once for an order; repeat_share,
    the share of choices that they had chosen in another order before. Left out as in `taste`.

    >>> import pyarrow as pa
    >>> orders = pa.table({"order_id": ["1", "2"], "guest_id": ["ann", "ann"], "store_id": ["S1", "S1"], "hour": [12, 12],
    ...                    "business_date": [date(2026, 3, 2)] * 2, "amount_minor": [900, 900]})
    >>> items = pa.table({"order_id": ["1", "1", "2", "2"], "item_id": ["tea", "tea", "tea", "cake"]})
    >>> variety(orders, items, as_of=date(2026, 3, 31)).to_pylist()
    [{'guest_id': 'ann', 'dishes': 2, 'choices': 3, 'repeat_share': 0.3333333333333333}]
    """
    pairs = (
        chosen(orders, order_items, as_of=as_of)
        .group_by("guest_id", "order_id", "item_id")
        .agg(nw.len().alias("lines"))
    )
    dishes = pairs.group_by("guest_id", "item_id").agg(count("times"))
    guests = dishes.group_by("guest_id").agg(count("dishes"), nw.col("times").sum().cast(nw.Int64).alias("choices"))
    repeated = ratio(nw.col("choices") - nw.col("dishes"), nw.col("choices"))
    return handed_back(guests.select("guest_id", "dishes", "choices", repeat_share=repeated), like=orders)
