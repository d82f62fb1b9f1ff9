"""What an allocation says about itself."""

import numpy as np
import pytest

from regulars.allocation import Limit, solve
from regulars.wording import Voice

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


def test_sentences_say_what_is_used_and_what_the_next_unit_brings() -> None:
    allocation = solve(GAIN, COST, [Limit.total(3)], min_roi=1.0)
    total, floor = Voice().each(allocation.sentences())
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
    assert Voice().say(next(allocation.sentences())).startswith("new guests: 2, at least 2 asked, the last unit costs ")
    assert allocation.prices["new guests"][0] >= 0.5 - 1e-6


def test_budgets_within_which_other_limits_cannot_hold_bring_no_number() -> None:
    frontier = solve(GAIN, COST, [Limit.total(9), Limit.at_least(2, name="least")]).frontier([1, 9])
    assert np.isnan(frontier.gain).tolist() == [True, False]


@pytest.mark.parametrize("guest", [-1, 3])
def test_a_guest_who_is_not_there_cannot_be_explained(guest: int) -> None:
    with pytest.raises(ValueError, match=f"guest {guest} is not here; 3 guests count from 0"):
        solve(GAIN, COST).explain(guest)


def test_budgets_are_said_in_money_and_stocks_in_pieces_in_both_languages() -> None:
    limits = [Limit.total(30_000), Limit.per_offer([2.0, np.inf], name="stock")]
    budget, stock, open_end = solve(GAIN, COST, limits).sentences()
    assert Voice(currency="USD").say(budget) == "total: $0.04 of $300.00 used"
    assert Voice(currency="USD").say(stock).startswith("stock 0: 2 of 2 used")
    assert Voice(language="zh", currency="CNY").say(budget) == "total：上限 ¥300.00，已用 ¥0.04"
    assert Voice(language="zh").say(open_end).endswith("不设上限")


def test_why_a_guest_gets_what_they_get_is_said_with_the_names_of_the_offers() -> None:
    allocation = solve([[9.0], [1.0]], [[1.0], [1.0]], [Limit.total(1)])
    chosen, left_out = (allocation.explain(guest).sentence(["soup"]) for guest in (0, 1))
    assert Voice().say(chosen).startswith("soup: worth ")
    assert Voice().say(chosen).endswith(" more than nothing")
    assert Voice().say(left_out).startswith("nothing: soup would bring ")
    assert Voice(language="zh").say(left_out).startswith("不发：soup")


def test_where_nothing_else_was_possible_no_runner_up_is_named() -> None:
    allocation = solve([[1.0]], [[1.0]], forced=[[0, 0]])
    assert Voice().say(allocation.explain(0).sentence()) == ("offer 0: worth 1 once what it uses of the limits is paid")


def test_results_have_rows_and_show_them_in_twelve_lines_with_names_escaped() -> None:
    store = np.zeros(3, np.int32)
    limits = [Limit.per_group(store, [3.0] + [0.0] * 29, name="<b>store</b>")]
    allocation = solve(GAIN, COST, limits)
    frontier, costs = allocation.frontier(np.arange(1.0, 31.0)), allocation.costs()
    assert allocation.to_arrow().column_names == ["limit", "kind", "amount", "used", "price"]
    assert [len(result.to_frame()) for result in (allocation, frontier, costs)] == [30, 30, 1]
    for result in (allocation, frontier, costs, allocation.explore(share=0.5)):
        assert repr(result).count("\n") < 12
        assert "<b>" not in result._repr_html_()
    assert repr(frontier).endswith("... and 21 more")
    assert "&lt;b&gt;store&lt;/b&gt; 0" in allocation._repr_html_()


def test_a_frontier_is_drawn_where_limits_can_hold() -> None:
    frontier = solve(GAIN, COST, [Limit.total(9), Limit.at_least(2, name="least")]).frontier([1, 9])
    drawn = frontier.plot(Voice(language="zh", currency="CNY")).to_dict()
    assert "换一个预算会怎样" in str(drawn["title"])
    assert [row["budget"] for rows in drawn["datasets"].values() for row in rows] == [0.09]
    assert [row["budget"] for rows in frontier.plot().to_dict()["datasets"].values() for row in rows] == [9.0]
    assert frontier.to_arrow()["gain"].null_count == 1
