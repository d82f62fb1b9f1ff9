"""A ranking is proved on guests assigned by lot, or not at all."""

from typing import Any

import numpy as np
import pytest

import regulars as rg
from effects.conftest import Past
from regulars.effects.heterogeneity import measure_heterogeneity
from regulars.errors import DataError, DesignError


def judge(gain: np.ndarray, past: Past, **more: object) -> tuple[rg.effects.Validation, ...]:
    return rg.effects.validate(gain, past.action, past.outcome, propensity=past.propensity, **more)


def test_the_truth_is_a_good_ranking_and_its_opposite_a_bad_one(lottery: Past) -> None:
    half, none, some = judge(lottery.truth, lottery)
    assert half.heterogeneity.is_found
    assert some.heterogeneity.is_found
    assert not none.heterogeneity.is_found
    assert half.heterogeneity.slope == pytest.approx(1, abs=3 * half.heterogeneity.slope_se)
    assert half.qini_interval[0] > 0
    assert half.auuc_interval[0] < half.auuc < half.auuc_interval[1]
    assert judge(-lottery.truth, lottery)[0].qini == pytest.approx(-half.qini)


def test_equal_predictions_rank_nobody_whatever_the_order_of_rows(lottery: Past) -> None:
    order = np.argsort(lottery.action, kind="stable")
    sorted_past = {"action": lottery.action[order], "outcome": lottery.outcome[order]}
    constant = np.zeros_like(lottery.truth)
    found = rg.effects.validate(constant, **sorted_past, propensity=lottery.propensity[order])[0]
    assert found.qini == 0
    assert "these guests do not differ measurably in their response" in str(found)


def test_qini_by_hand() -> None:
    """Best guest given: outcome 1; second nothing: 0; third given: 0; fourth nothing: 1. Curve 0, 1/2, 1/2, 1/2, 0."""
    gain = np.array([[4.0], [3], [2], [1]])
    found = rg.effects.validate(gain, [0, -1, 0, -1], [1, 0, 0, 1], propensity=np.full(4, 0.5))[0]
    np.testing.assert_allclose(found.gain, [0, 0.5, 0.5, 0.5, 0])
    np.testing.assert_allclose(found.share, [0, 0.25, 0.5, 0.75, 1])
    assert found.auuc == pytest.approx(0.375)
    assert found.qini == pytest.approx(0.375)
    np.testing.assert_allclose(found.profit(contact_cost=0.2)[2], 0.5 - 0.1)


def test_tenths_compare_predicted_with_measured(lottery: Past) -> None:
    half = judge(lottery.truth, lottery)[0]
    assert (np.diff(half.predicted) <= 0).all()
    z = (half.measured - half.predicted) / half.measured_se
    assert (z**2).sum() < 30  # chi-square with 10 degrees of freedom: once in a thousand


def test_the_test_for_differences_keeps_its_size(lottery: Past) -> None:
    """200 meaningless rankings: at 5 % about 10 are found, and more than 22 once in ten thousand."""
    draw = np.random.default_rng(0)
    found = 0
    inverse = 1 / lottery.propensity[np.arange(len(lottery.action)), lottery.action + 1]
    score = np.where(lottery.action == 0, inverse, 0) - np.where(lottery.action == -1, inverse, 0)
    for _ in range(200):
        ranking = draw.normal(size=len(score))
        line = measure_heterogeneity("tea", ranking, score * lottery.outcome, lottery.guest)
        found += line.is_found
    assert found <= 22


def test_a_validation_needs_a_control_and_matching_shapes(lottery: Past) -> None:
    with pytest.raises(DesignError, match="needs a lottery with a control"):
        rg.effects.validate(np.zeros((4, 1)), [0, 0, 0, 0], [1, 2, 3, 4], propensity=np.full(4, 0.5))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"action": [1, -1]}, "action names offer 1 and gains have 1 columns"),
        ({"action": [0, -1, 0]}, r"action has the shape \(3,\) and there are 2 rows"),
        ({"outcome": [1, np.inf]}, "outcome is missing or infinite in 1 rows, first in row 1; drop these rows"),
        ({"outcome": [1]}, r"outcome has the shape \(1,\) and there are 2 rows"),
        ({"propensity": [0.5, 0]}, "propensity row 1: the action taken has 0"),
        ({"propensity": [0.5]}, r"propensity has the shape \(1,\)"),
        ({"cluster": ["a"]}, r"cluster has the shape \(1,\) and there are 2 rows"),
        ({"effects": np.zeros(2)}, r"gains have the shape \(2,\)"),
        ({"effects": [[0.0], [np.nan]]}, "gains are missing or infinite in 1 rows, first in row 1"),
        ({"effects": [["much"], ["little"]]}, "gains are not all numbers"),
    ],
)
def test_what_cannot_be_validated_is_named(changed: dict[str, Any], words: str) -> None:
    usual = {"effects": np.zeros((2, 1)), "action": [0, -1], "outcome": [1, 2], "propensity": np.full(2, 0.5)}
    with pytest.raises(DataError, match=words):
        rg.effects.validate(**(usual | changed))
