"""Limits: what they refuse, and in which words."""

import numpy as np
import pytest

from regulars import BudgetError
from regulars.allocation import Limit, solve
from regulars.wording import Voice

GAIN = np.array([[3.0, 5.0], [2.0, 4.0], [1.0, 2.0]])
COST = np.array([[1.0, 3.0], [1.0, 2.0], [1.0, 1.0]])


def test_a_group_without_budget_is_named() -> None:
    with pytest.raises(BudgetError, match=r"'store': group 2 has guests but no budget; give amounts\[2\]"):
        Limit.per_group([0, 2], [10, 20], name="store")


def test_a_budget_without_guests_is_kept_and_unused() -> None:
    allocation = solve(GAIN, COST, [Limit.per_group([0, 0, 2], [9, 9, 9], name="store")])
    assert allocation.used["store"].tolist() == [5.0, 0.0, 1.0]
    assert allocation.prices["store"].tolist() == [0.0, 0.0, 0.0]


def test_a_negative_budget_is_refused() -> None:
    with pytest.raises(BudgetError, match=r"amounts\[0\] is -5; a budget is 0 or more"):
        Limit.total(-5)


def test_an_amount_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match=r"amounts\[1\] is not a number; use inf"):
        Limit.per_offer([1, np.nan])


def test_a_negative_group_is_named_with_its_guest() -> None:
    with pytest.raises(ValueError, match=r"guest 1 has group -1; groups count from 0"):
        Limit.per_group([0, -1], [10])


def test_groups_that_are_no_integers_are_refused() -> None:
    with pytest.raises(ValueError, match=r"group is float64 of shape \(2,\); give integers 0 to 0"):
        Limit.per_group([0.0, 0.5], [10])


def test_a_negative_consumption_is_refused() -> None:
    with pytest.raises(ValueError, match="a choice takes 0 or more"):
        Limit.total(10, consumption=[[1.0, -1.0]])


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (Limit.per_group([0, 0], [10]), "groups 2 guests, but there are 3"),
        (Limit.per_offer([1, 2, 3]), "has 3 amounts, but there are 2 offers"),
        (Limit.total(1, scope=[True]), "a scope over 1 guests, but there are 3"),
        (Limit.total(1, consumption=np.ones((2, 2))), r"shape \(2, 2\), which does not broadcast to \(3, 2\)"),
    ],
)
def test_a_limit_of_the_wrong_shape_is_named(limit: Limit, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        solve(GAIN, COST, [limit])


def test_two_limits_of_one_name_are_told_apart() -> None:
    allocation = solve(GAIN, COST, [Limit.total(4), Limit.total(2, consumption=1.0)])
    assert list(allocation.used) == ["total", "total 2"]


def test_scope_counts_only_the_guests_in_it() -> None:
    allocation = solve(GAIN, COST, [Limit.total(0, scope=[True, False, False])])
    assert allocation.choice.tolist() == [-1, 1, 1]


def test_a_group_may_differ_between_the_offers_of_a_guest() -> None:
    allocation = solve(GAIN, COST, [Limit.per_group([[0, 1], [0, 1], [0, 1]], [9, 0])])
    assert allocation.choice.tolist() == [0, 0, 0]


def test_consumption_of_its_own_replaces_the_cost() -> None:
    minutes = np.array([[5.0, 50.0], [5.0, 50.0], [5.0, 5.0]])
    allocation = solve(GAIN, COST, [Limit.total(15, consumption=minutes, name="kitchen minutes")])
    assert allocation.choice.tolist() == [0, 0, 1]
    assert allocation.used["kitchen minutes"].tolist() == [15.0]


def test_labels_are_what_lines_say() -> None:
    allocation = solve(GAIN, COST, [Limit.per_group([0, 1, 1], [3, 2], name="store", labels=["S1", "S2"])])
    assert Voice().say(next(allocation.sentences())).startswith("store S1: 3 of 3 used")


def test_what_is_no_limit_is_refused() -> None:
    with pytest.raises(TypeError, match=r"is no Limit; use Limit\.total"):
        solve(GAIN, COST, [100])  # type: ignore[list-item]


def test_names_given_to_tell_limits_apart_are_taken_by_no_other() -> None:
    limits = [Limit.total(amount, name=name) for amount, name in ((4, "a"), (3, "a"), (2, "a 2"))]
    allocation = solve(GAIN, COST, limits)
    assert list(allocation.used) == ["a", "a 2", "a 2 2"]
    assert allocation.explain(0).chosen in (-1, 0)


def test_a_return_takes_no_consumption() -> None:
    with pytest.raises(TypeError, match="'return': a return is of gain and cost; leave consumption out"):
        Limit.returns(1.5, consumption=2.0)


def test_a_word_that_no_limit_knows_is_refused() -> None:
    with pytest.raises(TypeError, match="lable"):
        Limit.per_offer([1, 2], lable=["a", "b"])  # type: ignore[call-arg]
