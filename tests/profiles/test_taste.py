"""A taste is what a guest chooses more often than the crowd, by more than chance."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from regulars.errors import DataError
from regulars.profiles import taste, variety

Frame = Callable[[pa.Table], Any]
Rows = Callable[[Any], list[dict[str, Any]]]
AS_OF = date(2026, 3, 31)
MENU = pa.table({"item_id": ["tea", "beer", "cake", "bag"], "category": ["drinks", "drinks", "sweets", None]})


def tables(choices: list[tuple[str | None, str]], day: date = AS_OF, **more: Any) -> tuple[pa.Table, pa.Table]:
    """Orders and their items; `choices` are guests and what they chose, items separated by blanks."""
    orders = {
        "order_id": [str(number) for number in range(len(choices))],
        "guest_id": pa.array([guest for guest, _ in choices], pa.string()),
        "store_id": ["S1"] * len(choices),
        "business_date": [day] * len(choices),
        "hour": [12] * len(choices),
        "amount_minor": [100] * len(choices),
    }
    lines = [(str(number), item) for number, (_, items) in enumerate(choices) for item in items.split()]
    order_id, item_id = zip(*lines, strict=True)
    return pa.table(orders | more), pa.table({"order_id": order_id, "item_id": item_id})


CHOICES = [("ann", "tea beer"), ("ann", "tea cake bag"), ("ann", "bag"), ("bob", "cake"), (None, "cake")]


def test_shares_are_of_orders_with_known_items_on_every_engine(as_frame: Frame, read: Rows) -> None:
    orders, items = tables(CHOICES)
    found = taste(as_frame(orders), as_frame(items), as_frame(MENU), as_of=AS_OF)
    assert type(found) is type(as_frame(orders))
    rows = {(row["guest_id"], row["category"]): row for row in read(found)}
    assert set(rows) == {("ann", "drinks"), ("ann", "sweets"), ("bob", "sweets")}
    drinks = rows["ann", "drinks"]
    assert (drinks["orders_with"], drinks["orders_known"], drinks["share"]) == (2, 2, 1.0)
    assert (drinks["crowd_share"], drinks["lift"]) == pytest.approx((2 / 3, 1.5))
    assert drinks["share_low"] == pytest.approx(stats.binomtest(2, 2).proportion_ci(method="wilson").low)
    assert not drinks["is_taste"]


def test_dishes_or_any_other_column_can_be_what_is_chosen() -> None:
    orders, items = tables([("ann", "tea"), ("bob", "cake")])
    menu = pa.table({"item_id": ["tea", "cake"], "name": ["Green tea", "Cheese cake"]})
    assert sorted(taste(orders, items, menu, as_of=AS_OF, by="name")["name"].to_pylist()) == [
        "Cheese cake",
        "Green tea",
    ]
    with pytest.raises(DataError, match="menu_items: no column spice"):
        taste(orders, items, menu, as_of=AS_OF, by="spice")


def test_a_taste_for_a_tag_is_a_share_of_all_orders_with_known_items(as_frame: Frame, read: Rows) -> None:
    orders, items = tables([("ann", "curry"), ("ann", "rice curry"), ("ann", "rice"), ("ann", "bag"), ("bob", "rice")])
    menu = pa.table({"item_id": ["curry", "rice"], "tags": ["Hot; vegan", None]})
    rows = read(taste(as_frame(orders), as_frame(items), as_frame(menu), as_of=AS_OF, by="tags"))
    told = {row["tags"]: (row["guest_id"], row["orders_with"], row["orders_known"], row["crowd_share"]) for row in rows}
    assert len(rows) == 2
    assert told == dict.fromkeys(("hot", "vegan"), ("ann", 2, 3, 0.5))


def test_a_taste_for_a_level_of_price(as_frame: Frame, read: Rows) -> None:
    choices: list[tuple[str | None, str]] = [("ann", "duck")] * 9 + [("bob", "soup")] * 9 + [("bob", "rice")]
    orders, items = tables(choices)
    menu = pa.table({"item_id": ["soup", "rice", "duck"], "price_minor": [300, 800, 2000]})
    rows = read(taste(as_frame(orders), as_frame(items), as_frame(menu), as_of=AS_OF, by="price_level"))
    assert {(row["guest_id"], row["price_level"], row["is_taste"]) for row in rows} == {
        ("ann", "dear", True), ("bob", "cheap", True), ("bob", "middle", False),
    }  # fmt: skip


def test_a_habit_needs_more_than_three_lucky_orders() -> None:
    crowd = [("crowd", "beer")] * 50 + [("crowd", "cake")] * 50
    orders, items = tables([*crowd, *[("lucky", "cake")] * 3, *[("sweet tooth", "cake")] * 12])
    rows = {(row["guest_id"], row["category"]): row for row in taste(orders, items, MENU, as_of=AS_OF).to_pylist()}
    assert rows["lucky", "sweets"]["share"] == rows["sweet tooth", "sweets"]["share"] == 1
    assert not rows["lucky", "sweets"]["is_taste"]
    assert rows["sweet tooth", "sweets"]["is_taste"]


def test_guests_without_a_taste_are_given_one_in_at_most_one_case_of_forty() -> None:
    """400 guests with 60 orders each, all alike; the share called a taste stays within the binomial band around 2.5 %."""
    generator = np.random.default_rng(5)
    choices: list[tuple[str | None, str]] = [
        (f"guest {guest}", "cake" if is_sweet else "tea")
        for guest in range(400)
        for is_sweet in generator.random(60) < 0.3
    ]
    orders, items = tables(choices)
    sweets = taste(orders, items, MENU, as_of=AS_OF).filter(pa.compute.field("category") == "sweets")
    called = sum(sweets["is_taste"].to_pylist())
    assert stats.binom.ppf(0.0005, 400, 0.01) <= called <= stats.binom.ppf(0.9995, 400, 0.035)


def test_future_refunded_and_nameless_orders_are_left_out(as_frame: Frame, read: Rows) -> None:
    orders, items = tables([("ann", "tea"), ("bob", "tea"), (None, "tea")], is_refund=[False, True, False])
    frames = [as_frame(table) for table in (orders, items, MENU)]
    assert [row["guest_id"] for row in read(taste(*frames, as_of=AS_OF))] == ["ann"]
    assert read(taste(*frames, as_of=AS_OF - timedelta(days=1))) == []
    assert [row["guest_id"] for row in read(variety(*frames[:2], as_of=AS_OF))] == ["ann"]


def test_a_repeat_is_a_dish_had_in_an_order_before(as_frame: Frame, read: Rows) -> None:
    orders, items = tables([("ann", "tea tea cake"), ("ann", "tea"), ("ann", "tea beer"), ("bob", "tea")])
    ann, bob = read(variety(as_frame(orders), as_frame(items), as_of=AS_OF))
    assert (ann["dishes"], ann["choices"], ann["repeat_share"]) == (3, 5, 0.4)
    assert (bob["dishes"], bob["choices"], bob["repeat_share"]) == (1, 1, 0)
