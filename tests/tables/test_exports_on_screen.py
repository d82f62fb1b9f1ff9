"""Known exports at the command line, and through Spark."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner

import regulars as rg
from conftest import NOW
from regulars.cli import app
from regulars.documents import parse
from regulars.tables import Mapping

HERE = Path(__file__).parent / "exports"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rg.Lake.create(tmp_path / "shop", currency="USD", zone="America/New_York")
    return tmp_path / "shop"


def run(folder: Path, *words: str) -> str:
    done = CliRunner().invoke(app, [*words, "-w", str(folder)], env={"COLUMNS": "140"})
    assert done.exit_code == 0, done.output
    return done.output


def test_a_load_says_what_the_file_is_and_what_it_set_aside(folder: Path) -> None:
    run(folder, "load", "stores", str(HERE / "OrderDetails.csv"))
    said = run(folder, "load", "orders", str(HERE / "OrderDetails.csv"))
    assert "orders: 3 rows accepted, 2 rejected; 3 changed in the lake" in said
    assert "read as Toast OrderDetails.csv" in said
    assert "set aside, for they are not meant for orders: 2 voided" in said
    report = json.loads(run(folder, "load", "orders", str(HERE / "OrderDetails.csv"), "--json"))
    assert report["set_aside"] == {"voided": 2}
    assert report["accepted"] + report["rejected"] + sum(report["set_aside"].values()) == 7


def test_the_mapping_of_a_known_export_is_shown_and_can_be_kept(folder: Path) -> None:
    shown = run(folder, "map", str(HERE / "transactions.csv"), "--table", "orders", "--save")
    assert shown.startswith("# Square transactions.csv; it loads without this file")
    assert 'refund = { "Event Type" = "Refund" }' in shown
    kept = (folder / "mappings" / "orders.toml").read_text(encoding="utf-8")
    assert parse(kept, Mapping, name="orders.toml").table == "orders"
    run(folder, "load", "stores", str(HERE / "transactions.csv"))
    assert "7 rows accepted, 1 rejected" in run(folder, "load", "orders", str(HERE / "transactions.csv"))


def test_exports_load_through_spark_as_through_duckdb(tmp_path: Path, spark: Any) -> None:
    told: dict[str, Any] = {}
    later = {"event": "Order Cancelled", "timestamp": "2026-02-17T00:00:00Z", "properties": {"order_id": "O3"}}
    (tmp_path / "later.json").write_text(json.dumps(later), encoding="utf-8")
    for engine in ("duckdb", "spark"):
        rg.Lake.create(tmp_path / engine, currency="USD", zone="America/New_York")
        lake = rg.Lake.open(tmp_path / engine, engine=engine)
        lake.load("stores", pa.table({"store_id": ["App"]}), now=NOW)
        reports = [
            lake.load(table, path, now=NOW)
            for table in ("orders", "order_items")
            for path in (HERE / "orders_export.csv", HERE / "events.jsonl", tmp_path / "later.json")
        ]
        rows = [
            lake.read(table).sort_by([(name, "ascending") for name in key]).to_pylist() for table, key in KEYS.items()
        ]
        told[engine] = (reports, rows)
    assert told["spark"] == told["duckdb"]


KEYS = {"orders": ["order_id"], "order_items": ["order_id", "line"]}
