"""The portrait of one guest: their profile, what to expect of them, what they like; and who is not known."""

from pathlib import Path

import pyarrow as pa
import pytest

import regulars as rg
from regulars.guests import portrait
from shops import NOW, make_lake


@pytest.fixture(scope="module")
def drinkers(tmp_path_factory: pytest.TempPathFactory) -> rg.Lake:
    """A shop where G0001 always drinks tea, G0002 gin, which is on no offer, and the others tea one time in four."""
    lake = make_lake(tmp_path_factory.mktemp("portrait") / "shop", guests=120)
    orders = lake.read("orders").select(["order_id", "guest_id"]).to_pylist()
    menu = {
        "item_id": ["tea", "rice", "gin"],
        "name": ["Tea", "Rice", "Gin"],
        "category": ["drinks", "mains", "spirits"],
        "price_minor": [300, 900, 800],
        "tags": ["Hot", "vegan", "strong; Stop"],
    }
    lake.load("menu_items", pa.table(menu), now=NOW)
    always = {"G0001": "tea", "G0002": "gin"}
    item = [always.get(row["guest_id"], "rice" if n % 4 else "tea") for n, row in enumerate(orders)]
    lines = {"order_id": [row["order_id"] for row in orders], "line": [1] * len(orders), "item_id": item}
    lake.load("order_items", pa.table(lines | {"amount_minor": [300] * len(orders)}), now=NOW)
    return lake


def test_a_portrait_is_his_profile_and_his_tastes(drinkers: rg.Lake) -> None:
    known = portrait(drinkers, "G0001")
    assert known.profile["guest_id"] == "G0001"
    assert known.profile["visits"] > 5
    assert {(taste["kind"], taste["what"]) for taste in known.tastes} == {
        ("category", "drinks"), ("dish", "Tea"), ("tag", "hot"), ("price level", "cheap"),
    }  # fmt: skip
    assert all(taste["orders_with"] == taste["orders_known"] for taste in known.tastes)
    assert all(taste["what"] != "Tea" for taste in portrait(drinkers, "G0002").tastes)


def test_a_taste_for_a_word_of_the_menus_tags_is_told_and_stop_is_no_taste(drinkers: rg.Lake) -> None:
    known = portrait(drinkers, "G0002")
    assert {(taste["kind"], taste["what"]) for taste in known.tastes} == {
        ("category", "spirits"), ("dish", "Gin"), ("tag", "strong"), ("price level", "middle"),
    }  # fmt: skip
    assert known.usual == ()
    assert {row["dish"] for row in known.next_dishes} == {"Rice", "Tea"}


def test_his_usual_and_what_to_offer_him_besides(drinkers: rg.Lake) -> None:
    known = portrait(drinkers, "G0001")
    [usual] = known.usual
    assert (usual["dish"], usual["share"], usual["last_ordered_on"]) == ("Tea", 1, known.profile["last_ordered_on"])
    [first] = known.next_dishes
    assert (first["rank"], first["dish"], first["times_ordered"]) == (1, "Rice", 0)


def test_neither_is_of_the_stop_list(drinkers: rg.Lake) -> None:
    without_rice, without_tea = (portrait(drinkers, "G0001", stop=[dish]) for dish in ("rice", "TEA"))
    assert ([row["dish"] for row in without_rice.usual], without_rice.next_dishes) == (["Tea"], ())
    assert (without_tea.usual, [row["dish"] for row in without_tea.next_dishes]) == ((), ["Rice"])
    with pytest.raises(rg.DataError, match=r"no dish 'rise' \(did you mean 'rice'"):
        portrait(drinkers, "G0001", stop=["rise"])


def test_what_to_expect_of_him_comes_with_intervals(drinkers: rg.Lake) -> None:
    outlook = portrait(drinkers, "G0001").outlook
    for name in ("expected_visits_90", "expected_margin_90_minor"):
        assert 0 < outlook[f"{name}_low"] < outlook[name] < outlook[f"{name}_high"]


def test_a_guest_nobody_knows_is_refused_with_the_nearest(drinkers: rg.Lake) -> None:
    with pytest.raises(rg.DataError, match=r"no guest 'G001' has ordered \(did you mean 'G0"):
        portrait(drinkers, "G001")
    with pytest.raises(rg.DataError, match="no guest 'Zebedee' has ordered; 119 guests are known, such as 'G0000'"):
        portrait(drinkers, "Zebedee")


def test_what_nobody_can_know_is_said_and_not_made_up(tmp_path: Path) -> None:
    known = portrait(make_lake(tmp_path / "shop", guests=8), "G0001")
    assert known.tastes == ()
    assert known.outlook == {}
    assert "do not identify" in known.doubt
