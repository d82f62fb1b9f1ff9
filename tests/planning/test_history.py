"""History: past campaigns as rows, with nothing in them that was not known at the time."""

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import regulars as rg
from regulars.guests.facts import Facts
from regulars.planning.history import build_history, past_campaigns
from shops import NOW, make_lake

UNTIL = dt.date(2026, 10, 1)


def test_every_campaign_gives_a_row_for_each_guest_known_at_its_start(shop: rg.Lake) -> None:
    facts = Facts.of(shop)
    history = build_history(facts, past_campaigns(shop), window_days=21, known_until=UNTIL)
    assert history is not None
    assert history.offers == ("five-off", "free-tea")
    assert set(history.campaign) == {"C0", "C1"}
    known = facts.profiles(dt.date(2026, 6, 14))
    assert int((history.campaign == "C0").sum()) == len(known)
    assert np.allclose(np.bincount(history.action + 1) / len(history), 1 / 3, atol=0.05)
    assert history.is_randomised
    assert np.allclose(history.propensity, 1 / 3)


def test_outcomes_are_those_of_the_window_and_costs_those_of_the_campaign(shop: rg.Lake) -> None:
    history = build_history(Facts.of(shop), past_campaigns(shop), window_days=21, known_until=UNTIL)
    assert history is not None
    row = int(np.flatnonzero((history.campaign == "C0") & (history.cost > 0))[0])
    guest = history.guest[row]
    orders = shop.read("orders").filter(pc.field("guest_id") == guest).to_pylist()
    window = (dt.date(2026, 6, 15), dt.date(2026, 7, 6))
    spent = sum(order["amount_minor"] for order in orders if window[0] <= order["business_date"] < window[1])
    assert history.amount[row] == spent
    assert abs(history.margin[row] - 0.6 * history.amount[row]) <= history.orders[row]
    assert history.cost[row] == 300
    assert history.redeemed[row]


def test_later_orders_change_no_feature(tmp_path: Path) -> None:
    lake = make_lake(tmp_path / "workspace", guests=200)
    ask = {"window_days": 21, "known_until": UNTIL}
    before = build_history(Facts.of(lake), past_campaigns(lake)[:1], **ask)
    late = {
        "order_id": ["late"], "guest_id": ["G0001"], "store_id": ["S1"],
        "ordered_at": [dt.datetime(2026, 6, 20, 16, tzinfo=dt.UTC)], "amount_minor": [99_000],
    }  # fmt: skip
    lake.load("orders", pa.table(late), now=NOW)
    after = build_history(Facts.of(lake), past_campaigns(lake)[:1], **ask)
    assert before is not None
    assert after is not None
    assert after.features.equals(before.features)
    assert after.amount.sum() == before.amount.sum() + 99_000


def test_a_guest_with_another_offer_at_the_time_is_no_comparison(targeted: rg.Lake) -> None:
    facts, campaigns = Facts.of(targeted), past_campaigns(targeted)
    overlapping = [
        campaigns[0],
        campaigns[0]._replace(campaign_id="C1", starts_on=campaigns[0].starts_on + dt.timedelta(days=1)),
    ]
    alone = build_history(facts, campaigns[:1], window_days=21, known_until=UNTIL)
    beside = build_history(facts, overlapping, window_days=21, known_until=UNTIL, only=overlapping[:1])
    assert alone is not None
    assert beside is not None
    assert (beside.action < 0).sum() < (alone.action < 0).sum()
    assert (beside.action >= 0).sum() == (alone.action >= 0).sum()


def test_a_campaign_whose_window_is_not_over_teaches_nothing(shop: rg.Lake) -> None:
    facts = Facts.of(shop)
    assert build_history(facts, past_campaigns(shop), window_days=21, known_until=dt.date(2026, 6, 20)) is None
    one = build_history(facts, past_campaigns(shop), window_days=21, known_until=dt.date(2026, 7, 10))
    assert one is not None
    assert set(one.campaign) == {"C0"}
