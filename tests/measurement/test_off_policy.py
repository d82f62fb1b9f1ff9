"""What another plan would have brought: the formulas, the coverage, and the refusals."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from regulars import measurement
from regulars.errors import DataError, DesignError

ACTIONS = np.array(["none", "soup", "cake"])


def logged(n: int, seed: int) -> dict[str, np.ndarray]:
    """Guests of three tastes; the logging policy leans towards soup; the plan gives each what their taste likes."""
    rng = np.random.default_rng(seed)
    taste = rng.integers(0, 3, n)
    lean = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.3, 0.4, 0.3]])[taste]
    drawn = (rng.random((n, 1)) > lean.cumsum(axis=1)).sum(axis=1)
    means = 10 + 5.0 * (np.arange(3) == taste[:, None])
    return {
        "outcome": rng.gamma(2, means[np.arange(n), drawn] / 2),
        "action": ACTIONS[drawn],
        "propensity": lean[np.arange(n), drawn],
        "plan": ACTIONS[taste],
        "means": means,
    }


def test_the_three_estimates_are_their_published_formulas() -> None:
    data = logged(200, seed=0)
    weight = (data["plan"] == data["action"]) / data["propensity"]
    rows = {name: data[name] for name in ("outcome", "action", "propensity", "plan")}
    by_ips = measurement.policy_value(**rows, method="ips")
    assert_allclose(by_ips.estimate, (weight * data["outcome"]).mean(), rtol=1e-12)
    assert_allclose(measurement.policy_value(**rows).estimate, np.average(data["outcome"], weights=weight), rtol=1e-12)
    predicted = {label: data["means"][:, place] for place, label in enumerate(ACTIONS.tolist())}
    seen = data["means"][np.arange(200), np.searchsorted(np.sort(ACTIONS), data["action"])]
    robust = measurement.policy_value(**rows, predicted={label: np.full(200, 12.0) for label in predicted})
    assert_allclose(robust.estimate, 12 + (weight * (data["outcome"] - 12)).mean(), rtol=1e-12)
    assert robust.method == "dr"
    assert seen.shape == (200,)
    assert_allclose(by_ips.effective_n, weight.sum() ** 2 / (weight**2).sum())


@pytest.mark.parametrize("method", ["ips", "snips", "dr"])
def test_intervals_cover_the_true_value_of_the_plan(method: str) -> None:
    """500 logs of 600 guests; the plan's true value is 15; tolerance from the binomial (99.9 %)."""
    hit = 0
    for seed in range(500):
        data = logged(600, seed)
        guess = {label: data["means"][:, place] * 0.8 for place, label in enumerate(ACTIONS.tolist())}
        value = measurement.policy_value(
            data["outcome"], data["action"], data["propensity"], data["plan"], predicted=guess, method=method
        )
        hit += value.interval[0] <= 15 <= value.interval[1]
    assert stats.binom.ppf(0.0005, 500, 0.95) <= hit <= stats.binom.ppf(0.9995, 500, 0.95)


@pytest.mark.parametrize("method", ["ips", "snips"])
def test_a_pair_of_plans_is_compared_on_the_same_log(method: str) -> None:
    """500 logs of 600 guests; the true difference to giving all soup is 15 - 35/3; tolerance from the binomial (99.9 %)."""
    hit, surer = 0, 0
    for seed in range(500):
        data = logged(600, seed)
        rows = [data[name] for name in ("outcome", "action", "propensity", "plan")]
        found = measurement.policy_difference(*rows, ["soup"] * 600, method=method)
        one, other = found.values
        assert found.estimate == pytest.approx(one.estimate - other.estimate)
        hit += found.interval[0] <= 15 - 35 / 3 <= found.interval[1]
        surer += np.ptp(found.interval) < np.ptp(one.interval) + np.ptp(other.interval)
    assert stats.binom.ppf(0.0005, 500, 0.95) <= hit <= stats.binom.ppf(0.9995, 500, 0.95)
    assert surer == 500


def test_plans_that_differ_for_few_guests_are_told_apart_better_than_their_values() -> None:
    data = logged(2_000, 1)
    plan = data["plan"].copy()
    plan[:100] = "none"
    rows = [data[name] for name in ("outcome", "action", "propensity")]
    found = measurement.policy_difference(*rows, data["plan"], plan)
    assert np.ptp(found.interval) < 0.5 * np.ptp(found.values[0].interval)
    assert not measurement.policy_difference(*rows, data["plan"], data["plan"]).is_conclusive
    assert "cannot be known" in measurement.policy_difference(*rows, data["plan"], data["plan"]).words()
    assert "more than the other" in measurement.policy_difference(*rows, data["plan"], ["none"] * 2_000).words()
    assert "less than the other" in measurement.policy_difference(*rows, ["none"] * 2_000, data["plan"]).words()


def test_good_predictions_make_the_answer_surer() -> None:
    data = logged(2_000, seed=1)
    rows = {name: data[name] for name in ("outcome", "action", "propensity", "plan")}
    guess = {label: data["means"][:, place] for place, label in enumerate(ACTIONS.tolist())}
    assert np.ptp(measurement.policy_value(**rows, predicted=guess).interval) < np.ptp(
        measurement.policy_value(**rows, method="ips").interval
    )


def test_a_plan_may_be_random_and_the_logged_plan_has_no_change() -> None:
    data = logged(1_000, seed=2)
    even = {label: np.full(1_000, 1 / 3) for label in ACTIONS.tolist()}
    value = measurement.policy_value(data["outcome"], data["action"], data["propensity"], even)
    assert value.interval[0] < 35 / 3 < value.interval[1]
    same = measurement.policy_value(data["outcome"], data["action"], np.ones(1_000), data["action"])
    assert same.change == pytest.approx(0)


def test_a_plan_that_may_be_better_or_worse_says_so() -> None:
    rng = np.random.default_rng(5)
    drawn = ACTIONS[rng.integers(0, 3, 300)]
    value = measurement.policy_value(rng.gamma(2, 5, 300), drawn, np.full(300, 1 / 3), np.full(300, "soup"))
    assert value.words().endswith("Whether it is better cannot be known yet.")


def test_little_overlap_is_told() -> None:
    rng = np.random.default_rng(3)
    action = np.where(rng.random(500) < 0.02, "soup", "none")
    value = measurement.policy_value(
        rng.gamma(2, 5, 500), action, np.where(action == "soup", 0.02, 0.98), np.full(500, "soup")
    )
    assert value.effective_n < 50
    assert "Little overlap" in value.words()


def test_propensities_that_are_not_those_of_the_draw_are_noticed() -> None:
    rng = np.random.default_rng(4)
    action = np.where(rng.random(2_000) < 0.5, "soup", "none")
    value = measurement.policy_value(rng.gamma(2, 5, 2_000), action, np.full(2_000, 0.8), np.full(2_000, "soup"))
    assert "not those of the draw" in value.words()


ROWS = {"outcome": [1.0, 2.0], "action": ["a", "b"], "propensity": [0.5, 0.5], "plan": ["a", "a"]}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"propensity": None}, DesignError, "2 of 2 exposures were logged without propensity"),
        ({"propensity": [0.5, float("nan")]}, DesignError, "1 of 2 exposures were logged without propensity"),
        ({"propensity": [0.5, 0.0]}, DataError, r"propensity\[1\] is 0.0"),
        ({"propensity": [0.5, 1.5]}, DataError, r"propensity\[1\] is 1.5"),
        ({"propensity": [0.5]}, ValueError, "expected one for each guest"),
        ({"plan": ["a", "c"]}, DesignError, r"gives 'c' to 50.0% of the guests, but nobody ever got it"),
        ({"plan": ["b", "a"]}, DesignError, "no guest got what the plan would give them"),
        ({"plan": {"a": [0.5, 0.5], "b": [0.5, 0.2]}}, DataError, "guest 1 are no chances that add up to 1"),
        ({"method": "dr"}, ValueError, "needs the predicted outcomes"),
        ({"predicted": {"a": [1.0, 1.0]}}, ValueError, "no prediction for action 'b'"),
    ],
)
def test_what_cannot_be_valued_is_refused_with_a_reason(
    change: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        measurement.policy_value(**{**ROWS, **change})  # type: ignore[arg-type]
