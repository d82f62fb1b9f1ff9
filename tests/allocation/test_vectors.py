"""Passes in vectors find what passes guest by guest find, and what single precision can hide is in the bound."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulars.allocation import Limit, solve
from regulars.allocation.formulation import formulate
from regulars.allocation.options import Options
from regulars.allocation.passes import UNROLL_FROM, UNROLLED, Passes
from regulars.allocation.problem import ONE, Problem, Rows

GUESTS = UNROLL_FROM + 1005
FORMS = {"rows": np.ascontiguousarray, "columns": lambda matrix: tuple(matrix.T.copy()), "fortran": np.asfortranarray}


def drawn(offers: int, dtype: type[np.floating], form: str = "rows", *, seed: int = 0) -> tuple[Problem, Rows]:
    """A problem with a total, seven stores and a stock for each offer, and some prices."""
    rng = np.random.default_rng([seed, offers])
    gain, cost = (rng.random((GUESTS, offers)) - 0.3).astype(dtype), rng.random((GUESTS, offers)).astype(dtype)
    limits = [
        Limit.total(1000.0),
        Limit.per_group(rng.integers(0, 7, GUESTS), [200.0] * 7),
        Limit.per_offer([500.0] * offers),
    ]
    problem = formulate(FORMS[form](gain), FORMS[form](cost), limits, Options(), threads=1)
    return problem, rng.random(len(problem.amounts)) * 0.3


def one_by_one(problem: Problem) -> Passes:
    """Passes that use no vectors."""
    passes = Passes(problem)
    passes.in_vectors = False
    return passes


@pytest.mark.parametrize(
    ("offers", "dtype", "form"),
    [
        (1, np.float32, "rows"),
        (2, np.float64, "rows"),
        (3, np.float64, "fortran"),
        (5, np.float32, "rows"),
        (6, np.float64, "columns"),
        (10, np.float32, "columns"),
        (UNROLLED, np.float32, "rows"),
    ],
)
def test_vectors_find_what_loops_find(offers: int, dtype: type[np.floating], form: str) -> None:
    problem, prices = drawn(offers, dtype, form)
    vectors, loops = Passes(problem), one_by_one(problem)
    assert vectors.in_vectors
    assert np.allclose(vectors.respond(prices), loops.respond(prices), rtol=1e-6)
    for near in (-1.0, 0.02, np.inf):
        found, wanted = vectors.choose(prices, near), loops.choose(prices, near)
        differ = [(found.choice != wanted.choice).sum(), np.setxor1d(found.close, wanted.close).size]
        assert max(differ) <= (0 if dtype == np.float64 else 3)
        assert (np.diff(found.close) > 0).all()
        assert found.sums[..., ONE].sum() == (found.choice < offers).sum()


@pytest.mark.parametrize("guests", [UNROLL_FROM + 1, UNROLL_FROM + 16, (1 << 18) + 77])
def test_guests_beyond_the_last_vector_count_too(guests: int) -> None:
    gain, cost = np.ones((guests, 3), np.float32), np.ones((guests, 3), np.float32)
    problem = formulate(gain, cost, [Limit.total(1.0)], Options(), threads=2)
    assert Passes(problem).respond(np.zeros(1))[0, 0].tolist() == [guests, guests, guests]


@pytest.mark.parametrize("prices_of", ["store and offer", "return by store"])
def test_prices_that_are_not_simple_are_left_to_loops(prices_of: str) -> None:
    problem, prices = drawn(3, np.float32)
    rng = np.random.default_rng(1)
    store = rng.integers(0, 4, GUESTS)
    by_pair = Limit.per_group(store[:, None] * 3 + np.arange(3), [50.0] * 12)
    limit = by_pair if prices_of == "store and offer" else Limit.returns([1.5] * 4, group=store)
    problem = formulate(problem.offered.gain, problem.offered.cost, [limit], Options(), threads=1)
    prices = rng.random(len(problem.amounts))
    assert np.allclose(Passes(problem).respond(prices), one_by_one(problem).respond(prices), rtol=1e-12)


def test_prices_beyond_single_precision_are_left_to_loops() -> None:
    """Infinite, they would make what costs nothing worth no number."""
    gain, cost = np.ones((GUESTS, 2), np.float32), np.tile(np.array([0.0, 1.0], np.float32), (GUESTS, 1))
    problem = formulate(gain, cost, [Limit.total(1.0)], Options(), threads=1)
    assert Passes(problem).in_vectors
    assert Passes(problem).respond(np.array([1e39]))[0, :, ONE].tolist() == [GUESTS, 0]


def test_what_single_precision_hides_is_in_the_bound() -> None:
    """A price just below 1, which is 1 in single precision: everybody would gain a little, but nobody seems to."""
    cost, price = np.random.default_rng(0).random((GUESTS, 5)).astype(np.float32), 1 - 2.0**-26
    problem = formulate(cost, cost, [Limit.total(10.0)], Options(), threads=1)
    passes, prices = Passes(problem), np.array([price])
    dual = problem.dual(prices, passes.respond(prices))
    exact = 10.0 * price + ((1 - price) * cost.astype(float)).max(axis=1).sum()
    assert dual + problem.rounding(prices, GUESTS, 0.0) < exact
    assert dual + passes.rounding(prices) >= exact


@given(st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_single_precision_loses_nothing_that_matters(seed: int) -> None:
    problem, _ = drawn(5, np.float32, seed=seed)
    offered, limits = problem.offered, problem.limits
    single = solve(offered.gain, offered.cost, limits, seed=seed)
    double = solve(offered.gain.astype(float), offered.cost.astype(float), limits, seed=seed)
    assert single.bound >= double.gain * (1 - 1e-12)
    assert single.gain >= double.gain * (1 - 3e-5)
    assert all((single.used[limit.name] <= limit.amounts).all() for limit in limits)
