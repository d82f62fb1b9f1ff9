"""What was not read is said, in every kind of file, wherever in it the trouble begins."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import regulars as rg
from conftest import NOW
from regulars.tables import Mapping

KINDS = ("csv", "xlsx", "jsonl", "parquet", "pandas", "polars", "arrow")
AT = "2026-10-01T12:00:00Z"
Rows = list[dict[str, Any]]


@pytest.fixture
def given(tmp_path: Path) -> Callable[[str, Rows], Any]:
    """Rows as a file or a frame of some kind; a value that a row lacks is none."""

    def given(kind: str, rows: Rows) -> Any:
        names = list(dict.fromkeys(name for row in rows for name in row))
        frame, path = pd.DataFrame(rows, columns=names), tmp_path / f"rows.{kind}"
        match kind:
            case "csv":
                frame.to_csv(path, index=False)
            case "xlsx":
                frame.to_excel(path, index=False)
            case "jsonl":
                path.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")
            case "parquet":
                frame.to_parquet(path, index=False)
            case "pandas":
                return frame
            case "polars":
                return pl.DataFrame(rows, schema=names, infer_schema_length=None)
            case _:
                return pa.Table.from_pandas(frame, preserve_index=False)
        return path

    return given


def order(place: int, **more: Any) -> dict[str, Any]:
    return {"order_id": f"A{place}", "store_id": "S1", "ordered_at": AT, "amount_minor": 100 + place} | more


def said(report: rg.tables.LoadReport) -> set[str]:
    return {note.code for note in report.notes}


@pytest.mark.parametrize("kind", KINDS)
def test_a_column_nearly_ours_is_named_with_what_it_may_be(
    lake: rg.Lake, given: Callable[[str, Rows], Any], kind: str
) -> None:
    source = given(kind, [order(place, guestid_="ann", Discount="1.00", weather="rain") for place in range(3)])
    report = lake.load("orders", source, now=NOW)
    nearly = {note.facts["name"]: note.facts["ours"] for note in report.notes if note.code == "nearly_ours"}
    assert nearly == {"Discount": "discount_minor"}
    assert {row["guest_id"] for row in lake.read("orders").to_pylist()} == {"ann"}
    assert [note.facts["columns"] for note in report.notes if note.code == "columns_unread"] == [("weather",)]
    assert set(report.unread) == {"Discount", "weather"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first", [0, 1_000, 1_499])
def test_a_column_is_read_wherever_it_begins(
    lake: rg.Lake, given: Callable[[str, Rows], Any], kind: str, first: int
) -> None:
    late = {"guest_id": "ann", "discount_minor": 7}
    source = given(kind, [order(place, **(late if place >= first else {})) for place in range(1_500)])
    assert lake.load_files([source], now=NOW)[-1].accepted == 1_500
    known = [row for row in lake.read("orders").to_pylist() if row["guest_id"] == "ann"]
    assert (len(known), {row["discount_minor"] for row in known}) == (1_500 - first, {7})


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_mapping_says_and_nothing_answers_to_is_named(
    lake: rg.Lake, given: Callable[[str, Rows], Any], kind: str
) -> None:
    columns = {name: name for name in ("order_id", "store_id", "ordered_at", "amount_minor")}
    mapping = Mapping.model_validate({
        "table": "orders", "void": {"struck out": {"state": "Void"}}, "refund": {"state": "Refund"},
        "columns": {**columns, "channel": {"column": "state", "values": {"Take Out": "takeaway", "paid": "bar"}},
                    "guest_id": {"first_of": ["member", "card"], "nothing": ["Walk-in", "Nobody"]}},
        "fill_down": {"order_id": ["state", "waiter"]}, "refunded": {"first_of": ["back"]},
    })  # fmt: skip
    source = given(kind, [order(place, state="paid", member=["ann", "nobody", ""][place]) for place in range(3)])
    report = lake.load("orders", source, mapping=mapping, now=NOW)
    unmatched = {note.facts["what"] for note in report.notes if note.code == "matched_nothing"}
    assert unmatched == {
        "void 'struck out'",
        "refund",
        "values of channel: 'Take Out'",
        "nothing of guest_id: 'Walk-in'",
    }
    lacking = {note.facts["what"]: note.facts["columns"] for note in report.notes if note.code == "columns_lacking"}
    assert lacking == {"columns.guest_id": ("card",), "refunded": ("back",), "fill_down": ("waiter",)}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", [0, 1_499])
def test_an_unknown_store_is_named_with_its_row(
    lake: rg.Lake, given: Callable[[str, Rows], Any], kind: str, place: int
) -> None:
    rows = [order(number) for number in range(1_500)]
    rows[place]["store_id"] = "S9"
    report = lake.load_files([given(kind, rows)], now=NOW)[-1]
    assert (report.accepted, report.rejected) == (1_499, 1)
    [rejected] = lake.collect(lake.rejects()).to_pylist()
    assert rejected["reason"] == "store 'S9' is not in stores; load it there first"
    assert rejected["line"] == place + (2 if kind in ("csv", "xlsx") else 1)


@pytest.mark.parametrize("kind", KINDS)
def test_no_row_that_says_what_only_asks_for_is_said(
    lake: rg.Lake, given: Callable[[str, Rows], Any], kind: str
) -> None:
    columns = {name: name for name in ("order_id", "store_id", "ordered_at", "amount_minor")}
    mapping = Mapping.model_validate({"table": "orders", "only": {"kind": ["Sale"]}, "columns": columns})
    report = lake.load("orders", given(kind, [order(1, kind="Payout")]), mapping=mapping, now=NOW)
    assert (report.accepted, report.set_aside) == (0, {"Payout": 1})
    assert "matched_nothing" in said(report)


@pytest.mark.parametrize("kind", KINDS)
def test_a_condition_on_a_column_that_is_not_there_is_refused(
    lake: rg.Lake, given: Callable[[str, Rows], Any], kind: str
) -> None:
    columns = {name: name for name in ("order_id", "store_id", "ordered_at", "amount_minor")}
    mapping = Mapping.model_validate({"table": "orders", "void": {"void": {"State": "Void"}}, "columns": columns})
    with pytest.raises(
        rg.DataError, match=r"has no column 'State', by which rows are told apart \(did you mean 'state'\?\)"
    ):
        lake.load("orders", given(kind, [order(1, state="paid")]), mapping=mapping, now=NOW)


def test_a_stream_that_is_read_once_is_asked_for_its_table(lake: rg.Lake) -> None:
    stream = pa.Table.from_pylist([order(1)]).to_reader()
    with pytest.raises(rg.DataError, match="can be read once only"):
        lake.load_files([stream], now=NOW)
    assert lake.load("orders", stream, now=NOW).accepted == 1
