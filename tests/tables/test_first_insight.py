"""From an export to the first insight: three commands and no mapping written by hand, whatever system wrote the file.

The files in exports/ have the columns that public code and documents show; their rows are our own. What comes out was counted by hand.
"""

import datetime as dt
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from commands import run_command

HERE = Path(__file__).parent / "exports"
PAGE = Path(__file__).parents[2] / "docs" / "sources.md"


class Case(NamedTuple):
    """vendor: as on the page. spend: by guest, of all their orders. tables: what the load fills, with the rows of each."""

    vendor: str
    files: tuple[str, ...]
    currency: str
    zone: str
    spend: dict[str, int]
    tables: dict[str, int]
    options: tuple[str, ...] = ()
    encoding: str = "utf-8"


CASES = [
    Case("Toast", ("CheckDetails.csv",), "USD", "America/New_York", {"77": 8000, "bob@example.com": 3500},
         {"stores": 1, "orders": 5}, ("--store", "Main Street")),
    Case("Square", ("items.csv", "transactions.csv"), "USD", "America/New_York",
         {"CUST1": 2700 + 123450 - 2700 - 500, "CUST2": 4900}, {"stores": 1, "menu_items": 3, "orders": 7, "order_items": 5}),
    Case("Shopify", ("orders_export.csv",), "USD", "America/New_York", {"ann@example.com": 5391 + 2000 - 400},
         {"stores": 1, "menu_items": 4, "orders": 6, "order_items": 7}, ("--store", "Web shop")),
    Case("Segment", ("events.jsonl",), "USD", "America/New_York", {"ann": 2900 + 2900 - 400},
         {"stores": 1, "menu_items": 2, "orders": 4, "order_items": 5}, ("--store", "App")),
    Case("Loyverse", ("receipts-by-item.csv",), "USD", "America/Chicago",
         {"ann@example.com": 1620 + 270 + 100800 - 270, "Bob": 900}, {"stores": 2, "menu_items": 3, "orders": 4, "order_items": 5}),
    Case("WooCommerce", ("woocommerce.json",), "EUR", "Europe/Rome", {"ann@example.com": 2935 + 800},
         {"stores": 1, "menu_items": 2, "orders": 3, "order_items": 4}, ("--store", "Web shop")),
    Case("Foodics", ("foodics.json",), "SAR", "Asia/Riyadh", {"c-1": 4025, "c-2": 1150},
         {"stores": 2, "menu_items": 2, "orders": 2, "order_items": 3}),
    Case("Odoo", ("odoo.xlsx",), "USD", "America/New_York", {"Ann": 1250 + 800, "Bob": 725}, {"stores": 1, "orders": 4},
         ("--store", "Shop")),
    Case("a Chinese till", ("chinese_till.csv",), "CNY", "Asia/Shanghai", {"88001": 6100, "88002": 4000},
         {"stores": 2, "menu_items": 3, "orders": 3, "order_items": 6}, encoding="gb18030"),
    Case("a German till", ("kasse.csv",), "EUR", "Europe/Berlin", {"K17": 2650 + 104900, "K18": 700},
         {"stores": 2, "menu_items": 3, "orders": 4, "order_items": 5}, ("--encoding", "cp1252"), "cp1252"),
    Case("an online shop", ("online_retail.csv",), "GBP", "Europe/London",
         {"17850": 6 * 255 + 2 * 339, "13047": 32 * 169 + 6 * 185}, {"stores": 1, "menu_items": 4, "orders": 3, "order_items": 5},
         ("--store", "Web")),
]  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str, str], str]:
    """A fixture in its encoding, or as a workbook with typed cells."""

    def file(name: str, encoding: str) -> str:
        if name.endswith(".xlsx"):
            read = pd.read_csv(HERE / name.replace(".xlsx", ".csv"), parse_dates=["Date"])
            read.to_excel(tmp_path / name, index=False)
        else:
            (tmp_path / name).write_bytes((HERE / name).read_text(encoding="utf-8").encode(encoding))
        return name

    return file


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.vendor)
def test_three_commands_lead_from_a_file_to_what_each_guest_spent(
    case: Case, tmp_path: Path, file: Callable[[str, str], str]
) -> None:
    commands = [
        ("init", "shop", "--currency", case.currency, "--zone", case.zone),
        ("load", *(file(name, case.encoding) for name in case.files), *case.options, "-w", "shop", "--json"),
        ("profile", "-w", "shop", "--json"),
    ]
    said = []
    for words in commands:
        done = run_command(words, folder=tmp_path, environment=os.environ)
        assert done.returncode == 0, done.stdout + done.stderr
        said.append(done.stdout)
    reports, profiled = (json.loads(text) for text in said[1:])
    assert sum(report["accepted"] for report in reports) > 0
    assert profiled["guests"] == len(case.spend)
    assert spent(tmp_path / "shop") == case.spend
    assert rows(tmp_path / "shop") == case.tables
    assert commands_on_the_page()[case.vendor] == len(commands)


def spent(folder: Path) -> dict[str, int]:
    """What each guest paid, added up row by row."""
    from regulars.tables import Lake

    total: dict[str, int] = {}
    for order in Lake.open(folder).read("orders").to_pylist():
        if order["guest_id"] is not None:
            total[order["guest_id"]] = total.get(order["guest_id"], 0) + order["amount_minor"]
    return total


def rows(folder: Path) -> dict[str, int]:
    from regulars.tables import CONTRACTS, Lake

    lake = Lake.open(folder)
    return {table: len(lake.read(table)) for table in CONTRACTS if lake.has(table)}


def commands_on_the_page() -> dict[str, int]:
    """The vendors of the table of first insights on the page, with their commands."""
    text = PAGE.read_text(encoding="utf-8").split("## From a file to the first insight")[1]
    return {vendor: int(count) for vendor, count in re.findall(r"^\| ([^|]+?) \|.*\| (\d+) \|$", text, re.MULTILINE)}


def test_at_least_ten_systems_are_on_the_page() -> None:
    assert set(commands_on_the_page()) == {case.vendor for case in CASES}
    assert len(CASES) >= 10


# What else these files hold


def loaded(tmp_path: Path, name: str, *, zone: str = "Europe/Berlin", **options: str) -> "list[tuple[object, ...]]":
    import regulars as rg

    lake = rg.Lake.create(tmp_path / "lake", currency=options.pop("currency", "EUR"), zone=zone)
    lake.load_files([HERE / name], now=dt.datetime(2026, 11, 22, tzinfo=dt.UTC), **options)  # type: ignore[arg-type]
    names = ("order_id", "ordered_at", "amount_minor", "discount_minor", "is_refund")
    return sorted(tuple(row[name] for name in names) for row in lake.read("orders").to_pylist())


def test_a_sumup_report_of_sales_leaves_out_tips_and_gives_back(tmp_path: Path) -> None:
    assert loaded(tmp_path, "sumup.csv", store="Mitte") == [
        ("TAAA1", dt.datetime(2026, 2, 3, 11, 31, tzinfo=dt.UTC), 2250, 250, False),
        ("TAAA2", dt.datetime(2026, 2, 13, 17, 2, tzinfo=dt.UTC), 350, 0, False),
        ("TAAA2 refund 2026-02-13 18:10:00", dt.datetime(2026, 2, 13, 17, 10, tzinfo=dt.UTC), -350, 0, True),
    ]  # fmt: skip


def test_clover_orders_are_without_tax_and_those_that_are_open_are_set_aside(tmp_path: Path) -> None:
    assert loaded(tmp_path, "Orders.csv", store="Main", zone="America/New_York", currency="USD") == [
        ("M1", dt.datetime(2025, 12, 16, 7, 44, tzinfo=dt.UTC), 1200, 0, False),
        ("M2", dt.datetime(2026, 7, 17, 16, 44, tzinfo=dt.UTC), 100000, 0, False),
        ("M2 refund", dt.datetime(2026, 7, 17, 16, 44, tzinfo=dt.UTC), -300, 0, True),
    ]  # fmt: skip


def test_a_loyverse_report_is_read_in_the_dates_of_its_country(tmp_path: Path) -> None:
    assert [(order_id, at.isoformat()) for order_id, at, *_ in loaded(tmp_path, "receipts.csv", zone="UTC")] == [  # type: ignore[attr-defined]
        ("1-1001", "2026-07-28T13:33:00+00:00"), ("2-1001", "2026-07-29T12:05:00+00:00"),
    ]  # fmt: skip


def test_a_loyverse_report_whose_dates_fit_both_ways_is_asked_about(tmp_path: Path) -> None:
    import regulars as rg

    text = (HERE / "receipts.csv").read_text(encoding="utf-8").replace("28/07", "02/07").replace("29/07", "03/07")
    (tmp_path / "receipts.csv").write_text(text, encoding="utf-8")
    lake = rg.Lake.create(tmp_path / "lake")
    for load in (
        lambda: lake.load_files([tmp_path / "receipts.csv"]),
        lambda: lake.load("orders", tmp_path / "receipts.csv"),
    ):
        with pytest.raises(rg.DataError, match=r"can be read as .*--table orders --save"):
            load()


def test_a_foodics_order_of_the_night_counts_on_the_day_that_the_till_says(tmp_path: Path) -> None:
    import regulars as rg

    lake = rg.Lake.create(tmp_path / "lake", currency="SAR", zone="Asia/Riyadh")
    lake.load_files([HERE / "foodics.json"])
    days = {row["order_id"]: row["business_date"].isoformat() for row in lake.read("orders").to_pylist()}
    assert days == {"o-1": "2026-05-01", "o-3": "2026-05-03"}
    costs = {row["item_id"]: (row["name"], row["cost_minor"]) for row in lake.read("menu_items").to_pylist()}
    assert costs == {"P001": ("Shawarma", 450), "p-2": ("Laban", None)}
