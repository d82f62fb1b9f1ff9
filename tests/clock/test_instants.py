"""Instants: every one has a trading day and an hour, on every day that a zone has ever had."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clock.moments import CHANGES, DAY, HOUR, NEW_YORK, at, closings, moments, offset, usual
from regulars.clock import StoreClock, business_date, day_begins, store_hour
from regulars.errors import DataError


def test_there_are_odd_days_to_test_on() -> None:
    assert len(CHANGES) > 80
    assert any(offset(change - HOUR, zone) < offset(change, zone) for zone, change in CHANGES)


@settings(max_examples=150, deadline=None)
@given(moment=moments, closes=closings)
def test_I7_every_instant_has_one_trading_day(moment: tuple[str, dt.datetime], closes: str) -> None:
    zone, instant = moment
    day = business_date(instant, zone, closes)
    assert day_begins(day, zone, closes) <= instant < day_begins(day + DAY, zone, closes)


@settings(max_examples=150, deadline=None)
@given(moment=moments, closes=closings, minutes=st.integers(0, 180))
def test_I7_no_trading_day_comes_back(moment: tuple[str, dt.datetime], closes: str, minutes: int) -> None:
    zone, instant = moment
    later = instant + minutes * dt.timedelta(minutes=1)
    assert business_date(instant, zone, closes) <= business_date(later, zone, closes)


@settings(max_examples=150, deadline=None)
@given(moment=usual, closes=closings)
def test_I7_on_usual_days_the_clock_on_the_wall_decides(moment: tuple[str, dt.datetime], closes: str) -> None:
    zone, instant = moment
    assume(len({offset(instant + hours * HOUR, zone) for hours in (-30, -12, -3, 0, 3, 12, 30)}) == 1)
    wall = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    is_before = f"{wall:%H:%M}" < closes.replace("24:00", "00:00")
    assert business_date(instant, zone, closes) == wall.date() - is_before * DAY


@pytest.mark.parametrize(
    ("shown", "day"),
    [("2026-03-08T03:59", "2026-03-07"), ("2026-03-08T04:00", "2026-03-08"), ("2028-02-29T03:59", "2028-02-28"),
     ("2028-02-29T04:00", "2028-02-29"), ("2028-03-01T03:59", "2028-02-29"), ("2026-11-01T04:00", "2026-11-01")],
)  # fmt: skip
def test_I7_the_day_closes_at_four_on_leap_days_and_when_clocks_change(shown: str, day: str) -> None:
    assert business_date(at(shown), NEW_YORK).isoformat() == day


def test_I7_a_day_that_closes_in_the_gap_closes_when_it_would_have() -> None:
    """On 8 March 2026 New York leaps from 02:00 to 03:00; 02:30 would have been half an hour later."""
    leap = at("2026-03-08T03:00")
    days = [
        business_date(leap + minutes * dt.timedelta(minutes=1), NEW_YORK, "02:30").day for minutes in (-1, 0, 29, 30)
    ]
    assert days == [7, 7, 7, 8]


def test_I7_a_day_that_closes_in_an_hour_that_comes_twice_closes_once() -> None:
    first, again = at("2026-11-01T01:45"), at("2026-11-01T01:15", fold=1)
    assert [business_date(instant, NEW_YORK, "01:30").day for instant in (first, again)] == [1, 1]


def test_I7_a_day_that_closes_at_midnight_does_not_come_back_with_an_hour_before_it() -> None:
    """St. John's put its clocks back at 00:01, from 7 to 6 November 2010."""
    shown = [at("2010-11-06T23:30", "America/St_Johns", fold=fold) for fold in (0, 1)]
    assert [business_date(instant, "America/St_Johns", "00:00").day for instant in shown] == [6, 7]


def test_I7_a_date_that_a_zone_leapt_over_has_no_hour() -> None:
    """Samoa went from 29 to 31 December 2011."""
    begin = at("2011-12-29T12:00", "Pacific/Apia")
    days = {business_date(begin + hour * HOUR, "Pacific/Apia").isoformat() for hour in range(36)}
    assert days == {"2011-12-29", "2011-12-31"}


@settings(max_examples=150, deadline=None)
@given(moment=moments)
def test_I7_an_hour_has_one_name_and_no_other_has_it(moment: tuple[str, dt.datetime]) -> None:
    zone, instant = moment
    name = store_hour(instant, zone)
    assert name == store_hour(instant.astimezone(ZoneInfo("Asia/Kathmandu")), zone)
    assert dt.datetime.fromisoformat(name) <= instant < dt.datetime.fromisoformat(name) + HOUR
    assert store_hour(instant + HOUR, zone) != name


def test_I7_an_hour_that_comes_twice_is_two() -> None:
    assert store_hour(at("2026-11-01T01:30"), NEW_YORK) == "2026-11-01T01-04:00"
    assert store_hour(at("2026-11-01T01:30", fold=1), NEW_YORK) == "2026-11-01T01-05:00"


@pytest.mark.parametrize("clock", [(NEW_YORK, "04:00"), ("Asia/Shanghai", "24:00"), ("UTC", "00:00")])
def test_a_clock_is_accepted(clock: tuple[str, str]) -> None:
    assert StoreClock(*clock).check() == clock


@pytest.mark.parametrize(
    ("zone", "closes", "sentence"),
    [
        ("Asia/Shangai", "04:00", r"'Asia/Shangai' is no time zone \(did you mean 'Asia/Shanghai'\?\)"),
        ("../../etc/passwd", "04:00", "is no time zone"),
        ("", "04:00", "'' is no time zone"),
        ("UTC", "4", "'4' is no time; write one such as 04:00"),
        ("UTC", "25:00", "is no time"),
        ("UTC", "04:00\n", "is no time"),
    ],
)
def test_a_clock_that_is_none_is_refused(zone: str, closes: str, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        StoreClock(zone, closes).check()
