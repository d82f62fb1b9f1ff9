"""Sales, dishes and baskets, where no guest is known: against a slow count, in every shape that orders come in."""

import datetime as dt
import json
import os
import random
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import regulars as rg
from commands import run_command
from regulars import merchant
from regulars.merchant.sales import HOURS

NOW = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)
DISHES = ["soup", "tea", "cake", "rice", "duck", "noodles"]
Rows = list[dict[str, Any]]


def made(seed: int, orders: int = 600) -> tuple[Rows, Rows]:
    """Orders of three months, one in ten a refund, without guests; and their lines, where soup comes with tea."""
    draw = random.Random(seed)
    checks, lines = [], []
    for number in range(orders):
        is_refund, at = (
            draw.random() < 0.1,
            dt.datetime(2026, 8, 1, 16) + dt.timedelta(minutes=draw.randrange(90 * 1440)),
        )
        on_it = draw.sample(DISHES, draw.randint(1, 3))
        on_it += ["tea"] if "soup" in on_it and "tea" not in on_it and draw.random() < 0.8 else []
        sign = -1 if is_refund else 1
        checks.append({
            "order_id": f"O{number}", "store_id": draw.choice(["S1", "S2"]), "ordered_at": at.isoformat() + "Z",
            "amount_minor": sign * 1_000 * len(on_it), "discount_minor": 0, "is_refund": is_refund,
        })  # fmt: skip
        lines += [
            {"order_id": f"O{number}", "line": place, "item_id": dish, "quantity": sign, "amount_minor": sign * 1_000}
            for place, dish in enumerate(on_it)
        ]
    return checks, lines


@pytest.fixture(scope="module")
def told() -> tuple[Rows, Rows]:
    return made(1)


@pytest.fixture(scope="module")
def shop(told: tuple[Rows, Rows], tmp_path_factory: pytest.TempPathFactory) -> rg.Lake:
    lake = rg.Lake.create(tmp_path_factory.mktemp("merchant") / "shop", currency="USD", zone="America/New_York")
    lake.load("stores", pa.table({"store_id": ["S1", "S2"], "zone": ["America/New_York"] * 2}), now=NOW)
    for table, rows in zip(("orders", "order_items"), told, strict=True):
        assert not lake.load(table, pa.Table.from_pylist(rows), now=NOW).rejected
    return lake


def test_sales_are_what_a_slow_count_says(shop: rg.Lake, told: tuple[Rows, Rows]) -> None:
    found, kept = merchant.sales(shop), shop.read("orders").to_pylist()
    for store in found.stores:
        own = [row for row in kept if row["store_id"] == store.store_id]
        paid = [row["amount_minor"] for row in own if not row["is_refund"]]
        assert store.orders == len(paid)
        assert store.sales_minor == sum(row["amount_minor"] for row in own)
        assert store.average_minor == pytest.approx(np.mean(paid))
        assert store.days == len({row["business_date"] for row in own})
    by_day: dict[dt.date, int] = defaultdict(int)
    for row in kept:
        by_day[row["business_date"]] += row["amount_minor"]
    for weekday in range(7):
        sums = [taken for day, taken in by_day.items() if day.weekday() == weekday]
        assert found.weekdays[weekday] == pytest.approx(np.mean(sums))
    hours = Counter(row["hour"] for row in kept if not row["is_refund"])
    assert found.hours.tolist() == [hours[hour] for hour in range(HOURS)]
    assert (found.first, found.last) == (min(by_day), max(by_day))
    assert (found.named_share, found.hourless) == (0.0, 0)
    assert found.sales_minor == sum(row["amount_minor"] for row in told[0])
    assert found.average_minor == pytest.approx(
        np.mean([row["amount_minor"] for row in told[0] if not row["is_refund"]])
    )


def test_a_store_and_days_are_counted_alone(shop: rg.Lake) -> None:
    first, last = dt.date(2026, 9, 1), dt.date(2026, 9, 30)
    found = merchant.sales(shop, store="S2", since=first, until=last)
    own = [
        row
        for row in shop.read("orders").to_pylist()
        if row["store_id"] == "S2" and first <= row["business_date"] <= last
    ]
    assert found.sales_minor == sum(row["amount_minor"] for row in own)
    assert [store.store_id for store in found.stores] == ["S2"]
    with pytest.raises(rg.DataError, match="no order is of store 'S9' from 2026-09-01 on"):
        merchant.sales(shop, store="S9", since=first)


def test_dates_without_times_are_in_no_hour(tmp_path: Path) -> None:
    lake = rg.Lake.create(tmp_path / "shop", currency="USD", zone="UTC")
    lake.load("stores", pa.table({"store_id": ["S1"], "zone": ["UTC"]}), now=NOW)
    rows = {
        "order_id": ["A", "B"],
        "store_id": ["S1"] * 2,
        "ordered_at": ["2026-10-01"] * 2,
        "amount_minor": [100, 200],
    }
    lake.load("orders", pa.table(rows), now=NOW)
    found = merchant.sales(lake)
    assert (found.hourless, found.hours.sum(), found.sales_minor) == (2, 0, 300)


def test_dishes_are_what_a_slow_count_says(shop: rg.Lake, told: tuple[Rows, Rows]) -> None:
    kept = {row["order_id"] for row in told[0] if not row["is_refund"]}
    found = merchant.dishes_sold(shop)
    assert sum(one.sales_minor for one in found) == sum(
        row["amount_minor"] for row in told[1] if row["order_id"] in kept
    )
    for one in found:
        checks = {row["order_id"] for row in told[1] if row["item_id"] == one.dish} & kept
        assert one.orders == len(checks)
        assert one.of_share == pytest.approx(len(checks) / len(kept))
    assert [one.sales_minor for one in found] == sorted((one.sales_minor for one in found), reverse=True)


def test_what_goes_together_is_found_and_what_does_not_is_not(shop: rg.Lake) -> None:
    pairs = merchant.pairs_sold(shop)
    assert {pairs[0].dish, pairs[0].other} == {"soup", "tea"}
    assert len(pairs) == 1
    assert pairs[0].low > 1
    assert "soup" in repr(pairs)


def test_intervals_of_pairs_hold_the_truth(tmp_path: Path) -> None:
    """A and B stand on .3 and .4 of the checks, together on .18: 1.5 times chance. 200 draws; tolerance from the binomial (99.9 %)."""
    rng, held = np.random.default_rng(0), 0
    for _ in range(200):
        cell = rng.choice(4, 400, p=[0.18, 0.12, 0.22, 0.48])
        both, a, b = (cell == 0).sum(), (cell < 2).sum(), ((cell == 0) | (cell == 2)).sum()
        times = both * 400 / (a * b)
        error = np.sqrt(1 / both - 1 / a - 1 / b + (2 * times - 1) / 400)
        held += abs(np.log(times / 1.5)) <= 1.96 * error
    assert 177 <= held <= 199


def said(shop: rg.Lake, *arguments: str, status: int = 0) -> str:
    """What a command says, on either side, in one line."""
    folder = shop.workspace.path
    done = run_command(arguments, folder=folder, environment=dict(os.environ) | {"COLUMNS": "80"})
    assert done.returncode == status, done.stderr + done.stdout
    return " ".join((done.stdout + done.stderr).replace("│", " ").split())


def test_the_command_tells_a_shop_that_knows_no_guest(shop: rg.Lake) -> None:
    screen = said(shop, "sales")
    assert "no order says whose it is" in screen
    assert "soup + tea" in screen or "tea + soup" in screen
    assert "星期一" in said(shop, "sales", "--language", "zh")
    told = json.loads(
        run_command(
            ("sales", "--json", "--store", "S1"), folder=shop.workspace.path, environment=dict(os.environ)
        ).stdout
    )
    assert told["stores"][0]["sales_minor"] == told["sales_minor"]
    assert "`regulars sales`" in said(shop, "profile", status=1)
