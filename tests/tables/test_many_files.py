"""Files find their tables by their columns: many at once, one into several, all or nothing."""

import json
import os
import tomllib
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

import regulars as rg
from commands import run_command
from conftest import NOW
from regulars.documents import parse
from regulars.tables import Mapping, loading
from regulars.tables.formats import open_source
from regulars.tables.proposal import propose

EXPORTS = Path(__file__).parent / "exports"
OURS = "order_id,guest_id,store_id,ordered_at,amount_minor\nA,ann,S1,2026-10-01 12:00:00,1250\nB,bob,S2,2026-10-02 12:00:00,800\n"
TILL = """\
Belegnummer;Datum;Uhrzeit;Artikel;Menge;Betrag;Kundennummer;Filiale;Status
1001;03.03.2026;12:31;Suppe;1;5,50;K1;Mitte;OK
1001;03.03.2026;12:33;Brot;2;1.003,00;K1;Mitte;OK
1002;14.03.2026;13:00;Suppe;1;5,50;;Nord;OK
1003;14.03.2026;13:10;Tee;1;2,80;K2;Nord;OK
1003;14.03.2026;13:12;Tee;1;2,80;K2;Nord;Storno
"""


@pytest.fixture
def empty(tmp_path: Path) -> rg.Lake:
    return rg.Lake.create(tmp_path / "empty", currency="USD", zone="Europe/Berlin")


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(text: str, name: str = "file.csv", encoding: str = "utf-8") -> Path:
        (tmp_path / name).write_bytes(text.encode(encoding))
        return tmp_path / name

    return write


def rows(lake: rg.Lake, table: str, *names: str) -> list[tuple[object, ...]]:
    return sorted((tuple(row[name] for name in names) for row in lake.read(table).to_pylist()), key=str)


# Which table


def test_files_are_told_by_our_own_names_and_loaded_in_the_order_they_need(
    empty: rg.Lake, write: Callable[..., Path]
) -> None:
    lines = write("order_id,line,item_id,amount_minor\nA,1,tea,1250\n", "lines.csv")
    kitchen = write("order_id,line,cook,prep_seconds\nA,1,zoe,300\n", "kitchen.csv")
    files = [lines, kitchen, write(OURS, "orders.csv"), write("store_id,zone\nS1,UTC\nS2,UTC\n", "stores.csv")]
    reports = empty.load_files([*files, write("guest_id,birthday\nann,1990-03-01\n", "guests.csv")], now=NOW)
    assert [(report.table, report.source, report.accepted, report.rejected) for report in reports] == [
        ("stores", "stores.csv", 2, 0), ("guests", "guests.csv", 1, 0), ("orders", "orders.csv", 2, 0),
        ("order_items", "lines.csv", 1, 0), ("kitchen", "kitchen.csv", 1, 0),
    ]  # fmt: skip
    assert len({report.load for report in reports}) == 5


def test_stores_come_from_the_orders_only_where_there_are_none(empty: rg.Lake, write: Callable[..., Path]) -> None:
    assert [report.table for report in empty.load_files([write(OURS)], now=NOW)] == ["stores", "orders"]
    assert rows(empty, "stores", "store_id", "name", "zone") == [
        ("S1", "S1", "Europe/Berlin"),
        ("S2", "S2", "Europe/Berlin"),
    ]
    later = write(OURS.replace("S2", "S3"), "later.csv")
    (report,) = empty.load_files([later], now=NOW)
    assert (report.table, report.accepted, report.rejected) == ("orders", 1, 1)


def test_a_file_with_a_row_for_each_line_becomes_stores_menu_orders_and_lines(
    empty: rg.Lake, write: Callable[..., Path]
) -> None:
    reports = {report.table: report for report in empty.load_files([write(TILL)], now=NOW)}
    assert list(reports) == ["stores", "menu_items", "orders", "order_items"]
    assert rows(empty, "orders", "order_id", "guest_id", "store_id", "amount_minor") == [
        ("1001", "K1", "Mitte", 100850), ("1002", None, "Nord", 550), ("1003", "K2", "Nord", 280),
    ]  # fmt: skip
    assert rows(empty, "order_items", "order_id", "line", "item_id", "quantity", "amount_minor")[:2] == [
        ("1001", 1, "Suppe", 1.0, 550), ("1001", 2, "Brot", 2.0, 100300),
    ]  # fmt: skip
    assert reports["order_items"].set_aside == {"void": 1}
    assert str(reports["orders"].notes[0]).startswith("guessed from names and first values: order_id = Belegnummer, ")
    assert all(report.is_repeated for report in empty.load_files([write(TILL)], now=NOW))


def test_one_file_into_many_tables_is_one_load_that_is_taken_back_whole(
    empty: rg.Lake, write: Callable[..., Path]
) -> None:
    reports = empty.load_files([write(TILL)], now=NOW)
    (load,) = {report.load for report in reports}
    assert [one.table for one in empty.unload(load)] == ["order_items", "orders", "menu_items", "stores"]
    assert not any(empty.has(table) for table in ("stores", "menu_items", "orders", "order_items"))
    assert sum(report.changed for report in empty.load_files([write(TILL)], now=NOW)) == 12


def test_a_store_that_other_orders_speak_of_stays_when_the_file_that_mentioned_it_first_goes(
    empty: rg.Lake, write: Callable[..., Path]
) -> None:
    first = empty.load_files([write(OURS)], now=NOW)[0]
    empty.load_files([write(OURS.replace("A,ann", "C,ann").replace("B,bob,S2", "D,bob,S1"), "later.csv")], now=NOW)
    orders, stores = empty.unload(first.load)
    assert (orders.table, orders.removed, stores.table, stores.removed, stores.stayed) == ("orders", 2, "stores", 1, 1)
    assert rows(empty, "stores", "store_id") == [("S1",)]
    assert stores.orphans == {}


def test_a_store_that_was_loaded_by_itself_goes_and_its_orders_are_counted(
    empty: rg.Lake, write: Callable[..., Path]
) -> None:
    stores = empty.load("stores", pa.table({"store_id": ["S1", "S2"]}), now=NOW)
    empty.load_files([write(OURS)], now=NOW)
    (gone,) = empty.unload(stores.load)
    assert (gone.removed, gone.orphans) == (2, {"orders": 2})


def test_what_a_menu_says_stays_when_an_export_only_names_the_dish(empty: rg.Lake, write: Callable[..., Path]) -> None:
    empty.load("menu_items", pa.table({"item_id": ["Tee"], "name": ["Green tea"], "cost_minor": [40]}), now=NOW)
    empty.load_files([write(TILL)], now=NOW)
    assert ("Tee", "Green tea", 40) in rows(empty, "menu_items", "item_id", "name", "cost_minor")
    assert len(empty.read("menu_items")) == 3


def test_vendors_files_are_known_among_each_other(empty: rg.Lake) -> None:
    reports = empty.load_files([EXPORTS / "items.csv", EXPORTS / "transactions.csv"], now=NOW)
    assert [(report.table, report.source) for report in reports] == [
        ("stores", "transactions.csv"), ("menu_items", "items.csv"), ("orders", "transactions.csv"), ("order_items", "items.csv"),
    ]  # fmt: skip


def test_a_kept_mapping_goes_before_what_is_known_where_it_fits(empty: rg.Lake, write: Callable[..., Path]) -> None:
    empty.load("stores", pa.table({"store_id": ["S1", "S2"]}), now=NOW)
    names = {name: name for name in ("order_id", "guest_id", "store_id", "ordered_at")}
    kept = Mapping.model_validate({"table": "orders", "columns": {**names, "amount_minor": {"value": 7}}})
    empty.save_mapping(kept)
    empty.load_files([write(OURS)], now=NOW)
    assert [amount for (amount,) in rows(empty, "orders", "amount_minor")] == [7, 7]
    (other,) = empty.load_files([write("store_id,zone\nS3,UTC\n", "stores.csv")], now=NOW)
    assert other.table == "stores"


def test_lines_with_a_column_nearly_ours_are_not_taken_for_the_kitchen(
    lake: rg.Lake, write: Callable[..., Path]
) -> None:
    lake.load("orders", write(OURS, "orders.csv"), now=NOW)
    (report,) = lake.load_files(
        [write("order_id,line,item_id,quantity,amount\nA,1,tea,1,12.50\n", "lines.csv")], now=NOW
    )
    assert (report.table, report.accepted) == ("order_items", 1)
    assert str(report.notes[0]).startswith("guessed")


# What cannot be told


def test_dates_that_fit_both_ways_are_not_loaded_on_a_guess(empty: rg.Lake, write: Callable[..., Path]) -> None:
    lines = [f"{i},0{i}/03/2026 12:30,S1,g,12.50" for i in range(1, 10)]
    file = write("\n".join(["Check Number,Date,Store,Guest,Amount", *lines, ""]))
    with pytest.raises(
        rg.DataError, match=r"can be read as %d/%m/%Y %H:%M and as %m/%d/%Y.*map file.csv --table orders --save"
    ):
        empty.load_files([file], now=NOW)
    empty.save_mapping(propose(open_source(file), "orders").mapping)
    assert [report.accepted for report in empty.load_files([file], now=NOW)] == [9, 9]


def test_two_tables_that_fit_equally_are_both_named(lake: rg.Lake, write: Callable[..., Path]) -> None:
    both = write("item_id,name,review_id,store_id,reviewed_at\nA,B,C,S1,2026-10-01\n")
    assert lake.load_files([both], now=NOW)[0].table == "reviews"  # it explains more
    both = write("order_id,line,review_id,store_id,reviewed_at,cook,batch\nA,1,C,S1,2026-10-01,D,E\n")
    with pytest.raises(
        rg.DataError, match=r"fit kitchen or reviews equally well; say which it is: `regulars load kitchen"
    ):
        lake.load_files([both], now=NOW)


def test_what_is_missing_is_named_with_its_candidates(empty: rg.Lake, write: Callable[..., Path]) -> None:
    file = write("Nr;Datum;Betrag\n1;2026-03-01 12:00;5,50\n2;2026-03-02 12:00;6,50\n")
    with pytest.raises(
        rg.DataError, match=r"order_id of orders is not found; candidates: 'Nr'.*--mapping mapping.toml"
    ):
        empty.load_files([file], now=NOW)


def test_a_unit_in_brackets_and_quotes_are_no_part_of_a_name(empty: rg.Lake, write: Callable[..., Path]) -> None:
    file = write('"Receipt ""no""","Date\nand time",Total [EUR],Store\n1,2026-01-01 10:00,5.00,A\n')
    assert [report.accepted for report in empty.load_files([file], now=NOW)] == [1, 1]


def test_nothing_is_loaded_where_one_of_the_files_cannot_be(empty: rg.Lake, write: Callable[..., Path]) -> None:
    for bad in ("a,b\n1,2\n", "", "a,b\n"):
        with pytest.raises(rg.DataError, match=r"^.*bad\.csv"):
            empty.load_files([write(OURS), write(bad, "bad.csv")], now=NOW)
        assert not empty.has("stores")


@pytest.mark.parametrize("blow", [rg.DataError("the disk is full"), KeyboardInterrupt()])
def test_a_file_that_breaks_off_leaves_none_of_its_tables(
    empty: rg.Lake, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, blow: BaseException
) -> None:
    """Also what an earlier load of the same file had brought stays."""
    empty.load("stores", pa.table({"store_id": ["Mitte"], "city": ["Berlin"]}), now=NOW)
    inner = loading.load

    def load(source: object, intake: loading.Intake, *others: object) -> object:
        if intake.contract.table == "order_items":
            raise blow
        return inner(source, intake, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(loading, "load", load)
    with pytest.raises(type(blow)):
        empty.load_files([write(TILL)], now=NOW)
    assert rows(empty, "stores", "store_id", "city") == [("Mitte", "Berlin")]
    assert not empty.has("orders")
    monkeypatch.setattr(loading, "load", inner)
    assert [r.rejected for r in empty.load_files([write(TILL)], now=NOW)][-1] == 2  # Nord is no store here


# One store


SANS = OURS.replace(",store_id", "").replace(",S1", "").replace(",S2", "")


def test_a_file_of_one_store_is_loaded_with_it(lake: rg.Lake, write: Callable[..., Path]) -> None:
    (report,) = lake.load_files([write(SANS)], store="S2", now=NOW)
    assert (report.table, report.accepted) == ("orders", 2)
    assert {store for (store,) in rows(lake, "orders", "store_id")} == {"S2"}
    assert lake.load("orders", write(SANS), store="S2", now=NOW).is_repeated
    report = lake.load("orders", write(SANS), store="S1", now=NOW)
    assert (report.replaced, report.moved) == (2, 2)


def test_the_first_store_is_made_where_it_is_said(empty: rg.Lake, write: Callable[..., Path]) -> None:
    with pytest.raises(
        rg.DataError, match="names no store, and the workspace has none yet; say which it is of, with --store"
    ):
        empty.load_files([write(SANS)], now=NOW)
    assert [report.table for report in empty.load_files([write(SANS)], store="Main", now=NOW)] == ["stores", "orders"]
    with pytest.raises(rg.DataError, match=r"no store 'Mian' \(did you mean 'Main'\?\) in stores"):
        empty.load_files([write(SANS)], store="Mian", now=NOW)
    assert empty.load_files([write(SANS, "again.csv")], now=NOW)[0].accepted == 2  # the only one needs no word


@pytest.mark.parametrize("line", [1, 2, 70_000])
def test_a_column_that_names_another_store_is_refused_wherever_it_does(
    lake: rg.Lake, write: Callable[..., Path], line: int
) -> None:
    lines = [f"N{i},,{'S1' if i == line else ''},2026-10-01 12:00:00,5" for i in range(1, max(line, 3) + 1)]
    file = write("\n".join(["order_id,guest_id,store_id,ordered_at,amount_minor", *lines, ""]))
    said = rf"file.csv line {line + 1}: names the store 'S1', and --store says 'S2'"
    with pytest.raises(rg.DataError, match=said):
        lake.load("orders", file, store="S2", now=NOW)
    with pytest.raises(rg.DataError, match=said):
        lake.load_files([file], store="S2", now=NOW)
    assert not lake.has("orders")
    assert lake.load("orders", file, store="S1", now=NOW).rejected == 0
    assert {store for (store,) in rows(lake, "orders", "store_id")} == {"S1"}


def test_a_store_is_refused_for_rows_of_none(lake: rg.Lake) -> None:
    with pytest.raises(rg.DataError, match="the rows of menu_items are of no store; leave out --store"):
        lake.load("menu_items", pa.table({"item_id": ["tea"], "name": ["Tea"]}), store="S1", now=NOW)


# At the command line


def run(folder: Path, *words: str, status: int = 0) -> tuple[str, str]:
    done = run_command(words, folder=folder, environment=os.environ | {"COLUMNS": "140"})
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout, done.stderr


def test_files_are_loaded_and_the_old_form_stays(tmp_path: Path, write: Callable[..., Path]) -> None:
    write(TILL, "till.csv", "cp1252")
    write(OURS, "orders")
    run(tmp_path, "init", "shop", "--currency", "EUR", "--zone", "Europe/Berlin")
    said, _ = run(tmp_path, "load", "till.csv", "orders", "-w", "shop")
    assert "orders from till.csv: 4 rows accepted" in said
    assert said.count("takes this back: ") == 2
    told = json.loads(run(tmp_path, "load", "orders", "orders", "-w", "shop", "--json")[0])
    assert (told["table"], told["is_repeated"]) == ("orders", True)
    assert isinstance(json.loads(run(tmp_path, "load", "till.csv", "-w", "shop", "--json")[0]), list)
    assert "name the file as well" in run(tmp_path, "load", "stores", "-w", "shop", status=2)[1]
    assert (
        "no table 'oders' (did you mean 'orders'?)"
        in run(tmp_path, "load", "oders", "till.csv", "-w", "shop", status=1)[1]
    )


def test_an_encoding_is_said_where_it_cannot_be_found(tmp_path: Path, write: Callable[..., Path]) -> None:
    write(TILL.replace("Brot", "Käsespätzle"), "till.csv", "cp1252")
    run(tmp_path, "init", "shop", "--currency", "EUR")
    assert "--encoding cp1252" in run(tmp_path, "load", "till.csv", "-w", "shop", status=1)[1].replace("\n", " ")
    run(tmp_path, "load", "till.csv", "--encoding", "cp1252", "-w", "shop")
    assert ("Käsespätzle",) in rows(rg.Lake.open(tmp_path / "shop"), "menu_items", "name")
    assert "Belegnummer" in run(tmp_path, "map", "till.csv", "--encoding", "cp1252")[0]


@pytest.mark.parametrize("words", [(), ("--table", "order_items"), ("--table", "stores")])
def test_what_map_writes_is_a_whole_file_that_load_takes(
    tmp_path: Path, write: Callable[..., Path], words: tuple[str, ...]
) -> None:
    write(TILL, "till.csv")
    run(tmp_path, "init", "shop", "--currency", "EUR")
    run(tmp_path, "load", "till.csv", "-w", "shop")
    written, said = run(tmp_path, "map", "till.csv", *words)
    assert said == ""
    mapping = parse(written, Mapping, name="mapping.toml")
    write(written, "mapping.toml")
    told = json.loads(run(tmp_path, "load", "till.csv", "--mapping", "mapping.toml", "-w", "shop", "--json")[0])
    assert [(one["table"], one["rejected"]) for one in told] == [(mapping.table, 0)]


def test_a_half_proposed_mapping_is_toml_with_the_rest_in_comments(tmp_path: Path, write: Callable[..., Path]) -> None:
    write('Nr;Datum;Betrag;Zeile "a"\n1;2026-03-01 12:00;5,50;x\n2;2026-03-02 12:00;6,50;y\n', "till.csv")
    written, said = run(tmp_path, "map", "till.csv", "--table", "orders", status=1)
    assert "order_id of orders is not found; candidates: 'Nr'" in " ".join(said.split())
    assert set(tomllib.loads(written)["columns"]) == {"store_id", "ordered_at", "amount_minor"}
    mended = written.replace('# order_id = "Nr"', 'order_id = "Nr"')
    assert parse(mended, Mapping, name="mapping.toml").columns["order_id"].column == "Nr"
    run(tmp_path, "init", "shop")
    _, said = run(tmp_path, "map", "till.csv", "--table", "orders", "--save", "-w", "shop", status=1)
    assert "order_id of orders is not found" in " ".join(said.split())
    assert not (tmp_path / "shop" / "mappings" / "orders.toml").exists()
