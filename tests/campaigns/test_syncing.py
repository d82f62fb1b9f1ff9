"""What the till did comes back to the lake, once, however often it is asked; and stores go the other way."""

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest

import regulars as rg
from houses import NOW, House
from regulars.access import stores as known
from regulars.campaigns import sync
from regulars.offers import actions
from regulars.offers.refunds import RollBack
from regulars.tables.contracts import contract
from regulars.tables.mapping import Mapping

LATER = NOW + dt.timedelta(days=30)


@pytest.fixture
def lake(tmp_path: Path) -> rg.Lake:
    lake = rg.Lake.create(tmp_path / "shop", zone="America/New_York")
    stores = {"store_id": ["S1", "S3"], "zone": ["America/New_York", "Europe/Rome"]}
    lake.load("stores", pa.table(stores), now=NOW)
    return lake


def test_redemptions_come_back_once_and_what_was_given_back_goes_away(lake: rg.Lake, house: House) -> None:
    house.define(campaign_id="autumn")
    ids = []
    for order in ("A1", "A2", "A3"):
        answer = house.redeem(house.issue(guest_id="ann"), order_id=order)
        ids.append(answer.said["applied"][0]["redemption_id"])
    house.ask(RollBack, redemption_id=ids[1], amount_minor=100)
    first = sync(lake, now=LATER)
    assert (first.stores, first.offers, first.redemptions) == (2, 1, 3)
    rows = {row["redemption_id"]: row for row in lake.read("redemptions").to_pylist()}
    assert {name: row["cost_minor"] for name, row in rows.items()} == dict(zip(ids, (500, 400, 500), strict=True))
    kept = rows[ids[0]]
    assert (kept["campaign_id"], kept["guest_id"], kept["offer_id"], kept["store_id"], kept["order_id"]) == (
        "autumn", "ann", "five-off", "S1", "A1",
    )  # fmt: skip
    assert kept["redeemed_at"] == NOW
    assert sync(lake, now=LATER)[1:] == (0, 0, 0, 0, 0)
    house.now = LATER
    house.ask(RollBack, redemption_id=ids[2])
    assert sync(lake, now=LATER + dt.timedelta(minutes=1)).redemptions == 1
    assert set(lake.read("redemptions")["redemption_id"].to_pylist()) == set(ids[:2])


def test_the_tills_know_the_stores_of_the_lake_and_their_clocks(lake: rg.Lake, house: House) -> None:
    sync(lake, now=NOW)
    assert {row["store_id"]: row["zone"] for row in known.stores()} == {
        "S1": "America/New_York", "S2": "Asia/Shanghai", "S3": "Europe/Rome",
    }  # fmt: skip


def test_orders_that_were_told_as_events_are_orders(lake: rg.Lake, house: House) -> None:
    event = {
        "type": "track", "event": "Order Completed", "messageId": "m1", "userId": "ann", "timestamp": NOW.isoformat(),
        "properties": {"order_id": "A1", "store_id": "S1", "total": 12.5, "currency": "USD",
                       "products": [{"product_id": "tea", "name": "Tea", "price": 12.5, "quantity": 1}]},
    }  # fmt: skip
    other = {"type": "track", "event": "Dish Viewed", "messageId": "m2", "userId": "ann", "timestamp": NOW.isoformat()}
    actions.take_events([event, other, event], till=None, now=NOW)
    assert sync(lake, now=LATER)[3:5] == (1, 1)
    assert [(row["guest_id"], row["amount_minor"]) for row in lake.read("orders").to_pylist()] == [("ann", 1250)]
    assert lake.read("order_items")["item_id"].to_pylist() == ["tea"]
    assert sync(lake, now=LATER)[3:5] == (0, 0)


def test_a_campaigns_outcomes_have_everybody_who_was_exposed(lake: rg.Lake, house: House) -> None:
    house.define(campaign_id="autumn")
    house.redeem(house.issue(guest_id="ann"), order_id="A1")
    day = dt.timedelta(days=1)
    exposures = {
        "campaign_id": ["autumn"] * 3, "guest_id": ["ann", "bob", "cid"], "offer_id": ["five-off", "five-off", None],
        "arm": ["treated", "treated", "holdout"], "exposed_at": [NOW] * 3, "ends_at": [NOW + 7 * day] * 3,
    }  # fmt: skip
    lake.load("exposures", pa.table(exposures), now=LATER)
    orders = {
        "order_id": ["A1", "B1", "B2"], "guest_id": ["ann", "bob", "bob"], "store_id": ["S1"] * 3,
        "ordered_at": [NOW, NOW + day, NOW + 9 * day], "amount_minor": [2500, 1000, 4000], "margin_minor": [1500, 600, 2400],
    }  # fmt: skip
    lake.load("orders", pa.table(orders), now=LATER)
    assert sync(lake, now=LATER).outcomes == 3
    rows = sorted(lake.read("outcomes").to_pylist(), key=lambda row: row["guest_id"])
    assert [tuple(row.values()) for row in rows] == [
        ("autumn", "ann", 1, 2500, 1500, 500), ("autumn", "bob", 1, 1000, 600, 0), ("autumn", "cid", 0, 0, 0, 0),
    ]  # fmt: skip


def test_a_mapping_that_the_workspace_keeps_is_for_its_own_files(lake: rg.Lake, house: House) -> None:
    """A shop whose exports need mappings tells events too."""
    for table in ("orders", "order_items", "offers", "redemptions", "stores"):
        own = {column.name: f"Their {column.name}" for column in contract(table).columns}
        lake.save_mapping(Mapping.model_validate({"table": table, "columns": own}))
    house.define(campaign_id="autumn")
    house.redeem(house.issue(guest_id="ann"), order_id="A1")
    told = {
        "type": "track",
        "event": "Order Completed",
        "messageId": "m1",
        "userId": "ann",
        "timestamp": NOW.isoformat(),
    }
    line = {"product_id": "tea", "name": "Tea", "price": 12.5, "quantity": 1}
    facts = {"order_id": "A1", "store_id": "S1", "total": 12.5, "currency": "USD", "products": [line]}
    actions.take_events([told | {"properties": facts}], till=None, now=NOW)
    assert sync(lake, now=LATER)[:5] == (2, 1, 1, 1, 1)
