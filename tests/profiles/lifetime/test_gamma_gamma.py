"""The Gamma-Gamma model against its paper, against simulation, and against bad data."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from regulars.errors import DataError, FitError
from regulars.profiles.lifetime import GammaGamma, fit_gamma_gamma


@pytest.fixture(scope="module")
def spenders(wheel_file: Callable[[str, str], Path]) -> pl.DataFrame:
    path = wheel_file("lifetimes", "datasets/cdnow_customers_summary_with_transactions.csv")
    return pl.read_csv(path).filter(pl.col("x") > 0)


@pytest.fixture(scope="module")
def model(spenders: pl.DataFrame) -> GammaGamma:
    return fit_gamma_gamma(spenders["x"], spenders["zbar"])


def test_cdnow_parameters_match_fader_hardie_2013(model: GammaGamma) -> None:
    assert model.parameters == pytest.approx([6.25, 3.74, 15.44], abs=0.01)
    assert model.guests == 946


def test_the_crowds_mean_is_that_of_the_paper(model: GammaGamma) -> None:
    assert model.expected_value() == pytest.approx(35.17, abs=0.02)


def test_a_guest_lies_between_his_own_mean_and_the_crowds(model: GammaGamma) -> None:
    expected = model.expected_value([1, 10, 100], [80.0, 80.0, 80.0])
    assert model.expected_value() < expected[0] < expected[1] < expected[2] < 80


def test_simulated_parameters_come_back() -> None:
    generator = np.random.default_rng(3)
    truth = np.array([5.0, 3.5, 20.0])
    visits = generator.integers(1, 8, 20_000)
    rate = generator.gamma(truth[1], 1 / truth[2], visits.size)
    means = generator.gamma(truth[0] * visits, 1 / (rate * visits))
    model = fit_gamma_gamma(visits, means)
    assert (np.abs(model.parameters - truth) < 4 * model.standard_errors).all()


def test_a_weight_is_as_good_as_a_repetition(spenders: pl.DataFrame, model: GammaGamma) -> None:
    twice = fit_gamma_gamma(spenders["x"], spenders["zbar"], weights=np.full(946, 2))
    assert twice.parameters == pytest.approx(model.parameters, rel=1e-5)
    assert twice.standard_errors == pytest.approx(model.standard_errors / math.sqrt(2), rel=1e-4)


@pytest.mark.parametrize("row", [(0, 10.0), (1, 0.0), (1, -5.0), (1, math.nan)])
def test_values_and_visits_must_be_above_nothing(row: tuple[float, float]) -> None:
    with pytest.raises(DataError, match=r"row 1 \(counted from 0\)"):
        fit_gamma_gamma([2, row[0]], [10.0, row[1]])


def test_no_guests_are_refused() -> None:
    with pytest.raises(DataError, match="no guests"):
        fit_gamma_gamma([], [])


def test_equal_values_identify_nothing_and_it_is_said() -> None:
    with pytest.raises(FitError, match="do not identify"):
        fit_gamma_gamma(np.full(300, 3), np.full(300, 20.0))


def test_values_without_a_mean_are_refused() -> None:
    generator = np.random.default_rng(1)
    rate = generator.gamma(0.7, 1 / 20, 5_000)
    with pytest.raises(FitError, match="have no mean"):
        fit_gamma_gamma(np.full(5_000, 3), generator.gamma(15, 1 / (3 * rate)))
