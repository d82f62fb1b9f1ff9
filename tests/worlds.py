"""Worlds: one campaign as three shops would write it down, each in its own convention of margin."""

import datetime as dt
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa

import regulars as rg
from regulars.planning import Plan, make_plan, parse_campaign, save

Convention = Literal["margin", "menu", "rate"]
NOW = dt.datetime(2027, 2, 1, tzinfo=dt.UTC)
RATE = 0.6
CAMPAIGN = """
name = "{name}"
audience = "visits >= 1"
starts_on = {starts_on}
window_days = 28
holdout = 0.3
global_holdout = 0.2
exploration = 0.3
expected_redemption = 0.3

[budget]
total = 800

[[offers]]
offer_id = "five"
kind = "amount_off"
amount = 5
"""


def lived(path: Path, convention: Convention, *, guests: int = 400) -> tuple[rg.Lake, Plan]:
    """A shop with a past, a campaign planned and run in September 2026, and what its guests did; the same world in every convention.

    Every dish costs 40 % of its price, so that a rate of 60 % says what the menu says.
    """
    draw = np.random.default_rng(5)
    lake = rg.Lake.create(path, currency="USD", zone="UTC", margin_rate=RATE, salt="s")
    lake.load("stores", pa.table({"store_id": ["S1"], "zone": ["UTC"]}), now=NOW)
    names = np.array([f"G{i:04d}" for i in range(guests)])
    if convention == "menu":
        menu = {"item_id": _dishes(), "name": _dishes(), "cost_minor": [_price(dish) * 2 // 5 for dish in _dishes()]}
        lake.load("menu_items", pa.table(menu), now=NOW)
    _load(lake, convention, _visits(draw, names, dt.date(2026, 6, 1), 90, 0.04), "p")
    plan = make_plan(lake, parse_campaign(CAMPAIGN.format(name="First", starts_on="2026-09-01")))
    save(plan, lake.workspace)
    lake.load("exposures", plan.exposures(), now=NOW)
    offered = set(
        plan.assignments().filter(pa.compute.is_valid(plan.assignments()["offer_id"]))["guest_id"].to_pylist()
    )
    visits = _visits(draw, names, dt.date(2026, 9, 1), 90, 0.05)
    _load(lake, convention, visits, "w", offered=offered, campaign=plan.campaign.identity)
    return lake, plan


def _dishes() -> list[str]:
    return [f"dish-{place}" for place in range(5)]


def _price(dish: str) -> int:
    return 2_000 + 500 * int(dish[-1])


def _visits(
    draw: np.random.Generator, names: np.ndarray, first: dt.date, days: int, rate: float
) -> list[tuple[str, dt.datetime, str]]:
    """Guest, instant and dish of each visit, by time."""
    day, who = np.nonzero(draw.random((days, len(names))) < rate)
    dish = draw.integers(0, 5, len(who))
    noon = dt.datetime.combine(first, dt.time(12), dt.UTC)
    return [
        (str(names[w]), noon + dt.timedelta(days=int(d)), f"dish-{i}") for d, w, i in zip(day, who, dish, strict=True)
    ]


def _load(
    lake: rg.Lake,
    convention: Convention,
    visits: list[tuple[str, dt.datetime, str]],
    letter: str,
    offered: set[str] = frozenset(),  # type: ignore[assignment]
    campaign: str = "",
) -> None:
    """Visits as orders; whoever was offered something uses it on their first visit of September."""
    orders, items, used, done = [], [], [], set()
    for number, (guest, at, dish) in enumerate(visits):
        is_used = guest in offered and guest not in done and at.month == 9
        off = 500 if is_used else 0
        order = {"order_id": f"{letter}{number}", "guest_id": guest, "store_id": "S1", "ordered_at": at.isoformat()}
        orders.append(order | {"amount_minor": _price(dish) - off, "discount_minor": off})
        items.append(
            {
                "order_id": order["order_id"],
                "line": 1,
                "item_id": dish,
                "quantity": 1,
                "amount_minor": _price(dish) - off,
            }
        )
        if convention == "margin":
            orders[-1]["margin_minor"] = _price(dish) * 3 // 5 - off
        if is_used:
            done.add(guest)
            row = {"redemption_id": f"R{number}", "campaign_id": campaign, "guest_id": guest, "offer_id": "five"}
            used.append(row | {"order_id": order["order_id"], "redeemed_at": at.isoformat(), "cost_minor": 500})
    lake.load("orders", pa.Table.from_pylist(orders), now=NOW)
    if convention == "menu":
        lake.load("order_items", pa.Table.from_pylist(items), now=NOW)
    if used:
        lake.load("redemptions", pa.Table.from_pylist(used), now=NOW)
