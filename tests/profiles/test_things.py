"""What counts as one thing of the menu: words of tags and levels of price, the same on every engine."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from regulars.errors import DataError
from regulars.profiles.things import tag_words, things

Frame = Callable[[pa.Table], Any]
TAGGED = {"curry": " Spicy;vegan ", "soup": "spicy;; SPICY", "cola": None, "rice": " ; ", "bun": ""}


def found(frame: Any, by: str) -> set[tuple[str, str | None]]:
    rows = things(frame, by).collect("pyarrow").rows()
    assert len(set(rows)) == len(rows)
    return set(rows)


def test_tags_are_words_between_semicolons(as_frame: Frame) -> None:
    menu = as_frame(pa.table({"item_id": list(TAGGED), "tags": pa.array(TAGGED.values(), pa.string())}))
    rows = found(menu, "tags")
    words = {(item, word) for item, word in rows if word is not None}
    assert words == {(item, word) for item, tags in TAGGED.items() for word in tag_words(tags)}
    assert words == {("curry", "spicy"), ("curry", "vegan"), ("soup", "spicy")}
    assert {item for item, _ in rows} == set(TAGGED)


def levels(prices: list[int | None], make: Frame = lambda table: table) -> list[str | None]:
    menu = pa.table({"item_id": [str(place) for place in range(len(prices))], "price_minor": prices})
    known = dict(found(make(menu), "price_level"))
    return [known.get(str(place)) for place in range(len(prices))]


def test_prices_are_in_thirds_of_the_menu(as_frame: Frame) -> None:
    assert levels([900, 100, 500, 110, 520, 950], as_frame) == ["dear", "cheap", "middle", "cheap", "middle", "dear"]


def test_a_menu_of_one_price_has_no_cheap_and_no_dear_dishes() -> None:
    assert levels([500] * 5) == ["middle"] * 5
    assert levels([500] * 5 + [900]) == ["middle"] * 5 + ["dear"]


def test_what_is_free_or_has_no_price_is_on_no_level(as_frame: Frame) -> None:
    assert levels([None, 0, 0, 0, 100, 200, 300], as_frame) == [None, None, None, None, "cheap", "middle", "dear"]
    assert levels([None, 0]) == [None, None]


def test_a_missing_column_is_named() -> None:
    for by, column in {"price_level": "price_minor", "tags": "tags", "spice": "spice"}.items():
        with pytest.raises(DataError, match=f"menu_items: no column {column}"):
            things(pa.table({"item_id": ["tea"]}), by)
