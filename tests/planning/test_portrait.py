"""The portrait of one guest: his profile, what to expect of him, what he likes; and who is not known."""

from pathlib import Path

import pyarrow as pa
import pytest

import regulars as rg
from regulars.planning import portrait
from shops import NOW, make_lake


@pytest.fixture(scope="module")
def drinkers(tmp_path_factory: pytest.TempPathFactory) -> rg.Lake:
    """A shop where G0001 always drinks tea, and the others one time in four."""
    lake = make_lake(tmp_path_factory.mktemp("portrait") / "shop", guests=120)
    orders = lake.read("orders").select(["order_id", "guest_id"]).to_pylist()
    lake.load("menu_items", pa.table({"item_id": ["rice"], "name": ["Rice"], "category": ["mains"]}), now=NOW)
    item = ["tea" if row["guest_id"] == "G0001" or n % 4 == 0 else "rice" for n, row in enumerate(orders)]
    lines = {"order_id": [row["order_id"] for row in orders], "line": [1] * len(orders), "item_id": item}
    lake.load("order_items", pa.table(lines | {"amount_minor": [300] * len(orders)}), now=NOW)
    return lake


def test_a_portrait_is_his_profile_and_his_tastes(drinkers: rg.Lake) -> None:
    known = portrait(drinkers, "G0001")
    assert known.profile["guest_id"] == "G0001"
    assert known.profile["visits"] > 5
    assert {(taste["kind"], taste["what"]) for taste in known.tastes} == {("category", "drinks"), ("dish", "Tea")}
    assert all(taste["orders_with"] == taste["orders_known"] for taste in known.tastes)
    assert all(taste["what"] != "Tea" for taste in portrait(drinkers, "G0002").tastes)


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
