"""A small chain whose truth is known: three dishes, four stores, two years of orders, and reviews."""

import datetime as dt
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pytest

import regulars as rg
from regulars.quality import LexiconReader, read_reviews

FIRST = dt.date(2024, 11, 1)
NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
DAYS, GUESTS, ORDERS = 700, 700, 9_000
SPOILT_ON, SPOILT_STORE, SPOILT_DISH = 450, "S2", "soup"
GOOD = ("The beef soup was delicious", "friendly waiter", "红烧肉很好吃", "great value for money", "clean tables")
BAD = ("The beef soup was cold and bland", "rude waiter", "红烧肉太咸", "way overpriced", "waited an hour for the food")


class Chain(NamedTuple):
    """lake: the workspace. spoilt_on: the day from which the soup of one store is no longer ordered again as often."""

    lake: rg.Lake
    spoilt_on: dt.date


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """Read it; do not load into it."""
    draw = np.random.default_rng(5)
    lake = rg.Lake.create(
        tmp_path_factory.mktemp("chain") / "workspace", currency="USD", zone="America/New_York", margin_rate=0.6
    )
    stores = {"store_id": ["S1", "S2", "S3", "S4"], "cuisine": ["noodles"] * 4, "zone": ["America/New_York"] * 4}
    lake.load("stores", pa.table(stores), now=NOW)
    menu = {"item_id": ["soup", "pork", "tea"], "name": ["Beef soup", "红烧肉", "Tea"], "price_minor": [1200, 1500, 300],
            "category": ["mains", "mains", "drinks"]}  # fmt: skip
    lake.load("menu_items", pa.table(menu), now=NOW)
    day = np.sort(draw.integers(0, DAYS, ORDERS))
    guest, store = draw.integers(0, GUESTS, ORDERS), draw.integers(1, 5, ORDERS)
    guest = _who(draw, day, guest, store)
    orders = _orders(draw, day, guest, store)
    lake.load("orders", orders, now=NOW)
    items = np.array(["soup", "pork", "tea"], dtype=object)[draw.integers(0, 3, ORDERS)]
    spoilt = (day >= SPOILT_ON) & (store == 2)
    items = np.where(spoilt & (draw.random(ORDERS) < 0.8) & (items == "soup"), "tea", items)
    price = {"soup": 1200, "pork": 1500, "tea": 300}
    lines = {"order_id": orders["order_id"], "line": [1] * ORDERS, "item_id": pa.array(items),
             "amount_minor": [price[item] for item in items]}  # fmt: skip
    lake.load("order_items", pa.table(lines), now=NOW)
    cook = np.array([f"C{s}{c}" for s, c in zip(store, draw.integers(0, 2, ORDERS), strict=True)])
    kitchen = {"order_id": orders["order_id"], "line": [1] * ORDERS, "cook": cook,
               "prep_seconds": np.exp(draw.normal(6.2, 0.3, ORDERS) + 0.4 * spoilt)}  # fmt: skip
    lake.load("kitchen", pa.table(kitchen), now=NOW)
    lake.load("reviews", _reviews(draw, orders, spoilt), now=NOW)
    read_reviews(lake, LexiconReader())
    return Chain(lake, FIRST + dt.timedelta(days=SPOILT_ON))


def _who(draw: np.random.Generator, day: np.ndarray, guest: np.ndarray, store: np.ndarray) -> np.ndarray:
    """Who had a bad day in the spoilt store is seen half as often afterwards: his later visits go to a passer-by."""
    lost = np.unique(guest[(day >= SPOILT_ON) & (store == 2)])
    gone = np.isin(guest, lost) & (day > SPOILT_ON + 60) & (draw.random(len(day)) < 0.5)
    return np.where(gone, draw.integers(GUESTS, 3 * GUESTS, len(day)), guest)


def _orders(draw: np.random.Generator, day: np.ndarray, guest: np.ndarray, store: np.ndarray) -> pa.Table:
    begin = np.datetime64(FIRST) + day.astype("timedelta64[D]")
    at = begin.astype("datetime64[us]") + draw.integers(16 * 60, 26 * 60, len(day)).astype("timedelta64[m]")
    return pa.table({
        "order_id": [f"O{i:05}" for i in range(len(day))], "guest_id": [f"G{g:04}" for g in guest],
        "store_id": [f"S{s}" for s in store], "ordered_at": pa.array(at).cast(pa.timestamp("us", "UTC")),
        "amount_minor": draw.integers(900, 3_000, len(day)),
    })  # fmt: skip


def _reviews(draw: np.random.Generator, orders: pa.Table, spoilt: np.ndarray) -> pa.Table:
    rows = np.flatnonzero(draw.random(len(spoilt)) < 0.3)
    is_bad = draw.random(len(rows)) < np.where(spoilt[rows], 0.8, 0.25)
    about = orders.take(pa.array(rows))
    after = pa.array(about["ordered_at"].to_numpy() + np.timedelta64(3, "h")).cast(pa.timestamp("us", "UTC"))
    words = [
        f"{(BAD if b else GOOD)[i]}, visit {r}"
        for b, i, r in zip(is_bad, draw.integers(0, 5, len(rows)), rows, strict=True)
    ]
    stars = np.where(is_bad, draw.integers(1, 3, len(rows)), draw.integers(4, 6, len(rows)))
    table = pa.table({
        "review_id": [f"R{r:05}" for r in rows], "guest_id": about["guest_id"], "store_id": about["store_id"],
        "order_id": about["order_id"], "reviewed_at": after, "rating": stars.astype(float), "text": words,
    })  # fmt: skip
    harm = {"review_id": ["X1", "X2"], "store_id": ["S3", "S1"], "rating": [1.0, None], "text": ["hair in my soup", "吃完拉肚子"],
            "reviewed_at": pa.array([NOW - dt.timedelta(days=40)] * 2, pa.timestamp("us", "UTC"))}  # fmt: skip
    return pa.concat_tables([table, pa.table(harm)], promote_options="default")
