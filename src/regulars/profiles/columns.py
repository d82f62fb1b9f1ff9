"""The facts a profile holds: their names, kinds, units and meanings, for rules, pages and the command line."""

import unicodedata
from typing import Literal, NamedTuple

from regulars.clock import WEEKDAYS

Kind = Literal["text", "integer", "number", "date", "boolean"]

DAYPARTS: dict[str, tuple[int, ...]] = {
    "breakfast": tuple(range(5, 11)),
    "lunch": tuple(range(11, 15)),
    "afternoon": tuple(range(15, 17)),
    "dinner": tuple(range(17, 22)),
    "night": (22, 23, 0, 1, 2, 3, 4),
}
"""The local clock hours of each part of the day: breakfast is 05:00 to 10:59, and so on around the clock."""

CATEGORY_PREFIX = "category_share_"


class Column(NamedTuple):
    """One column of a profile frame. `unit` is empty where the value has none."""

    name: str
    kind: Kind
    unit: str
    meaning: str


def _weekday(day: str) -> Column:
    return Column(f"{day}_share", "number", "share", f"share of their visits that fell on a {day.capitalize()}")


def _daypart(part: str, hours: tuple[int, ...]) -> Column:
    clock = f"{hours[0]:02}:00 to {hours[-1]:02}:59"
    return Column(f"{part}_share", "number", "share", f"share of their orders placed from {clock}, local time")


COLUMNS: tuple[Column, ...] = (
    Column("guest_id", "text", "", "the guest"),
    Column("as_of", "date", "", "the business date at whose end the facts hold"),
    Column("orders", "integer", "orders", "orders, without refunds"),
    Column("visits", "integer", "days", "distinct business dates with an order"),
    Column("first_ordered_on", "date", "", "business date of their first order"),
    Column("last_ordered_on", "date", "", "business date of their latest order"),
    Column("recency_days", "integer", "days", "days from their latest visit to as_of"),
    Column("tenure_days", "integer", "days", "days from their first visit to as_of"),
    Column("spend_minor", "integer", "minor units", "paid after discounts, less refunds"),
    Column("average_order_minor", "number", "minor units", "spend divided by orders"),
    Column("discount_minor", "integer", "minor units", "discounts they were given, less those on refunds"),
    Column("discount_share", "number", "share", "discount as a share of what they would have paid without it"),
    Column("discounted_share", "number", "share", "share of their orders that had a discount"),
    Column("average_covers", "number", "guests", "mean party size of their orders, where it was noted"),
    Column(
        "margin_minor",
        "integer",
        "minor units",
        "margin after discounts, less refunds; empty if that of any order is unknown",
    ),
    Column("gap_days", "number", "days", "median days between one visit and the next; empty before the second visit"),
    Column("gap_deviation_days", "number", "days", "standard deviation of these gaps; empty before the third visit"),
    *map(_weekday, WEEKDAYS),
    *(_daypart(part, hours) for part, hours in DAYPARTS.items()),
    Column("home_store", "text", "", "the store with most of their visits; of equals the one they were at last"),
    Column("home_store_share", "number", "share", "share of their visits that were at the home store"),
    Column("stores", "integer", "stores", "distinct stores they ordered at"),
    Column(
        "rhythm_days",
        "number",
        "days",
        "days between visits, from all of them and what is usual in the crowd; none after one visit",
    ),
    Column(
        "due_in_days",
        "number",
        "days",
        "days from as_of until their rhythm brings them again; below 0 they are overdue",
    ),
    Column("silence_probability", "number", "probability", "how likely their rhythm makes a silence of recency_days"),
    Column("stage", "text", "", "life cycle: new, developing, regular, slipping or lost"),
)
"""The columns of every profile, in their order."""

BIRTHDAY = Column("birthday_in_days", "integer", "days", "days from as_of to their next birthday, 0 on the day itself")
"""There where the guests were brought along."""

FAVOURITE_CATEGORY = Column("favourite_category", "text", "", "the menu category they spend most on")


def category_column(category: str) -> Column:
    """The column that holds the share of one menu category.

    >>> category_column("Hot & Cold Drinks").name
    'category_share_hot_cold_drinks'
    """
    name = CATEGORY_PREFIX + slug(category)
    return Column(name, "number", "share", f"share of their spend on items that went to {category}")


def slug(category: str) -> str:
    """A menu category as part of a column name that a rule can spell: letters of any script, digits, underscores."""
    letters = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", category).casefold())
    spelled = "".join(letter if f"_{letter}".isidentifier() else " " for letter in letters)
    return "_".join(spelled.replace("_", " ").split()) or "unnamed"
