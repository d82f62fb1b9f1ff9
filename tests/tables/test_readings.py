"""What a source wrote is what is read: in every kind of file and frame, in the first row and in the last."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import regulars as rg
from conftest import NOW
from regulars.tables import From, LoadReport, Mapping

Rows = list[dict[str, Any]]
AT = "2026-03-06 12:00:00"


def load(lake: rg.Lake, source: Any, table: str = "orders", **more: Any) -> LoadReport:
    return lake.load(table, source, now=NOW, **more)


def column(lake: rg.Lake, name: str, table: str = "orders") -> dict[Any, Any]:
    key = rg.tables.CONTRACTS[table].key[0]
    return {row[key]: row[name] for row in lake.read(table).to_pylist()}


def reasons(lake: rg.Lake) -> dict[str, str]:
    return {row["column"]: row["reason"] for row in lake.collect(lake.rejects()).to_pylist()}


def order(number: object, **more: Any) -> dict[str, Any]:
    return {"order_id": number, "store_id": "S1", "ordered_at": AT, "amount_minor": 100} | more


def as_csv(folder: Path, rows: Rows) -> Path:
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [",".join(names), *(",".join("" if row.get(n) is None else str(row[n]) for n in names) for row in rows)]
    (folder / "rows.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
    return folder / "rows.csv"


def as_json(folder: Path, rows: Rows) -> Path:
    lines = [json.dumps({n: v for n, v in row.items() if v is not None}, default=str) for row in rows]
    (folder / "rows.jsonl").write_text("\n".join([*lines, ""]), encoding="utf-8")
    return folder / "rows.jsonl"


def as_sheet(folder: Path, rows: Rows) -> Path:
    book, names = openpyxl.Workbook(), list(dict.fromkeys(name for row in rows for name in row))
    for cells in (names, *([row.get(name) for name in names] for row in rows)):
        book.active.append(cells)
    book.save(folder / "rows.xlsx")
    return folder / "rows.xlsx"


def as_parquet(folder: Path, rows: Rows) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), folder / "rows.parquet")
    return folder / "rows.parquet"


FORMATS: dict[str, Callable[[Path, Rows], Any]] = {
    "CSV": as_csv,
    "JSON": as_json,
    "XLSX": as_sheet,
    "Parquet": as_parquet,
    "pandas": lambda folder, rows: pd.DataFrame(rows),
    "Polars": lambda folder, rows: pl.DataFrame(rows, strict=False),
    "Arrow": lambda folder, rows: pa.Table.from_pylist(rows),
}
each_format = pytest.mark.parametrize("form", FORMATS)


# Words and values that stand for nothing

NOTHING = [
    "",
    "NULL",
    "null",
    "None",
    "nan",
    "NaN",
    "#N/A",
    "N/A",
    "NA",
    "undefined",
    r"\N",
    "<NA>",
    "NaT",
    "-",
    " NULL ",
]


@each_format
@pytest.mark.parametrize("last", [0, 30])
def test_a_guest_by_a_word_for_nothing_is_nobody(lake: rg.Lake, tmp_path: Path, form: str, last: int) -> None:
    rows = [order(f"A{n}", guest_id="ann") for n in range(last)]
    rows += [order(f"N{n}", guest_id=word) for n, word in enumerate(NOTHING)] + [order("Z", guest_id="Nan")]
    assert load(lake, FORMATS[form](tmp_path, rows)).rejected == 0
    named = {guest for number, guest in column(lake, "guest_id").items() if number.startswith("N")}
    assert (named, column(lake, "guest_id")["Z"]) == ({None}, "Nan")


@pytest.mark.parametrize("word", ["NULL", "nan", "#N/A", "undefined", r"\N"])
def test_in_every_optional_column_nothing_is_nothing_and_in_a_key_it_is_missing(
    lake: rg.Lake, tmp_path: Path, word: str
) -> None:
    optional = (
        "guest_id",
        "discount_minor",
        "margin_minor",
        "currency",
        "channel",
        "covers",
        "voucher_code",
        "is_refund",
    )
    load(lake, as_csv(tmp_path, [order("A", **dict.fromkeys(optional, word))]))
    kept = lake.read("orders").to_pylist()[0]
    assert {name: kept[name] for name in optional} == dict.fromkeys(optional) | {
        "discount_minor": 0, "is_refund": False,
    }  # fmt: skip
    assert load(lake, as_csv(tmp_path, [order(word)])).rejected == 1
    assert reasons(lake) == {"order_id": "is missing"}


def test_no_offer_is_nothing_and_an_arm_that_is_no_word_of_ours_is_rejected(lake: rg.Lake, tmp_path: Path) -> None:
    rows = [
        {"campaign_id": "c", "guest_id": f"g{n}", "offer_id": offer, "arm": arm, "exposed_at": "2026-02-01"}
        for n, (offer, arm) in enumerate([("five", "Treated"), ("NULL", "holdout"), ("five", "control"), (None, None)])
    ]
    assert load(lake, as_csv(tmp_path, rows), "exposures").rejected == 1
    assert column(lake, "offer_id", "exposures") == {"c": None}
    assert sorted(lake.read("exposures")["arm"].to_pylist()) == ["holdout", "treated", "treated"]
    said = "'control' is no arm; write treated, explore or holdout, or say in the mapping which it is: values = { ... }"
    assert reasons(lake) == {"arm": said}


def test_a_percent_that_may_be_a_share_is_asked_about(lake: rg.Lake, tmp_path: Path) -> None:
    rows = [{"offer_id": str(n), "kind": "percent off", "percent": p} for n, p in enumerate([".95", "20", "15%", "1"])]
    assert load(lake, as_csv(tmp_path, rows), "offers").rejected == 2
    assert column(lake, "percent", "offers") == {"1": 20.0, "2": 15.0}
    assert reasons(lake)["percent"].startswith("is not more than one per cent: is it a share? write 95 for 95 %")
    shares = Mapping(
        table="offers",
        columns={
            "offer_id": From(column="offer_id"),
            "kind": From(value="percent_off"),
            "percent": From(column="percent", scale=(0, 1)),
        },
    )
    load(lake, as_csv(tmp_path, [{"offer_id": "S", "percent": ".95"}]), "offers", mapping=shares)
    assert column(lake, "percent", "offers")["S"] == pytest.approx(95)


@each_format
def test_days_that_stand_for_none_are_nothing(lake: rg.Lake, tmp_path: Path, form: str) -> None:
    born = ["1990-05-17", "1900-01-01", "1899-12-30", "2026-11-23", "2027-01-01", "1970-01-01", "1852-01-01"]
    rows = [{"guest_id": f"g{n}", "birthday": day, "joined_at": "1970-01-01 00:00:00"} for n, day in enumerate(born)]
    report = load(lake, FORMATS[form](tmp_path, rows), "guests")
    assert (report.accepted, report.rejected) == (7, 0)
    assert {day for day in column(lake, "birthday", "guests").values() if day} == {dt.date(1990, 5, 17)}
    assert set(column(lake, "joined_at", "guests").values()) == {None}
    assert {note.facts["column"]: note.facts["rows"] for note in report.notes} == {"birthday": 6, "joined_at": 7}


def test_an_order_of_the_first_of_january_1970_has_no_time(lake: rg.Lake, tmp_path: Path) -> None:
    assert load(lake, as_csv(tmp_path, [order("A", ordered_at="1970-01-01 00:00:00")])).rejected == 1
    assert reasons(lake) == {"ordered_at": "is missing: 1970-01-01 stands for no date"}


@each_format
def test_nobody_at_a_table_is_a_number_that_was_not_asked(lake: rg.Lake, tmp_path: Path, form: str) -> None:
    load(lake, FORMATS[form](tmp_path, [order("A", covers=6), order("B", covers=0)]))
    assert column(lake, "covers") == {"A": 6, "B": None}


def test_a_dish_may_be_called_by_a_word_for_nothing_and_that_is_said(lake: rg.Lake, tmp_path: Path) -> None:
    report = load(
        lake, as_csv(tmp_path, [{"item_id": "1", "name": "None"}, {"item_id": "2", "name": "Soup"}]), "menu_items"
    )
    assert column(lake, "name", "menu_items") == {"1": "None", "2": "Soup"}
    assert [(note.code, note.facts["rows"], note.facts["line"]) for note in report.notes] == [("words_kept", 1, 2)]


def test_a_sum_says_which_part_was_missing(lake: rg.Lake, tmp_path: Path) -> None:
    mapping = Mapping(
        table="orders",
        columns={
            "order_id": From(column="n"), "store_id": From(value="S1"), "ordered_at": From(value=AT),
            "amount_minor": From(column=("food", "drinks"), less="tax"),
        },
    )  # fmt: skip
    rows = [
        {"n": 1, "food": 10, "drinks": 5, "tax": 2},
        {"n": 2, "food": 10, "drinks": None, "tax": "NULL"},
        {"n": 3, "tax": 2},
    ]
    report = load(lake, as_csv(tmp_path, rows), mapping=mapping)
    assert column(lake, "amount_minor") == {"1": 13, "2": 10}
    assert reasons(lake) == {"amount_minor": "is missing"}
    assert sorted(note.facts["part"] for note in report.notes if note.code == "part_missing") == ["drinks", "tax"]


def test_orders_of_nobody_and_a_guest_who_is_hardly_one_are_told(lake: rg.Lake, tmp_path: Path) -> None:
    assert [note.code for note in load(lake, as_csv(tmp_path, [order("A"), order("B", guest_id="NULL")])).notes] == [
        "no_guest_named"
    ]
    rows = [order(f"W{n}", guest_id="Walk-in") for n in range(60)] + [
        order(f"G{n}", guest_id=f"g{n % 40}") for n in range(80)
    ]
    [note] = load(lake, as_csv(tmp_path, rows)).notes
    assert (note.code, note.facts["guest"], note.facts["orders"]) == ("one_guest_many_orders", "Walk-in", 60)
    mapping = Mapping(
        table="orders",
        columns={name: From(column=name) for name in order(1)}
        | {"guest_id": From(column="guest_id", nothing=("walk-in",))},
    )
    assert load(lake, as_csv(tmp_path, rows), mapping=mapping).notes == ()
    assert "Walk-in" not in column(lake, "guest_id").values()


# Dates


@each_format
@pytest.mark.parametrize("with_time", [False, True], ids=["dates", "midnights"])
def test_a_date_alone_is_that_day(lake: rg.Lake, tmp_path: Path, form: str, with_time: bool) -> None:
    days = [dt.date(2026, 3, 7), dt.date(2026, 3, 14)]
    is_text = form in ("CSV", "JSON")
    times: list[Any] = [dt.datetime.combine(day, dt.time()) if with_time else day for day in days]
    rows = [order(f"A{n}", ordered_at=str(at) if is_text else at) for n, at in enumerate(times)]
    report = load(lake, FORMATS[form](tmp_path, rows))
    assert list(column(lake, "business_date").values()) == days
    assert set(column(lake, "hour").values()) == {None}
    assert "dates_alone" in [note.code for note in report.notes]


@pytest.mark.parametrize(
    "written", ["2026-03-07T00:00:00Z", "2026-03-07 00:00:00+00:00", "2026-03-07T00:00:00.000-05:00", "20260307"]
)
def test_a_date_alone_is_that_day_whatever_midnight_it_was_made(lake: rg.Lake, tmp_path: Path, written: str) -> None:
    load(lake, as_csv(tmp_path, [order("A", ordered_at=written), order("B", ordered_at=written, store_id="S2")]))
    assert set(column(lake, "business_date").values()) == {dt.date(2026, 3, 7)}


def test_a_frame_of_midnights_in_utc_holds_dates(lake: rg.Lake) -> None:
    at = pd.to_datetime(["2026-03-07", "2026-03-14"], utc=True)
    load(lake, pd.DataFrame([order("A"), order("B")]).assign(ordered_at=at))
    assert [str(day) for day in column(lake, "business_date").values()] == ["2026-03-07", "2026-03-14"]


@each_format
def test_midnight_among_other_times_is_of_the_evening_before(lake: rg.Lake, tmp_path: Path, form: str) -> None:
    times = [dt.datetime(2026, 3, 7), dt.datetime(2026, 3, 7, 18)]
    rows = [order(f"A{n}", ordered_at=str(at) if form in ("CSV", "JSON") else at) for n, at in enumerate(times)]
    load(lake, FORMATS[form](tmp_path, rows))
    assert column(lake, "business_date") == {"A0": dt.date(2026, 3, 6), "A1": dt.date(2026, 3, 7)}
    assert column(lake, "hour") == {"A0": 0, "A1": 18}


@pytest.mark.parametrize("block", [60, 200, 1 << 20])
def test_whether_a_row_is_accepted_does_not_depend_on_how_the_file_was_cut(
    lake: rg.Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr("regulars.tables.formats.delimited.BYTES_PER_BLOCK", block)
    rows = [order(n, ordered_at=f"{AT}-08:00" if n < 60 else AT) for n in range(100)]
    report = load(lake, as_csv(tmp_path, rows))
    assert (report.accepted, report.rejected) == (100, 0)
    assert ("mixed_offsets", 40) in [(note.code, note.facts.get("rows")) for note in report.notes]
    assert column(lake, "hour") == {str(n): 15 if n < 60 else 12 for n in range(100)}


def test_forms_that_read_one_date_as_two_days_are_refused() -> None:
    with pytest.raises(ValueError, match="read the same date as two days; give the one that the source writes"):
        From(column="Date", format=("%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"))


def test_an_offset_in_a_format_counts_and_a_short_year_is_no_long_one(lake: rg.Lake, tmp_path: Path) -> None:
    def mapping(form: str) -> Mapping:
        columns = {name: From(column=name) for name in order(1)} | {
            "ordered_at": From(column="ordered_at", format=form)
        }
        return Mapping(table="orders", columns=columns)

    load(
        lake, as_csv(tmp_path, [order("A", ordered_at="06.03.2026 12:00 +0100")]), mapping=mapping("%d.%m.%Y %H:%M %z")
    )
    assert column(lake, "ordered_at")["A"] == dt.datetime(2026, 3, 6, 11, tzinfo=dt.UTC)
    assert load(lake, as_csv(tmp_path, [order("B", ordered_at="06.03.26")]), mapping=mapping("%d.%m.%Y")).rejected == 1


# Numbers


@each_format
def test_a_broken_minor_unit_is_refused(lake: rg.Lake, tmp_path: Path, form: str) -> None:
    report = load(lake, FORMATS[form](tmp_path, [order("A", amount_minor=12.99), order("B", amount_minor=12.0)]))
    assert (report.rejected, column(lake, "amount_minor")) == (1, {"B": 12})
    assert 'set unit = "major"' in reasons(lake)["amount_minor"]


@each_format
def test_typed_numbers_are_never_read_as_text(lake: rg.Lake, tmp_path: Path, form: str) -> None:
    """With a decimal comma, 12.5 in a cell is twelve and a half; in a CSV file it is refused."""
    mapping = Mapping(
        table="orders",
        decimal=",",
        columns={name: From(column=name) for name in order(1)}
        | {"amount_minor": From(first_of=("paid", "total"), unit="major"), "covers": From(column="covers")},
    )
    rows = [order("A", paid=1.234, total=5.5, covers=2.0), order("B", paid=None, total=12.5, covers=None)]
    rows[0]["paid"] = 12.25
    report = load(lake, FORMATS[form](tmp_path, rows), mapping=mapping)
    assert column(lake, "amount_minor") if form != "CSV" else report.rejected == 2
    if form != "CSV":
        assert (column(lake, "amount_minor"), column(lake, "covers")) == ({"A": 1225, "B": 1250}, {"A": 2, "B": None})


def test_single_precision_is_the_number_that_it_was(lake: rg.Lake) -> None:
    columns = {name: From(column=name) for name in order(1)} | {"amount_minor": From(column="amount", unit="major")}
    frame = pd.DataFrame([order("A")]).assign(amount=pd.Series([12.1], dtype="float32"))
    load(lake, frame, mapping=Mapping(table="orders", columns=columns))
    assert column(lake, "amount_minor") == {"A": 1210}


# Ids


@each_format
def test_a_guest_is_the_same_as_a_number_and_as_text(lake: rg.Lake, tmp_path: Path, form: str) -> None:
    load(
        lake, FORMATS[form](tmp_path, [order("A", guest_id=7.0), order("B", guest_id=None), order("C", guest_id=12.0)])
    )
    assert column(lake, "guest_id") == {"A": "7", "B": None, "C": "12"}


@each_format
def test_a_number_that_lost_its_digits_is_refused(lake: rg.Lake, tmp_path: Path, form: str) -> None:
    lost: Any = "1.23E+15" if form in ("CSV", "JSON", "XLSX") else 1.2345678901234567e18
    report = load(lake, FORMATS[form](tmp_path, [order("A", guest_id=lost), order("B", guest_id=lost)]))
    assert (report.accepted, report.rejected) == (0, 2)
    assert "digits are lost" in reasons(lake)["guest_id"] or "a spreadsheet shortened" in reasons(lake)["guest_id"]


@pytest.mark.parametrize(
    "written", ["ann\u200b", "\ufeffann", "a\u00adnn", "\u202aann\u202c", "\u00a0ann ", "ann\u2060", "'ann"]
)
def test_marks_that_cannot_be_seen_are_taken_off(lake: rg.Lake, tmp_path: Path, written: str) -> None:
    load(lake, as_csv(tmp_path, [order("A", guest_id="ann"), order("B", guest_id=written)]))
    assert set(column(lake, "guest_id").values()) == ({"ann"} if written != "'ann" else {"ann", "'ann"})


def test_letters_are_composed_and_those_that_were_lost_refuse_the_row(lake: rg.Lake, tmp_path: Path) -> None:
    rows = [order("A", guest_id="Ren\u00e9e"), order("B", guest_id="Rene\u0301e"), order("C", guest_id="Ren\ufffde")]
    assert load(lake, as_csv(tmp_path, rows)).rejected == 1
    assert set(column(lake, "guest_id").values()) == {"Ren\u00e9e"}
    assert reasons(lake) == {"guest_id": "'Ren\ufffde' lost letters when it was saved; export it again as UTF-8"}


@each_format
def test_the_apostrophe_that_guards_a_formula_is_no_part_of_an_id(lake: rg.Lake, tmp_path: Path, form: str) -> None:
    rows = [
        order(str(n), guest_id=guest) for n, guest in enumerate(["'+14155550100", "'-7", "'=A1", "''=B", "'tis", "@me"])
    ]
    load(lake, FORMATS[form](tmp_path, rows))
    assert list(column(lake, "guest_id").values()) == ["+14155550100", "-7", "=A1", "'=B", "'tis", "@me"]


def test_what_was_exported_and_is_loaded_again_is_the_same(lake: rg.Lake, tmp_path: Path) -> None:
    from regulars.guests import find_segment

    guests = ["+14155550100", "-7", "=A1", "'=A1", "''@x", "ann", "'tis"]
    load(lake, as_csv(tmp_path, [order(str(n), guest_id=f'"{guest}"') for n, guest in enumerate(guests)]))
    known = set(column(lake, "guest_id").values())
    find_segment(lake, "visits >= 1", tmp_path / "all.csv")
    load(lake, tmp_path / "all.csv", "guests")
    assert set(column(lake, "guest_id", "guests")) == known


def test_a_frame_that_mixes_kinds_is_read_and_one_that_cannot_be_is_refused_in_a_sentence(lake: rg.Lake) -> None:
    frame = pd.DataFrame(
        [order("A", guest_id=7), order("B", guest_id="A7"), order("C", guest_id=pd.NA)], index=[5, 1, 3]
    )
    load(lake, frame)
    assert column(lake, "guest_id") == {"A": "7", "B": "A7", "C": None}
    twice = pd.DataFrame([["A", "B"]], columns=["order_id", "order_id"])
    with pytest.raises(rg.DataError, match="a DataFrame: cannot be read as columns: Duplicate column names"):
        load(lake, twice)
