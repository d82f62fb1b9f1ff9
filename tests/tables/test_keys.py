"""Each key stands once, whoever loads at the same time and whatever is killed; and a load says what became of the rows before."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import regulars as rg
from conftest import NOW
from regulars.tables import From, LoadReport, Mapping, changes

HEADER = "order_id,guest_id,store_id,ordered_at,amount_minor"
ROWS = 20_000


def orders(path: Path, ids: range, *, amount: int, store: str = "S1", day: str = "2026-10-01") -> Path:
    path.write_text("\n".join([HEADER, *(f"{n},g{n},{store},{day} 12:00:00,{amount}" for n in ids), ""]))
    return path


def csv(path: Path, *lines: str) -> Path:
    path.write_text("\n".join([*lines, ""]))
    return path


def load(lake: rg.Lake, source: Any, table: str = "orders", **more: Any) -> LoadReport:
    return lake.load(table, source, now=NOW, **more)


def amounts(lake: rg.Lake, table: str = "orders") -> dict[Any, int]:
    key = rg.tables.CONTRACTS[table].key
    rows = lake.read(table).to_pylist()
    found = {tuple(row[name] for name in key): row["amount_minor"] for row in rows}
    assert len(found) == len(rows), "a key stands twice"
    return {key[0] if len(key) == 1 else key: amount for key, amount in found.items()}


def meanwhile(monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> None:
    """Do something else just after the next load has compared its rows with the table."""
    compare, done = changes.find, []

    def find(*given: Any, **options: Any) -> changes.Changed:
        found = compare(*given, **options)
        if not done:
            done.append(True)
            work()
        return found

    monkeypatch.setattr(changes, "find", find)


@pytest.mark.parametrize("is_begun", [False, True], ids=["into an empty table", "into one with rows"])
def test_of_two_loads_at_once_the_second_compares_again(
    lake: rg.Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_begun: bool
) -> None:
    if is_begun:
        load(lake, orders(tmp_path / "before.csv", range(50), amount=1))
    one = orders(tmp_path / "one.csv", range(100), amount=1)
    two = orders(tmp_path / "two.csv", range(40, 160), amount=2)
    meanwhile(monkeypatch, lambda: load(lake, one))
    report = load(lake, two)
    assert amounts(lake) == {str(n): 2 if n >= 40 else 1 for n in range(160)}
    assert (report.new, report.replaced, report.gone, report.changed) == (60, 60, 0, 120)


def test_the_same_file_loaded_twice_at_once_is_loaded_once(
    lake: rg.Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = orders(tmp_path / "one.csv", range(100), amount=1)
    meanwhile(monkeypatch, lambda: load(lake, file))
    assert load(lake, file).is_repeated
    assert amounts(lake) == {str(n): 1 for n in range(100)}


def test_rejects_of_two_loads_at_once_are_all_kept(
    lake: rg.Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [
        csv(tmp_path / f"{n}.csv", HEADER, f"{n},ann,S1,2026-10-01,5", f"X{n},ann,S9,2026-10-01,5") for n in (1, 2)
    ]
    meanwhile(monkeypatch, lambda: load(lake, files[0]))
    load(lake, files[1])
    assert sorted(lake.collect(lake.rejects())["file"].to_pylist()) == ["1.csv", "2.csv"]
    assert amounts(lake) == {"1": 5, "2": 5}


SCRIPT = """
import sys, datetime as dt, regulars as rg
now = dt.datetime.fromisoformat(sys.argv[1])
rg.Lake.open(sys.argv[2]).load("orders", sys.argv[3], now=now)
"""


def test_two_loads_at_once_and_any_kill_leave_each_key_once(lake: rg.Lake, tmp_path: Path, is_whole: bool) -> None:
    draw = random.Random(18)
    seconds = 0.0
    for strike in range(51 if is_whole else 3):
        files = [
            orders(tmp_path / f"{strike}-{n}.csv", range(ROWS if is_whole else 2_000), amount=strike * 2 + n)
            for n in (0, 1)
        ]
        begun = time.perf_counter()
        loads = [
            subprocess.Popen([sys.executable, "-c", SCRIPT, NOW.isoformat(), str(lake.workspace.path), str(file)])
            for file in files
        ]
        if strike:
            time.sleep(draw.uniform(0.5, 1) * seconds)
            loads[0].send_signal(signal.SIGKILL)
        assert {one.wait() for one in loads} <= {0, -signal.SIGKILL}
        seconds = seconds or time.perf_counter() - begun
        assert set(amounts(lake).values()) <= {strike * 2, strike * 2 + 1}, "one of the two files, wholly"
        assert len(set(amounts(lake).values())) == 1
    load(lake, files[0])
    assert set(amounts(lake).values()) <= {strike * 2, strike * 2 + 1}


def test_numbers_that_begin_anew_are_told_from_corrections(lake: rg.Lake, tmp_path: Path) -> None:
    load(lake, orders(tmp_path / "monday.csv", range(3), amount=1, day="2026-10-05"))
    mended = load(lake, orders(tmp_path / "mended.csv", range(1), amount=2, day="2026-10-05"))
    assert (mended.new, mended.replaced, mended.moved) == (0, 1, 0)
    tuesday = load(lake, orders(tmp_path / "tuesday.csv", range(2), amount=3, day="2026-10-06"))
    assert (tuesday.new, tuesday.replaced, tuesday.moved) == (0, 2, 2)
    other_shop = load(lake, orders(tmp_path / "shop.csv", range(2, 4), amount=4, day="2026-10-05", store="S2"))
    assert (other_shop.new, other_shop.replaced, other_shop.moved) == (1, 1, 1)


def test_numbers_that_begin_anew_in_one_file_are_rejected_with_the_mend(lake: rg.Lake, tmp_path: Path) -> None:
    rows = ["1,ann,S1,2026-10-05 12:00,100", "1,bob,S1,2026-10-06 12:00,200", "1,bob,S1,2026-10-05 13:00,300"]
    assert load(lake, csv(tmp_path / "both.csv", HEADER, *rows)).rejected == 2
    said = lake.collect(lake.rejects()).sort_by("line")["reason"].to_pylist()
    assert "of another store or day; where numbers begin anew, make order_id of several columns" in said[0]
    assert said[1].endswith("with other content; keep one of them")


ITEMS = "order_id,line,item_id,amount_minor"


@pytest.fixture
def ordered(lake: rg.Lake, tmp_path: Path) -> rg.Lake:
    """A lake with the orders 0, 1, 2, the first of which has three lines, the second two."""
    load(lake, orders(tmp_path / "orders.csv", range(3), amount=500))
    load(
        lake,
        csv(tmp_path / "i.csv", ITEMS, "0,1,soup,1", "0,2,tea,2", "0,3,pie,3", "1,1,pie,4", "1,2,tea,5"),
        "order_items",
    )
    return lake


def test_lines_that_a_later_source_no_longer_has_are_gone(ordered: rg.Lake, tmp_path: Path) -> None:
    report = load(ordered, csv(tmp_path / "later.csv", ITEMS, "0,1,soup,1", "0,3,pie,9"), "order_items")
    assert amounts(ordered, "order_items") == {("0", 1): 1, ("0", 3): 9, ("1", 1): 4, ("1", 2): 5}
    assert (report.new, report.replaced, report.gone, report.changed) == (0, 1, 1, 2)


def test_a_file_with_other_lines_of_an_order_adds_to_it(ordered: rg.Lake, tmp_path: Path) -> None:
    report = load(ordered, csv(tmp_path / "more.csv", ITEMS, "1,3,cake,6", "2,1,cake,7"), "order_items")
    assert (report.new, report.replaced, report.gone) == (2, 0, 0)
    assert len(amounts(ordered, "order_items")) == 7


def test_an_order_with_a_rejected_line_keeps_its_lines(ordered: rg.Lake, tmp_path: Path) -> None:
    rows = ["0,1,soup,8", "0,2,tea,x", "1,1,pie,4"]
    report = load(ordered, csv(tmp_path / "later.csv", ITEMS, *rows), "order_items")
    assert (report.rejected, report.replaced, report.gone) == (1, 1, 1)
    kept = amounts(ordered, "order_items")
    assert {line for order, line in kept if order == "0"} == {1, 2, 3}
    assert {line for order, line in kept if order == "1"} == {1}
    misshapen = load(ordered, csv(tmp_path / "odd.csv", ITEMS, "0,1,soup,7", "2,1"), "order_items")
    assert (misshapen.rejected, misshapen.gone) == (1, 0)


LINES = Mapping(
    table="orders",
    one_row_per="order_id",
    void={"voided": {"struck": "yes"}},
    columns={
        "order_id": From(column="check"),
        "store_id": From(value="S1"),
        "ordered_at": From(column="at"),
        "amount_minor": From(column="paid"),
        "margin_minor": From(column="margin"),
    },
)
CHECKS = "check,at,paid,margin,struck"


def test_a_line_that_was_struck_out_leaves_the_others(lake: rg.Lake, tmp_path: Path) -> None:
    rows = [
        "A,2026-10-01 12:00,30,20,",
        "A,2026-10-01 12:00,12,8,",
        "A,2026-10-01 12:00,9,5,yes",
        "B,2026-10-01 12:00,7,1,",
    ]
    report = load(lake, csv(tmp_path / "one.csv", CHECKS, *rows), mapping=LINES)
    assert (report.accepted, report.set_aside, report.new) == (3, {"voided": 1}, 2)
    assert amounts(lake) == {"A": 42, "B": 7}


def test_an_order_of_which_every_line_was_struck_out_goes(lake: rg.Lake, tmp_path: Path) -> None:
    load(lake, csv(tmp_path / "one.csv", CHECKS, "A,2026-10-01 12:00,30,20,", "B,2026-10-01 12:00,7,1,"), mapping=LINES)
    spoilt = ["A,2026-10-01 12:00,30,20,yes", "A,2026-10-01 12:00,x,8,", "B,2026-10-01 12:00,7,1,"]
    assert load(lake, csv(tmp_path / "two.csv", CHECKS, *spoilt), mapping=LINES).gone == 0, (
        "a rejected line is still there"
    )
    rows = ["A,2026-10-01 12:00,30,20,yes", "A,2026-10-01 12:00,12,8,yes"]
    assert load(lake, csv(tmp_path / "three.csv", CHECKS, *rows), mapping=LINES).gone == 1
    assert amounts(lake) == {"B": 7}


@pytest.mark.parametrize("unknown", [0, 1, 2])
def test_a_margin_of_which_a_part_is_unknown_is_unknown(lake: rg.Lake, tmp_path: Path, unknown: int) -> None:
    margins = ["20", "8", "5"]
    margins[unknown] = ""
    rows = [f"A,2026-10-01 12:00,30,{margin}," for margin in margins]
    load(
        lake,
        csv(tmp_path / "one.csv", CHECKS, *rows, "B,2026-10-01 12:00,7,1,", "B,2026-10-01 12:00,7,-3,"),
        mapping=LINES,
    )
    margin = {row["order_id"]: row["margin_minor"] for row in lake.read("orders").to_pylist()}
    assert margin == {"A": None, "B": -2}


def test_what_a_load_leaves_is_told_alike_by_a_slow_count(lake: rg.Lake, tmp_path: Path, is_whole: bool) -> None:
    """Random files of lines, one after another, beside plain dictionaries."""
    draw = random.Random(8)
    load(lake, orders(tmp_path / "orders.csv", range(6), amount=500))
    kept: dict[tuple[str, int], int] = {}
    for number in range(60 if is_whole else 8):
        lines = {
            (str(draw.randrange(6)), draw.randrange(1, 6)): draw.randrange(9) for _ in range(draw.randrange(1, 12))
        }
        rows = [f"{order},{line},soup,{amount}" for (order, line), amount in lines.items()]
        report = load(lake, csv(tmp_path / f"{number}.csv", ITEMS, *rows), "order_items")
        again = {order for order, line in lines if (order, line) in kept}
        gone = [key for key in kept if key[0] in again and key not in lines]
        new = [key for key in lines if key not in kept]
        replaced = [key for key in lines if key in kept and kept[key] != lines[key]]
        assert (report.new, report.replaced, report.gone) == (len(new), len(replaced), len(gone))
        kept = {key: amount for key, amount in kept.items() if key not in gone} | lines
        assert amounts(lake, "order_items") == kept
