"""Solving: edges of the input, and what always holds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.allocation import Limit, solve

from .reference import Case, broken, random_case


def test_missing_gains_are_counted_and_the_first_is_named() -> None:
    gain = np.ones((5, 2))
    gain[1, 1], gain[3, 0] = np.nan, np.inf
    with pytest.raises(
        ValueError, match=r"gain of guest 1, offer 1 is nan \(and 1 more guests: 3\): not a finite number"
    ):
        solve(gain, np.ones((5, 2)))


def test_a_negative_cost_is_named() -> None:
    with pytest.raises(ValueError, match="cost of guest 0, offer 1 is -2: not a finite number of 0 or more"):
        solve([[1.0, 1.0]], [[1.0, -2.0]])


def test_shapes_that_differ_are_shown() -> None:
    with pytest.raises(ValueError, match=r"gain has shape \(2, 1\) and cost \(1, 2\); both are \(guests, offers\)"):
        solve([[1.0], [1.0]], [[1.0, 1.0]])


def test_a_return_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="min_roi is nan"):
        solve([[1.0]], [[1.0]], min_roi=float("nan"))


def test_nothing_goes_to_nobody() -> None:
    allocation = solve(np.empty((0, 3)), np.empty((0, 3)), [Limit.total(5), Limit.per_offer([1, 1, 1])], min_roi=1.0)
    assert (allocation.choice.shape, allocation.gain, allocation.bound, allocation.gap) == ((0,), 0.0, 0.0, 0.0)


def test_one_guest_and_one_offer() -> None:
    assert solve([[2.0]], [[1.0]], [Limit.total(1)]).choice.tolist() == [0]
    assert solve([[2.0]], [[1.0]], [Limit.total(0.5)]).choice.tolist() == [-1]


def test_gains_below_zero_mean_nothing_to_anybody() -> None:
    allocation = solve(-np.ones((50, 3)), np.ones((50, 3)), [Limit.total(5)], min_roi=1.5)
    assert (allocation.choice == -1).all()
    assert allocation.gain == allocation.spend == 0.0


def test_a_budget_of_zero_leaves_what_is_free() -> None:
    allocation = solve([[2.0, 1.0]] * 20, [[1.0, 0.0]] * 20, [Limit.total(0)])
    assert (allocation.choice == 1).all()


def test_budgets_beyond_all_spend_cost_nothing() -> None:
    case = random_case(1, 500, 4)
    allocation = solve(case.gain, case.cost, [Limit.total(1e12), Limit.per_offer([np.inf] * 4)])
    assert allocation.gain == pytest.approx(np.maximum(case.gain.max(axis=1), 0).sum())
    assert allocation.gap < 1e-12
    assert allocation.prices["total"] == 0


def test_ties_everywhere_fill_the_budget() -> None:
    allocation = solve(np.ones((1000, 3)), np.ones((1000, 3)), [Limit.total(137), Limit.per_offer([50, 50, 50])])
    assert allocation.gain == 137


def test_costs_of_extreme_size_keep_the_limits() -> None:
    rng = np.random.default_rng(0)
    gain, cost = rng.uniform(0, 10, (400, 4)), 10.0 ** rng.uniform(-12, 12, (400, 4))
    case = Case(gain=gain, cost=cost, limits=[Limit.total(1e3), Limit.per_offer([50, 60, 70, 80])])
    allocation = solve(gain, cost, case.limits)
    assert broken(case, allocation.choice) == []
    assert allocation.gap < 0.05


def test_an_exact_return_is_reached_in_whole_numbers() -> None:
    assert solve([[150.0]], [[100.0]], min_roi=1.5).choice.tolist() == [0]
    assert solve([[150.0]], [[100.0]], min_roi=1.75).choice.tolist() == [-1]


def test_a_return_floor_is_paid_for_by_good_guests() -> None:
    allocation = solve([[30.0], [9.0], [1.0]], [[10.0], [10.0], [10.0]], min_roi=1.9)
    assert allocation.choice.tolist() == [0, 0, -1]


def large_case() -> Case:
    rng = np.random.default_rng(5)
    cost = rng.uniform(0.5, 5, (300_000, 4)).astype(np.float32)
    gain = (rng.gamma(2, 0.5, (300_000, 1)) * np.sqrt(cost) - 0.3).astype(np.float32)
    store = rng.integers(0, 10, 300_000)
    limits = [
        Limit.total(250_000),
        Limit.per_group(store, np.linspace(5_000, 50_000, 10)),
        Limit.per_offer([40_000] * 4),
    ]
    return Case(gain=gain, cost=cost, limits=limits)  # type: ignore[arg-type]


def test_neither_threads_nor_a_second_run_change_the_answer() -> None:
    case = large_case()
    one, two, again = (solve(case.gain, case.cost, case.limits, threads=threads) for threads in (1, 2, 2))
    assert one.choice.tobytes() == two.choice.tobytes() == again.choice.tobytes()
    assert one.bound == two.bound == again.bound
    assert one.gap < 1e-4
    assert broken(case, one.choice) == []


def test_another_seed_moves_the_gain_by_less_than_the_gap() -> None:
    case = large_case()
    first, second = (solve(case.gain, case.cost, case.limits, seed=seed) for seed in (0, 1))
    assert second.gain <= first.bound
    assert first.gain <= second.bound


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**9), guests=st.integers(1, 40), offers=st.integers(1, 5), is_whole=st.booleans())
def test_whatever_comes_the_limits_hold_and_the_bound_is_above(
    seed: int, guests: int, offers: int, is_whole: bool
) -> None:
    case = random_case(seed, guests, offers, is_whole=is_whole)
    allocation = solve(case.gain, case.cost, case.limits, min_roi=case.min_roi, seed=seed)
    assert broken(case, allocation.choice) == []
    assert 0.0 <= allocation.gain <= allocation.bound
    assert all((price >= 0).all() for price in allocation.prices.values())


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**9), more=st.floats(1.0, 3.0))
def test_a_larger_budget_has_no_lower_bound(seed: int, more: float) -> None:
    case = random_case(seed, 30, 3)
    small, large = (solve(case.gain, case.cost, [*case.limits, Limit.total(amount)]) for amount in (10.0, 10.0 * more))
    assert large.bound >= small.gain


def test_pairs_go_with_many_offers() -> None:
    """Forty offers are more than the bits of a word hold twice."""
    gain = np.random.default_rng(0).uniform(1, 2, (200, 40))
    forbidden = np.random.default_rng(1).random((200, 40)) < 0.5
    forbidden[:, 39] = False
    forced = np.array([[guest, 39] for guest in range(0, 200, 10)])
    allocation = solve(gain, np.ones((200, 40)), [Limit.total(100)], forced=forced, forbidden=forbidden)
    given = np.flatnonzero(allocation.choice >= 0)
    assert (allocation.choice[forced[:, 0]] == 39).all()
    assert not forbidden[given, allocation.choice[given]].any()
    assert len(given) == 100
