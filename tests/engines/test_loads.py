"""Files find their tables, rejects are settled, and a load is taken back: the same on every engine."""

from pathlib import Path
from typing import Any

import pytest

import regulars as rg

HEADER = "Bon;Datum;Zeit;Filiale;Artikel;Menge;Betrag\n"
JANUARY = (
    "1;14.01.2026;12:30;Mitte;Tee;1;2,80\n1;14.01.2026;12:30;Mitte;Brot;1;3,00\n2;15.01.2026;12:30;Mitte;Tee;1;viel\n"
)
MENDED = (
    "2;15.01.2026;12:30;Mitte;Tee;1;2,80\n3;16.01.2026;12:30;Nord;Tee;2;5,60\n1;14.01.2026;12:30;Mitte;Tee;1;2,90\n"
)


def told(lake: rg.Lake, folder: Path) -> list[Any]:
    """What two loads and an unloading say, and what is left after each."""
    said: list[Any] = []
    for name, lines in {"january.csv": JANUARY, "mended.csv": MENDED}.items():
        (folder / name).write_text(HEADER + lines)
        reports = lake.load_files([folder / name])
        said += [report._replace(load="", notes=()) for report in reports]
        said.append(sorted(row["line"] for row in lake.collect(lake.rejects()).to_pylist()))
    said += [one._replace(load="") for one in lake.unload(reports[-1].load)]
    for table in ("stores", "orders", "order_items"):
        said.append(sorted(map(str, lake.read(table).to_pylist())))
    return said


def test_loads_on_spark_are_those_on_duckdb(tmp_path: Path, spark: Any) -> None:
    found = {}
    for engine in ("duckdb", "spark"):
        rg.Lake.create(tmp_path / engine, currency="EUR", zone="Europe/Berlin")
        found[engine] = told(rg.Lake.open(tmp_path / engine, engine=engine), tmp_path)
    assert found["spark"] == found["duckdb"]


@pytest.mark.parametrize("engine", ["duckdb"])
def test_what_they_leave_was_counted_by_hand(tmp_path: Path, engine: str) -> None:
    lake = rg.Lake.create(tmp_path / engine, currency="EUR", zone="Europe/Berlin")
    said = told(lake, tmp_path)
    assert {row["order_id"]: row["amount_minor"] for row in lake.read("orders").to_pylist()} == {"1": 580}
    assert [row["store_id"] for row in lake.read("stores").to_pylist()] == ["Mitte"]
    assert said[4] == [4, 4]  # order 2 waits in orders and in lines
