"""Offers that differ only in face value lie on one curve."""

import numpy as np
import pytest

import regulars as rg
from regulars.effects.dose import Dose
from regulars.errors import DesignError

VALUES = (200.0, 500.0, 800.0, 1500.0)


def coupons(rows: int, *, seed: int) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray, np.ndarray]:
    """Values 200, 500 and 800 by lot (1,500 never): half the guests redeem, and spend 30 * sqrt(value) more before that."""
    draw = np.random.default_rng(seed)
    action = draw.integers(-1, 3, rows)
    value = np.where(action >= 0, np.array(VALUES)[action], 0.0)
    cost = np.where(draw.random(rows) < 0.5, value, 0.0)
    outcome = 3000 + 30 * np.sqrt(value) - cost + draw.normal(0, 400, rows)
    return {"visits": draw.poisson(3, rows)}, action, outcome, cost


def averages(errors: list[float], *, untried: tuple[int, ...] = ()) -> list[rg.effects.AverageEffect]:
    return [
        rg.effects.AverageEffect(
            offer=str(place),
            exposures=100,
            guests=100,
            gain=0.0,
            gain_se=error,
            interval=(-error, error),
            naive=0.0,
            naive_interval=(0.0, 0.0),
            overlap=1.0,
            robustness=0.0,
            robustness_of_interval=0.0,
            rests_on="other offers" if place in untried else "exposures",
        )
        for place, error in enumerate(errors)
    ]


def test_the_curve_rises_ever_more_slowly_and_reaches_a_value_never_tried() -> None:
    features, action, outcome, cost = coupons(8000, seed=1)
    model = rg.effects.fit(
        features,
        action,
        outcome,
        cost=cost,
        propensity=np.full(8000, 0.25),
        offers=VALUES,
        values=VALUES,
        learner="pooled",
    )
    found = model.predict(features)
    np.testing.assert_allclose(found.redemption.mean(axis=0), 0.5, atol=0.02)
    np.testing.assert_allclose(found.cost.mean(axis=0), np.array(VALUES) / 2, rtol=0.05)
    response = found.gain + found.cost
    slopes = np.diff(response, axis=1, prepend=0) / np.diff(VALUES, prepend=0)
    assert (slopes >= -1e-9).all()
    assert (np.diff(slopes, axis=1) <= 1e-9).all()
    np.testing.assert_allclose(response.mean(axis=0)[:3], 30 * np.sqrt(VALUES[:3]), atol=40)
    np.testing.assert_array_equal(found.is_extrapolated, [False, False, False, True])
    assert (found.gain_se[:, 3] > found.gain_se[:, 2]).all()
    assert "800" in model.offers[2]
    assert "1500.0: given to 0 guests, too few to tell; read from the curve of other face values" in model.report


def test_the_curve_is_the_nearest_of_all_that_rise_ever_more_slowly() -> None:
    """Against non-negative least squares on the same basis, for random responses."""
    from scipy.optimize import nnls

    draw = np.random.default_rng(0)
    error = np.array([1.0, 2.0, 0.5, 1.0])
    dose = Dose.of([1, 2, 4, 7], averages(error.tolist()))
    response = draw.normal(1, 2, (50, 4))
    settled, _ = dose.settle(response, np.ones((50, 4)))
    basis = np.minimum.outer(dose.value, dose.value)
    for row, found in zip(response, settled, strict=True):
        rise, _ = nnls(basis / error[:, None], row / error)
        np.testing.assert_allclose(found, basis @ rise, atol=1e-9)


def test_offers_outside_the_family_are_left_alone() -> None:
    dose = Dose.of([5, None, 10], averages([1.0] * 3))
    settled, _ = dose.settle(np.array([[4.0, -7.0, 2.0]]), np.ones((1, 3)))
    np.testing.assert_allclose(settled, [[3, -7, 3]])


def test_a_family_that_cannot_be_seen_is_refused() -> None:
    with pytest.raises(DesignError, match="its curve cannot be seen"):
        Dose.of([5, None], averages([1.0] * 2, untried=(0,)))
    with pytest.raises(ValueError, match="values has -5"):
        Dose.of([-5, 5], averages([1.0] * 2))
    with pytest.raises(ValueError, match="values has 1 entries for 2 offers"):
        Dose.of([5], averages([1.0] * 2))
    with pytest.raises(ValueError, match="more than 8"):
        Dose.of(list(range(1, 11)), averages([1.0] * 10))
