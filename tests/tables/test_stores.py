"""Stores: their clocks decide to which trading day an order belongs."""

import datetime as dt
from pathlib import Path

import pyarrow as pa

import regulars as rg
from conftest import NOW


def test_a_store_that_does_not_say_keeps_the_clock_of_the_workspace(tmp_path: Path) -> None:
    lake = rg.Lake.create(tmp_path / "workspace", zone="Asia/Tokyo", day_closes_at="06:00")
    stores = {"store_id": ["S1", "S2"], "zone": [None, "UTC"], "day_closes_at": ["05:00", None]}
    assert lake.load("stores", pa.table({"store_id": ["S3"]}), now=NOW).accepted == 1
    assert lake.load("stores", pa.table(stores), now=NOW).accepted == 2
    rows = [tuple(row.values())[:4] for row in lake.read("stores").sort_by("store_id").to_pylist()]
    assert rows == [
        ("S1", None, "Asia/Tokyo", "05:00"), ("S2", None, "UTC", "06:00"), ("S3", None, "Asia/Tokyo", "06:00"),
    ]  # fmt: skip
    at = dt.datetime(2026, 3, 1, 5, 30)
    orders = {
        "order_id": ["A", "B", "C"],
        "store_id": ["S1", "S2", "S3"],
        "ordered_at": [at] * 3,
        "amount_minor": [1] * 3,
    }
    lake.load("orders", pa.table(orders), now=NOW)
    days = [row["business_date"].day for row in lake.read("orders").sort_by("order_id").to_pylist()]
    assert days == [1, 28, 28]
