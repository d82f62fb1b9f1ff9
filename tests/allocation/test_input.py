"""Input as it comes: arrays of every kind, and what is wrong with them by name."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from regulars import BudgetError
from regulars.allocation import Limit, matrices, solve

from .reference import random_case

CASE = random_case(5, 3000, 3)
LIMITS = [Limit.total(1500), Limit.per_offer([300, 400, 500])]


def test_one_array_for_each_offer_gives_the_same_answer() -> None:
    whole = solve(CASE.gain, CASE.cost, LIMITS)
    columns = [tuple(np.ascontiguousarray(column) for column in matrix.T) for matrix in (CASE.gain, CASE.cost)]
    apart = solve(columns[0], columns[1], LIMITS)
    assert apart.choice.tolist() == whole.choice.tolist()
    named = [{f"offer {j}": column for j, column in enumerate(some)} for some in columns]
    assert solve(named[0], named[1], LIMITS).bound == apart.bound


def test_many_guests_with_one_array_for_each_offer_are_read_block_by_block() -> None:
    case = random_case(6, 120_000, 3)
    columns = [tuple(np.ascontiguousarray(column) for column in matrix.T) for matrix in (case.gain, case.cost)]
    limits = [Limit.total(60_000)]
    assert solve(columns[0], columns[1], limits).choice.tolist() == solve(case.gain, case.cost, limits).choice.tolist()


def test_arrow_and_memory_mapped_columns_are_not_copied(tmp_path: Path) -> None:
    gain, cost = (np.asfortranarray(matrix) for matrix in (CASE.gain, CASE.cost))
    table = pa.table({f"gain {j}": gain[:, j] for j in range(3)})
    np.save(tmp_path / "cost.npy", cost)
    mapped = np.load(tmp_path / "cost.npy", mmap_mode="r")
    gains, _ = matrices.as_matrices(table, tuple(mapped[:, j] for j in range(3)))
    assert all(np.shares_memory(ours, gain[:, j]) for j, ours in enumerate(gains))
    whole, plain = matrices.as_matrices(gain, mapped)
    assert all(np.shares_memory(ours, gain) for ours in whole)
    assert all(np.shares_memory(ours, mapped) for ours in plain)
    assert matrices.as_matrices(CASE.gain, CASE.cost)[0] is CASE.gain
    assert solve(table, tuple(mapped[:, j] for j in range(3)), LIMITS).choice.shape == (3000,)


def test_a_missing_value_in_an_arrow_column_is_named() -> None:
    table = pa.table({"a": pa.array([1.0, None, 2.0])})
    with pytest.raises(ValueError, match="gain of guest 1, offer 0 is nan"):
        solve(table, np.ones((3, 1)))


def test_columns_of_different_length_are_named() -> None:
    with pytest.raises(ValueError, match=r"gain of offer 1 has shape \(2,\), of offer 0 \(3,\)"):
        solve((np.ones(3), np.ones(2)), np.ones((3, 2)))


def test_no_offers_at_all_are_refused() -> None:
    with pytest.raises(ValueError, match="there are no offers"):
        solve(np.empty((3, 0)), np.empty((3, 0)))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"most": 4}, "most is 4; a guest gets at most 1 to 3"),
        ({"exclusive": [(0, 5)]}, "exclusive names offer 5; offers count from 0 to 1"),
        ({"forced": [[9, 0]]}, r"forced\[0\] is guest 9, offer 0; there are 3 guests and 2 offers"),
        ({"forbidden": np.ones((2, 2), bool)}, r"forbidden has shape \(2, 2\)"),
        ({"forbidden": [[0.5, 1.0]]}, "give pairs of guest and offer"),
        ({"contact_price": -1.0}, r"contact_price is -1\.0; give a finite number of 0 or more"),
        ({"caution": 1.0}, "caution is 1, but there is no gain_se"),
        ({"caution": 1.0, "gain_se": np.ones((3, 1))}, r"gain_se of shape \(3, 1\) must be finite"),
    ],
)
def test_options_that_cannot_be_are_named(options: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        solve(np.ones((3, 2)), np.ones((3, 2)), **options)  # type: ignore[arg-type]


def test_a_guest_who_must_get_what_is_forbidden_is_named() -> None:
    with pytest.raises(BudgetError, match=r"guest 1 must get offer 0, which is forbidden"):
        solve(np.ones((3, 2)), np.ones((3, 2)), forced=[[1, 0]], forbidden=[[1, 0]])


def test_limits_that_clash_are_named_among_many_that_do_not() -> None:
    """A floor of return, whose amount is 0, beside budgets of thousands."""
    rng = np.random.default_rng(0)
    cost = rng.integers(0, 6, (70_000, 3)).astype(float)
    gain, store = cost * rng.uniform(0.5, 2.0, cost.shape), rng.integers(0, 50, 70_000)
    limits = [Limit.per_group(store, [500.0] * 50, name="store"), Limit.at_least(5_000, scope=store < 2, name="new")]
    with pytest.raises(
        BudgetError, match=r"limits clash: 'new' asks for at least 5,000, but within 'store 0' and 'store 1'"
    ):
        solve(gain, cost, limits, min_roi=1.2)


def test_limits_that_clash_are_named_with_how_much_is_missing() -> None:
    scope = np.array([True, False, False])
    with pytest.raises(BudgetError, match=r"'new guests' asks for at least 5, but within .* no more than 2"):
        solve(np.ones((3, 2)), np.full((3, 2), 2.0), [Limit.at_least(5, scope=scope, name="new guests")])


def test_forced_offers_beyond_a_budget_are_named() -> None:
    with pytest.raises(BudgetError, match=r"forced offers take at least .* of 'total', which allows 3"):
        solve(np.ones((3, 1)), np.full((3, 1), 2.0), [Limit.total(3)], forced=[[0, 0], [1, 0]])


def test_an_amount_to_reach_that_is_infinite_is_refused() -> None:
    with pytest.raises(BudgetError, match="what must be reached is finite and 0 or more"):
        Limit.at_least(np.inf)
