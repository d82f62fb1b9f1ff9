"""Many segments in one scan answer as each does alone; changes say who, which way, and why."""

from datetime import date, timedelta
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from frames import Maker, rows_of
from regulars.errors import DataError
from regulars.profiles import BIRTHDAY, COLUMNS, build
from regulars.segments import LIBRARY, Segment, changes, counts, members

from .test_rules import GUESTS

RULES: dict[str, str | Segment] = {
    "often": "visits >= 3",
    "not often": Segment("not visits >= 3"),
    "nowhere": "home_store is None",
    "lunch": "lunch_share >= 0.5 and visits > 1",
}


def test_one_scan_answers_as_each_segment_alone(as_frame: Maker) -> None:
    guests = as_frame(GUESTS)
    found = members(guests, RULES)
    assert type(found) is type(guests)
    for name, rule in RULES.items():
        alone = Segment(rule if isinstance(rule, str) else rule.text).filter(GUESTS)["guest_id"].to_pylist()
        assert [row["guest_id"] for row in rows_of(found) if row[name]] == alone
        assert counts(guests, RULES)[name] == len(alone)


def test_nothing_is_counted_without_rules_or_guests() -> None:
    assert counts(GUESTS, {}) == {}
    assert counts(GUESTS.slice(0, 0), {"often": "visits > 3"}) == {"often": 0}


def test_a_wrong_rule_among_many_is_refused() -> None:
    with pytest.raises(DataError, match="there is no fact `visit`; the nearest is `visits`"):
        counts(GUESTS, RULES | {"wrong": "visit > 3"})


BEFORE = pa.table({"guest_id": ["ann", "bob", "cat", "gone"], "visits": [2, 5, 9, 9], "recency_days": [50, 50, 50, 50]})
AFTER = pa.table({"guest_id": ["ann", "bob", "cat", "new"], "visits": [3, 5, 9, 9], "recency_days": [60, 3, 81, 90]})


def test_changes_say_who_which_way_and_why(as_frame: Maker) -> None:
    rule = "visits >= 3 and recency_days > 45"
    found = changes(as_frame(BEFORE), as_frame(AFTER), rule)
    assert [tuple(row.values()) for row in rows_of(found)] == [
        ("ann", "entered", "visits >= 3"),
        ("bob", "left", "recency_days > 45"),
        ("gone", "left", "visits >= 3 and recency_days > 45"),
        ("new", "entered", "visits >= 3 and recency_days > 45"),
    ]
    assert type(found) is type(as_frame(BEFORE))


def test_a_rule_joined_by_or_changes_as_a_whole() -> None:
    rule = "visits < 3 or recency_days > 80"
    found = rows_of(changes(BEFORE, AFTER, Segment(rule)))
    assert [tuple(row.values()) for row in found] == [
        ("ann", "left", rule), ("cat", "entered", rule), ("new", "entered", rule),
    ]  # fmt: skip


def test_conditions_are_those_joined_at_the_top() -> None:
    assert Segment("  visits > 3 and (orders > 2 or not is_member) and 1 < stores < 3").conditions == (
        "visits > 3", "orders > 2 or not is_member", "1 < stores < 3",
    )  # fmt: skip


@pytest.mark.parametrize("ready", LIBRARY, ids=lambda ready: ready.name)
def test_a_ready_segment_is_over_columns_every_profile_has(ready: Any) -> None:
    segment = Segment(ready.rule, known={column.name: column.kind for column in (*COLUMNS, BIRTHDAY)})
    assert segment.columns
    assert ready.meaning


def test_ready_segments_find_whom_they_are_for() -> None:
    as_of = date(2026, 6, 30)
    days = {
        "once": [40], "fresh": [3], "slipping": [*range(35, 200, 7)], "lost": [*range(150, 400, 7)],
        "overdue": [*range(10, 100, 7)], "on time": [*range(2, 100, 7)],
    }  # fmt: skip
    rows = [
        {"guest_id": guest, "business_date": as_of - timedelta(days=ago), "hour": 12 if guest == "overdue" else 19}
        for guest, history in days.items()
        for ago in history
    ]
    orders = (
        pl.DataFrame(rows)
        .with_row_index("order_id")
        .with_columns(
            store_id=pl.lit("S1"), amount_minor=1000, covers=pl.when(pl.col("guest_id") == "fresh").then(8).otherwise(2)
        )
    )
    profiles = build(orders, as_of=as_of)
    found = {ready.name: sorted(Segment(ready.rule).filter(profiles)["guest_id"].to_list()) for ready in LIBRARY[:-1]}
    assert found["new_guests"] == ["fresh", "once"]
    assert found["one_visit_only"] == ["once"]
    assert found["due_and_not_come"] == ["overdue"]
    assert found["slipping_regulars"] == ["slipping"]
    assert found["lost_regulars"] == ["lost"]
    assert found["big_tables"] == ["fresh"]
    assert found["lunch_only"] == ["overdue"]
    assert found["discount_only"] == []
    assert found["full_price"] == ["lost", "on time", "overdue", "slipping"]
