"""A small shop with a past: 900 guests, half a year of orders, and campaigns that were drawn by lot, or were not."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import regulars as rg
from regulars.planning import Campaign, parse_campaign

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
FIRST = dt.datetime(2026, 4, 1, 16, tzinfo=dt.UTC)
DAYS = 210
STARTS = (dt.datetime(2026, 6, 15, 4, tzinfo=dt.UTC), dt.datetime(2026, 8, 3, 4, tzinfo=dt.UTC))
OFFERS = ("five-off", "free-tea")

CAMPAIGN = """
name = "Autumn regulars"
audience = "visits >= 2"
starts_on = 2026-10-05
window_days = 21
holdout = 0.2
exploration = 0.2
seed = 3

[budget]
total = 60
each_store = 40

[[offers]]
offer_id = "five-off"
kind = "amount_off"
amount = 5

[[offers]]
offer_id = "free-tea"
kind = "free_item"
item_id = "tea"
stock = 50
"""


def make_lake(path: Path, *, randomised: bool = True, guests: int = 900) -> rg.Lake:
    """A lake of one seed: the same call gives the same rows."""
    draw = np.random.default_rng(11)
    lake = rg.Lake.create(path, currency="USD", zone="America/New_York", margin_rate=0.6, salt="s")
    lake.load("stores", pa.table({"store_id": ["S1", "S2"], "zone": ["America/New_York"] * 2}), now=NOW)
    lake.load(
        "menu_items",
        pa.table({"item_id": ["tea"], "name": ["Tea"], "price_minor": [300], "category": ["drinks"]}),
        now=NOW,
    )
    names = np.array([f"G{i:04d}" for i in range(guests)])
    rate = draw.gamma(2.0, 0.03, guests) + 0.01
    days, who = np.nonzero(draw.random((DAYS, guests)) < rate)
    instants = [
        FIRST + dt.timedelta(days=int(day), minutes=int(m))
        for day, m in zip(days, draw.integers(0, 300, len(days)), strict=True)
    ]
    orders = {
        "order_id": [f"O{i}" for i in range(len(who))],
        "guest_id": names[who],
        "store_id": np.where(who % 3 == 0, "S2", "S1"),
        "ordered_at": pa.array(instants, pa.timestamp("us", "UTC")),
        "amount_minor": draw.integers(800, 4_000, len(who)),
    }
    lake.load("orders", pa.table(orders), now=NOW)
    _load_campaigns(lake, names, rate, draw, randomised=randomised)
    return lake


def _load_campaigns(
    lake: rg.Lake, names: np.ndarray, rate: np.ndarray, draw: np.random.Generator, *, randomised: bool
) -> None:
    exposures, redemptions = [], []
    for number, start in enumerate(STARTS):
        action = draw.integers(-1, 2, len(names))
        if not randomised:
            action = np.where(rate * draw.random(len(names)) > 0.03, np.abs(action), -1)
        for guest, offer in zip(names, action, strict=True):
            if offer < 0 and not randomised:
                continue
            row = {"campaign_id": f"C{number}", "guest_id": guest, "offer_id": OFFERS[offer] if offer >= 0 else None}
            exposures.append(row | {"exposed_at": start, "propensity": 1 / 3 if randomised else None})
            if offer >= 0 and draw.random() < 0.25:
                used = {
                    "redemption_id": f"R{len(redemptions)}",
                    "redeemed_at": start + dt.timedelta(days=3),
                    "cost_minor": 300,
                }
                redemptions.append({k: row[k] for k in ("campaign_id", "guest_id", "offer_id")} | used)
    lake.load("exposures", pa.Table.from_pylist(exposures), now=NOW)
    lake.load("redemptions", pa.Table.from_pylist(redemptions), now=NOW)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> rg.Lake:
    """The shop whose campaigns were drawn by lot. Read it; do not load into it."""
    return make_lake(tmp_path_factory.mktemp("shop") / "workspace")


@pytest.fixture(scope="session")
def targeted(tmp_path_factory: pytest.TempPathFactory) -> rg.Lake:
    """The shop whose campaigns went to chosen guests."""
    return make_lake(tmp_path_factory.mktemp("targeted") / "workspace", randomised=False)


@pytest.fixture
def campaign() -> Callable[..., Campaign]:
    """The campaign above, with lines replaced: campaign(("seed = 3", "seed = 4"))."""

    def made(*changes: tuple[str, str]) -> Campaign:
        text = CAMPAIGN
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        return parse_campaign(text)

    return made
