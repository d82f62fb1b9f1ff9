"""The value of a guest's visits to come: simulated guests fall within their intervals as often as said."""

import numpy as np
import pytest
from scipy import stats

from regulars.errors import DataError
from regulars.profiles.lifetime import BgNbd, GammaGamma, value_quantiles
from regulars.profiles.lifetime.worth import _reached

VISITS = BgNbd(r=0.8, alpha=20.0, a=0.9, b=3.0, log_likelihood=0.0, guests=1.0, covariance=np.eye(4))
VALUES = GammaGamma(p=4.0, q=5.0, gamma=2_000.0, log_likelihood=0.0, guests=1.0, covariance=np.eye(3))


def simulated(n: int, age: float, horizon: float) -> tuple[np.ndarray, ...]:
    """frequency, recency, total of the past, and the value of the horizon after, of n guests drawn from the models."""
    draw = np.random.default_rng(7)
    rate, leaves = draw.gamma(VISITS.r, 1 / VISITS.alpha, n), draw.beta(VISITS.a, VISITS.b, n)
    worth_rate = draw.gamma(VALUES.q, 1 / VALUES.gamma, n)
    times, here = np.zeros((n, 600)), np.ones(n, dtype=bool)
    clock = np.zeros(n)
    for place in range(600):
        clock = clock + draw.exponential(1 / rate)
        times[:, place] = np.where(here, clock, np.inf)
        here &= draw.random(n) >= leaves
    past, future = times <= age, (times > age) & (times <= age + horizon)
    frequency = past.sum(axis=1)
    recency = np.where(past, times, 0).max(axis=1)
    total = draw.gamma(VALUES.p * (frequency + 1)) / worth_rate
    n_later = future.sum(axis=1)
    later = np.where(n_later > 0, draw.gamma(np.maximum(VALUES.p * n_later, 1e-9)) / worth_rate, 0.0)
    return frequency, recency, total, later


def test_simulated_guests_stay_below_their_quantiles_as_often_as_said() -> None:
    n, age, horizon = 20_000, 180.0, 90.0
    frequency, recency, total, later = simulated(n, age, horizon)
    for share in (0.05, 0.5, 0.8, 0.95, 0.9999):
        quantile = value_quantiles(share, horizon, VISITS, VALUES, frequency, recency, np.full(n, age), total)
        assert (later <= quantile).mean() >= share - 4 * np.sqrt(share * (1 - share) / n)
        came = quantile > 0
        silent = VISITS.silence_probability(horizon, frequency, recency, np.full(n, age))
        assert (came == (silent < share)).all()
        error = 4 * np.sqrt(share * (1 - share) / came.sum())
        assert (later <= quantile)[came].mean() == pytest.approx(share, abs=error + 0.004)


def test_the_normal_by_cube_roots_is_near_the_f_distribution() -> None:
    masses, cube_roots = np.array([0.0, 1.0]), np.array([0.0, 1.0])
    for p, q in ((1.5, 2.0), (4.0, 5.0), (6.0, 40.0)):
        for value in (0.2, 0.7, 1.5, 4.0):
            exact = stats.betaprime.cdf(value, p, q)
            assert _reached(value, masses, cube_roots, p, q) == pytest.approx(exact, abs=0.006)


def test_an_unknown_total_counts_as_the_crowds_and_a_loss_has_no_interval() -> None:
    low, crowd, high, loss = value_quantiles(0.9, 90, VISITS, VALUES, 3, 100, 120, [400.0, np.nan, 40_000.0, -5.0])
    assert 0 < low < crowd < high
    assert np.isnan(loss)


def test_a_thousand_visits_overflow_nothing() -> None:
    [worth] = value_quantiles(0.95, 365, VISITS, VALUES, [1_000], [1_000], [1_000], [500_000.0])
    assert 365 * 500 * 0.7 < worth < 365 * 500 * 1.6


def test_a_share_that_is_no_probability_is_refused() -> None:
    with pytest.raises(DataError, match="between 0 and 1"):
        value_quantiles(95, 90, VISITS, VALUES, 1, 10, 20, 100.0)
