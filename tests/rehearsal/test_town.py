"""The town: its tables, its past, its likeness to real customers, and what it refuses."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest

import regulars as rg
from regulars.planning import Offer
from regulars.profiles.lifetime import fit_bg_nbd
from regulars.rehearsal import Town, calibration


def test_the_tables_load_into_a_lake_without_a_rejected_row(town: Town, tmp_path: Path) -> None:
    lake = rg.Lake.create(tmp_path / "shop", currency="USD", zone="America/New_York")
    now = dt.datetime.combine(town.today, dt.time(12), dt.UTC)
    for table in ("stores", "guests", "menu_items", "orders", "order_items"):
        report = lake.load(table, getattr(town, table), now=now)
        assert (report.accepted, report.rejected) == (len(getattr(town, table)), 0)


def test_the_lines_of_a_check_add_up_to_what_was_paid(town: Town) -> None:
    sums = town.order_items.group_by("order_id").aggregate([("amount_minor", "sum")]).sort_by("order_id")
    paid = town.orders.sort_by("order_id")
    assert sums["order_id"].to_pylist() == paid["order_id"].to_pylist()
    assert sums["amount_minor_sum"].to_pylist() == paid["amount_minor"].to_pylist()


def test_nothing_happened_after_today(town: Town) -> None:
    assert pc.max(town.orders["ordered_at"]).as_py().date() <= town.today
    assert set(town.orders["store_id"].to_pylist()) == set(town.store_ids)


def test_the_same_seed_gives_the_same_town_and_another_seed_another() -> None:
    first, again, other = (rg.rehearsal.town(guests=200, stores=2, seed=seed) for seed in (5, 5, 6))
    assert first.orders.equals(again.orders)
    assert first.order_items.equals(again.order_items)
    assert not first.orders.equals(other.orders)


def test_visits_checks_and_redemptions_are_those_of_real_customers() -> None:
    """CDNOW and Complete Journey, each figure within its stated tolerance, for the town everybody gets without asking."""
    figures = calibration(rg.rehearsal.town())
    assert len(figures) == 12
    assert [figure.words for figure in figures if not figure.is_near] == []


def test_a_town_at_another_pace_is_told_apart_from_the_real_customers() -> None:
    figures = calibration(rg.rehearsal.town(guests=2_000, pace=5))
    assert not all(figure.is_near for figure in figures[:6])


def test_our_own_model_finds_the_parameters_of_the_guests() -> None:
    """BG/NBD fitted to the town's visits comes back to Fader, Hardie and Lee (2005) within a fifth for the two rates."""
    town = rg.rehearsal.town(guests=4_000, stores=5, seed=2)
    visits = np.bincount([int(name[1:]) for name in town.orders["guest_id"].to_pylist()], minlength=len(town))
    day = (town.orders["ordered_at"].to_numpy() - np.timedelta64(8, "h")).astype("datetime64[D]").astype(int)
    last = np.zeros(len(town), int)
    np.maximum.at(last, [int(name[1:]) for name in town.orders["guest_id"].to_pylist()], day)
    start = town.traits.joined + (town.today - dt.date(1970, 1, 1)).days - 364
    end = (town.today - dt.date(1970, 1, 1)).days - 1
    fitted = fit_bg_nbd(visits - 1, (last - start) / 7, (end - start) / 7)
    assert fitted.r == pytest.approx(0.2426, rel=0.2)
    assert fitted.alpha == pytest.approx(4.4135, rel=0.25)


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"guests": 0}, ValueError, "needs guests of at least 1, not 0"),
        ({"guests": 2.5}, TypeError, "guests is a whole number"),
        ({"stores": -1}, ValueError, "needs stores of at least 1, not -1"),
        ({"history_days": 0}, ValueError, "needs history_days of at least 1"),
        ({"seed": -1}, ValueError, "seed is -1"),
        ({"average_check": 0}, ValueError, "average_check is 0"),
        ({"average_check": float("nan")}, ValueError, "average_check is nan"),
        ({"pace": 0}, ValueError, "pace is 0"),
        ({"offers": ()}, rg.DesignError, "give at least one"),
        (
            {"offers": [Offer(offer_id="x", kind="amount_off", amount=5, stores=("S77",))]},
            rg.DesignError,
            "offer x: no store S77",
        ),
    ],
)
def test_a_town_that_cannot_be_is_refused(wrong: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        rg.rehearsal.town(**{"guests": 50, "stores": 2} | wrong)


@pytest.mark.parametrize("size", [1, 2])
def test_the_smallest_towns_live(size: int) -> None:
    town = rg.rehearsal.town(guests=size, stores=1, history_days=1)
    assert len(town.orders) == size
    assert len(town.run([0] * size).orders_in_window) == size


@pytest.mark.parametrize(
    ("assignment", "error", "words"),
    [
        (lambda n: [0] * (n - 1), ValueError, "give one offer for each guest"),
        (lambda n: [4] * n, ValueError, r"assignment\[0\] is 4, no offer of this town; 0 to 3 are ten-off"),
        (lambda n: [0] * (n - 1) + [-2], ValueError, "is -2, no offer"),
        (lambda n: [0.5] * n, TypeError, "give the index"),
    ],
)
def test_an_assignment_that_cannot_be_is_refused(
    town: Town, assignment: Callable[[int], list[float]], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        town.run(assignment(len(town)))


@pytest.mark.parametrize(("days", "later"), [(0, 28), (-3, 28), (28, -1)])
def test_a_window_without_days_is_refused(town: Town, days: int, later: int) -> None:
    with pytest.raises(ValueError, match="give at least 1 day"):
        town.run(np.full(len(town), -1), days, later_days=later)
    with pytest.raises(ValueError, match="give at least 1 day"):
        town.truth_of(days, later)
