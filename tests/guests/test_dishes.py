"""What to offer guests of a workspace next: by names on the menu, never of the stop list, in a file safe for spreadsheets."""

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pytest

import regulars as rg
from regulars.guests import next_dishes
from regulars.guests.dishes import Dishes
from shops import NOW

DAY = dt.date(2026, 10, 4)
HAD = {
    "ann": ["tea-1", "tea-2", "tea-1 pie", "tea-2"],
    "bob": ["pie wine", "pie wine", "pie gin", "off-menu"],
    "cat": ["tea-1 sum"],
}
MENU = {
    "item_id": ["tea-1", "tea-2", "pie", "wine", "gin", "sum"],
    "name": ["Green tea", "Green tea", "Pie", "Red wine", "Gin", "=SUM(A1)"],
    "tags": ["hot", None, "vegan", "alcohol; STOP", " Stop", ""],
}


def made(path: Path, menu: dict[str, list[str | None]] | None = None, items: bool = True) -> rg.Lake:
    lake = rg.Lake.create(path, zone="America/New_York", salt="s")
    lake.load("stores", pa.table({"store_id": ["S1"]}), now=NOW)
    if menu is not None:
        lake.load("menu_items", pa.table(menu), now=NOW)
    checks = [(guest, dishes) for guest, visits in HAD.items() for dishes in visits]
    orders = {
        "order_id": [f"O{n}" for n in range(len(checks))], "guest_id": [guest for guest, _ in checks],
        "store_id": ["S1"] * len(checks), "amount_minor": [900] * len(checks),
        "ordered_at": ["2026-10-04T17:00:00Z"] * len(checks),
    }  # fmt: skip
    lake.load("orders", pa.table(orders), now=NOW)
    lines = [(f"O{n}", item) for n, (_, dishes) in enumerate(checks) for item in dishes.split()]
    if items:
        columns = {"order_id": [order for order, _ in lines], "item_id": [item for _, item in lines]}
        table = pa.table(columns | {"line": range(len(lines)), "amount_minor": [300] * len(lines)})
        lake.load("order_items", table, now=NOW)
    return lake


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> rg.Lake:
    return made(tmp_path_factory.mktemp("dishes") / "shop", MENU)


def test_items_of_one_name_are_one_dish_and_those_without_keep_their_id(lake: rg.Lake) -> None:
    rows = next_dishes(lake, k=9).rows.to_pylist()
    ann = [
        (row["dish"], row["item_id"], row["times_ordered"], row["reason"]) for row in rows if row["guest_id"] == "ann"
    ]
    assert ann[0] == ("Green tea", "tea-1", 4, "usual")
    assert {dish for dish, *_ in ann} == {"Green tea", "Pie", "=SUM(A1)", "off-menu"}
    assert list(rows[0]) == ["guest_id", "rank", "dish", "item_id", "score", "times_ordered", "reason"]


def test_what_the_menu_tags_with_stop_is_never_offered(lake: rg.Lake) -> None:
    found = next_dishes(lake, k=9)
    assert found.stop_list == ("Gin", "Red wine")
    assert not {"Gin", "Red wine"}.intersection(found.rows["dish"].to_pylist())


@pytest.mark.parametrize("word", ["tea-2", "TEA-1", "green tea", "Green tea"])
def test_a_stop_list_takes_ids_and_names(lake: rg.Lake, word: str) -> None:
    found = next_dishes(lake, k=9, stop=["off-menu", word])
    assert found.stop_list == ("Gin", "Green tea", "Red wine", "off-menu")
    assert set(found.rows["dish"].to_pylist()) == {"Pie", "=SUM(A1)"}


def test_a_dish_that_nobody_knows_is_refused_with_the_nearest(lake: rg.Lake) -> None:
    """A misspelt stop would else let through what must not be offered."""
    with pytest.raises(rg.DataError, match=r"no dish 'Red wina' \(did you mean 'red wine'\?\); a stop list takes"):
        next_dishes(lake, stop=["Red wina"])


def test_new_only_and_k_are_handed_down(lake: rg.Lake) -> None:
    rows = next_dishes(lake, k=1, new_only=True).rows.to_pylist()
    assert [(row["guest_id"], row["times_ordered"]) for row in rows] == [("ann", 0), ("bob", 0), ("cat", 0)]


def test_everybody_with_a_profile_is_answered_as_of_its_date(lake: rg.Lake) -> None:
    found = next_dishes(lake, k=2)
    assert (found.as_of, found.guests) == (DAY, 3)
    assert found.first(2)["guest_id"].unique().to_pylist() == ["ann", "bob"]
    assert found.first(0).num_rows == 0
    assert found.first(99).equals(found.rows)


def test_an_export_holds_all_rows_without_formulas(lake: rg.Lake, tmp_path: Path) -> None:
    found = next_dishes(lake, k=9, export=tmp_path / "next.csv")
    written = arrow_csv.read_csv(tmp_path / "next.csv")
    assert written.num_rows == found.rows.num_rows
    assert "'=SUM(A1)" in written["dish"].to_pylist()
    assert "=SUM(A1)" not in written["dish"].to_pylist()
    with pytest.raises(rg.DataError, match=r"a \.csv or a \.parquet file"):
        next_dishes(lake, export=tmp_path / "next.xlsx")


def test_a_habit_is_told_by_name_unless_it_is_stopped(lake: rg.Lake) -> None:
    [usual] = Dishes.of(lake).usual("ann", DAY)
    assert (usual["dish"], usual["item_id"], usual["times_ordered"], usual["orders_known"]) == (
        "Green tea",
        "tea-1",
        4,
        4,
    )
    assert Dishes.of(lake, ["green tea"]).usual("ann", DAY) == ()
    assert Dishes.of(lake).usual("cat", DAY) == ()


def test_a_workspace_without_a_menu_speaks_of_items(tmp_path: Path) -> None:
    bare = made(tmp_path / "bare")
    found = next_dishes(bare, k=9)
    assert set(found.rows["dish"].to_pylist()) == {"tea-1", "tea-2", "pie", "wine", "gin", "sum", "off-menu"}
    assert found.rows["dish"].equals(found.rows["item_id"])
    assert found.stop_list == ()


def test_a_workspace_without_order_items_says_what_would_bring_them(tmp_path: Path) -> None:
    with pytest.raises(rg.DataError, match="holds no order_items yet; `regulars load order_items FILE` brings them"):
        next_dishes(made(tmp_path / "none", MENU, items=False))
