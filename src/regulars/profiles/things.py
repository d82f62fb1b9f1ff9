"""Things: what of the menu counts as one: a dish, a section of the menu, a word of its tags, a level of its prices."""

from typing import Any

import narwhals as nw
import numpy as np
from narwhals.typing import IntoFrame

from regulars.profiles.frames import arrow_of, opened

TAGS = "tags"
PRICE_LEVEL = "price_level"
PRICE_LEVELS = ("cheap", "middle", "dear")


def things(menu_items: IntoFrame, by: str) -> nw.LazyFrame[Any]:
    """item_id and thing. An item with several tags is several things; an empty tag is null, so that an item without tags is known.

    Items of which nothing is known are left out. Raises DataError if a column is missing.
    """
    if by == PRICE_LEVEL:
        return _price_levels(opened(menu_items, needs=("item_id", "price_minor"), name="menu_items"))
    menu = opened(menu_items, needs=("item_id", by), name="menu_items").select("item_id", thing=by)
    return _words(menu) if by == TAGS else menu.filter(~nw.col("thing").is_null())


def tag_words(tags: str | None) -> frozenset[str]:
    """The words of one tags field: separated by semicolons, in small letters, without the blanks around them.

    >>> sorted(tag_words("Spicy; hot dish;; "))
    ['hot dish', 'spicy']
    """
    words = {word.strip(" ").lower() for word in (tags or "").split(";")}
    return frozenset(words - {""})


def _words(menu: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """`tag_words`, in the engine."""
    words = menu.with_columns(nw.col("thing").str.split(";")).explode("thing")
    spelled = words.with_columns(nw.col("thing").str.strip_chars(" ").str.to_lowercase())
    return spelled.with_columns(nw.when(nw.col("thing") != "").then(nw.col("thing"))).unique()


def _price_levels(menu: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """The thirds of the menu's prices, a price on the edge in the middle; items without a price have none, nor have free ones.

    Fetches the prices at once.
    """
    priced = menu.select("item_id", price=nw.col("price_minor").cast(nw.Float64)).filter(nw.col("price") > 0)
    prices = arrow_of(priced.select("price"))["price"].to_numpy()
    low, high = np.quantile(prices, [1 / 3, 2 / 3]) if len(prices) else (0.0, 0.0)
    cheap, middle, dear = map(nw.lit, PRICE_LEVELS)
    level = nw.when(nw.col("price") < float(low)).then(cheap).when(nw.col("price") > float(high)).then(dear)
    return priced.select("item_id", thing=level.otherwise(middle))
