"""Published data, loaded whole: every total comes back, and a second load changes nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import narwhals as nw
import pyarrow as pa
import pytest

import regulars as rg
from conftest import NOW
from regulars.demo import complete_journey
from regulars.tables import From, LoadReport, Mapping, open_source
from regulars.tables.proposal import propose

DAYS = ("1997-01-01", "1998-06-30")

CDNOW = Mapping(
    table="orders",
    columns={
        "order_id": From(line_number=True),
        "guest_id": From(column="guest"),
        "store_id": From(value="web"),
        "ordered_at": From(column="day", format="%Y%m%d"),
        "amount_minor": From(column="paid", unit="major"),
    },
)
PIZZA_ORDERS = Mapping(
    table="orders",
    one_row_per="order_id",
    columns={
        "order_id": From(column="id"),
        "store_id": From(value="S1"),
        "ordered_at": From(column=("date", "time"), combine="first"),
        "amount_minor": From(column="price", unit="major"),
    },
)
PIZZAS = Mapping(
    table="order_items",
    columns={
        "order_id": From(column="id"),
        "line": From(line_number=True),
        "item_id": From(column=("name", "size")),
        "amount_minor": From(column="price", unit="major"),
    },
)
PIZZA_MENU = Mapping(
    table="menu_items",
    one_row_per="item_id",
    columns={
        "item_id": From(column=("name", "size")),
        "name": From(column="name"),
        "category": From(column="type"),
        "price_minor": From(column="price", unit="major", combine="most"),
    },
)


class Total(NamedTuple):
    """What a table adds up to."""

    rows: int
    guests: int
    amount_minor: int


def load(lake: rg.Lake, table: str, source: Any, mapping: Mapping | None) -> LoadReport:
    return lake.load(table, source, mapping=mapping, now=NOW)


def load_twice(lake: rg.Lake, source: Path, mapping: Mapping) -> LoadReport:
    """Load a file, and again: nothing may be rejected, and nothing may change the second time."""
    first = load(lake, mapping.table, source, mapping)
    assert first.rejected == 0
    again = load(lake, mapping.table, source, mapping)
    assert (again.accepted, again.rejected, again.changed) == (first.accepted, 0, 0)
    return first


def total(lake: rg.Lake, table: str) -> Total:
    rows = lake.scan(table)
    guests = nw.col("guest_id").n_unique() - nw.col("guest_id").is_null().max().cast(nw.Int64)
    row = lake.collect(
        rows.select(
            nw.len().alias("rows"),
            (guests if "guest_id" in rows.collect_schema() else nw.lit(0)).alias("guests"),
            nw.col("amount_minor").sum().alias("amount_minor"),
        )
    ).to_pylist()[0]
    return Total(**{name: int(value) for name, value in row.items()})


@pytest.fixture
def cdnow(tmp_path: Path, wheel_file: Callable[[str, str], Path]) -> Path:
    lines = wheel_file("lifetimes", "datasets/CDNOW_master.txt").read_text(encoding="ascii").splitlines()[1:]
    path = tmp_path / "cdnow.csv"
    path.write_text(
        "\n".join(["guest,day,cds,paid", *(",".join(line.split()) for line in lines), ""]), encoding="utf-8"
    )
    return path


@pytest.fixture
def pizzaplace(wheel_file: Callable[[str, str], Path]) -> Path:
    return wheel_file("great_tables", "data/05-pizzaplace.csv")


def test_cdnow_totals_match_fader_and_hardie(lake: rg.Lake, cdnow: Path) -> None:
    load(lake, "stores", pa.table({"store_id": ["web"], "zone": ["UTC"]}), None)
    report = load_twice(lake, cdnow, CDNOW)
    assert (report.accepted, report.changed) == (69_659, 69_659)
    assert total(lake, "orders") == Total(69_659, 23_570, 250_031_563)
    days = lake.read("orders")["ordered_at"].to_pylist()
    assert (f"{min(days):%Y-%m-%d}", f"{max(days):%Y-%m-%d}") == DAYS


def test_pizzaplace_totals_come_back_in_orders_items_and_menu(lake: rg.Lake, pizzaplace: Path) -> None:
    orders = load_twice(lake, pizzaplace, PIZZA_ORDERS)
    assert (orders.accepted, orders.changed) == (49_574, 21_350)
    assert total(lake, "orders") == Total(21_350, 0, 81_786_005)
    items = load_twice(lake, pizzaplace, PIZZAS)
    assert (items.accepted, items.changed) == (49_574, 49_574)
    assert total(lake, "order_items") == Total(49_574, 0, 81_786_005)
    menu = load_twice(lake, pizzaplace, PIZZA_MENU)
    assert (menu.accepted, menu.changed) == (49_574, 91)
    assert set(lake.read("menu_items")["category"].to_pylist()) == {"chicken", "classic", "supreme", "veggie"}


@pytest.mark.parametrize(("table", "rows"), [("orders", 21_350), ("order_items", 49_574)])
def test_a_proposed_mapping_loads_pizzaplace_as_it_is(lake: rg.Lake, pizzaplace: Path, table: str, rows: int) -> None:
    if table == "order_items":
        lake.load("orders", pizzaplace, mapping=propose(open_source(pizzaplace), "orders").mapping, store="S1", now=NOW)
    mapping = propose(open_source(pizzaplace), table).mapping
    report = lake.load(table, pizzaplace, mapping=mapping, store="S1" if table == "orders" else None, now=NOW)
    assert (report.accepted, report.rejected, report.changed) == (49_574, 0, rows)
    assert total(lake, table).amount_minor == 81_786_005


def test_a_proposal_for_pizzaplace_knows_lines_of_orders_when_it_sees_them(pizzaplace: Path) -> None:
    mapping = propose(open_source(pizzaplace), "orders").mapping
    assert mapping.one_row_per == "order_id"
    assert mapping.columns["order_id"] == From(column="id")
    assert mapping.columns["ordered_at"].sources == ("date", "time")
    assert mapping.columns["amount_minor"] == From(column="price", unit="major")
    assert "guest_id" not in mapping.columns
    assert rg.tables.Mapping.model_validate(mapping.model_dump()) == mapping


def test_complete_journey_totals_come_back_from_parquet(lake: rg.Lake) -> None:
    reports = {report.table: report for report in complete_journey.load(lake)}
    assert all(report.rejected == 0 for report in reports.values())
    assert (reports["orders"].accepted, reports["orders"].changed) == (1_469_307, 155_848)
    assert (reports["order_items"].accepted, reports["order_items"].changed) == (1_469_307, 1_469_307)
    assert reports["redemptions"].accepted == 2_102
    orders, items = total(lake, "orders"), total(lake, "order_items")
    assert (orders.rows, orders.guests, items.rows) == (155_848, 2_469, 1_469_307)
    assert orders.amount_minor == items.amount_minor
    again = {report.table: report.changed for report in complete_journey.load(lake)}
    assert set(again.values()) == {0}


def test_the_first_line_of_an_order_may_speak_for_all(lake: rg.Lake, tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_text("id,paid,how\nA,1,web\nA,2,app\nB,1,\nB,1,app\n", encoding="utf-8")
    columns = {
        "order_id": From(column="id"),
        "store_id": From(value="S1"),
        "ordered_at": From(value="2026-10-01 12:00:00"),
        "amount_minor": From(column="paid"),
        "channel": From(column="how", combine="first"),
    }
    load(lake, "orders", path, Mapping(table="orders", one_row_per="order_id", columns=columns))
    rows = lake.read("orders").sort_by("order_id").to_pylist()
    assert [(row["amount_minor"], row["channel"]) for row in rows] == [(3, "web"), (2, None)]
