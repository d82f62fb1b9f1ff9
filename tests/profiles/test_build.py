"""Profiles are facts with a date: counted right, the same on every engine, blind to the future."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from regulars.clock import WEEKDAYS
from regulars.errors import DataError
from regulars.profiles import COLUMNS, build

Rows = Callable[[Any], list[dict[str, Any]]]
Frame = Callable[[pa.Table], Any]

AS_OF = date(2026, 3, 31)
ORDER_SCHEMA = pa.schema(
    [
        ("order_id", pa.string()),
        ("guest_id", pa.string()),
        ("store_id", pa.string()),
        ("ordered_at", pa.timestamp("us", "UTC")),
        ("business_date", pa.date32()),
        ("hour", pa.int8()),
        ("amount_minor", pa.int64()),
        ("discount_minor", pa.int64()),
        ("margin_minor", pa.int64()),
        ("is_refund", pa.bool_()),
    ]
)


def order(guest: str | None, day: date, amount: int = 1000, **more: Any) -> dict[str, Any]:
    moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    default = {"store_id": "S1", "hour": 12, "discount_minor": 0, "margin_minor": None, "is_refund": False}
    return default | {"guest_id": guest, "business_date": day, "ordered_at": moment, "amount_minor": amount} | more


def orders_table(*rows: dict[str, Any]) -> pa.Table:
    numbered = [{"order_id": f"O{number}"} | row for number, row in enumerate(rows)]
    return pa.Table.from_pylist(numbered, schema=ORDER_SCHEMA)


MARCH = [date(2026, 3, day) for day in range(1, 32)]

ANN = [
    order("ann", MARCH[1], 2000, margin_minor=1200, store_id="S2", hour=8),  # a Monday
    order("ann", MARCH[8], 3000, margin_minor=1500, discount_minor=1000, hour=12),
    order("ann", MARCH[8], 1000, margin_minor=500, hour=19),
    order("ann", MARCH[18], 1000, margin_minor=600, hour=23),
    order("ann", MARCH[20], 500, margin_minor=300, is_refund=True),
]
BOB = [order("bob", MARCH[2]), order("bob", MARCH[12], -400, is_refund=True)]
CAT = [order("cat", MARCH[3], -400, is_refund=True)]
NOBODY = [order(None, MARCH[4])]


@pytest.fixture(scope="module")
def orders() -> pa.Table:
    return orders_table(*ANN, *BOB, *CAT, *NOBODY, order("ann", date(2026, 4, 1)), order("dan", date(2026, 4, 2)))


def test_what_goes_in_comes_out(as_frame: Frame, orders: pa.Table) -> None:
    frame = as_frame(orders)
    assert type(build(frame, as_of=AS_OF)) is type(frame)


def test_facts_of_a_guest_are_counted_right_on_every_engine(as_frame: Frame, read: Rows, orders: pa.Table) -> None:
    ann, bob, cat = read(build(as_frame(orders), as_of=AS_OF))
    facts = {
        "guest_id": "ann", "as_of": AS_OF, "orders": 4, "visits": 3, "stores": 2,
        "first_ordered_on": MARCH[1], "last_ordered_on": MARCH[18], "recency_days": 12, "tenure_days": 29,
        "spend_minor": 6500, "discount_minor": 1000, "margin_minor": 3500, "average_order_minor": 1625.0,
        "discount_share": 1000 / 7500, "gap_days": 8.5, "gap_deviation_days": math.sqrt(4.5),
        "monday_share": 2 / 3, "thursday_share": 1 / 3, "sunday_share": 0.0,
        "breakfast_share": 0.25, "lunch_share": 0.25, "dinner_share": 0.25, "night_share": 0.25, "afternoon_share": 0.0,
        "home_store": "S1", "home_store_share": 2 / 3, "stage": "developing",
    }  # fmt: skip
    assert {name: ann[name] for name in facts} == pytest.approx(facts)
    assert (bob["orders"], bob["visits"], bob["spend_minor"], bob["gap_days"], bob["stage"]) == (1, 1, 600, None, "new")
    assert (cat["orders"], cat["visits"], cat["spend_minor"]) == (0, 0, -400)
    assert (cat["recency_days"], cat["home_store"], cat["stores"], cat["stage"]) == (None, None, 0, None)


def test_columns_are_those_announced(orders: pa.Table) -> None:
    profiles = build(orders, as_of=AS_OF)
    kinds = {"text": pa.string(), "integer": pa.int64(), "number": pa.float64(), "date": pa.date32()}
    assert profiles.schema == pa.schema([(column.name, kinds[column.kind]) for column in COLUMNS])


def test_the_median_gap_is_exact_where_gaps_are_even_in_number(as_frame: Frame, read: Rows) -> None:
    days = [MARCH[0], MARCH[1], MARCH[10]]
    (guest,) = read(build(as_frame(orders_table(*(order("ann", day) for day in days))), as_of=AS_OF))
    assert guest["gap_days"] == 5.0


def test_home_store_of_equals_is_the_one_visited_last(as_frame: Frame, read: Rows) -> None:
    stores = ["S9", "S1", "S5", "S5", "S1"]
    table = orders_table(*(order("ann", day, store_id=store) for day, store in zip(MARCH, stores, strict=False)))
    (guest,) = read(build(as_frame(table), as_of=AS_OF))
    assert (guest["home_store"], guest["home_store_share"], guest["stores"]) == ("S1", 0.4, 3)


def test_discounted_orders_and_party_sizes_are_of_orders_not_of_refunds(as_frame: Frame, read: Rows) -> None:
    rows = [
        order("ann", MARCH[0], discount_minor=100), order("ann", MARCH[1]), order("ann", MARCH[2]), order("bob", MARCH[2]),
        order("ann", MARCH[3], discount_minor=100, is_refund=True),
    ]  # fmt: skip
    table = orders_table(*rows).append_column("covers", pa.array([8, None, 3, None, 99], pa.int64()))
    ann, bob = read(build(as_frame(table), as_of=AS_OF))
    assert (ann["discounted_share"], ann["average_covers"]) == (pytest.approx(1 / 3), 5.5)
    assert (bob["discounted_share"], bob["average_covers"]) == (0, None)


def test_a_bare_frame_gets_its_dates_hours_and_refunds_from_what_it_has(as_frame: Frame, read: Rows) -> None:
    evening, after_midnight = datetime(2026, 3, 2, 20, tzinfo=UTC), datetime(2026, 3, 3, 2, tzinfo=UTC)
    table = pa.table(
        {
            "order_id": ["1", "2", "3"],
            "guest_id": ["ann"] * 3,
            "store_id": ["S1"] * 3,
            "ordered_at": pa.array([evening, after_midnight, after_midnight], pa.timestamp("us", "UTC")),
            "amount_minor": [1000, 500, -200],
        }
    )
    (guest,) = read(build(as_frame(table), as_of=AS_OF))
    assert (guest["orders"], guest["visits"], guest["last_ordered_on"]) == (2, 1, date(2026, 3, 2))
    assert (guest["dinner_share"], guest["night_share"], guest["spend_minor"]) == (0.5, 0.5, 1300)


def test_a_zone_other_than_utc_is_read_off_the_clock_on_the_wall() -> None:
    noon_in_shanghai = pa.array([datetime(2026, 3, 2, 4, tzinfo=UTC)], pa.timestamp("us", "Asia/Shanghai"))
    bare = {"order_id": ["1"], "guest_id": ["ann"], "store_id": ["S1"], "amount_minor": [1]}
    table = pa.table(bare | {"ordered_at": noon_in_shanghai})
    assert build(table, as_of=AS_OF)["lunch_share"].to_pylist() == [1.0]
    assert build(pl.from_arrow(table), as_of=AS_OF)["lunch_share"].to_list() == [1.0]
    assert list(build(table.to_pandas(), as_of=AS_OF)["lunch_share"]) == [1.0]


MENU = pa.table(
    {
        "item_id": ["tea", "cake", "soup", "bag"],
        "category": ["Hot & Cold Drinks", "Dessert", "主菜", None],
        "cost_minor": pa.array([50, 150, None, 0], pa.int64()),
    }
)


def lines(*rows: tuple[str, str, float, int]) -> pa.Table:
    order_id, item_id, quantity, amount = zip(*rows, strict=True)
    return pa.table({"order_id": order_id, "item_id": item_id, "quantity": quantity, "amount_minor": amount})


def test_category_shares_are_of_net_spend_on_items(as_frame: Frame, read: Rows) -> None:
    orders = orders_table(order("ann", MARCH[0]), order("ann", MARCH[1], is_refund=True), order("bob", MARCH[2]))
    items = lines(
        ("O0", "tea", 1.0, 600), ("O0", "cake", 1.0, 600), ("O0", "bag", 1.0, 10), ("O1", "cake", 1.0, 200),
        ("O9", "soup", 1.0, 99),
    )  # fmt: skip
    ann, bob = read(build(as_frame(orders), as_frame(items), as_frame(MENU), as_of=AS_OF))
    assert ann["category_share_hot_cold_drinks"] == 0.6
    assert (ann["category_share_dessert"], ann["favourite_category"]) == (0.4, "Hot & Cold Drinks")
    assert (bob["category_share_dessert"], bob["favourite_category"]) == (None, None)
    assert "category_share_主菜" not in ann


def test_only_the_top_categories_become_columns() -> None:
    orders = orders_table(order("ann", MARCH[0]))
    items = lines(("O0", "tea", 1.0, 100), ("O0", "cake", 1.0, 300), ("O0", "soup", 1.0, 200))
    names = build(orders, items, MENU, as_of=AS_OF, categories=2).column_names
    assert names[len(COLUMNS) :] == ["favourite_category", "category_share_dessert", "category_share_主菜"]
    assert build(orders, items, MENU, as_of=AS_OF, categories=0).column_names[len(COLUMNS) :] == ["favourite_category"]


def test_margin_comes_from_the_order_then_menu_costs_then_the_rate(as_frame: Frame, read: Rows) -> None:
    orders = orders_table(
        order("own", MARCH[0], 1000, margin_minor=-5),
        order("costed", MARCH[0], 1000),
        order("half known", MARCH[0], 1000),
        order("refunded", MARCH[0], 1000),
        order("refunded", MARCH[0], 300, is_refund=True),
    )
    items = lines(("O1", "tea", 2.0, 700), ("O1", "cake", 1.0, 300), ("O2", "tea", 1.0, 1), ("O2", "soup", 1.0, 1))
    frames = [as_frame(table) for table in (orders, items, MENU)]
    known = {row["guest_id"]: row["margin_minor"] for row in read(build(*frames, as_of=AS_OF))}
    assert known == {"own": -5, "costed": 750, "half known": None, "refunded": None}
    rated = {row["guest_id"]: row["margin_minor"] for row in read(build(*frames, as_of=AS_OF, margin_rate=0.6))}
    assert rated == {"own": -5, "costed": 750, "half known": 600, "refunded": 300}


@pytest.mark.parametrize("make", [lambda table: table, lambda table: table.to_pandas()], ids=["arrow", "pandas"])
def test_threads_that_share_the_engine_wait_for_each_other(make: Frame) -> None:
    frame = make(orders_table(*(order(f"guest {number}", MARCH[number % 31]) for number in range(300))))
    with ThreadPoolExecutor(4) as threads:
        sizes = list(threads.map(lambda _: len(build(frame, as_of=AS_OF)), range(8)))
    assert sizes == [300] * 8


def test_no_orders_make_no_profiles(as_frame: Frame, read: Rows) -> None:
    assert read(build(as_frame(orders_table()), as_of=AS_OF)) == []


def test_a_missing_column_is_named_with_the_mend() -> None:
    with pytest.raises(DataError, match=r"orders: no column store_id, ordered_at; add it or rename"):
        build(pa.table({"order_id": ["1"], "guest_id": ["a"], "amount_minor": [1]}), as_of=AS_OF)


@pytest.mark.parametrize("as_of", [datetime(2026, 3, 31, tzinfo=UTC), "2026-03-31"])
def test_as_of_must_be_a_date(as_of: Any) -> None:
    with pytest.raises(TypeError, match="business date"):
        build(orders_table(), as_of=as_of)


@pytest.mark.parametrize("wrong", [{"margin_rate": 60.0}, {"categories": -1}])
def test_numbers_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="|".join(wrong)):
        build(orders_table(), as_of=AS_OF, **wrong)


histories = st.lists(
    st.builds(
        order,
        st.sampled_from(["ann", "bob", "cat", None]),
        st.dates(date(2025, 12, 1), date(2026, 6, 30)),
        st.integers(-5000, 50_000),
        store_id=st.sampled_from(["S1", "S2", "S3"]),
        hour=st.integers(0, 23),
        discount_minor=st.integers(0, 500),
        is_refund=st.booleans(),
    ),
    min_size=1,
    max_size=40,
)


@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(history=histories)
def test_orders_after_the_date_change_nothing(history: list[dict[str, Any]]) -> None:
    everything = orders_table(*history)
    known = everything.filter(pa.compute.less_equal(everything["business_date"], pa.scalar(AS_OF)))
    items = lines(*((f"O{number}", item, 1.0, number) for number in range(40) for item in ("tea", "soup")))
    seen, blind = (
        build(pl.from_arrow(table), pl.from_arrow(items), pl.from_arrow(MENU), as_of=AS_OF).sort("guest_id")
        for table in (everything, known)
    )
    assert seen.equals(blind)


@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(history=histories)
def test_engines_agree_and_facts_are_consistent(history: list[dict[str, Any]]) -> None:
    table = orders_table(*history)
    polars = build(pl.from_arrow(table), as_of=AS_OF).sort("guest_id").to_dicts()
    relation = build(duckdb.from_arrow(table), as_of=AS_OF).order("guest_id").to_arrow_table().to_pylist()
    assert len(polars) == len(relation)
    for one, other in zip(polars, relation, strict=True):
        assert one.keys() == other.keys()
        for name, value in one.items():
            assert value == (pytest.approx(other[name], rel=1e-9) if isinstance(value, float) else other[name]), name
        if one["visits"]:
            assert one["visits"] <= one["orders"]
            assert one["last_ordered_on"] == AS_OF - timedelta(days=one["recency_days"])
            assert sum(one[f"{day}_share"] for day in WEEKDAYS) == pytest.approx(1)
            assert 0 < one["silence_probability"] <= 1
