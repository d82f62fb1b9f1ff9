"""Hours: offers hold by the clock on the wall of the store, on every day that a zone has ever had."""

import datetime as dt
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from offers.examples import terms
from regulars.errors import DataError
from regulars.offers.hours import business_date, check, check_clock, day_begins, expires_at, store_hour
from regulars.offers.refusals import Refusal

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
NEW_YORK = "America/New_York"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ZONES = sorted(available_timezones())
ODD = (NEW_YORK, "Australia/Lord_Howe", "America/St_Johns", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu",
       "Africa/Casablanca", "Europe/Dublin", "Asia/Tehran", "America/Havana", "Pacific/Kwajalein", "Asia/Gaza")  # fmt: skip


class Clock(NamedTuple):
    """A store's clock."""

    store_id: str = "s1"
    zone: str = NEW_YORK
    day_closes_at: str = "04:00"


def at(text: str, zone: str = NEW_YORK, *, fold: int = 0) -> dt.datetime:
    """The instant at which the clock of a zone shows this."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(dt.UTC)


def refusal_of(instant: dt.datetime, zone: str = NEW_YORK, **changes: object) -> str:
    """Why an offer does not hold, or nothing."""
    try:
        check(terms(**{"ends_at": "2199-01-01T00:00:00Z", **changes}), instant, Clock(zone=zone))  # type: ignore[arg-type]
    except Refusal as refusal:
        return refusal.code
    return ""


def changes_of(zone: str, year: int) -> list[dt.datetime]:
    """The instants of a year at which the clocks of a zone are changed, to the minute."""
    begin, found = dt.datetime(year, 1, 1, tzinfo=dt.UTC), []
    for day in range(366):
        early, late = begin + day * DAY, begin + (day + 1) * DAY
        if _offset(early, zone) == _offset(late, zone):
            continue
        while late - early > dt.timedelta(minutes=1):
            middle = early + (late - early) / 2
            early, late = (early, middle) if _offset(middle, zone) != _offset(early, zone) else (middle, late)
        found.append(late.replace(second=0, microsecond=0))
    return found


def _offset(instant: dt.datetime, zone: str) -> dt.timedelta:
    offset = instant.astimezone(ZoneInfo(zone)).utcoffset()
    assert offset is not None
    return offset


def _leap(start: dt.datetime, end: dt.datetime, zone: str) -> dt.timedelta:
    return abs(_offset(end, zone) - _offset(start, zone))


CHANGES = [
    (zone, change) for zone in ODD for year in (1971, 1993, 2011, 2018, 2024, 2026) for change in changes_of(zone, year)
]
usual = st.tuples(
    st.sampled_from(ZONES),
    st.datetimes(dt.datetime(1970, 1, 3), dt.datetime(2100, 1, 1)).map(lambda naive: naive.replace(tzinfo=dt.UTC)),
)
odd = st.builds(
    lambda change, minutes: (change[0], change[1] + minutes * dt.timedelta(minutes=1)),
    st.sampled_from(CHANGES),
    st.integers(-36 * 60, 36 * 60),
)
moments = st.one_of(usual, odd)
closings = st.sampled_from(["04:00", "00:00", "02:00", "01:30", "02:30", "05:15", "24:00"])


def test_there_are_odd_days_to_test_on() -> None:
    assert len(CHANGES) > 80
    assert any(_offset(change - HOUR, zone) < _offset(change, zone) for zone, change in CHANGES)


@settings(max_examples=600, deadline=None)
@given(moment=moments, closes=closings)
def test_I7_every_instant_has_one_trading_day(moment: tuple[str, dt.datetime], closes: str) -> None:
    zone, instant = moment
    day = business_date(instant, zone, closes)
    assert day_begins(day, zone, closes) <= instant < day_begins(day + DAY, zone, closes)


@settings(max_examples=600, deadline=None)
@given(moment=moments, closes=closings, minutes=st.integers(0, 180))
def test_I7_no_trading_day_comes_back(moment: tuple[str, dt.datetime], closes: str, minutes: int) -> None:
    zone, instant = moment
    later = instant + minutes * dt.timedelta(minutes=1)
    assert business_date(instant, zone, closes) <= business_date(later, zone, closes)


@settings(max_examples=600, deadline=None)
@given(moment=usual, closes=closings)
def test_I7_on_usual_days_the_clock_on_the_wall_decides(moment: tuple[str, dt.datetime], closes: str) -> None:
    zone, instant = moment
    assume(len({_offset(instant + hours * HOUR, zone) for hours in (-30, -12, -3, 0, 3, 12, 30)}) == 1)
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


@settings(max_examples=500, deadline=None)
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


windows = st.tuples(st.integers(0, 24 * 60 - 1), st.integers(0, 24 * 60)).filter(
    lambda pair: pair[0] % 1440 != pair[1] % 1440
)


def _written(window: tuple[int, int]) -> str:
    return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in window)


@settings(max_examples=600, deadline=None)
@given(moment=moments, hours=st.lists(windows, min_size=1, max_size=3), weekdays=st.sets(st.sampled_from(WEEKDAYS)))
def test_I7_hours_belong_to_the_day_they_began_on(
    moment: tuple[str, dt.datetime], hours: list[tuple[int, int]], weekdays: set[str]
) -> None:
    """The same by laying every window on the calendar, of today and of yesterday."""
    zone, instant = moment
    wall = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    holds = False
    for begins, ends in hours:
        for day in (wall.date(), wall.date() - DAY):
            midnight = dt.datetime.combine(day, dt.time())
            until = ends if ends > begins else ends + 24 * 60
            is_day = not weekdays or WEEKDAYS[day.weekday()] in weekdays
            holds |= is_day and midnight + begins * HOUR / 60 <= wall < midnight + until * HOUR / 60
    said = refusal_of(instant, zone, hours=[_written(window) for window in hours], weekdays=sorted(weekdays))
    assert said == ("" if holds else "outside_hours")


@pytest.mark.parametrize(
    ("shown", "said"),
    [("2026-07-03T21:59:59", "outside_hours"), ("2026-07-03T22:00", ""), ("2026-07-04T01:59:59", ""),
     ("2026-07-04T02:00", "outside_hours"), ("2026-07-03T01:00", "outside_hours"), ("2026-07-04T22:30", "outside_hours")],
)  # fmt: skip
def test_friday_night_ends_on_saturday(shown: str, said: str) -> None:
    assert refusal_of(at(shown), weekdays=["friday"], hours=["22:00-02:00"]) == said


@pytest.mark.parametrize(
    ("shown", "said"), [("2026-07-04T03:59", ""), ("2026-07-04T04:00", "outside_hours"), ("2026-07-03T04:00", "")]
)
def test_a_weekday_without_hours_is_a_trading_day(shown: str, said: str) -> None:
    assert refusal_of(at(shown), weekdays=["friday"]) == said


def test_hours_end_as_their_last_minute_begins() -> None:
    shown = ("2026-07-03T10:59:59", "2026-07-03T11:00", "2026-07-03T13:59:59", "2026-07-03T14:00")
    said = [refusal_of(at(clock), hours=["11:00-14:00"]) for clock in shown]
    assert said == ["outside_hours", "", "", "outside_hours"]


def test_a_day_may_end_at_24() -> None:
    said = [
        refusal_of(at(shown), hours=["18:00-24:00"]) for shown in ("2026-07-03T23:59:59.999999", "2026-07-04T00:00")
    ]
    assert said == ["", "outside_hours"]
    assert refusal_of(at("2026-07-04T00:00"), hours=["00:00-24:00"]) == ""


def test_I7_hours_in_the_gap_never_come_and_those_that_come_twice_hold_twice() -> None:
    gap = [at("2026-03-08T01:00") + minutes * HOUR / 60 for minutes in range(180)]
    assert {refusal_of(instant, hours=["02:05-02:55"]) for instant in gap} == {"outside_hours"}
    twice = [refusal_of(at("2026-11-01T01:30", fold=fold), hours=["01:00-02:00"]) for fold in (0, 1)]
    assert twice == ["", ""]


def test_an_offer_holds_from_its_start_to_just_before_its_end() -> None:
    dates = {"starts_at": "2026-07-01T00:00:00Z", "ends_at": "2026-08-01T00:00:00Z"}
    instants = ("2026-06-30T23:59:59.999999", "2026-07-01T00:00", "2026-07-31T23:59:59.999999", "2026-08-01T00:00")
    said = [refusal_of(at(shown, "UTC"), **dates) for shown in instants]
    assert said == ["voucher_not_yet_valid", "", "", "voucher_expired"]


def test_an_offer_of_other_stores_is_refused_here() -> None:
    assert refusal_of(at("2026-07-03T12:00"), stores=["s2", "s3"]) == "store_not_allowed"
    assert refusal_of(at("2026-07-03T12:00"), stores=["s2", "s1"]) == ""


def test_the_refusal_tells_the_time_of_the_store() -> None:
    with pytest.raises(Refusal, match=r"its hours are 11:00-14:00; here it is 3 Jul 2026, 15:05\.$"):
        check(terms(hours=["11:00-14:00"]), at("2026-07-03T15:05"), Clock())


@settings(max_examples=600, deadline=None)
@given(moment=moments, days=st.integers(1, 366), closes=closings)
def test_I7_a_voucher_lasts_its_days_and_the_rest_of_the_last_evening(
    moment: tuple[str, dt.datetime], days: int, closes: str
) -> None:
    """At least so many times 24 hours, but for what the clocks were put forward, and at most a day longer."""
    zone, issued_at = moment
    assume(_leap(issued_at - 2 * DAY, issued_at + (days + 2) * DAY, zone) < 12 * HOUR)
    ends = expires_at(terms(valid_days=days, ends_at="2190-01-01T00:00:00Z"), issued_at, zone, closes)
    slack = _leap(issued_at, ends, zone) + HOUR
    assert days * DAY - slack <= ends - issued_at <= (days + 1) * DAY + slack
    assert (
        business_date(ends - dt.timedelta(microseconds=1), zone, closes)
        <= business_date(issued_at, zone, closes) + days * DAY
    )
    assert business_date(ends, zone, closes) > business_date(issued_at, zone, closes) + days * DAY


@pytest.mark.parametrize(
    ("issued", "ends"),
    [("2026-03-01T12:00", "2026-03-09T04:00"), ("2026-03-01T03:59", "2026-03-08T04:00"), ("2026-10-31T12:00", "2026-11-08T04:00"),
     ("2028-02-22T12:00", "2028-03-01T04:00")],
)  # fmt: skip
def test_I7_seven_days_end_at_four_whether_the_clocks_change_or_not(issued: str, ends: str) -> None:
    offer = terms(valid_days=7, ends_at="2100-01-01T00:00:00Z")
    assert expires_at(offer, at(issued), NEW_YORK) == at(ends)
    assert expires_at(offer, at(issued), NEW_YORK).tzinfo is dt.UTC


def test_a_voucher_never_outlives_its_offer_nor_ends_before_it_begins() -> None:
    issued_at = at("2026-07-01T12:00")
    assert expires_at(terms(), issued_at, NEW_YORK) == terms().ends_at
    assert expires_at(terms(valid_days=366), issued_at, NEW_YORK) == terms().ends_at
    early = terms(valid_days=1, starts_at="2026-09-01T12:00:00Z")
    assert expires_at(early, issued_at, NEW_YORK) == at("2026-09-03T04:00")


@pytest.mark.parametrize("clock", [(NEW_YORK, "04:00"), ("Asia/Shanghai", "24:00"), ("UTC", "00:00")])
def test_a_clock_is_accepted(clock: tuple[str, str]) -> None:
    check_clock(*clock)


@pytest.mark.parametrize(
    ("zone", "closes", "sentence"),
    [
        ("Asia/Shangai", "04:00", r"no zone is called 'Asia/Shangai' \(did you mean 'Asia/Shanghai'\?\)"),
        ("../../etc/passwd", "04:00", "no zone is called"),
        ("", "04:00", "no zone is called ''"),
        ("UTC", "4", "'4' is no time; write one such as 04:00"),
        ("UTC", "25:00", "is no time"),
        ("UTC", "04:00\n", "is no time"),
    ],
)
def test_a_clock_that_is_none_is_refused(zone: str, closes: str, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        check_clock(zone, closes)
