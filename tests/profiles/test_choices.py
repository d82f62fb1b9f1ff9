"""Choices are lines of sales that stayed sold, and a share of few of them is not trusted."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from regulars.errors import DataError
from regulars.profiles import variety
from regulars.profiles.choices import chosen, wilson_low

Frame = Callable[[pa.Table], Any]
AS_OF = date(2026, 3, 31)
ORDERS = pa.table(
    {
        "order_id": ["1", "2", "3", "4"],
        "guest_id": ["ann", "ann", None, "bob"],
        "store_id": ["S1"] * 4,
        "business_date": [AS_OF, AS_OF, AS_OF, AS_OF + timedelta(days=1)],
        "hour": [12] * 4,
        "amount_minor": [900, -900, 900, 900],
    }
)
LINES = pa.table(
    {
        "order_id": ["1", "1", "1", "1", "1", "2", "3", "4"],
        "item_id": ["tea", "pie", "bun", "egg", None, "tea", "tea", "tea"],
        "quantity": [1.0, None, 0.0, -1.0, 1.0, 1.0, 1.0, 1.0],
    }
)


def test_returned_refunded_nameless_and_future_lines_are_no_choice(as_frame: Frame) -> None:
    lines = chosen(as_frame(ORDERS), as_frame(LINES), as_of=AS_OF)
    rows = nw.from_native(lines.collect("pyarrow").to_native().sort_by("item_id")).rows(named=True)
    told = {"order_id": "1", "guest_id": "ann", "business_date": AS_OF}
    assert [row | {"business_date": AS_OF} for row in rows] == [{"item_id": item, **told} for item in ("pie", "tea")]


def test_lines_without_a_quantity_count_once_each() -> None:
    lines = chosen(ORDERS, LINES.drop_columns("quantity"), as_of=AS_OF).collect("pyarrow")
    assert sorted(lines["item_id"].to_list()) == ["bun", "egg", "pie", "tea"]


def test_no_lines_at_all_are_refused_with_the_mend() -> None:
    with pytest.raises(DataError, match="order_items: none given; load the lines"):
        chosen(ORDERS, None, as_of=AS_OF)
    with pytest.raises(DataError, match="order_items: no column item_id"):
        variety(ORDERS, LINES.drop_columns("item_id"), as_of=AS_OF)


@pytest.mark.parametrize(("had", "orders"), [(0, 1), (1, 1), (3, 5), (97, 100), (40, 4000)])
def test_the_low_end_of_a_share_is_wilsons(had: int, orders: int) -> None:
    expected = stats.binomtest(had, orders).proportion_ci(method="wilson").low
    assert wilson_low(np.array([had / orders]), np.array([float(orders)])) == pytest.approx(expected, abs=1e-12)
