"""The profile of each guest, from their orders."""

from datetime import date, datetime
from typing import Any

import narwhals as nw
from narwhals.typing import IntoFrameT

from regulars.profiles.birthdays import birthdays
from regulars.profiles.categories import category_facts, costed_lines
from regulars.profiles.columns import BIRTHDAY, COLUMNS
from regulars.profiles.frames import handed_back, in_turn
from regulars.profiles.habits import habits, home_stores, ratio
from regulars.profiles.lifecycle import with_stages
from regulars.profiles.orders import ready_orders, with_margins


@in_turn
def build(
    orders: IntoFrameT,
    order_items: IntoFrameT | None = None,
    menu_items: IntoFrameT | None = None,
    guests: IntoFrameT | None = None,
    *,
    as_of: date,
    margin_rate: float | None = None,
    categories: int = 12,
) -> IntoFrameT:
    """One row for each guest: the facts at the end of the business date `as_of`.

    orders, order_items, menu_items, guests: tables in our contracts, all of one kind of frame (DuckDB relation, Spark,
    Polars, pandas, Arrow); the result is of that kind, its rows in no particular order. Orders after `as_of` and orders without a guest
    are not looked at. Refunds lower spend and margin and are no visit; their amounts may carry either sign.
    What an orders frame may lack, and what stands in: `business_date` and `hour` come from `ordered_at` as the frame
    shows it, the day closing at 04:00; `discount_minor` is 0; `is_refund` is a negative amount.
    margin_rate: what is left of a price before the discount, for orders without a margin and without known costs of all their
    items; the discount is taken off it. Where it is not given, the margin of such a guest is unknown.
    guests: their birthdays become the column `birthday_in_days`; who never ordered has no profile.
    categories: how many of the menu categories, the ones that take in most, become columns (`category_share_...`);
    needs order_items and menu_items, and runs small queries at once to find them.

    The columns are those of `COLUMNS`. Raises DataError if a column is missing.

    >>> import pyarrow as pa
    >>> from datetime import date
    >>> orders = pa.table({
    ...     "order_id": ["1", "2"], "guest_id": ["ann", "ann"], "store_id": ["S1", "S1"], "hour": [12, 19],
    ...     "business_date": [date(2026, 3, 2), date(2026, 3, 9)], "amount_minor": [1500, 2500],
    ... })
    >>> profiles = build(orders, as_of=date(2026, 3, 20))
    >>> profiles.select(["visits", "recency_days", "spend_minor", "gap_days", "stage"]).to_pylist()
    [{'visits': 2, 'recency_days': 11, 'spend_minor': 4000, 'gap_days': 7.0, 'stage': 'developing'}]
    """
    _check(as_of, margin_rate, categories)
    counted = ready_orders(orders, as_of=as_of)
    lines = None if order_items is None or menu_items is None else costed_lines(order_items, menu_items)
    known = habits(with_margins(counted, lines, margin_rate), as_of=as_of)
    profiles = with_stages(_with_home_stores(known, home_stores(counted)))
    names = [column.name for column in COLUMNS]
    if guests is not None:
        profiles = profiles.join(birthdays(guests, as_of=as_of), on="guest_id", how="left")
        names.append(BIRTHDAY.name)
    if order_items is not None and menu_items is not None:
        shares = category_facts(counted, order_items, menu_items, categories, like=orders)
        names += [name for name in shares.collect_schema().names() if name != "guest_id"]
        profiles = profiles.join(shares, on="guest_id", how="left")
    return handed_back(profiles.select(names), like=orders)


def _check(as_of: date, margin_rate: float | None, categories: int) -> None:
    if isinstance(as_of, datetime) or not isinstance(as_of, date):
        raise TypeError(f"as_of is a business date, such as date(2026, 3, 31), not {as_of!r}")
    if margin_rate is not None and not 0 <= margin_rate <= 1:
        raise ValueError(f"margin_rate is a share of the price between 0 and 1, not {margin_rate}")
    if categories < 0:
        raise ValueError(f"categories is how many become columns, not {categories}")


def _with_home_stores(guests: nw.LazyFrame[Any], homes: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    share = ratio(nw.col("home_visits"), nw.col("visits"))
    joined = guests.join(homes, on="guest_id", how="left")
    return joined.with_columns(home_store_share=share, stores=nw.col("stores").fill_null(0))
