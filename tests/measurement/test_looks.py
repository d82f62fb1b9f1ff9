"""Daily looks, quantiles, and whether the campaign was run as drawn."""

from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import optimize, stats

from regulars import measurement
from regulars.errors import DataError, DesignError
from regulars.measurement.levels import sequential_level, sequential_p_value
from regulars.wording import Sentence

DAYS = 30
MASS = optimize.brentq(lambda m: m - np.log1p(m) + 2 * np.log(0.05), 1, 100, xtol=1e-14)


def bills(rng: np.random.Generator, n: int) -> np.ndarray:
    return (rng.random(n) < 0.35) * rng.lognormal(3.3, 0.7, n)


@pytest.mark.parametrize("control_share", [0.5, 0.1])
def test_no_winner_by_chance_however_often_somebody_looks(control_share: float) -> None:
    """100 campaigns without effect, 25 daily looks each; at most 5 % false winners (and 99.9 % of the binomial on top)."""
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(100):
        arm = np.where(rng.random(600) < control_share, "control", "offer")
        spend = bills(rng, 600)
        wrong += any(
            measurement.compare(spend[:n], arm[:n], anytime=True)[0].is_conclusive for n in range(120, 601, 600 // DAYS)
        )
    assert wrong <= stats.binom.ppf(0.999, 100, 0.05)


def test_looking_every_day_at_intervals_for_one_look_would_crown_chance() -> None:
    """The same without `anytime`: the test above can fail."""
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(60):
        arm = np.where(rng.random(600) < 0.5, "control", "offer")
        spend = bills(rng, 600)
        wrong += any(measurement.compare(spend[:n], arm[:n])[0].is_conclusive for n in range(120, 601, 600 // DAYS))
    assert wrong > 8


def test_the_boundary_is_the_published_confidence_sequence() -> None:
    """Waudby-Smith and others 2024, theorem 2.2, with unit variance; tightest where m = log(1 + m) + 2 log(1 / alpha)."""
    for n in (50, 1_000, 20_000):
        rho = np.sqrt(MASS / 1_000)
        published = np.sqrt(2 * (n * rho**2 + 1) / (n * rho**2) ** 2 * rho**2 * np.log(np.sqrt(n * rho**2 + 1) / 0.05))
        ours = stats.norm.isf(sequential_level(0.05, n, 1_000) / 2) / np.sqrt(n)
        assert_allclose(ours, published, rtol=1e-9)
    half = [stats.norm.isf(sequential_level(0.05, 1_000, tightest) / 2) for tightest in (500, 1_000, 2_000)]
    assert half[1] == min(half)


def test_a_control_where_nobody_came_yet_is_not_taken_for_sure() -> None:
    """Welch's error here is that of the offer's arm alone; pooled, it is more than three times as great."""
    spend = np.concatenate([np.tile([0.0, 30.0, 60.0], 30), np.zeros(10)])
    (lift,) = measurement.compare(spend, ["offer"] * 90 + ["control"] * 10, anytime=True)
    assert not lift.is_conclusive
    assert np.ptp(lift.interval) / 2 > 3 * spend[:90].std() / np.sqrt(10)


def test_several_offers_under_daily_looks_share_alpha() -> None:
    rng = np.random.default_rng(3)
    lifts = measurement.compare(rng.normal(size=900), np.tile(["control", "a", "b"], 300), anytime=True)
    assert_allclose([lift.single_level for lift in lifts], sequential_level(0.025, 600, 1_000), rtol=1e-12)
    assert all(lift.stop_reason() is None for lift in lifts)
    assert [lift.stop_reason(worth=1.0) for lift in lifts] == [Sentence("stop_idle", offer=offer) for offer in "ab"]


def test_the_sequential_p_value_is_the_least_level_that_excludes_nothing_happened() -> None:
    for z in (2.5, 3.2, 4.5):
        p_value = sequential_p_value(2 * stats.norm.sf(z), 800, 1_000, 0.05)
        if p_value < 1:
            mass = 800 * MASS / 1_000
            boundary = np.sqrt((1 + 1 / mass) * (np.log1p(mass) - 2 * np.log(p_value)))
            assert_allclose(boundary, z, rtol=1e-9)
    (lift,) = measurement.compare(
        [9.0, 8, 9, 8.5] * 50 + [8.0, 7, 8, 7.5] * 50, ["a"] * 200 + ["b"] * 200, "b", anytime=True
    )
    assert lift.is_conclusive == (lift.p_value < 0.05)


def test_the_median_covers_the_truth_as_often_as_it_claims() -> None:
    """500 campaigns; the true difference of medians is 3; tolerance from the binomial (99.9 %)."""
    rng = np.random.default_rng(1)
    arm = np.array(["offer"] * 200 + ["control"] * 200)
    hit = 0
    for _ in range(500):
        (lift,) = measurement.compare_quantile(rng.lognormal(3, 0.6, 400) + 3 * (arm == "offer"), arm)
        hit += lift.interval[0] <= 3 <= lift.interval[1]
    assert stats.binom.ppf(0.0005, 500, 0.95) <= hit <= stats.binom.ppf(0.9995, 500, 0.95)


def test_quantiles_that_say_nothing_are_refused() -> None:
    arm = ["offer"] * 50 + ["control"] * 50
    with pytest.raises(DesignError, match="all outcomes are equal"):
        measurement.compare_quantile([0.0] * 100, arm)
    with pytest.raises(DesignError, match="too few to enclose its quantile"):
        measurement.compare_quantile(np.arange(100.0), arm, 0.99)
    with pytest.raises(ValueError, match="quantile must lie"):
        measurement.compare_quantile(np.arange(100.0), arm, 1.0)


def test_open_windows_are_refused_with_the_day_to_look_again() -> None:
    exposed = np.array(["2026-03-01T12:00", "2026-03-05T12:00", "2026-03-09T12:00"], dtype="datetime64[s]")
    with pytest.raises(
        DesignError, match=r"the 14 days of 2 of 3 guests are not over at 2026-03-16 12:00; look again in 7 days"
    ):
        measurement.check_windows_over(exposed, days=14, as_of=datetime(2026, 3, 16, 12))
    measurement.check_windows_over(exposed, days=14, as_of=datetime(2026, 3, 23, 12, tzinfo=UTC))
    with pytest.raises(DataError, match=r"exposed_at\[1\] is missing"):
        measurement.check_windows_over([datetime(2026, 3, 1), None], days=14, as_of=datetime(2026, 4, 1))


def test_shares_changed_midway_are_noticed_and_steady_ones_are_not() -> None:
    rng = np.random.default_rng(2)
    times = np.datetime64("2026-03-01") + np.sort(rng.integers(0, 30, 3_000)).astype("timedelta64[D]")
    steady = np.where(rng.random(3_000) < 0.1, "holdout", "treated")
    measurement.check_shares_steady(steady, times)
    changed = np.where(
        rng.random(3_000) < np.where(times < np.datetime64("2026-03-16"), 0.1, 0.3), "holdout", "treated"
    )
    with pytest.raises(DesignError, match="the assignment was changed midway: from 2026-03-"):
        measurement.check_shares_steady(changed, times)
    measurement.check_shares_steady(steady, np.full(3_000, np.datetime64("2026-03-01")))
