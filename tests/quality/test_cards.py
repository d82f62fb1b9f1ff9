"""Servings, shrinkage and score cards."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from tests.quality.conftest import Chain

import regulars as rg
from regulars.errors import DataError
from regulars.quality import Quality, score_cards, servings
from regulars.quality.shrinkage import pooled_means, pooled_shares, ranks

DAY = dt.date(2026, 1, 1)


def shop(*rows: tuple[str, int, str], last: int = 200) -> tuple[pa.Table, pa.Table]:
    """Orders and items of (guest, day, dish), and a passer-by on the last day."""
    every = [*rows, ("passer-by", last, "tea")]
    ids = [f"O{i}" for i in range(len(every))]
    orders = pa.table({
        "order_id": ids, "guest_id": [r[0] for r in every], "store_id": ["S1"] * len(every), "hour": [12] * len(every),
        "business_date": [DAY + dt.timedelta(days=r[1]) for r in every],
    })  # fmt: skip
    items = pa.table(
        {"order_id": ids, "line": [1] * len(ids), "item_id": [r[2] for r in every], "amount_minor": [500] * len(ids)}
    )
    return orders, items


def reordered(*rows: tuple[str, int, str]) -> list[float | None]:
    found = servings(*shop(*rows), horizon_days=60)
    return [None if np.isnan(value) else float(value) for value in found.reordered]


def test_a_dish_is_reordered_when_the_guest_has_it_again_within_the_horizon() -> None:
    assert reordered(("ann", 0, "soup"), ("ann", 60, "soup"), ("bob", 70, "soup"))[:3] == [1.0, 0.0, 0.0]


def test_another_dish_or_guest_or_the_same_day_is_no_reorder() -> None:
    rows = (("ann", 0, "soup"), ("ann", 0, "soup"), ("ann", 5, "tea"), ("bob", 6, "soup"))
    assert reordered(*rows)[:4] == [0.0, 0.0, 0.0, 0.0]


def test_what_cannot_be_known_yet_is_not_counted() -> None:
    assert reordered(("ann", 141, "soup"))[0] is None


def test_refunds_returned_lines_and_voids_count_as_bad() -> None:
    orders, items = shop(("ann", 0, "soup"), ("ann", 1, "soup"), ("ann", 2, "soup"))
    orders = orders.append_column("is_refund", pa.array([True, False, False, False]))
    items = items.append_column("quantity", pa.array([1.0, -1.0, 1.0, 1.0]))
    kitchen = pa.table({"order_id": ["O2", "O2"], "line": [1, 9], "item_id": [None, "pie"], "is_void": [False, True]})
    found = servings(orders, items, kitchen)
    assert found.is_bad.sum() == 3
    assert "pie" in found.item.names


def test_a_missing_column_and_a_horizon_of_nothing_are_named() -> None:
    orders, items = shop(("ann", 0, "soup"))
    with pytest.raises(DataError, match="order_items: no column item_id"):
        servings(orders, items.drop_columns("item_id"))
    with pytest.raises(ValueError, match="horizon_days is 0"):
        servings(orders, items, horizon_days=0)


def test_three_reviews_lean_on_their_peers() -> None:
    hits, trials = np.array([3.0, 600, 500, 700]), np.array([3.0, 1000, 1000, 1000])
    found = pooled_shares(hits, trials, np.zeros(4, dtype=int))
    assert 0.55 < found.estimate[0] < 0.75
    assert found.low[0] < 0.55
    assert found.weight[0] < 0.5 < found.weight[1]


def test_intervals_of_shares_cover_the_truth() -> None:
    """Nine in ten of 2,000 units whose shares are drawn from a beta distribution."""
    draw = np.random.default_rng(2)
    truth, trials = draw.beta(20, 30, 2_000), draw.integers(3, 200, 2_000).astype(float)
    found = pooled_shares(draw.binomial(trials.astype(int), truth).astype(float), trials, np.zeros(2_000, dtype=int))
    assert 0.88 < ((found.low <= truth) & (truth <= found.high)).mean() < 0.92


def test_intervals_of_means_cover_the_truth() -> None:
    draw = np.random.default_rng(3)
    truth, count = draw.normal(4, 0.3, 1_000), draw.integers(2, 60, 1_000)
    unit = np.repeat(np.arange(1_000), count)
    value = draw.normal(truth[unit], 1.0)
    total, squares = np.bincount(unit, weights=value), np.bincount(unit, weights=value**2)
    found = pooled_means(total, squares, count.astype(float), np.zeros(1_000, dtype=int))
    assert 0.88 < ((found.low <= truth) & (truth <= found.high)).mean() < 0.92


def test_ranks_say_which_places_are_possible() -> None:
    hits, trials = np.array([900.0, 500, 100, 5]), np.array([1000.0, 1000, 1000, 10])
    group = np.zeros(4, dtype=int)
    found = ranks(pooled_shares(hits, trials, group), group)
    assert found.rank.argmin() == 0
    assert found.rank.argmax() == 2
    assert found.worst[3] - found.best[3] > found.worst[0] - found.best[0]
    assert (found.peers == 4).all()


def test_cards_of_stores_have_intervals_places_and_peers(chain: Chain) -> None:
    card = Quality(chain.lake).cards(("store",))
    rows = {(r["store"], r["measure"], r["aspect"]): r for r in card.to_pylist()}
    soup = rows["S1", "reorder_rate", None]
    assert soup["low"] < soup["estimate"] < soup["high"]
    assert soup["peers"] <= 4
    bad, good = rows["S2", "rating", None], rows["S1", "rating", None]
    assert bad["estimate"] < good["estimate"]
    assert bad["rank"] > good["rank"]
    assert {measure for _, measure, _ in rows} == {"reorder_rate", "refunds_and_voids", "rating", "talk", "positive"}
    talk = [r["estimate"] for key, r in rows.items() if key[:2] == ("S1", "talk")]
    assert 0.5 < sum(talk) < 3


def test_cards_by_dish_store_shift_and_month(chain: Chain) -> None:
    quality = Quality(chain.lake)
    for by in (("item",), ("store", "item"), ("store", "shift"), ("store", "month")):
        card = quality.cards(by)
        assert set(by) <= set(card.column_names)
        assert np.isfinite(card["estimate"].to_numpy()).all()
        assert (card["low"].to_numpy() <= card["high"].to_numpy()).all()


def test_a_store_without_reviews_has_a_card_still(lake: rg.Lake) -> None:
    orders, items = shop(("ann", 0, "soup"), ("ann", 5, "soup"))
    card = score_cards(servings(orders, items))
    assert set(card["measure"].to_pylist()) == {"reorder_rate", "refunds_and_voids"}
    assert not any(card["is_known"].to_pylist())


def test_an_unknown_unit_is_refused(chain: Chain) -> None:
    with pytest.raises(DataError, match="by store, item, shift, month, not town"):
        Quality(chain.lake).cards(("town",))
