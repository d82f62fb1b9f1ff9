"""Redemptions: whose they are, what they cost where nobody wrote it down, and that a check with two of them counts once."""

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa

import regulars as rg
from regulars.guests.facts import Facts
from regulars.guests.redemptions import by_guest, checks_once, redemptions

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
ORDER = {
    "store_id": "S1",
    "ordered_at": "2026-10-05 12:00:00",
    "amount_minor": 2_500,
    "discount_minor": 500,
    "margin_minor": 1_000,
}
USED = {
    "campaign_id": "c",
    "guest_id": "ann",
    "offer_id": "five",
    "order_id": "A",
    "redeemed_at": "2026-10-05 12:00:00",
}


def loaded(lake: rg.Lake, *used: dict[str, Any]) -> pa.Table:
    orders = [{"order_id": "A", "guest_id": "ann", **ORDER}, {"order_id": "B", "guest_id": "ben", **ORDER}]
    lake.load("orders", pa.Table.from_pylist(orders), now=NOW)
    rows = [USED | {"redemption_id": f"R{i}"} | row for i, row in enumerate(used)]
    names = dict.fromkeys(name for row in rows for name in row)
    lake.load("redemptions", pa.table({name: [row.get(name) for row in rows] for name in names}), now=NOW)
    return redemptions(lake)


def test_a_redemption_without_a_guest_is_the_guests_of_its_check(lake: rg.Lake) -> None:
    rows = loaded(
        lake,
        {"guest_id": None, "order_id": "B", "cost_minor": 500},
        {"guest_id": None, "order_id": None, "cost_minor": 1},
    )
    assert rows["guest_id"].to_pylist() == ["ben", None]


def test_an_unknown_cost_is_the_mean_of_its_offer_and_of_all_where_that_has_none(lake: rg.Lake) -> None:
    rows = loaded(
        lake, {"cost_minor": 300}, {"cost_minor": 500}, {"cost_minor": None}, {"offer_id": "tea", "cost_minor": None},
        {"offer_id": "cake", "cost_minor": 1_000},
    )  # fmt: skip
    assert rows["cost"].to_pylist() == [300, 500, 400, 600, 1_000]
    assert rows["is_guessed"].to_pylist() == [False, False, True, True, False]


def test_costs_that_nobody_wrote_down_stay_unknown(lake: rg.Lake) -> None:
    rows = loaded(lake, {"cost_minor": None}, {"cost_minor": None})
    assert np.isnan(rows["cost"].to_numpy()).all()
    assert by_guest(rows)["n"].to_pylist() == [2]


def test_two_vouchers_on_a_check_count_it_once(lake: rg.Lake) -> None:
    rows = loaded(
        lake, {"cost_minor": 250}, {"cost_minor": 250}, {"order_id": "B", "guest_id": "ben", "cost_minor": 500}
    )
    assert checks_once(rows)["check"].to_pylist() == [3_000, 3_000]


def test_only_what_lowered_no_check_is_taken_off_the_margin(lake: rg.Lake) -> None:
    loaded(
        lake, {"cost_minor": 500}, {"order_id": None, "guest_id": "ben", "cost_minor": 700, "beside_check_minor": 200}
    )
    facts = Facts.of(lake)
    assert facts.brought(np.array(["ann", "ben"]), dt.date(2026, 10, 5), 1).tolist() == [1_000, 800]
    assert facts.brought(np.array(["ann", "ben"]), dt.date(2026, 10, 6), 9).tolist() == [0, 0]
