"""The BG/NBD model against its paper, against quadrature, against simulation, and against bad data."""

import math
from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from regulars.errors import DataError, FitError
from regulars.profiles import build
from regulars.profiles.lifetime import BgNbd, Histories, bg_nbd, fit_bg_nbd, histories, holdout_check
from regulars.profiles.lifetime.bg_nbd import _Likelihood

CALIBRATION_END = date(1997, 9, 30)


@pytest.fixture(scope="module")
def weeks(cdnow: pl.DataFrame) -> Histories:
    days = histories(build(cdnow, as_of=CALIBRATION_END))
    return Histories(days.frequency, days.recency / 7, days.age / 7)


@pytest.fixture(scope="module")
def model(weeks: Histories) -> BgNbd:
    return fit_bg_nbd(*weeks)


def test_cdnow_parameters_match_fader_hardie_lee_2005(model: BgNbd) -> None:
    assert np.round(model.parameters[[0, 2]], 3).tolist() == [0.243, 0.793]
    assert model.parameters == pytest.approx([0.2426, 4.4136, 0.7929, 2.4259], abs=6e-5)
    assert round(model.log_likelihood, 1) == -9582.4


def test_cdnow_summary_gives_the_printed_digits(wheel_file: Callable[[str, str], object]) -> None:
    table = pl.read_csv(wheel_file("lifetimes", "datasets/cdnow_customers_summary.csv"))  # type: ignore[arg-type]
    model = fit_bg_nbd(table["frequency"], table["recency"], table["T"])
    assert np.round(model.parameters, 4).tolist() == [0.2426, 4.4135, 0.7929, 2.4258]
    assert round(model.log_likelihood, 2) == -9582.43
    assert model.standard_errors == pytest.approx([0.012557, 0.378221, 0.185719, 0.705345], rel=1e-4)


def test_seventy_eight_weeks_of_cdnow_are_forecast_within_five_percent(
    cdnow: pl.DataFrame, weeks: Histories, model: BgNbd
) -> None:
    visits = cdnow.unique(["guest_id", "business_date"]).height - weeks.age.size
    assert model.expected_orders(weeks.age + 39).sum() == pytest.approx(visits, rel=0.05)


def test_the_held_out_half_of_cdnow_keeps_its_order(cdnow: pl.DataFrame, weeks: Histories, model: BgNbd) -> None:
    """The second 39 weeks come out 12 % low, a known trait of this model on these data; the tenths keep their rank."""
    later = cdnow.filter(pl.col("business_date") > CALIBRATION_END).unique(["guest_id", "business_date"])
    counts = later.group_by("guest_id").agg(actual=pl.len())
    guests = build(cdnow, as_of=CALIBRATION_END).join(counts, on="guest_id", how="left")
    days = histories(guests)
    predicted = model.expected_orders(39, days.frequency, days.recency / 7, days.age / 7)
    check = holdout_check(predicted, guests["actual"].fill_null(0))
    assert check.actual == 1882
    assert check.ratio == pytest.approx(0.88, abs=0.01)
    assert check.tenths[0].actual > 2 * check.tenths[1].actual > 2 * check.tenths[3].actual


def test_the_unit_of_time_changes_alpha_alone(weeks: Histories, model: BgNbd) -> None:
    days = fit_bg_nbd(weeks.frequency, weeks.recency * 7, weeks.age * 7)
    assert days.parameters / model.parameters == pytest.approx([1, 7, 1, 1], rel=1e-5)


def test_a_weight_is_as_good_as_a_repetition() -> None:
    rows = np.array([[0, 0, 38], [1, 10, 36], [2, 20, 38], [5, 30, 38]], dtype=float)
    weights = np.array([600, 150, 80, 40])
    weighted = fit_bg_nbd(*rows.T, weights=weights)
    repeated = fit_bg_nbd(*np.repeat(rows, weights, axis=0).T)
    assert weighted.parameters == pytest.approx(repeated.parameters, rel=1e-9)
    assert weighted.log_likelihood == pytest.approx(repeated.log_likelihood)


@settings(max_examples=50, deadline=None)
@given(logs=st.tuples(*[st.floats(-2, 3)] * 4))
def test_the_derivatives_are_those_of_the_value(logs: tuple[float, ...]) -> None:
    rows = np.array([[0, 0, 30], [1, 10, 30], [2, 25, 38], [6, 30, 38], [40, 37, 38]], dtype=float)
    likelihood = _Likelihood(rows, np.array([50.0, 12, 9, 3, 1]))
    at = np.exp(np.array(logs))
    here = likelihood(at)
    for index in range(4):
        nudge = np.zeros(4)
        nudge[index] = at[index] * 1e-5
        up, down = likelihood(at + nudge), likelihood(at - nudge)
        slope = (up.value - down.value) / (2 * nudge[index])
        assert here.gradient[index] == pytest.approx(slope, rel=1e-4, abs=1e-4 * abs(here.value))
        bend = (up.gradient - down.gradient) / (2 * nudge[index])
        assert here.hessian[index] == pytest.approx(bend, rel=1e-4, abs=1e-6 * np.abs(here.hessian).max())


def by_quadrature(model: BgNbd, horizon: float, repeats: float, last: float, age: float) -> float:
    """E[(1 - exp(-lambda p t)) / p] over what is known of lambda and p, times the probability of being alive."""
    k, beta = model.r + repeats, model.alpha + age
    leaving = stats.beta(model.a, model.b + repeats)

    def visits(p: float) -> float:
        return float((1 - (beta / (beta + p * horizon)) ** k) / p * leaving.pdf(p))

    parts = [integrate.quad(visits, low, high, limit=200)[0] for low, high in [(0, 1e-4), (1e-4, 0.05), (0.05, 1)]]
    return sum(parts) * float(model.alive_probability(repeats, last, age))


@pytest.mark.parametrize("a", [0.7929, 1.0, 1.6])
@pytest.mark.parametrize("history", [(0, 0, 38), (2, 30.43, 38.86), (26, 30, 31), (300, 38, 38.5)])
def test_expected_orders_agree_with_quadrature(model: BgNbd, a: float, history: tuple[float, float, float]) -> None:
    changed = BgNbd(r=0.2426, alpha=4.4135, a=a, b=2.4258, log_likelihood=0, guests=1, covariance=np.eye(4))
    assert changed.expected_orders(39, *history) == pytest.approx(by_quadrature(changed, 39, *history), rel=2e-4)


def test_the_guest_of_the_paper_is_expected_to_come_once_more(model: BgNbd) -> None:
    """Fader, Hardie & Lee's note on the spreadsheet: x = 2, t = 30.43, T = 38.86 gives 1.226 visits in 39 weeks."""
    assert model.expected_orders(39, 2, 30.43, 38.86) == pytest.approx(1.226, abs=1e-3)


def test_a_thousand_visits_overflow_nothing(model: BgNbd) -> None:
    history = (np.array([1_000.0, 5_000.0]), np.array([38.0, 38.0]), np.array([38.1, 38.1]))
    for numbers in (
        model.alive_probability(*history),
        model.expected_orders(39, *history),
        model.silence_probability(4, *history),
        model.order_quantiles(0.5, 39, *history),
    ):
        assert np.isfinite(numbers).all()
    assert model.expected_orders(39, *history)[0] > 500


def test_a_thousand_visits_and_then_silence_are_fitted(weeks: Histories, model: BgNbd) -> None:
    """The odds that such a guest has left overflow a float; the logarithm of the likelihood does not."""
    with_him = fit_bg_nbd(np.append(weeks.frequency, 1_000), np.append(weeks.recency, 9), np.append(weeks.age, 39))
    assert np.isfinite(with_him.log_likelihood)
    assert np.isfinite(with_him.covariance).all()
    assert with_him.alive_probability(1_000, 9, 39) == pytest.approx(0, abs=1e-9)


def test_threads_add_up_to_what_one_pass_gives(weeks: Histories, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fit_bg_nbd(*weeks)
    monkeypatch.setattr(bg_nbd, "_ROWS", 100)
    assert fit_bg_nbd(*weeks).parameters == pytest.approx(whole.parameters, rel=1e-9)


def test_parameters_and_intervals_are_right_by_simulation() -> None:
    """5,000 guests with known parameters: estimates within 4 standard errors, nine in ten futures within the interval."""
    generator = np.random.default_rng(7)
    count, age, horizon = 5_000, 52.0, 26.0
    truth = np.array([0.6, 5.0, 0.9, 2.5])
    rate, leaving = generator.gamma(truth[0], 1 / truth[1], count), generator.beta(truth[2], truth[3], count)
    frequency, recency, future, now = np.zeros(count), np.zeros(count), np.zeros(count), np.zeros(count)
    guests = np.arange(count)
    while guests.size:
        now[guests] += generator.exponential(1 / rate[guests])
        guests = guests[now[guests] < age + horizon]
        is_past = now[guests] < age
        frequency[guests] += is_past
        recency[guests[is_past]] = now[guests[is_past]]
        future[guests] += ~is_past
        guests = guests[generator.random(guests.size) > leaving[guests]]
    model = fit_bg_nbd(frequency, recency, np.full(count, age))
    assert (np.abs(model.parameters - truth) < 4 * model.standard_errors).all()
    history = (frequency, recency, np.full(count, age))
    assert model.expected_orders(horizon, *history).sum() == pytest.approx(future.sum(), rel=0.05)
    error = 4 * math.sqrt(0.25 / count)
    assert model.silence_probability(horizon, *history).mean() == pytest.approx((future == 0).mean(), abs=error)
    for share in (0.8, 0.95):
        assert (future <= model.order_quantiles(share, horizon, *history)).mean() >= share - error


def test_quantiles_invert_the_silence_probability(model: BgNbd, weeks: Histories) -> None:
    silence = model.silence_probability(8, *weeks)
    assert ((model.order_quantiles(0.6, 8, *weeks) == 0) == (silence >= 0.6)).all()


def test_the_error_of_an_expectation_shrinks_with_the_guests(weeks: Histories, model: BgNbd) -> None:
    fourfold = fit_bg_nbd(*weeks, weights=np.full(weeks.age.size, 4))
    one, other = (fitted.expected_orders_error(39, 2, 30.43, 38.86) for fitted in (model, fourfold))
    assert one / other == pytest.approx(2, rel=1e-3)
    assert 0.01 < one < 0.2


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((1, 40, 38), "recency greater than its age"),
        ((0, 5, 38), "recency without repeat visits"),
        ((2, 0, 38), "repeat visits without a recency"),
        ((-1, 0, 38), "counts no repeat visits"),
        ((1.5, 5, 38), "counts no repeat visits"),
        ((1, -5, 38), "recency below 0"),
        ((1, math.nan, 38), "no finite number"),
        ((1, 5, math.inf), "no finite number"),
    ],
)
def test_a_history_that_cannot_be_is_named_with_its_row(row: tuple[float, ...], message: str) -> None:
    rows = np.array([[1, 5, 38], row], dtype=float)
    with pytest.raises(DataError, match=rf"row 1 \(counted from 0\) .*{message}"):
        fit_bg_nbd(*rows.T)


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [1.0, math.nan]])
def test_weights_must_fit(weights: list[float]) -> None:
    with pytest.raises(DataError, match="weights must be 2 numbers"):
        fit_bg_nbd([0, 1], [0, 5], [38, 38], weights=weights)


def test_no_guests_are_refused() -> None:
    with pytest.raises(DataError, match="no guests"):
        fit_bg_nbd([], [], [])


def test_nobody_came_twice() -> None:
    with pytest.raises(FitError, match="nobody came a second time"):
        fit_bg_nbd([0, 0, 0], [0, 0, 0], [30, 31, 32])


@pytest.mark.parametrize("row", [(3, 30, 38), (1, 1, 38), (9, 38, 38)])
def test_guests_all_alike_identify_nothing_and_it_is_said(row: tuple[float, float, float]) -> None:
    with pytest.raises(FitError, match="do not identify"):
        fit_bg_nbd(*np.tile(np.array(row, dtype=float), (500, 1)).T)
