"""Back-tests: what earlier campaigns foretold of later ones."""

import datetime as dt

import pytest

import regulars as rg
from regulars.guests import Facts
from regulars.results import backtest, middle_date


def test_a_backtest_learns_only_from_before_the_cut_off(shop: rg.Lake) -> None:
    test = backtest(Facts.of(shop), cut_off=dt.date(2026, 8, 1), window_days=21)
    assert test.before > 0
    assert sum(band.guests for band in test.bands) == test.after
    assert sum(offer.actual for offer in test.offers) > 0
    for offer in test.offers:
        assert offer.low <= offer.actual <= offer.high
        assert abs(offer.predicted - offer.actual) < 0.3 * offer.actual
    assert "were foretold" in test.sentence


def test_a_cut_off_with_nothing_on_one_side_is_refused(shop: rg.Lake) -> None:
    with pytest.raises(rg.DesignError, match="no campaigns lie on both sides"):
        backtest(Facts.of(shop), cut_off=dt.date(2026, 5, 1), window_days=21)
    with pytest.raises(rg.DesignError, match="it takes 3"):
        middle_date(Facts.of(shop), 21)
