from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from regulars.profiles import build, cohorts, migration


def table(rows: list[tuple[str | None, date, int]]) -> pa.Table:
    guests, days, amounts = zip(*rows, strict=True)
    return pa.table(
        {
            "order_id": [str(number) for number in range(len(rows))],
            "guest_id": pa.array(guests, pa.string()),
            "store_id": ["S1"] * len(rows),
            "business_date": days,
            "hour": [12] * len(rows),
            "amount_minor": amounts,
        }
    )


ORDERS = table(
    [
        ("ann", date(2025, 12, 31), 100), ("ann", date(2026, 2, 1), 100), ("ann", date(2026, 2, 28), 100),
        ("bob", date(2025, 12, 1), 100), ("bob", date(2026, 1, 1), -100), ("cat", date(2026, 1, 31), 100),
        ("cat", date(2026, 2, 1), 100), (None, date(2026, 2, 1), 100), ("dan", date(2026, 3, 1), 100),
    ]
)  # fmt: skip


def test_the_triangle_counts_guests_not_orders_and_has_no_gaps(as_frame: Callable[[pa.Table], Any]) -> None:
    cells = cohorts(as_frame(ORDERS), as_of=date(2026, 2, 28))
    assert [cell[:4] for cell in cells] == [
        (date(2025, 12, 1), 0, 2, 2), (date(2025, 12, 1), 1, 2, 0), (date(2025, 12, 1), 2, 2, 1),
        (date(2026, 1, 1), 0, 1, 1), (date(2026, 1, 1), 1, 1, 1),
    ]  # fmt: skip
    assert all(cell.is_complete for cell in cells)


def test_a_month_that_still_runs_is_marked() -> None:
    cells = cohorts(ORDERS, as_of=date(2026, 2, 27))
    assert {cell.is_complete for cell in cells if cell.first_month == date(2026, 1, 1)} == {True, False}


def test_no_orders_make_no_triangle() -> None:
    assert cohorts(ORDERS.slice(0, 0), as_of=date(2026, 2, 28)) == ()


def test_moves_sum_to_the_guests_of_the_later_date(cdnow: pl.DataFrame) -> None:
    earlier, later = (build(cdnow, as_of=day) for day in (date(1997, 3, 15), date(1997, 6, 30)))
    moves = migration(earlier, later)
    assert len(moves) == 30
    assert sum(move.guests for move in moves) == later.height
    assert sum(move.guests for move in moves if move.before is None) == later.height - earlier.height
    for stage in ("new", "developing"):
        assert sum(move.share for move in moves if move.before == stage) == pytest.approx(1)


def test_moves_are_the_same_on_every_engine(as_frame: Callable[[pa.Table], Any]) -> None:
    before = pa.table({"guest_id": ["ann", "bob", "cat"], "stage": ["regular", "new", None]})
    after = pa.table({"guest_id": ["ann", "bob", "cat", "dan"], "stage": ["slipping", "lost", None, "new"]})
    moves = {
        (move.before, move.after): move.share for move in migration(as_frame(before), as_frame(after)) if move.guests
    }
    assert moves == {("regular", "slipping"): 1.0, ("new", "lost"): 1.0, (None, "new"): 1.0}
