"""Categories: which part of the menu a guest's money goes to."""

from typing import Any

import narwhals as nw
from narwhals.typing import IntoFrame

from regulars.profiles.columns import category_column
from regulars.profiles.frames import opened, settled
from regulars.profiles.habits import ratio

_FEW_CATEGORIES = 32


def costed_lines(order_items: IntoFrame, menu_items: IntoFrame) -> nw.LazyFrame[Any] | None:
    """Order lines with the cost of their item, or None where the menu has no costs."""
    menu = opened(menu_items, needs=("item_id",), name="menu_items")
    if "cost_minor" not in menu.collect_schema():
        return None
    lines = opened(order_items, needs=("order_id", "item_id", "quantity"), name="order_items")
    return lines.select("order_id", "item_id", "quantity").join(menu.select("item_id", "cost_minor"), "item_id", "left")


def category_facts(
    orders: nw.LazyFrame[Any], order_items: IntoFrame, menu_items: IntoFrame, count: int, *, like: IntoFrame
) -> nw.LazyFrame[Any]:
    """The favourite category of each guest, and their shares of the `count` categories that take in most.

    Where the sums by guest cannot be kept, the lines are summed anew, and in one pass if the menu has few categories.
    """
    bought = bought_lines(orders, order_items, menu_items)
    by_guest = category_spend(bought)
    spend = settled(by_guest, like=like)
    if spend is not by_guest:
        return category_shares(spend, top_categories(spend, count))
    top, menu = top_categories(bought, count), menu_categories(menu_items)
    if 0 < len(menu) <= _FEW_CATEGORIES:
        return shares_in_one_pass(bought, menu, top)
    return category_shares(by_guest, top)


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


def menu_categories(menu_items: IntoFrame) -> list[str]:
    """The categories of the menu in the order of the alphabet; a small query, run at once."""
    menu = opened(menu_items, needs=("item_id", "category"), name="menu_items")
    names = menu.filter(~nw.col("category").is_null()).select("category").unique().collect("pyarrow")
    return sorted(names["category"].to_list())


def category_shares(spend: nw.LazyFrame[Any], categories: list[str]) -> nw.LazyFrame[Any]:
    """The favourite and the share of each given category, one row for each guest. Of equals the first in the alphabet."""
    amount, columns = nw.col("amount_minor"), _columns(categories)
    spread = {
        column: nw.when(nw.col("category").is_in(names)).then(amount).otherwise(0) for column, names in columns.items()
    }
    ranked = spend.with_columns(**spread, most=amount.max().over("guest_id"))
    is_favourite = (amount == nw.col("most")) & (amount > 0)
    marked = ranked.with_columns(favourite_category=nw.when(is_favourite).then(nw.col("category")))
    sums = (nw.col(name).sum().cast(nw.Int64) for name in ("amount_minor", *columns))
    summed = marked.group_by("guest_id").agg(*sums, nw.col("favourite_category").min())
    return summed.select("guest_id", "favourite_category", **{name: ratio(nw.col(name), amount) for name in columns})


def shares_in_one_pass(bought: nw.LazyFrame[Any], menu: list[str], categories: list[str]) -> nw.LazyFrame[Any]:
    """`category_shares` from the lines, with a sum for each category of the menu: half the time where these are few.

    menu: at least one category, in the order of the alphabet.
    """
    sums = {name: f"spent_{place}" for place, name in enumerate(menu)}
    of_name = {column: nw.col("category") == name for name, column in sums.items()}
    spread = {column: nw.when(is_it).then(nw.col("amount_minor")).otherwise(0) for column, is_it in of_name.items()}
    summed = bought.with_columns(**spread).group_by("guest_id").agg(*(nw.col(c).sum().cast(nw.Int64) for c in spread))
    known = summed.with_columns(most=nw.max_horizontal(*spread), total=nw.sum_horizontal(*spread))
    is_most = {name: (nw.col(column) == nw.col("most")) & (nw.col(column) > 0) for name, column in sums.items()}
    favourite = nw.coalesce(*(nw.when(is_it).then(nw.lit(name)) for name, is_it in is_most.items()))
    shares = {
        column: ratio(nw.sum_horizontal(*(sums[name] for name in names)), nw.col("total"))
        for column, names in _columns(categories).items()
    }
    return known.select("guest_id", favourite_category=favourite, **shares)


def _columns(categories: list[str]) -> dict[str, list[str]]:
    """The categories that share a column, by its name."""
    columns: dict[str, list[str]] = {}
    for name in categories:
        columns.setdefault(category_column(name).name, []).append(name)
    return columns
