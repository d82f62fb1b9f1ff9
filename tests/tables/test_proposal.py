"""Proposals: where day and month can be either way round, the closer dates win, and it is said."""

import os
from pathlib import Path

import pytest

import regulars as rg
from commands import run_command
from regulars.tables import open_source
from regulars.tables.proposal import propose


def till(folder: Path, days: list[str]) -> Path:
    rows = [f"{place},{day} 12:30,g{place},12.50" for place, day in enumerate(days)]
    file = folder / "till.csv"
    file.write_text("\n".join(["Check Number,Date,Guest Id,Amount", *rows]) + "\n", encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("days", "form"),
    [
        ([f"03/0{day}/2026" for day in range(1, 10)], "%m/%d/%Y %H:%M"),
        ([f"0{day}/03/2026" for day in range(1, 10)], "%d/%m/%Y %H:%M"),
    ],
)
def test_days_of_one_month_are_taken_for_days_and_both_readings_are_said(
    tmp_path: Path, days: list[str], form: str
) -> None:
    file = till(tmp_path, days)
    mapping = propose(open_source(file), "orders")
    assert mapping.columns["ordered_at"].format == form
    (doubt,) = mapping.doubts
    assert {doubt.facts["form"], doubt.facts["other"]} == {"%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M"}
    shown = run_command(("map", str(file), "--table", "orders"), folder=tmp_path, environment=dict(os.environ))
    assert "can be read as" in shown.stdout


def test_a_day_above_twelve_leaves_no_doubt(tmp_path: Path) -> None:
    file = till(tmp_path, ["03/01/2026", "03/13/2026", "03/14/2026"])
    mapping = propose(open_source(file), "orders")
    assert mapping.columns["ordered_at"].format == "%m/%d/%Y %H:%M"
    assert mapping.doubts == ()


GUESSED = {
    "the price of one, times how many": (
        "Receipt,Date,Shop,Item,Qty,Price\n1,2026-01-02 10:00,A,Soup,2,5.00\n1,2026-01-02 10:00,A,Tea,1,3.00\n", [1300]),
    "the total of the order on each of its rows": (
        "Order,Date,Store,Item,Qty,Price,Order Total\n"
        + "".join(f"{i},2026-01-{i:02d} 10:00,A,{x},1,{i}.00,{2 * i}.00\n" for i in range(1, 9) for x in "ab"),
        [200 * i for i in range(1, 9)]),
    "net sales beside a total with tip": (
        "Receipt,Date,Net Sales,Tip,Total,Store\n1,2026-01-02 10:00,5.00,1.00,6.00,A\n2,2026-01-03 10:00,6.00,,6.00,A\n", [500, 600]),
    "what was given back, and what never was": (
        "Order No,Date,Amount,Store,Order Status\n1,2026-01-02 10:00,5.00,A,Completed\n2,2026-01-03 10:00,6.00,A,Cancelled\n"
        "3,2026-01-03 10:00,7.00,A,Refunded\n", [-700, 500]),
    "a point for thousands and a comma for cents": (
        "Rechnungsnummer;Datum;Gesamtbetrag;Filiale\nR1;01.02.26 12:00;12,50;A\nR2;15.02.26 12:00;1.012,50;A\n", [1250, 101250]),
    "a date and a time of two columns, the day first": (
        "Numéro de ticket;Date;Heure;Montant TTC;Établissement\n1;01/02/2026;12:00;12,50;A\n2;15/02/2026;12:30;3,00;A\n", [300, 1250]),
    "signs of currency, half a day": (
        'Check #,Date,Time,Amount,Location\n1,02/13/2026,1:05 PM,$5.00,A\n2,02/14/2026,1:15 PM,"$1,006.00",A\n', [500, 100600]),
    "an answer of an API": (
        '{"orders": [{"id": "1", "created_at": "2026-01-02T10:00:00Z", "total": 5.5, "store": "A"}], "cursor": "x"}', [550]),
    "one order with a list in it": (
        '{"id": "1", "created_at": "2026-01-02T10:00:00Z", "total": 5.5, "store": "A", "transactions": [{"id": 9, "amount": 3}]}', [550]),
}  # fmt: skip


@pytest.mark.parametrize("what", GUESSED)
def test_what_tills_write_is_guessed_right(tmp_path: Path, what: str) -> None:
    text, amounts = GUESSED[what]
    file = tmp_path / ("till.json" if text.startswith("{") else "till.csv")
    file.write_text(text, encoding="utf-8")
    lake = rg.Lake.create(tmp_path / "lake", currency="USD", zone="America/New_York")
    lake.load_files([file])
    assert sorted(lake.read("orders")["amount_minor"].to_pylist()) == amounts


@pytest.mark.parametrize("has_store", [False, True])
def test_numbers_that_begin_anew_each_day_and_in_each_store_are_told_apart(tmp_path: Path, has_store: bool) -> None:
    """Counted beside it: 28 days, 20 numbers, and two stores or one."""
    stores = ("Mitte", "Nord") if has_store else ("",)
    lines = [
        f"{number};{day:02d}.02.2026;12:{number + part:02d};{store};Dish {part};1;{number},{part}0"
        for day in range(1, 29) for store in stores for number in range(1, 21) for part in range(1 + number % 3)
    ]  # fmt: skip
    (tmp_path / "till.csv").write_text(
        "\n".join(["Bon;Datum;Zeit;Filiale;Artikel;Menge;Betrag", *lines, ""]), encoding="utf-8"
    )
    lake = rg.Lake.create(tmp_path / "lake", currency="EUR", zone="Europe/Berlin")
    reports = lake.load_files([tmp_path / "till.csv"], store=None if has_store else "Mitte")
    assert [report.rejected for report in reports] == [0] * len(reports)
    assert len(lake.read("orders")) == 28 * 20 * len(stores)
    assert len(lake.read("order_items")) == len(lines)


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_whole_amounts_are_taken_the_same_from_every_kind_of_file_and_asked_about(tmp_path: Path, kind: str) -> None:
    import pandas as pd

    frame = pd.DataFrame({"Receipt": [1, 2], "Date": ["2026-01-02 10:00"] * 2, "Store": ["A"] * 2, "Total": [5, 7]})
    path = tmp_path / f"till.{kind}"
    match kind:
        case "csv":
            frame.to_csv(path, index=False)
        case "jsonl":
            frame.to_json(path, orient="records", lines=True)
        case _:
            frame.to_parquet(path, index=False)
    lake = rg.Lake.create(tmp_path / "lake")
    orders = lake.load_files([path])[-1]
    assert "amounts_whole" in [note.code for note in orders.notes]
    assert sorted(lake.read("orders")["amount_minor"].to_pylist()) == [500, 700]


def test_an_unknown_file_is_not_taken_for_the_stores_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "shifts.csv").write_text("Store,Waiter,Hours,Wage\nA,Ann,8,100\nA,Bob,7,90\n")
    lake = rg.Lake.create(tmp_path / "lake")
    with pytest.raises(rg.DataError, match="is not found"):
        lake.load_files([tmp_path / "shifts.csv"])
    assert not lake.has("stores")
