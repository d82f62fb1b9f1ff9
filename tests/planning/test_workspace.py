"""What an operator does with a workspace between plans: look back, look at the crowd, ask the doctor."""

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pytest

import regulars as rg
from regulars.planning import backtest, examine, find_segment, keep_profiles, middle_date
from regulars.planning.facts import Facts
from shops import NOW, make_lake


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


def test_profiles_are_kept_and_asked_by_rule(tmp_path: Path) -> None:
    lake = make_lake(tmp_path / "workspace", guests=100)
    date, crowd = keep_profiles(lake)
    assert date == dt.date(2026, 10, 27)
    found = find_segment(lake, "visits >= 5", tmp_path / "out.csv")
    assert found.of == len(crowd)
    assert min(found.guests["visits"].to_pylist()) >= 5
    assert arrow_csv.read_csv(tmp_path / "out.csv").num_rows == len(found.guests)
    with pytest.raises(rg.DataError, match=r"an export is a \.csv or a \.parquet file"):
        find_segment(lake, "visits >= 5", tmp_path / "out.xls")


def test_an_export_cannot_run_formulas(tmp_path: Path) -> None:
    lake = make_lake(tmp_path / "workspace", guests=20)
    names = ["=1+1", "+1", "-1", "@sum", "fine"]
    orders = {
        "order_id": [f"X{i}" for i in range(5)], "guest_id": names, "store_id": ["S1"] * 5,
        "ordered_at": [NOW - dt.timedelta(days=30)] * 5, "amount_minor": [100] * 5,
    }  # fmt: skip
    lake.load("orders", pa.table(orders), now=NOW)
    find_segment(lake, "spend_minor == 100", tmp_path / "out.csv")
    written = arrow_csv.read_csv(tmp_path / "out.csv")["guest_id"].to_pylist()
    assert set(written) == {"'=1+1", "'+1", "'-1", "'@sum", "fine"}


def test_the_doctor_says_what_is_missing_and_what_is_old(tmp_path: Path, shop: rg.Lake) -> None:
    empty = rg.Lake.create(tmp_path / "empty")
    states = {finding.subject: finding.state for finding in examine(empty, NOW)}
    assert states["orders"] == "wrong"
    seen = {finding.subject: finding for finding in examine(shop, NOW + dt.timedelta(days=100))}
    assert seen["orders"].state == "good"
    assert "days ago" in seen["freshness"].words
    assert "logged propensity" in seen["past campaigns"].words


def test_the_doctor_sees_unlogged_propensities(targeted: rg.Lake) -> None:
    seen = {finding.subject: finding for finding in examine(targeted, NOW)}
    assert seen["past campaigns"].state == "look"


def test_orders_without_guests_have_no_profiles(tmp_path: Path) -> None:
    lake = rg.Lake.create(tmp_path / "workspace")
    lake.load("stores", pa.table({"store_id": ["S1"]}), now=NOW)
    orders = {"order_id": ["A"], "store_id": ["S1"], "ordered_at": ["2026-05-01T12:00:00Z"], "amount_minor": [100]}
    lake.load("orders", pa.table(orders), now=NOW)
    with pytest.raises(rg.DataError, match="no order names its guest; map guest_id"):
        keep_profiles(lake)


def test_a_date_before_the_first_order_is_refused(shop: rg.Lake) -> None:
    with pytest.raises(rg.DataError, match="no guest had ordered by 2020-01-01"):
        keep_profiles(shop, dt.date(2020, 1, 1))
