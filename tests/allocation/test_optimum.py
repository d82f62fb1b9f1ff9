"""Beside HiGHS: never better than our bound, hardly better than our gain, and never a limit broken."""

import numpy as np
import pytest

from regulars.allocation import Limit, solve
from regulars.errors import BudgetError

from .reference import Case, best_gain, best_worth, broken, mixed_case, picked, random_case


@pytest.mark.parametrize(
    ("guests", "offers", "problems", "worst", "mean"),
    [(5, 3, 150, 1e-9, 1e-9), (12, 3, 100, 1e-2, 1e-4), (60, 4, 30, 1e-2, 1e-3)],
)
def test_small_problems_with_every_kind_of_limit_come_close_to_highs(
    guests: int, offers: int, problems: int, worst: float, mean: float
) -> None:
    missed = []
    for seed in range(problems):
        case = random_case(seed, guests, offers, is_whole=seed % 2 == 0)
        allocation = solve(case.gain, case.cost, case.limits, min_roi=case.min_roi)
        optimum = best_gain(case)
        assert broken(case, allocation.choice) == []
        assert allocation.gain == pytest.approx(
            case.gain[allocation.choice >= 0, allocation.choice[allocation.choice >= 0]].sum()
        )
        assert allocation.bound >= optimum * (1 - 1e-9), f"seed {seed}"
        missed.append(max(0.0, 1 - allocation.gain / optimum) if optimum > 0 else 0.0)
    assert max(missed) <= worst
    assert np.mean(missed) <= mean


@pytest.mark.parametrize("first", range(0, 220, 20))
def test_problems_with_all_kinds_of_limits_and_options_at_once_come_close_to_highs(first: int) -> None:
    for seed in range(first, first + 20):
        case = mixed_case(seed, 8, 3)
        optimum = best_worth(case)
        if optimum is None:
            with pytest.raises(BudgetError):
                case.solve()
            continue
        allocation = case.solve()
        assert broken(case, allocation.choice) == [], f"seed {seed}"
        assert allocation.worth == pytest.approx(case.worth[picked(case, allocation.choice)].sum()), f"seed {seed}"
        assert allocation.bound >= optimum - 1e-9 * abs(optimum), f"seed {seed}"
        assert allocation.worth >= optimum - 1e-2 * abs(optimum), f"seed {seed}"


@pytest.mark.parametrize("seed", range(3))
def test_a_thousand_guests_come_within_a_thousandth_of_the_linear_optimum(seed: int) -> None:
    case = random_case(seed, 1000, 5)
    allocation = solve(case.gain, case.cost, case.limits, min_roi=case.min_roi)
    relaxed = best_gain(case, is_relaxed=True)
    assert broken(case, allocation.choice) == []
    assert allocation.gain >= relaxed * (1 - 1e-3)
    assert relaxed * (1 - 1e-9) <= allocation.bound <= relaxed * (1 + 1e-4)


@pytest.mark.parametrize("seed", range(8))
def test_a_thousand_guests_with_limits_and_options_of_all_kinds_come_within_a_thousandth(seed: int) -> None:
    case = mixed_case(seed, 1000, 4)
    relaxed = best_worth(case, is_relaxed=True)
    assert relaxed is not None
    allocation = case.solve()
    assert broken(case, allocation.choice) == []
    assert relaxed * (1 - 1e-9) <= allocation.bound
    assert allocation.worth >= relaxed * (1 - 1e-3)


@pytest.mark.parametrize("seed", range(2))
def test_hundreds_of_small_stores_come_near_the_linear_optimum(seed: int) -> None:
    """Fifty guests a store, so that its last unit of budget is a part of a guest."""
    rng = np.random.default_rng(seed)
    cost = rng.uniform(0.5, 5, (6000, 3))
    gain = rng.gamma(2, 0.5, (6000, 1)) * np.sqrt(cost) * rng.uniform(0.5, 1.5, cost.shape) - 0.3
    store = rng.integers(0, 120, 6000)
    budgets = np.bincount(store, cost.max(axis=1), 120) * rng.uniform(0.1, 0.9, 120)
    limits = [Limit.total(0.8 * budgets.sum()), Limit.per_group(store, budgets)]
    relaxed = best_gain(Case(gain=gain, cost=cost, limits=limits), is_relaxed=True)
    allocation = solve(gain, cost, limits)
    assert relaxed * (1 - 1e-9) <= allocation.bound <= relaxed * (1 + 1e-4)
    assert allocation.gain >= relaxed * (1 - 2e-3)


def test_float32_and_column_order_give_the_same_certificate() -> None:
    case = random_case(4, 3000, 4)
    limits = case.limits
    plain = solve(case.gain.astype(np.float32), case.cost.astype(np.float32), limits)
    columns = solve(
        np.asfortranarray(case.gain.astype(np.float32)), np.asfortranarray(case.cost.astype(np.float32)), limits
    )
    assert columns.choice.tolist() == plain.choice.tolist()
    assert plain.gap < 1e-3
    assert plain.bound == pytest.approx(solve(case.gain, case.cost, limits).bound, rel=1e-5)
