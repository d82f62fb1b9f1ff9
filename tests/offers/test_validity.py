"""Hours: offers hold by the clock on the wall of the store, on every day that a zone has ever had."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clock.moments import DAY, HOUR, NEW_YORK, at, closings, leap, moments
from offers.examples import terms
from regulars.clock import WEEKDAYS, StoreClock, business_date
from regulars.ledger.refusals import Refusal
from regulars.offers.validity import check, expires_at


def refusal_of(instant: dt.datetime, zone: str = NEW_YORK, **changes: object) -> str:
    """Why an offer does not hold, or nothing."""
    try:
        check(terms(**{"ends_at": "2199-01-01T00:00:00Z", **changes}), instant, "s1", StoreClock(zone))  # type: ignore[arg-type]
    except Refusal as refusal:
        return refusal.code
    return ""


windows = st.tuples(st.integers(0, 24 * 60 - 1), st.integers(0, 24 * 60)).filter(
    lambda pair: pair[0] % 1440 != pair[1] % 1440
)


def _written(window: tuple[int, int]) -> str:
    return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in window)


@settings(max_examples=150, deadline=None)
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
        check(terms(hours=["11:00-14:00"]), at("2026-07-03T15:05"), "s1", StoreClock(NEW_YORK))


@settings(max_examples=150, deadline=None)
@given(moment=moments, days=st.integers(1, 366), closes=closings)
def test_I7_a_voucher_lasts_its_days_and_the_rest_of_the_last_evening(
    moment: tuple[str, dt.datetime], days: int, closes: str
) -> None:
    """At least so many times 24 hours, but for what the clocks were put forward, and at most a day longer."""
    zone, issued_at = moment
    assume(leap(issued_at - 2 * DAY, issued_at + (days + 2) * DAY, zone) < 12 * HOUR)
    ends = expires_at(terms(valid_days=days, ends_at="2190-01-01T00:00:00Z"), issued_at, zone, closes)
    slack = leap(issued_at, ends, zone) + HOUR
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
