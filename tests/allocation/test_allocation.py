"""What an allocation says about itself."""

import numpy as np
import pytest

from regulars.allocation import Limit, solve

from .reference import random_case

GAIN = [[9.0, 8.0], [6.0, 2.0], [1.0, -1.0]]
COST = [[4.0, 1.0], [2.0, 2.0], [1.0, 1.0]]


def test_the_runner_up_lost_by_the_difference_at_the_prices() -> None:
    allocation = solve(GAIN, COST, [Limit.total(3)])
    price = allocation.prices["total"][0]
    explained = allocation.explain(0)
    worth = {0: 9 - 4 * price, -1: 0.0}
    second = max(worth, key=worth.__getitem__)
    assert (explained.chosen, explained.runner_up) == (1, second)
    assert explained.lost_by == pytest.approx((8 - price) - worth[second])


def test_nothing_can_be_the_runner_up_and_the_winner() -> None:
    allocation = solve(GAIN, COST, [Limit.total(3)])
    assert allocation.explain(2).chosen == -1
    assert solve([[1.0]], [[0.5]]).explain(0).runner_up == -1


def test_the_frontier_rises_and_its_price_falls() -> None:
    case = random_case(7, 2000, 4)
    frontier = solve(case.gain, case.cost, case.limits).frontier([50, 2000, 100, 400, 1e9])
    order = np.argsort(frontier.budget)
    assert (frontier.spend <= frontier.budget).all()
    assert (np.diff(frontier.gain[order]) >= 0).all()
    assert (np.diff(frontier.price[order]) <= 1e-3).all()
    assert frontier.price[-1] == 0


def test_the_frontier_passes_through_the_allocation_it_belongs_to() -> None:
    case = random_case(3, 2000, 4)
    allocation = solve(case.gain, case.cost, [Limit.total(700)])
    frontier = allocation.frontier([700])
    assert frontier.gain[0] == pytest.approx(allocation.gain, rel=1e-3)
    assert frontier.price[0] == pytest.approx(allocation.prices["total"][0], rel=0.05)


def test_the_price_is_what_one_more_unit_brings() -> None:
    case = random_case(3, 3000, 4)
    less, more = (solve(case.gain, case.cost, [Limit.total(amount)]) for amount in (700.0, 720.0))
    assert (more.gain - less.gain) / 20 == pytest.approx(less.prices["total"][0], rel=0.1)


def test_lines_say_what_is_used_and_what_the_next_unit_brings() -> None:
    allocation = solve(GAIN, COST, [Limit.total(3)], min_roi=1.0)
    total, floor = allocation.lines()
    assert total.startswith("total: 3 of 3 used, the next unit brings ")
    assert floor == "return: 4.667, at least 1 asked"


def test_a_budget_that_is_no_amount_is_refused() -> None:
    with pytest.raises(ValueError, match="budgets are amounts of 0 or more"):
        solve(GAIN, COST).frontier([-1])


def test_each_limit_costs_what_is_gained_without_it() -> None:
    case = random_case(3, 2000, 4)
    limits = [Limit.total(700), Limit.per_offer([1e6] * 4)]
    costs = solve(case.gain, case.cost, limits).costs()
    without = solve(case.gain, case.cost, limits[1:]).worth - solve(case.gain, case.cost, limits).worth
    assert costs.limits["total"] == pytest.approx(without, rel=1e-6)
    assert costs.limits["offer"] == 0
    assert (costs.overrides, costs.pairs) == (0, {})


def test_overrides_cost_what_their_guests_lose() -> None:
    allocation = solve([[5.0, 1.0], [4.0, 1.0]], [[1.0, 1.0]] * 2, forced=[[0, 1]], forbidden=[[1, 0]])
    assert allocation.choice.tolist() == [1, 1]
    costs = allocation.costs()
    assert costs.overrides == pytest.approx(4 + 3)
    assert costs.pairs == {0: pytest.approx(4), 1: pytest.approx(3)}


def test_several_offers_are_explained_as_sets() -> None:
    allocation = solve([[3.0, 2.0, -1.0]], [[1.0, 1.0, 1.0]], most=2)
    assert allocation.choice.tolist() == [[0, 1]]
    assert allocation.explain(0).chosen == (0, 1)
    assert allocation.explain(0).runner_up == (0,)


def test_a_contact_has_its_price() -> None:
    allocation = solve([[3.0], [1.0]], [[0.0], [0.0]], contact_price=2.0)
    assert (allocation.choice.tolist(), allocation.gain, allocation.worth, allocation.contacts) == (
        [0, -1],
        3.0,
        1.0,
        1,
    )


def test_caution_prefers_what_is_known() -> None:
    gain, error = [[3.0, 2.5]], [[2.0, 0.1]]
    assert solve(gain, [[1.0, 1.0]]).choice.tolist() == [0]
    assert solve(gain, [[1.0, 1.0]], gain_se=error, caution=1.0).choice.tolist() == [1]


def test_what_must_be_reached_is_said() -> None:
    allocation = solve([[1.0], [-1.0]], [[1.0], [2.0]], [Limit.at_least(2, scope=[False, True], name="new guests")])
    assert next(allocation.lines()).startswith("new guests: 2, at least 2 asked, the last unit costs ")
    assert allocation.prices["new guests"][0] >= 0.5 - 1e-6


def test_budgets_within_which_other_limits_cannot_hold_bring_no_number() -> None:
    frontier = solve(GAIN, COST, [Limit.total(9), Limit.at_least(2, name="least")]).frontier([1, 9])
    assert np.isnan(frontier.gain).tolist() == [True, False]
