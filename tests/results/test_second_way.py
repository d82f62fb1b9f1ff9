"""A second, slow and obvious way to the sums that statements and quarters are made of, over random bills and campaigns."""

import datetime as dt
import random
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import pyarrow as pa

import regulars as rg
from regulars.guests import Facts
from regulars.profiles.categories import costed_lines
from regulars.profiles.orders import ready_orders, with_margins
from regulars.results.brought import Brought, Window

NOW = dt.datetime(2027, 2, 1, tzinfo=dt.UTC)
RATE = 0.35
FIRST = dt.date(2026, 9, 1)
WINDOW = Window(FIRST, 14, 7)
Row = dict[str, Any]
MENU = {f"dish-{i}": (300 + 77 * i, 100 + 31 * i if i % 3 else None) for i in range(6)}


def bill(draw: random.Random, number: str, guest: str | None) -> tuple[Row, list[Row]]:
    """A check and its lines: some with a margin of their own, some without lines, some with a dish of unknown cost, some refunds."""
    dishes = draw.choices(list(MENU), k=draw.randint(0, 3))
    price = sum(MENU[dish][0] for dish in dishes) or draw.randint(0, 5_000)
    discount = draw.choice([0, 0, draw.randint(0, price)])
    is_refund = draw.random() < 0.1
    sign = -1 if is_refund else 1
    day = FIRST + dt.timedelta(days=draw.randint(-25, 25))
    at = dt.datetime.combine(day, dt.time(draw.randint(5, 22)), dt.UTC)
    margin = draw.choice([None, None, draw.randint(-500, 3_000)])
    order = {
        "order_id": number, "guest_id": guest, "store_id": "S1", "ordered_at": at.isoformat(), "amount_minor": sign * (price - discount),
        "discount_minor": sign * discount, "margin_minor": None if margin is None else sign * margin, "is_refund": is_refund,
    }  # fmt: skip
    lines = [
        {"order_id": number, "line": place, "item_id": dish, "quantity": sign * 1, "amount_minor": sign * MENU[dish][0]}
        for place, dish in enumerate(dishes)
    ]
    return order, lines


def slow_margin(order: Row, lines: list[Row]) -> int:
    """What an order left: its own margin, else all that a refund gives back, else by the menu, else by the rate."""
    if order["margin_minor"] is not None:
        return int(order["margin_minor"])
    if order["is_refund"]:
        return int(order["amount_minor"])
    costs = [MENU[line["item_id"]][1] for line in lines]
    if costs and None not in costs:
        return int(order["amount_minor"]) - sum(cost or 0 for cost in costs)
    price = order["amount_minor"] + order["discount_minor"]
    return int(np.floor(price * RATE + 0.5)) - int(order["discount_minor"])


def test_margins_of_many_bills(is_whole: bool) -> None:
    draw = random.Random(1)
    made = [bill(draw, f"O{i}", "G") for i in range(100_000 if is_whole else 3_000)]
    orders = pa.Table.from_pylist([order for order, _ in made])
    stamped = orders.set_column(3, "business_date", pa.array([FIRST] * len(made))).append_column(
        "hour", pa.array([12] * len(made))
    )
    lines = pa.Table.from_pylist([line for _, lines in made for line in lines])
    costs = pa.table({"item_id": list(MENU), "cost_minor": [cost for _, cost in MENU.values()]})
    costed = costed_lines(lines, costs)
    found = with_margins(ready_orders(stamped, as_of=FIRST), costed, RATE).collect("pyarrow").to_native()
    told = dict(zip(found["order_id"].to_pylist(), found["margin_minor"].to_pylist(), strict=True))
    assert [
        (order, slow_margin(order, lines))
        for order, lines in made
        if told[order["order_id"]] != slow_margin(order, lines)
    ] == []


class Campaign:
    """One random campaign: its guests, their orders, who was given what, and which vouchers were used."""

    def __init__(self, draw: random.Random, name: str) -> None:
        self.name = name
        self.guests = [f"{name}-G{i}" for i in range(draw.randint(6, 12))]
        owner = [draw.choice([*self.guests, None]) for _ in range(draw.randint(20, 60))]
        made = [bill(draw, f"{name}-O{i}", guest) for i, guest in enumerate(owner)]
        self.orders, self.lines = [order for order, _ in made], {order["order_id"]: lines for order, lines in made}
        self.arm = {guest: "holdout" if i % 2 else "treated" for i, guest in enumerate(self.guests)}
        self.redemptions = [self._redemption(draw, i) for i in range(draw.randint(0, 8))]

    def _redemption(self, draw: random.Random, number: int) -> Row:
        order, cost = draw.choice([None, draw.choice(self.orders)]), draw.choice([None, draw.randint(0, 700)])
        return {
            "redemption_id": f"{self.name}-R{number}", "campaign_id": self.name, "guest_id": draw.choice([None, draw.choice(self.guests)]),
            "offer_id": f"{self.name}-{draw.choice('ab')}", "order_id": order and order["order_id"], "cost_minor": cost,
            "redeemed_at": dt.datetime.combine(FIRST + dt.timedelta(days=draw.randint(-3, 20)), dt.time(12), dt.UTC).isoformat(),
            "beside_check_minor": draw.choice([0, 0, draw.randint(0, cost or 0)]),
        }  # fmt: skip

    def exposures(self) -> list[Row]:
        return [
            {"campaign_id": self.name, "guest_id": guest, "offer_id": f"{self.name}-a" if arm == "treated" else None, "arm": arm,
             "exposed_at": f"{FIRST} 00:00:00"}
            for guest, arm in self.arm.items()
        ]  # fmt: skip

    def slow_sums(self, mean_of_all: float) -> dict[str, dict[str, float]]:
        """Every column that a statement is made of, for each guest."""
        sums: dict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(self.guests, 0.0))
        by_id = {order["order_id"]: order for order in self.orders}
        for order in self.orders:
            if order["guest_id"] is not None:
                day = (dt.date.fromisoformat(order["ordered_at"][:10]) - FIRST).days
                check = order["amount_minor"] + order["discount_minor"]
                sums["sales_minor"][order["guest_id"]] += check * (0 <= day < 14)
                sums["later_minor"][order["guest_id"]] += check * (14 <= day < 21)
                sums["covariate"][order["guest_id"]] += check * (-21 <= day < 0)
                margin = slow_margin(order, self.lines[order["order_id"]])
                sums["margin_minor"][order["guest_id"]] += margin * (0 <= day < 21)
        seen = set()
        for row in sorted(self.redemptions, key=self._owner_of):
            order, guest = by_id.get(row["order_id"]), self._owner_of(row)
            day = (dt.date.fromisoformat((order["ordered_at"] if order else row["redeemed_at"])[:10]) - FIRST).days
            if not guest:
                continue
            sums["subsidy_minor"][guest] += self._cost(row, mean_of_all)
            sums["margin_minor"][guest] -= row["beside_check_minor"] * (0 <= day < 21)
            if order and row["order_id"] not in seen:
                seen.add(row["order_id"])
                sums["redeemed_minor"][guest] += order["amount_minor"] + order["discount_minor"]
        return sums

    def _owner_of(self, row: Row) -> str:
        order = next((order for order in self.orders if order["order_id"] == row["order_id"]), None)
        return str(row["guest_id"] or (order and order["guest_id"]) or "")

    def _cost(self, row: Row, mean_of_all: float) -> float:
        if row["cost_minor"] is not None:
            return float(row["cost_minor"])
        known = [
            r["cost_minor"]
            for r in self.redemptions
            if r["offer_id"] == row["offer_id"] and r["cost_minor"] is not None
        ]
        return mean(known) if known else mean_of_all


def test_sums_of_many_campaigns(tmp_path: Path, is_whole: bool) -> None:
    draw = random.Random(2)
    campaigns = [Campaign(draw, f"C{i}") for i in range(1_000 if is_whole else 20)]
    lake = rg.Lake.create(tmp_path / "shop", currency="USD", zone="UTC", margin_rate=RATE)
    lake.load("stores", pa.table({"store_id": ["S1"], "zone": ["UTC"]}), now=NOW)
    menu = {"item_id": list(MENU), "name": list(MENU), "cost_minor": [cost for _, cost in MENU.values()]}
    tables = {
        "menu_items": pa.table(menu),
        "orders": pa.Table.from_pylist([order for c in campaigns for order in c.orders]),
        "order_items": pa.Table.from_pylist([line for c in campaigns for lines in c.lines.values() for line in lines]),
        "exposures": pa.Table.from_pylist([row for c in campaigns for row in c.exposures()]),
        "redemptions": pa.Table.from_pylist([row for c in campaigns for row in c.redemptions]),
    }
    for table, rows in tables.items():
        assert not lake.load(table, rows, now=NOW).rejected
    facts = Facts.of(lake)
    mean_of_all = mean(r["cost_minor"] for c in campaigns for r in c.redemptions if r["cost_minor"] is not None)
    for campaign in campaigns:
        guest = np.array(campaign.guests, dtype=object)
        found, slow = asdict(Brought(facts, guest, None).sums(campaign.name, WINDOW)), campaign.slow_sums(mean_of_all)
        for name, values in ((name, values) for name, values in found.items() if values is not None):
            assert np.allclose(values, [slow[name][g] for g in campaign.guests], atol=1e-6), (campaign.name, name)
