"""Categories: which part of the menu a guest's money goes to."""

from typing import Any

import narwhals as nw
from narwhals.typing import IntoFrame

from regulars.profiles.columns import category_column
from regulars.profiles.frames import opened
from regulars.profiles.habits import ratio


def costed_lines(order_items: IntoFrame, menu_items: IntoFrame) -> nw.LazyFrame[Any] | None:
    """Order lines with the cost of their item, or None where the menu has no costs."""
    menu = opened(menu_items, needs=("item_id",), name="menu_items")
    if "cost_minor" not in menu.collect_schema():
        return None
    lines = opened(order_items, needs=("order_id", "item_id", "quantity"), name="order_items")
    return lines.select("order_id", "item_id", "quantity").join(menu.select("item_id", "cost_minor"), "item_id", "left")


def bought_lines(orders: nw.LazyFrame[Any], order_items: IntoFrame, menu_items: IntoFrame) -> nw.LazyFrame[Any]:
    """guest_id, category and amount of each line of the ready orders; refunds negative, items without category left out."""
    lines = opened(order_items, needs=("order_id", "item_id", "amount_minor"), name="order_items")
    menu = opened(menu_items, needs=("item_id", "category"), name="menu_items")
    named = menu.select("item_id", "category").filter(~nw.col("category").is_null())
    known = orders.select("order_id", "guest_id", "is_refund")
    bought = lines.select("order_id", "item_id", "amount_minor").join(named, on="item_id").join(known, on="order_id")
    amount = nw.col("amount_minor").cast(nw.Int64)
    signed = nw.when(nw.col("is_refund")).then(-amount.abs()).otherwise(amount)
    return bought.select("guest_id", "category", amount_minor=signed)


def category_spend(bought: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """What each guest spent on each category."""
    return bought.group_by("guest_id", "category").agg(nw.col("amount_minor").sum().cast(nw.Int64))


def top_categories(bought: nw.LazyFrame[Any], count: int) -> list[str]:
    """The categories that take in most money, by name; a small query over lines or what they sum up to, run at once."""
    if not count:
        return []
    totals = bought.group_by("category").agg(nw.col("amount_minor").sum().cast(nw.Int64)).collect("pyarrow")
    rows = sorted(totals.rows(), key=lambda row: (-row[1], row[0]))
    return [name for name, _ in rows[:count]]


def category_shares(spend: nw.LazyFrame[Any], categories: list[str]) -> nw.LazyFrame[Any]:
    """The favourite and the share of each given category, one row for each guest. Of equals the first in the alphabet."""
    columns: dict[str, list[str]] = {}
    for name in categories:
        columns.setdefault(category_column(name).name, []).append(name)
    amount = nw.col("amount_minor")
    spread = {
        column: nw.when(nw.col("category").is_in(names)).then(amount).otherwise(0) for column, names in columns.items()
    }
    ranked = spend.with_columns(**spread, most=amount.max().over("guest_id"))
    is_favourite = (amount == nw.col("most")) & (amount > 0)
    marked = ranked.with_columns(favourite_category=nw.when(is_favourite).then(nw.col("category")))
    sums = (nw.col(name).sum().cast(nw.Int64) for name in ("amount_minor", *columns))
    summed = marked.group_by("guest_id").agg(*sums, nw.col("favourite_category").min())
    return summed.select("guest_id", "favourite_category", **{name: ratio(nw.col(name), amount) for name in columns})
