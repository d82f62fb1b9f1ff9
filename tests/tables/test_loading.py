"""I9: every row of a source ends accepted or rejected with its reason, and the same file again changes nothing."""

import datetime as dt
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import regulars as rg
from conftest import NOW
from regulars.tables import From, Mapping

HEADER = "order_id,guest_id,store_id,ordered_at,amount_minor"


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(*lines: str, name: str = "orders.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes("\n".join([*lines, ""]).encode(encoding))
        return path

    return write


def load(lake: rg.Lake, path: Any, table: str = "orders", **options: Any) -> rg.tables.LoadReport:
    return lake.load(table, path, now=NOW, **options)


def reasons(lake: rg.Lake) -> list[tuple[int, str, str]]:
    rows = lake.collect(lake.rejects()).sort_by("line").to_pylist()
    return [(row["line"], row["column"], row["reason"]) for row in rows]


def test_an_order_is_stored_with_its_trading_day(lake: rg.Lake, write: Callable[..., Path]) -> None:
    path = write(HEADER, "A,ann,S1,2026-11-01 02:30:00,1250", "B,,S2,2026-11-01 12:00:00,800")
    assert load(lake, path)[:5] == ("orders", "orders.csv", 2, 0, 2)
    first, second = lake.read("orders").sort_by("order_id").to_pylist()
    assert first["ordered_at"] == dt.datetime(2026, 11, 1, 7, 30, tzinfo=dt.UTC)
    assert (first["business_date"], first["hour"]) == (dt.date(2026, 10, 31), 2)
    assert second["ordered_at"] == dt.datetime(2026, 11, 1, 4, 0, tzinfo=dt.UTC)
    assert (second["guest_id"], second["business_date"], second["hour"]) == (None, dt.date(2026, 11, 1), 12)


def test_the_same_file_again_changes_nothing(lake: rg.Lake, write: Callable[..., Path]) -> None:
    path = write(HEADER, "A,ann,S1,2026-10-01 12:00:00,1250", "B,bob,S9,2026-10-01 12:00:00,1250")
    assert load(lake, path).changed == 1
    version = lake.version("orders")
    again = load(lake, path)
    assert (again.accepted, again.rejected, again.changed) == (1, 1, 0)
    assert len(lake.read("orders")) == 1
    assert len(reasons(lake)) == 1
    clean = write(HEADER, "A,ann,S1,2026-10-01 12:00:00,1250", name="clean.csv")
    assert load(lake, clean).changed == 0
    assert load(lake, clean).is_repeated
    assert lake.version("orders") > version


def test_a_corrected_row_replaces_the_old_one(lake: rg.Lake, write: Callable[..., Path]) -> None:
    load(lake, write(HEADER, "A,ann,S1,2026-10-01 12:00:00,1250", "B,bob,S1,2026-10-02 12:00:00,700"))
    report = load(
        lake, write(HEADER, "A,ann,S1,2026-10-01 12:00:00,1350", "C,bob,S1,2026-10-02 12:00:00,900", name="new.csv")
    )
    assert report.changed == 2
    rows = {row["order_id"]: row["amount_minor"] for row in lake.read("orders").to_pylist()}
    assert rows == {"A": 1350, "B": 700, "C": 900}


def test_a_value_that_becomes_unknown_is_a_change(lake: rg.Lake, write: Callable[..., Path]) -> None:
    load(lake, write(HEADER, "A,ann,S1,2026-10-01 12:00:00,1250"))
    assert load(lake, write(HEADER, "A,,S1,2026-10-01 12:00:00,1250", name="new.csv")).changed == 1
    assert lake.read("orders")["guest_id"].to_pylist() == [None]


BAD_ROWS = {
    "X,ann,S1,2026-02-31 12:00:00,100": ("ordered_at", "does not exist in the calendar"),
    "X,ann,S1,31/01/2026,100": ("ordered_at", "expected ISO 8601"),
    "X,ann,S1,2027-03-01 12:00:00,100": ("ordered_at", "lies in the future"),
    "X,ann,S1,2026-03-08 02:30:00,100": ("ordered_at", "never was: the clock was put forward"),
    "X,ann,S1,0001-01-01 00:00:00,100": ("ordered_at", "lies before 1970"),
    "X,ann,S1,,100": ("ordered_at", "is missing"),
    "X,ann,S1,2026-10-01 12:00:00,NaN": ("amount_minor", "is missing"),
    "X,ann,S1,2026-10-01 12:00:00,1e308": ("amount_minor", "out of range"),
    "X,ann,S1,2026-10-01 12:00:00,-100": ("amount_minor", "not marked as a refund"),
    'X,ann,S1,2026-10-01 12:00:00,"1.234,56"': ("amount_minor", 'set decimal = ","'),
    "X,ann,S1,2026-10-01 12:00:00,12.50": ("amount_minor", 'set unit = "major"'),
    "X,ann,S9,2026-10-01 12:00:00,100": ("store_id", "'S9' is not in stores; load it there first"),
    "X,ann,,2026-10-01 12:00:00,100": ("store_id", "is missing"),
    ",ann,S1,2026-10-01 12:00:00,100": ("order_id", "is missing"),
    "X,a\0nn,S1,2026-10-01 12:00:00,100": ("guest_id", "has a character that cannot be printed"),
    "X,ann,S1,2026-10-01 12:00:00": (None, "4 columns where the header has 5"),
    "X,ann,S1,2026-10-01 12:00:00,100,extra": (None, "6 columns where the header has 5"),
    "A,ann,S1,2026-10-01 12:00:00,999": ("order_id", "stands on line 2 already, with other content"),
    "A,ann,S1,2026-10-01 12:00:00,100": ("order_id", "stands on line 2 already, with the same content"),
}


@pytest.mark.parametrize("row", BAD_ROWS)
def test_a_bad_row_is_kept_with_line_column_and_reason(lake: rg.Lake, write: Callable[..., Path], row: str) -> None:
    column, reason = BAD_ROWS[row]
    good = "A,ann,S1,2026-10-01 12:00:00,100"
    report = load(lake, write(HEADER, good, "", row, "C,cat,S2,2026-10-01 12:00:00,5"))
    assert (report.accepted, report.rejected, report.changed) == (2, 1, 2)
    kept = lake.collect(lake.rejects()).to_pylist()[0]
    assert (kept["line"], kept["column"], kept["file"], kept["table"]) == (4, column, "orders.csv", "orders")
    assert reason in kept["reason"]
    assert kept["original"] == row


@pytest.mark.parametrize("column", [1, 4])
def test_a_quote_that_never_closes_is_refused_with_its_line(
    lake: rg.Lake, write: Callable[..., Path], column: int
) -> None:
    opened = [*["B", "bob", "S1", "2026-10-01 12:00:00", "100"]]
    opened[column] = '"' + opened[column]
    rows = ["A,ann,S1,2026-10-01 12:00:00,100", ",".join(opened), "C,cat,S1,2026-10-01 12:00:00,100"]
    with pytest.raises(rg.DataError, match=r"orders\.csv line 3: a quote opens here and is never closed"):
        load(lake, write(HEADER, *rows))
    assert not lake.has("orders")


def test_a_lone_quote_within_a_word_is_text(lake: rg.Lake, write: Callable[..., Path]) -> None:
    assert load(lake, write(HEADER + ",channel", 'A,ann,S1,2026-10-01 12:00:00,100,5" tray')).accepted == 1
    assert lake.read("orders")["channel"].to_pylist() == ['5" tray']


def test_orders_are_read_anew_when_their_store_was_in_another_zone(lake: rg.Lake, write: Callable[..., Path]) -> None:
    path = write(HEADER, "A,ann,S1,2026-10-01 12:00:00,100")
    load(lake, path)
    load(lake, pa.table({"store_id": ["S1"], "zone": ["Asia/Shanghai"]}), "stores")
    assert load(lake, path).changed == 1
    assert lake.read("orders")["ordered_at"].to_pylist() == [dt.datetime(2026, 10, 1, 4, tzinfo=dt.UTC)]


def test_nested_columns_of_a_frame_are_text(lake: rg.Lake) -> None:
    rows = {
        "order_id": ["A"],
        "store_id": ["S1"],
        "ordered_at": ["2026-10-01"],
        "amount_minor": [5],
        "channel": [["a", "b"]],
    }
    assert load(lake, pa.table(rows)).accepted == 1
    assert lake.read("orders")["channel"].to_pylist() == ['["a", "b"]']


def test_lines_are_counted_across_quoted_line_ends(lake: rg.Lake, write: Callable[..., Path]) -> None:
    rows = ['A,ann,S1,2026-10-01 12:00:00,100,"in\nout"', "B,bob,S9,2026-10-01 12:00:00,100,in", "C,cat"]
    report = load(lake, write(HEADER + ",channel", *rows, "D,dan,S1,bad,100,in"))
    assert (report.accepted, report.rejected) == (1, 3)
    assert [line for line, _, _ in reasons(lake)] == [4, 5, 6]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_any_common_encoding_and_delimiter_is_found(
    lake: rg.Lake, write: Callable[..., Path], encoding: str, mark: str
) -> None:
    lines = [HEADER, "订单1,王小明,S2,2026-10-01 12:00:00,1250"]
    path = write(*[line.replace(",", mark) for line in lines], encoding=encoding)
    assert load(lake, path).changed == 1
    assert lake.read("orders")["guest_id"].to_pylist() == ["王小明"]


REFUSED: dict[str, tuple[bytes | None, str]] = {
    "missing.csv": (None, "no such file"),
    "empty.csv": (b"", "the file is empty"),
    "header.csv": (HEADER.encode() + b"\n", "has a header and no rows"),
    "twice.csv": (
        b"order_id,store_id,store_id\n1,2,3\n",
        "column 'store_id' stands twice in the header (columns 2 and 3)",
    ),
    "lacks.csv": (b"order_id,store_id\n1,2\n", "has no column ordered_at, amount_minor, which orders needs"),
    "bytes.csv": (HEADER.encode() + b"\nA,\xff\xfe\xff,S1,2026-10-01,1\n", "line 2: byte 0xFF is not utf-8"),
    "quote.csv": (
        HEADER.encode() + b'\nA,"a,S1,2026-10-01,1\n' + b"B,b,S1,2026-10-01,1\n" * 900_000,
        "line 2: a quote opens here and is never closed",
    ),
    "not.parquet": (b"PAR2....", "no Parquet file"),
    "not.xlsx": (b"hello", "no XLSX workbook"),
    "not.jsonl": (b"hello\n", "line 1: no JSON object"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_read_is_refused_whole(lake: rg.Lake, tmp_path: Path, name: str) -> None:
    content, message = REFUSED[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(rg.DataError) as refusal:
        load(lake, tmp_path / name)
    assert message in str(refusal.value)
    assert not lake.has("orders")


def test_a_folder_is_refused(lake: rg.Lake, tmp_path: Path) -> None:
    with pytest.raises(rg.DataError, match="this is a folder"):
        load(lake, tmp_path)


def test_an_item_without_its_order_is_rejected_and_accepted_once_the_order_is_there(
    lake: rg.Lake, write: Callable[..., Path]
) -> None:
    items = write("order_id,line,item_id,amount_minor", "A,1,soup,500", "B,1,tea,200", name="items.csv")
    load(lake, write(HEADER, "A,ann,S1,2026-10-01 12:00:00,700"))
    assert load(lake, items, "order_items")[2:5] == (1, 1, 1)
    assert reasons(lake)[0][2] == "'B' is not in orders; load it there first, then this file again"
    assert lake.collect(lake.rejects())["original"].to_pylist() == ["B,1,tea,200"]
    load(lake, write(HEADER, "B,bob,S1,2026-10-01 12:00:00,200", name="more.csv"))
    assert load(lake, items, "order_items")[2:5] == (2, 0, 1)
    assert reasons(lake) == []


def test_two_currencies_in_one_file_are_told_apart(lake: rg.Lake, write: Callable[..., Path]) -> None:
    path = write(HEADER + ",currency", "A,ann,S1,2026-10-01 12:00:00,700,USD", "B,ann,S1,2026-10-01 12:00:00,700,EUR")
    assert load(lake, path)[2:5] == (1, 1, 1)
    assert reasons(lake)[0][1:] == ("currency", "is not USD, in which this workspace counts; load it into another")


LINES = Mapping(
    table="orders",
    one_row_per="order_id",
    columns={
        "order_id": From(column="basket"),
        "store_id": From(column="store"),
        "ordered_at": From(column=("day", "time"), format="%d/%m/%Y %H:%M"),
        "amount_minor": From(column="paid", unit="major"),
        "discount_minor": From(column=("coupon", "promo"), unit="major"),
        "channel": From(column="how", values={"Take Out": "takeaway"}),
    },
)


def test_lines_of_one_order_become_one_order(lake: rg.Lake, write: Callable[..., Path]) -> None:
    rows = ["1,S1,28/02/2026,18:30,12.50,1.00,0.25,Take Out", "1,S1,28/02/2026,18:30,2.50,,0.25,Take Out"]
    report = load(lake, write("basket,store,day,time,paid,coupon,promo,how", *rows), mapping=LINES)
    assert report[2:5] == (2, 0, 1)
    order = lake.read("orders").to_pylist()[0]
    assert (order["amount_minor"], order["discount_minor"], order["channel"]) == (1500, 150, "takeaway")


def test_an_order_with_a_bad_line_is_not_half_loaded(lake: rg.Lake, write: Callable[..., Path]) -> None:
    rows = [
        "1,S1,28/02/2026,18:30,12.50,,,in", "1,S1,28/02/2026,18:30,x,,,in", "2,S1,28/02/2026,18:30,1,,,in",
        "3,S1,28/02/2026,18:30,1,,,in", "3,S2,28/02/2026,18:30,1,,,in",
    ]  # fmt: skip
    report = load(lake, write("basket,store,day,time,paid,coupon,promo,how", *rows), mapping=LINES)
    assert (report.accepted, report.rejected, report.changed) == (1, 4, 1)
    said = {line: reason for line, _, reason in reasons(lake)}
    assert said[2] == "line 3 of the same order was rejected; mend that first"
    assert said[5].startswith("the lines of this order do not agree in store_id")


def test_typed_sources_give_the_same_rows(lake: rg.Lake, tmp_path: Path) -> None:
    import pandas as pd
    import polars as pl

    rows = {
        "order_id": [1, 2],
        "store_id": ["S1", "S1"],
        "ordered_at": ["2026-10-01T12:00:00Z"] * 2,
        "amount_minor": [5, 7],
    }
    frame = pl.DataFrame(rows)
    frame.write_parquet(tmp_path / "a.parquet")
    frame.write_ndjson(tmp_path / "a.jsonl")
    pd.DataFrame(rows).to_excel(tmp_path / "a.xlsx", index=False)
    assert load(lake, frame).changed == 2
    for source in (
        tmp_path / "a.parquet",
        tmp_path / "a.jsonl",
        tmp_path / "a.xlsx",
        pd.DataFrame(rows),
        pa.table(rows),
    ):
        assert load(lake, source)[2:5] == (2, 0, 0)


def test_a_full_disk_leaves_the_table_as_it_was(lake: rg.Lake, write: Callable[..., Path]) -> None:
    load(lake, write(HEADER, "A,ann,S1,2026-10-01 12:00:00,100"))
    rows = [f"N{i},guest {i * 7919 % 65537},S1,2026-10-01 12:00:00,{i}" for i in range(40_000)]
    script = f"""
        import resource, signal, regulars as rg
        lake = rg.Lake.open({str(lake.workspace.path)!r})
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            lake.load("orders", {str(write(HEADER, *rows, name="big.csv"))!r})
        except rg.DataError as error:
            print(error)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    assert "no space left on the disk; nothing was changed" in done.stdout
    assert len(lake.read("orders")) == 1
    assert list(lake.workspace.scratch.glob("load-*")) == []


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL])
def test_a_load_that_is_stopped_leaves_the_table_as_it_was(
    lake: rg.Lake, write: Callable[..., Path], blow: signal.Signals
) -> None:
    load(lake, write(HEADER, "A,ann,S1,2026-10-01 12:00:00,100"))
    big = write(HEADER, *[f"N{i},guest {i % 999},S1,2026-10-01 12:00:00,{i}" for i in range(600_000)], name="big.csv")
    script = f"""
        import os, regulars as rg
        lake = rg.Lake.open({str(lake.workspace.path)!r})
        lake.load("orders", {str(big)!r}, progress=lambda rows: os.kill(os.getpid(), {int(blow)}) if rows > 200_000 else None)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert len(lake.read("orders")) == 1
    assert load(lake, big).changed == 600_000


CELLS = st.one_of(
    st.sampled_from(
        ["A", "ann", "S1", "S2", "2026-10-01 12:00:00", "100", "-5", "1e308", "NaN", "", '"', "'", "\t", "\0", "1,2"]
    ),
    st.text(st.characters(blacklist_categories=["Cs"]), max_size=8),
)


@given(rows=st.lists(st.lists(CELLS, min_size=5, max_size=5), min_size=1, max_size=12))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_accepted_and_rejected_add_up_for_any_text(lake: rg.Lake, tmp_path: Path, rows: list[list[str]]) -> None:
    import csv

    path = tmp_path / "fuzz.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEADER.split(","), *rows])
    with_content = [row for row in rows if any(row)]
    try:
        report = load(lake, path)
    except rg.DataError:
        return
    assert report.accepted + report.rejected == len(with_content)


def test_a_read_only_workspace_is_refused(
    lake: rg.Lake, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may write anywhere, so it is the question that is answered here, not the folder that is closed."""
    monkeypatch.setattr(
        os, "access", lambda path, mode: not (mode == os.W_OK and Path(path) == lake.workspace.path / "lake")
    )
    with pytest.raises(rg.DataError, match="is read-only for this user"):
        load(lake, write(HEADER, "A,ann,S1,2026-10-01 12:00:00,100"))
    assert not lake.has("orders")
