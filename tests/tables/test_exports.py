"""Exports of tills and shops load without a mapping; visits, spend and margin come out as counted by hand.

The files in exports/ were written to the columns that the vendors document, with their traps inside.
"""

import csv
import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import regulars as rg
from conftest import NOW
from regulars.documents import parse
from regulars.tables import LoadReport, Mapping
from regulars.tables.vendors import Export, known_exports, recognise

HERE = Path(__file__).parent / "exports"
AS_OF = dt.date(2026, 11, 20)


@pytest.fixture
def shop(tmp_path: Path) -> Callable[..., rg.Lake]:
    """A workspace in New York with stores of these names."""

    def make(*stores: str) -> rg.Lake:
        lake = rg.Lake.create(tmp_path / "shop", currency="USD", zone="America/New_York")
        if stores:
            lake.load("stores", pa.table({"store_id": list(stores)}), now=NOW)
        return lake

    return make


def load(lake: rg.Lake, table: str, file: str | Path) -> LoadReport:
    return lake.load(table, HERE / file, now=NOW)


def rejected(lake: rg.Lake) -> list[tuple[int, str, str]]:
    rows = lake.collect(lake.rejects()).sort_by("line").to_pylist()
    return [(row["line"], row["column"], row["reason"]) for row in rows]


def rows(lake: rg.Lake, table: str, *names: str) -> list[tuple[Any, ...]]:
    return sorted(tuple(row[name] for name in names) for row in lake.read(table).to_pylist())


def profiles(lake: rg.Lake) -> dict[str, tuple[int, int, int]]:
    """Visits, spend and margin of each guest, where margin is half of the price before the discount, less the discount."""
    built = rg.profiles.build(lake.read("orders"), as_of=AS_OF, margin_rate=0.5).to_pylist()
    return {guest["guest_id"]: (guest["visits"], guest["spend_minor"], guest["margin_minor"]) for guest in built}


def rewritten(path: Path, change: Callable[[dict[str, str]], dict[str, str]], name: str) -> Path:
    """A fixture with every row changed, in a folder of its own."""
    with (HERE / name).open(encoding="utf-8-sig", newline="") as file:
        changed = [change(row) for row in csv.DictReader(file)]
    with (path / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(changed[0]))
        writer.writeheader()
        writer.writerows(changed)
    return path / name


def without(*names: str) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda row: {name: value for name, value in row.items() if name not in names}


# Toast


def test_toast_orders_load_with_their_stores(shop: Callable[..., rg.Lake]) -> None:
    lake = shop()
    assert load(lake, "stores", "OrderDetails.csv")[2:5] == (7, 0, 2)
    report = load(lake, "orders", "OrderDetails.csv")
    assert (report[2:5], report.set_aside) == ((3, 2, 3), {"voided": 2})
    assert report.read_as == "Toast OrderDetails.csv"
    assert rows(lake, "orders", "store_id", "amount_minor", "discount_minor", "covers", "channel") == [
        ("Harbour", 4200, 0, 2, "Dine In"), ("Main Street", 2000, 0, 2, "Dine In"),
        ("Main Street", 123450, 1000, 12, "Dine In"),
    ]  # fmt: skip
    assert rejected(lake) == [
        (5, "ordered_at", "this time never was: the clock was put forward over it"),
        (6, "amount_minor", "'abc' is no amount; write a number such as 12.50"),
    ]


def test_a_toast_time_that_came_twice_is_the_first_of_the_two(shop: Callable[..., rg.Lake]) -> None:
    lake = shop("Main Street", "Harbour")
    load(lake, "orders", "OrderDetails.csv")
    twice = rows(lake, "orders", "order_id", "ordered_at", "business_date", "hour")[1]
    assert twice[1:] == (dt.datetime(2026, 11, 1, 5, 30, tzinfo=dt.UTC), dt.date(2026, 10, 31), 1)


def test_the_business_date_of_the_till_counts_where_it_gives_one(shop: Callable[..., rg.Lake], tmp_path: Path) -> None:
    lake = shop("Main Street", "Harbour")
    path = rewritten(tmp_path, lambda row: row | {"Business Date": "20261009"}, "OrderDetails.csv")
    load(lake, "orders", path)
    assert {date for (date,) in rows(lake, "orders", "business_date")} == {dt.date(2026, 10, 9)}


def test_toast_checks_name_the_guests(shop: Callable[..., rg.Lake]) -> None:
    lake = shop("Main Street")
    assert load(lake, "orders", "CheckDetails.csv")[2:5] == (5, 0, 5)
    assert load(lake, "orders", "CheckDetails.csv").is_repeated
    assert profiles(lake) == {"77": (2, 8000, 3750), "bob@example.com": (2, 3500, 1750)}


def test_a_file_without_a_store_asks_which_one_where_there_are_several(shop: Callable[..., rg.Lake]) -> None:
    lake = shop("Main Street", "Harbour")
    assert load(lake, "orders", "CheckDetails.csv")[2:5] == (0, 5, 0)
    assert rejected(lake)[0][1:] == (
        "store_id", "is missing, and the workspace has 2 stores; say which one this file is of, with --store or in a mapping",
    )  # fmt: skip


@pytest.mark.parametrize(("orders", "ids"), [("OrderDetails.csv", "43"), ("CheckDetails.csv", "44")])
def test_toast_lines_belong_to_orders_or_to_checks_as_those_were_loaded(
    shop: Callable[..., rg.Lake], orders: str, ids: str
) -> None:
    lake = shop()
    load(lake, "stores", "OrderDetails.csv")
    if ids == "44":
        lake = shop_with_one_store(lake)
    load(lake, "orders", orders)
    report = load(lake, "order_items", "ItemSelectionDetails.csv")
    assert (report[2:5], report.set_aside) == ((4, 0, 4), {"voided": 1})
    lines = rows(lake, "order_items", "order_id", "line", "item_id", "quantity", "amount_minor")
    assert [(line, item, quantity, amount) for _, line, item, quantity, amount in lines] == [
        (1, "M501", 1.0, 1200), (2, "M502", 2.0, 800), (4, "Cake of the day", 1.0, 3000), (1, "M502", 1.0, 400),
    ]  # fmt: skip
    assert {order_id[-4:-2] for order_id, *_ in lines} == {ids}
    assert load(lake, "order_items", "ItemSelectionDetails.csv").changed == 0


def shop_with_one_store(lake: rg.Lake) -> rg.Lake:
    one = rg.Lake.create(lake.workspace.path.with_name("one"), currency="USD", zone="America/New_York")
    one.load("stores", pa.table({"store_id": ["Main Street"]}), now=NOW)
    return one


def test_toast_dishes_become_the_menu(shop: Callable[..., rg.Lake]) -> None:
    lake = shop()
    assert load(lake, "menu_items", "ItemSelectionDetails.csv").changed == 3
    assert rows(lake, "menu_items", "item_id", "name", "category")[1] == ("M501", "Soup", "Starters")


def test_an_order_that_is_voided_later_is_taken_out(shop: Callable[..., rg.Lake], tmp_path: Path) -> None:
    lake = shop("Main Street", "Harbour")
    load(lake, "orders", "OrderDetails.csv")
    voided = rewritten(tmp_path, lambda row: row | {"Voided": "true"}, "OrderDetails.csv")
    report = load(lake, "orders", voided)
    assert (report.accepted, report.changed, report.set_aside) == (0, 3, {"voided": 7})
    assert not lake.has("orders")


# Square


def test_square_refunds_lower_spend_and_margin_and_are_no_visit(shop: Callable[..., rg.Lake]) -> None:
    lake = shop()
    load(lake, "stores", "transactions.csv")
    report = load(lake, "orders", "transactions.csv")
    assert (report[2:5], report.set_aside) == ((7, 1, 7), {"Activation": 1})
    # CUST1 paid 27.00 and 1,234.50 and got 27.00 and 5.00 back, all of it lost margin; CUST2 paid 9.00 and 40.00.
    assert profiles(lake) == {
        "CUST1": (2, 2700 + 123450 - 2700 - 500, 3000 // 2 - 300 + 61725 - 2700 - 500), "CUST2": (2, 4900, 2450),
    }  # fmt: skip
    back = rows(lake, "orders", "order_id", "amount_minor", "discount_minor", "is_refund")
    assert back[:2] == [("T1", 2700, 300, False), ("T1 refund 2026-09-21 11:00:00", -2700, -300, True)]


def test_square_times_are_in_the_zone_of_their_row(shop: Callable[..., rg.Lake]) -> None:
    lake = shop()
    load(lake, "stores", "transactions.csv")
    load(lake, "orders", "transactions.csv")
    times = dict(rows(lake, "orders", "order_id", "ordered_at"))
    assert times["T1"] == dt.datetime(2026, 9, 13, 14, 2, 11, tzinfo=dt.UTC)
    assert times["T7"] == dt.datetime(2026, 9, 25, 22, 30, tzinfo=dt.UTC)  # no zone: the store's
    assert times["T8"] == dt.datetime(2026, 10, 1, 6, 30, tzinfo=dt.UTC)  # Pacific
    reason = "'Mars Time' is no time zone; write one such as America/New_York or Asia/Shanghai"
    assert (7, "ordered_at", reason) in rejected(lake)
    assert rows(lake, "stores", "store_id", "zone") == [("Autumn Fair", "America/New_York")]


def test_square_lines_of_a_refund_are_below_zero_whatever_sign_the_quantity_had(shop: Callable[..., rg.Lake]) -> None:
    lake = shop("Autumn Fair")
    load(lake, "orders", "transactions.csv")
    assert load(lake, "order_items", "items.csv")[2:5] == (5, 0, 5)
    assert rows(lake, "order_items", "order_id", "line", "item_id", "quantity", "amount_minor", "discount_minor") == [
        ("T1", 1, "Cider", 2.0, 900, 100), ("T1", 2, "Pie", 1.0, 1800, 200),
        ("T1 refund 2026-09-21 11:00:00", 1, "Cider", -1.0, -900, -100), ("T1 refund 2026-09-21 11:00:00", 2, "Pie", -1.0, -1800, -200),
        ("T2", 1, "Feast", 1.0, 123450, 0),
    ]  # fmt: skip
    assert load(lake, "menu_items", "items.csv").changed == 3
    assert load(lake, "order_items", "items.csv").is_repeated


# Shopify


@pytest.mark.parametrize("block", [None, 1_500])
def test_shopify_orders_stand_on_their_first_row_only(
    shop: Callable[..., rg.Lake], monkeypatch: pytest.MonkeyPatch, block: int | None
) -> None:
    """Also where the border of a batch goes through an order."""
    if block:
        monkeypatch.setattr("regulars.tables.formats.delimited.BYTES_PER_BLOCK", block)
    lake = shop("Web shop")
    report = load(lake, "orders", "orders_export.csv")
    assert (report[2:5], report.set_aside) == ((7, 0, 6), {"cancelled": 2, "test order": 1})
    assert rows(lake, "orders", "order_id", "guest_id", "amount_minor", "discount_minor", "voucher_code") == [
        ("#1001", "ann@example.com", 5391, 1000, "WELCOME10"), ("#1004", "ann@example.com", 2000, 0, None),
        ("#1004 refund", "ann@example.com", -400, 0, None), ("#1005", None, 1091, 0, None),
        ("#1006", "ann@example.com", 161000, 0, None), ("#1006 refund", "ann@example.com", -161000, 0, None),
    ]  # fmt: skip
    assert profiles(lake) == {
        "ann@example.com": (3, 5391 + 2000 - 400, (5391 + 1000 + 1) // 2 - 1000 + 1000 - 400 + 80500 - 161000)
    }
    assert load(lake, "orders", "orders_export.csv").is_repeated


@pytest.mark.parametrize("block", [None, 1_500])
def test_shopify_lines_cost_price_times_quantity_less_discount(
    shop: Callable[..., rg.Lake], monkeypatch: pytest.MonkeyPatch, block: int | None
) -> None:
    if block:
        monkeypatch.setattr("regulars.tables.formats.delimited.BYTES_PER_BLOCK", block)
    lake = shop("Web shop")
    load(lake, "orders", "orders_export.csv")
    report = load(lake, "order_items", "orders_export.csv")
    assert (report[2:5], report.set_aside) == ((7, 0, 7), {"cancelled": 2, "test order": 1})
    lines = rows(lake, "order_items", "order_id", "line", "item_id", "quantity", "amount_minor", "discount_minor")
    assert lines[:5] == [
        ("#1001", 1, "MUG-1", 3.0, 2700, 300), ("#1001", 2, "FERN-1", 1.0, 1600, 0), ("#1001", 3, "Card", 1.0, 1091, 0),
        ("#1004", 1, "FERN-1", 1.0, 1600, 0), ("#1004", 2, "Card", 2.0, 400, 0),
    ]  # fmt: skip
    assert load(lake, "menu_items", "orders_export.csv").changed == 4


def test_a_bad_shopify_line_is_told_by_its_own_line_of_the_file(shop: Callable[..., rg.Lake], tmp_path: Path) -> None:
    lake = shop("Web shop")
    load(lake, "orders", "orders_export.csv")
    spoil = {"Card": {"Lineitem price": "dear"}}
    path = rewritten(tmp_path, lambda row: row | spoil.get(row["Lineitem name"], {}), "orders_export.csv")
    assert load(lake, "order_items", path).rejected == 3
    assert [line for line, _, _ in rejected(lake)] == [5, 10, 11]  # the note of the first order has two lines
    original = lake.collect(lake.rejects())["original"].to_pylist()[0]
    assert original.startswith("#1001,,,")  # as it was written, not as it was filled in


# Segment


def test_segment_orders_are_found_among_other_events(shop: Callable[..., rg.Lake]) -> None:
    lake = shop("App")
    report = load(lake, "orders", "events.jsonl")
    assert (report[2:5], report.set_aside) == ((4, 0, 4), {"Product Viewed": 1, "cancelled": 2, "without event": 1})
    # O1 29.00, O2 was cancelled, O3 29.00 of which 4.00 went back; O4 names nobody.
    assert profiles(lake) == {"ann": (2, 2900 + 2900 - 400, 3100 // 2 - 200 + 1450 - 400)}
    assert load(lake, "orders", "events.jsonl").is_repeated


def test_segment_products_become_lines(shop: Callable[..., rg.Lake]) -> None:
    lake = shop("App")
    load(lake, "orders", "events.jsonl")
    report = load(lake, "order_items", "events.jsonl")
    assert (report.accepted, report.changed, report.set_aside["without products"]) == (3, 5, 1)
    assert rows(lake, "order_items", "order_id", "line", "item_id", "quantity", "amount_minor") == [
        ("O1", 1, "soup", 2.0, 2500), ("O1", 2, "tea", 1.0, 400), ("O3", 1, "soup", 2.0, 2500),
        ("O3", 2, "tea", 1.0, 400), ("O3 refund 2026-02-16 09:00:00", 1, "tea", -1.0, -400),
    ]  # fmt: skip
    assert load(lake, "menu_items", "events.jsonl").changed == 2
    assert load(lake, "order_items", "events.jsonl").is_repeated


def test_an_envelope_of_calls_is_its_calls_each_with_its_line(shop: Callable[..., rg.Lake]) -> None:
    lake = shop("App")
    assert load(lake, "orders", "batch.json")[2:5] == (1, 1, 1)
    assert rejected(lake) == [(33, "amount_minor", "'lots' is no amount; write a number such as 12.50")]
    assert (HERE / "batch.json").read_text(encoding="utf-8").splitlines()[32].strip() == "{"


def test_an_order_that_is_cancelled_in_a_later_file_is_taken_out_with_its_lines_and_its_refund(
    shop: Callable[..., rg.Lake], tmp_path: Path
) -> None:
    lake = shop("App")
    for table in ("orders", "order_items"):
        load(lake, table, "events.jsonl")
    cancelled = {"event": "Order Cancelled", "timestamp": "2026-02-17T00:00:00Z", "properties": {"order_id": "O3"}}
    (tmp_path / "later.json").write_text(json.dumps(cancelled), encoding="utf-8")
    assert load(lake, "order_items", tmp_path / "later.json").changed == 3
    report = load(lake, "orders", tmp_path / "later.json")
    assert (report.accepted, report.changed, report.set_aside) == (0, 2, {"cancelled": 1})
    assert rows(lake, "orders", "order_id") == [("O1",), ("O4",)]
    assert {order_id for (order_id,) in rows(lake, "order_items", "order_id")} == {"O1"}


def test_a_file_of_events_with_no_order_in_it_changes_nothing_and_says_what_it_held(
    shop: Callable[..., rg.Lake], tmp_path: Path
) -> None:
    lake = shop("App")
    lines = (HERE / "events.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "views.jsonl").write_text(lines[1] * 3, encoding="utf-8")
    report = load(lake, "orders", tmp_path / "views.jsonl")
    assert (report[2:5], report.set_aside) == ((0, 0, 0), {"Product Viewed": 3})


def test_an_order_event_after_a_thousand_others_is_read(shop: Callable[..., rg.Lake], tmp_path: Path) -> None:
    lake = shop("App")
    lines = (HERE / "events.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "long.jsonl").write_text(lines[1] * 1_500 + lines[2], encoding="utf-8")
    assert load(lake, "orders", tmp_path / "long.jsonl").changed == 1


# Recognising


def test_a_needed_column_that_is_missing_is_named_with_the_export(shop: Callable[..., rg.Lake], tmp_path: Path) -> None:
    path = rewritten(tmp_path, without("Opened"), "OrderDetails.csv")
    with pytest.raises(rg.DataError) as refusal:
        load(shop("Main Street"), "orders", path)
    said = str(refusal.value)
    assert "It looks like Toast OrderDetails.csv, but lacks its column 'Opened'" in said
    assert "Known without a mapping: Clover Orders.csv, Foodics orders.json, Loyverse receipts.csv" in said


def test_a_table_that_no_export_brings_says_nothing_of_exports(shop: Callable[..., rg.Lake]) -> None:
    with pytest.raises(rg.DataError, match=r"has no column offer_id, kind, which offers needs(?!.*Known)"):
        load(shop(), "offers", "OrderDetails.csv")


def test_a_kept_mapping_comes_before_what_is_known(shop: Callable[..., rg.Lake]) -> None:
    lake = shop("Main Street", "Harbour")
    [known] = recognise(header_of("OrderDetails.csv"), "orders")
    changed = known.mapping.to_toml().replace('column = "Amount"', 'column = ["Amount", "Tax"]')
    lake.save_mapping(parse(changed, Mapping, name="mapping.toml"))
    report = load(lake, "orders", "OrderDetails.csv")
    assert report.read_as is None
    assert [amount for (amount,) in rows(lake, "orders", "amount_minor")] == [2100, 4300, 123550]


def header_of(name: str) -> list[str]:
    with (HERE / name).open(encoding="utf-8-sig", newline="") as file:
        return next(csv.reader(file))


def test_our_own_names_come_before_what_is_known(shop: Callable[..., rg.Lake], tmp_path: Path) -> None:
    lake = shop("Main Street")
    ours = {"order_id": "A", "store_id": "Main Street", "ordered_at": "2026-10-01", "amount_minor": "5"}
    load(lake, "orders", rewritten(tmp_path, lambda row: row | ours, "OrderDetails.csv"))
    assert rows(lake, "orders", "order_id", "amount_minor") == [("A", 5)]


@pytest.mark.parametrize("export", known_exports(), ids=lambda export: f"{export.export} {export.table}")
def test_a_known_mapping_can_be_saved_and_read_again(export: Export) -> None:
    assert parse(export.mapping.to_toml(), Mapping, name="mapping.toml") == export.mapping
    assert export.mapping.fingerprint == parse(export.mapping.to_toml(), Mapping, name="mapping.toml").fingerprint


@pytest.mark.parametrize("export", known_exports(), ids=lambda export: f"{export.export} {export.table}")
def test_an_export_is_known_by_columns_that_its_mapping_reads(export: Export) -> None:
    assert export in recognise(export.header, export.table)
    if export.export != "Segment events":
        export.mapping.require([*export.header, *export.mapping.sources], "file")


@pytest.mark.parametrize("export", known_exports(), ids=lambda export: f"{export.export} {export.table}")
def test_a_known_export_is_on_the_page_of_sources(export: Export) -> None:
    page = (HERE.parents[2] / "docs" / "sources.md").read_text(encoding="utf-8").split("## From a file")[0]
    vendor, file = export.export.split()
    [row] = [line for line in page.splitlines() if line.startswith(f"| {vendor} ") and f"{file}" in line.split("|")[2]]
    assert f"`{export.table}`" in row
