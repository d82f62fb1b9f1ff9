"""The usual is a habit: had often enough, in enough of their orders."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest
from scipy import stats

from regulars.errors import DataError
from regulars.profiles import usual_dishes

from .test_taste import AS_OF, tables

Frame = Callable[[pa.Table], Any]
Rows = Callable[[Any], list[dict[str, Any]]]
Choices = list[tuple[str | None, str]]


def usual(choices: Choices, **more: Any) -> dict[str, list[str]]:
    """The usual dishes of each guest, in order."""
    orders, items = tables(choices, **{name: value for name, value in more.items() if name != "least_share"})
    rows = usual_dishes(orders, items, as_of=AS_OF, least_share=more.get("least_share", 0.1)).to_pylist()
    found: dict[str, list[str]] = {}
    for row in sorted(rows, key=lambda row: str(row["item_id"])):
        found.setdefault(row["guest_id"], []).append(row["item_id"])
    return found


def test_a_habit_is_told_with_its_counts_on_every_engine(as_frame: Frame, read: Rows) -> None:
    days = [AS_OF - timedelta(days=back) for back in (9, 7, 5, 3, 1)]
    choices: Choices = [("ann", "tea tea"), ("ann", "tea pie"), ("ann", "tea"), ("ann", "bun"), ("bob", "tea")]
    orders, items = tables(choices, business_date=days)
    found = usual_dishes(as_frame(orders), as_frame(items), as_of=AS_OF)
    assert type(found) is type(as_frame(orders))
    low = pytest.approx(stats.binomtest(3, 4).proportion_ci(method="wilson").low)
    assert read(found) == [
        {
            "guest_id": "ann", "item_id": "tea", "times_ordered": 3, "orders_known": 4, "share": 0.75, "share_low": low,
            "last_ordered_on": days[2],
        }
    ]  # fmt: skip


def test_a_habit_needs_three_orders_and_a_share_that_is_sure() -> None:
    rare: Choices = [("bob", "tea")] * 3 + [("bob", "pie")] * 97
    assert usual([("ann", "tea")] * 2) == {}
    assert usual([("ann", "tea")] * 3) == {"ann": ["tea"]}
    assert usual(rare) == {"bob": ["pie"]}
    assert usual(rare, least_share=0.0) == {"bob": ["pie", "tea"]}
    assert usual(rare, least_share=1.0) == {}
    assert usual([("cat", "tea")] * 3 + [("cat", "pie")] * 17) == {"cat": ["pie"]}, "3 in 20 may be 1 in 20"


def test_a_dish_twice_in_an_order_was_ordered_once() -> None:
    assert usual([("ann", "tea tea tea")] * 2) == {}


def test_refunded_future_and_nameless_orders_make_no_habit() -> None:
    choices: Choices = [("ann", "tea")] * 3
    assert usual(choices, is_refund=[False, False, True]) == {}
    assert usual(choices, business_date=[AS_OF, AS_OF, AS_OF + timedelta(days=1)]) == {}
    assert usual([("ann", "tea"), ("ann", "tea"), (None, "tea"), (None, "tea"), (None, "tea")]) == {}


def test_returned_lines_make_no_habit(as_frame: Frame, read: Rows) -> None:
    orders, items = tables([("ann", "tea")] * 3)
    lines = items.append_column("quantity", pa.array([1.0, 2.0, -1.0]))
    assert read(usual_dishes(as_frame(orders), as_frame(lines), as_of=AS_OF)) == []


def test_no_guests_have_no_habits(as_frame: Frame, read: Rows) -> None:
    orders, items = tables([("ann", "tea")] * 3)
    assert read(usual_dishes(as_frame(orders.slice(0, 0)), as_frame(items), as_of=AS_OF)) == []
    assert read(usual_dishes(as_frame(orders), as_frame(items), as_of=date(2020, 1, 1))) == []


@pytest.mark.parametrize("share", [-0.1, 1.1, 10])
def test_a_least_share_is_a_share(share: float) -> None:
    with pytest.raises(ValueError, match="least_share is a share of their orders between 0 and 1"):
        usual([("ann", "tea")], least_share=share)


def test_missing_items_are_named() -> None:
    orders, items = tables([("ann", "tea")])
    with pytest.raises(DataError, match="order_items: none given"):
        usual_dishes(orders, None, as_of=AS_OF)  # type: ignore[type-var]
    with pytest.raises(DataError, match="order_items: no column item_id"):
        usual_dishes(orders, items.drop_columns("item_id"), as_of=AS_OF)
