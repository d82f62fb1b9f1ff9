"""A load can be taken back: what it changed is as it was before, but for what a later load has changed since."""

import itertools
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from typer.testing import CliRunner

import regulars as rg
from conftest import NOW
from regulars.cli import app
from regulars.tables import LoadReport, delta

AT = "2026-10-01 12:00:00"


@pytest.fixture
def load(lake: rg.Lake, tmp_path: Path) -> Callable[..., LoadReport]:
    """Load orders, by id and amount, from a file of this name."""

    def load(name: str, **amounts: Any) -> LoadReport:
        rows = [f"{order},S1,{AT},{amount}" for order, amount in amounts.items()]
        path = tmp_path / f"{name}.csv"
        path.write_text("\n".join(["order_id,store_id,ordered_at,amount_minor", *rows, ""]))
        return lake.load("orders", path, now=NOW)

    return load


def held(lake: rg.Lake) -> dict[str, int]:
    if not lake.has("orders"):
        return {}
    return {row["order_id"]: row["amount_minor"] for row in lake.read("orders").to_pylist()}


def test_what_a_load_brought_goes_and_what_it_replaced_comes_back(
    lake: rg.Lake, load: Callable[..., LoadReport]
) -> None:
    load("one", A=1, B=2)
    second = load("two", B=20, C=30)
    (gone,) = lake.unload(second.load)
    assert (gone.table, gone.source, gone.removed, gone.restored, gone.stayed) == ("orders", "two.csv", 1, 1, 0)
    assert held(lake) == {"A": 1, "B": 2}


def test_what_a_later_load_replaced_stays(lake: rg.Lake, load: Callable[..., LoadReport]) -> None:
    first = load("one", A=1, B=2)
    load("two", B=20, C=30)
    (gone,) = lake.unload(first.load)
    assert (gone.removed, gone.restored, gone.stayed) == (1, 0, 1)
    assert held(lake) == {"B": 20, "C": 30}


def test_the_same_file_can_be_loaded_again_and_taken_back_again(lake: rg.Lake, load: Callable[..., LoadReport]) -> None:
    for _ in range(3):
        report = load("one", A=1, B=2)
        assert (report.is_repeated, report.changed) == (False, 2)
        assert lake.unload(report.load)[0].removed == 2
        assert not lake.has("orders")
        assert lake.unload(report.load)[0][3:6] == (0, 0, 0)  # a second time nothing is left to do


def test_files_that_had_the_same_rows_are_named_and_bring_them_again(
    lake: rg.Lake, load: Callable[..., LoadReport]
) -> None:
    january = load("january", A=1, B=2)
    assert load("overlapping", B=2, C=3).changed == 1
    load("march", D=4)
    (gone,) = lake.unload(january.load)
    assert gone.again == ("overlapping.csv",)
    assert held(lake) == {"C": 3, "D": 4}
    report = load("overlapping", B=2, C=3)
    assert (report.is_repeated, report.changed) == (False, 1)
    assert held(lake) == {"B": 2, "C": 3, "D": 4}


def test_a_file_that_was_read_in_another_way_since_is_read_again(lake: rg.Lake, tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(f"order_id,store_id,ordered_at,amount_minor\nA,S1,{AT},12\n")
    assert lake.load("orders", path, now=NOW).changed == 1
    names = {name: rg.tables.From(column=name) for name in ("order_id", "store_id", "ordered_at")}
    amount = rg.tables.From(column="amount_minor", unit="major")
    major = rg.tables.Mapping(table="orders", columns={**names, "amount_minor": amount})
    assert lake.load("orders", path, mapping=major, now=NOW).changed == 1
    assert held(lake) == {"A": 1200}
    assert lake.load("orders", path, now=NOW).changed == 1
    assert held(lake) == {"A": 12}


def test_lines_that_a_correction_dropped_come_back(lake: rg.Lake, load: Callable[..., LoadReport]) -> None:
    load("orders", A=5)
    lines = {"order_id": ["A", "A"], "line": [1, 2], "item_id": ["tea", "pie"], "amount_minor": [2, 3]}
    lake.load("order_items", pa.table(lines), now=NOW)
    shorter = lake.load("order_items", pa.table({name: values[:1] for name, values in lines.items()}), now=NOW)
    assert len(lake.read("order_items")) == 1
    assert lake.unload(shorter.load)[0].restored == 1
    assert len(lake.read("order_items")) == 2


def test_rows_that_speak_of_what_went_are_counted(lake: rg.Lake, load: Callable[..., LoadReport]) -> None:
    report = load("orders", A=5, B=6)
    lake.load(
        "order_items", pa.table({"order_id": ["A"], "line": [1], "item_id": ["tea"], "amount_minor": [5]}), now=NOW
    )
    assert lake.unload(report.load)[0].orphans == {"order_items": 1}


def test_its_rejected_rows_go_with_it(lake: rg.Lake, load: Callable[..., LoadReport]) -> None:
    load("one", A="lots")
    report = load("two", B="more", C=3)
    assert [load.rejected for load in lake.loads() if load.table == "orders"] == [1, 1]
    lake.unload(report.load)
    assert lake.collect(lake.rejects())["file"].to_pylist() == ["one.csv"]


def test_no_load_and_several_loads_are_refused(lake: rg.Lake, load: Callable[..., LoadReport]) -> None:
    load("one", A=1)
    with pytest.raises(rg.DataError, match=r"no load is called 'one\.csv'; `regulars loads` lists them"):
        lake.unload("one.csv")
    with pytest.raises(rg.DataError, match="no load is called ''"):
        lake.unload("")
    with pytest.raises(rg.DataError, match="no table 'order'"):
        lake.unload("abcd", "order")


def test_a_load_that_comes_between_is_kept(
    lake: rg.Lake, load: Callable[..., LoadReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load("one", A=1, B=2)
    write, done = delta.upsert, []

    def overtaken(*given: Any) -> None:
        if not done:
            done.append(True)
            load("two", B=20)
        write(*given)

    monkeypatch.setattr(delta, "upsert", overtaken)
    (gone,) = lake.unload(first.load)
    assert (gone.removed, gone.stayed) == (1, 1)
    assert held(lake) == {"B": 20}


@pytest.mark.parametrize("seed", range(3))
def test_any_loads_taken_back_in_any_order_leave_what_the_slow_way_leaves(
    lake: rg.Lake, load: Callable[..., LoadReport], seed: int
) -> None:
    """The slow way keeps for every load what each of its rows was before and after."""
    draw, table = random.Random(seed), dict[str, int]()
    done: list[tuple[str, dict[str, tuple[int | None, int]]]] = []
    for step in range(5):
        rows = {order: draw.randint(1, 3) for order in draw.sample("ABCDEF", 4)}
        report = load(f"file {step}", **rows, only=step)
        rows |= {"only": step}
        done.append((report.load, {o: (table.get(o), amount) for o, amount in rows.items() if table.get(o) != amount}))
        table |= rows
    draw.shuffle(done)
    for name, effect in itertools.islice(done, 3):
        lake.unload(name)
        for order, (before, after) in effect.items():
            if table.get(order) == after:
                table |= {order: before} if before is not None else {}
                if before is None:
                    del table[order]
        assert held(lake) == table


# Rejected rows


def test_rejected_rows_are_replaced_when_the_mapping_is_mended(lake: rg.Lake, tmp_path: Path) -> None:
    path = tmp_path / "till.csv"
    path.write_text(f"order_id,store_id,ordered_at,paid\nA,S1,{AT},12.50\nB,S1,{AT},3.00\nC,S1,never,1.00\n")
    names = {name: rg.tables.From(column=name) for name in ("order_id", "store_id", "ordered_at")}
    wrong = rg.tables.Mapping(table="orders", columns={**names, "amount_minor": rg.tables.From(column="paid")})
    assert lake.load("orders", path, mapping=wrong, now=NOW).rejected == 2
    right = rg.tables.Mapping(
        table="orders", columns={**names, "amount_minor": rg.tables.From(column="paid", unit="major")}
    )
    assert lake.load("orders", path, mapping=right, now=NOW).rejected == 1
    assert lake.collect(lake.rejects())["line"].to_pylist() == [4]


def test_rejected_rows_go_when_their_key_is_accepted_from_a_mended_file(
    lake: rg.Lake, load: Callable[..., LoadReport]
) -> None:
    load("orders", A="lots", B="more")
    load("mended", A=1)
    assert lake.collect(lake.rejects())["key"].to_pylist() == ["B"]
    load("orders", B=2)
    assert len(lake.collect(lake.rejects())) == 0


def test_a_line_of_another_file_does_not_settle_a_rejected_line(
    lake: rg.Lake, tmp_path: Path, load: Callable[..., LoadReport]
) -> None:
    load("orders", A=5)
    header = "order_id,line,item_id,amount_minor\n"
    for name, lines in {"food": "A,1,pie,lots\n", "drinks": "A,2,tea,2\n"}.items():
        (tmp_path / f"{name}.csv").write_text(header + lines)
        lake.load("order_items", tmp_path / f"{name}.csv", now=NOW)
    assert lake.collect(lake.rejects())["file"].to_pylist() == ["food.csv"]
    (tmp_path / "food.csv").write_text(header + "A,1,pie,3\n")
    lake.load("order_items", tmp_path / "food.csv", now=NOW)
    assert len(lake.collect(lake.rejects())) == 0


# At the command line


def run(lake: rg.Lake, *words: str, status: int = 0) -> str:
    done = CliRunner().invoke(app, [*words, "-w", str(lake.workspace.path)], env={"COLUMNS": "140"})
    assert done.exit_code == status, done.output
    return done.output


def test_a_load_says_how_it_is_taken_back_and_the_list_says_that_it_was(
    lake: rg.Lake, load: Callable[..., LoadReport], tmp_path: Path
) -> None:
    load("one", A=1)
    (tmp_path / "two.csv").write_text(f"order_id,store_id,ordered_at,amount_minor\nA,S1,{AT},2\nB,S1,{AT},3\n")
    said = run(lake, "load", "orders", str(tmp_path / "two.csv"))
    name = said.split("regulars unload ")[1].split("`")[0]
    done = run(lake, "unload", name[:5])
    assert "orders: two.csv taken back: 1 row removed, 1 put back as they were before" in done
    listed = run(lake, "loads")
    assert name in listed
    assert listed.count("taken back") == 1
    told = json.loads(run(lake, "loads", "--json"))
    assert [(one["source"], one["is_undone"]) for one in told if one["table"] == "orders"] == [
        ("two.csv", True),
        ("one.csv", False),
    ]
    assert json.loads(run(lake, "unload", name, "--json"))[0]["removed"] == 0
