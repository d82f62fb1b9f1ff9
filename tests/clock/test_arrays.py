"""Arrays: many instants at once get the answers that each would get alone, in every zone, around every change of the clock."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clock.moments import CHANGES, DAY, NEW_YORK, ZONES, at, changes_of
from regulars.clock import StoreClock, business_date, zone_of
from regulars.clock.arrays import INSTANT, to_instant, trading_day

CLOSINGS = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(0, 6 * 60 + 1, 15)]
MINUTE = dt.timedelta(minutes=1)


def days_and_hours(instants: list[dt.datetime | None], clock: StoreClock) -> list[tuple[dt.date | None, int | None]]:
    found = trading_day(pa.array(instants, INSTANT), np.zeros(len(instants), np.int64), [clock])
    return list(zip(found.business_date.to_pylist(), found.hour.to_pylist(), strict=True))


def one_by_one(instants: list[dt.datetime], clock: StoreClock) -> list[tuple[dt.date | None, int | None]]:
    return [(clock.business_date(instant), instant.astimezone(zone_of(clock.zone)).hour) for instant in instants]


@settings(max_examples=150, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    closes=st.sampled_from([*CLOSINGS, "24:00"]),
    near=st.sampled_from(CHANGES),
    minutes=st.lists(st.integers(-60 * 60, 60 * 60), min_size=1, max_size=40),
    is_odd=st.booleans(),
)
def test_I7_arrays_and_single_instants_agree(
    zone: str, closes: str, near: tuple[str, dt.datetime], minutes: list[int], is_odd: bool
) -> None:
    clock = StoreClock(near[0] if is_odd else zone, closes)
    instants = [near[1] + minute * MINUTE for minute in minutes]
    assert days_and_hours(instants, clock) == one_by_one(instants, clock)


@pytest.mark.parametrize("part", range(4))
def test_I7_they_agree_in_all_zones_on_the_days_around_every_change(part: int) -> None:
    """Every zone, every change of 2026, closings from 00:00 to 06:00, from two days before to two days after by 30 minutes."""
    for zone in ZONES[part::4]:
        changes = changes_of(zone, 2026) or [dt.datetime(2026, 3, 1, tzinfo=dt.UTC)]
        closes = CLOSINGS[hash(zone) % 3 :: 3] if zone != NEW_YORK else CLOSINGS
        for change in changes:
            instants = [change + step * 30 * MINUTE for step in range(-96, 97, 7)] + [change - MINUTE, change + MINUTE]
            for closing in closes:
                clock = StoreClock(zone, closing)
                assert days_and_hours(instants, clock) == one_by_one(instants, clock), clock


def test_a_day_that_closes_in_the_gap_closes_when_it_would_have() -> None:
    """The half hour of a year for which the two forms once differed: New York, closing at 02:30, on 8 March 2026."""
    instants = [at("2026-03-08T03:00") + minutes * MINUTE for minutes in (-1, 0, 29, 30)]
    assert [day.day for day, _ in days_and_hours(list(instants), StoreClock(NEW_YORK, "02:30")) if day] == [7, 7, 7, 8]


def test_each_row_has_the_clock_of_its_store_and_unknown_ones_have_none() -> None:
    instant = dt.datetime(2026, 7, 1, 3, tzinfo=dt.UTC)
    clocks = [StoreClock("UTC"), StoreClock("Asia/Shanghai"), StoreClock("UTC")]
    found = trading_day(
        pa.array([instant, instant, instant, None, instant], INSTANT), np.array([0, 1, 2, 0, -1]), clocks
    )
    assert found.business_date.to_pylist() == [
        dt.date(2026, 6, 30),
        dt.date(2026, 7, 1),
        dt.date(2026, 6, 30),
        None,
        None,
    ]
    assert found.hour.to_pylist() == [3, 11, 3, None, None]


def test_what_the_clock_showed_becomes_the_first_instant_it_can_mean_and_gaps_are_known() -> None:
    local = pa.array([dt.datetime(2026, 11, 1, 1, 30), dt.datetime(2026, 3, 8, 2, 30), None], pa.timestamp("us"))
    instants, in_gap = to_instant(local, np.zeros(3, np.int64), [StoreClock(NEW_YORK)])
    assert instants.to_pylist()[0] == at("2026-11-01T01:30")
    assert in_gap.to_pylist() == [False, True, False]
    assert instants.to_pylist()[2] is None


def test_no_instants_have_no_days() -> None:
    assert days_and_hours([], StoreClock("UTC")) == []
    assert days_and_hours([None], StoreClock("UTC")) == [(None, None)]


def test_centuries_lie_between_two_instants() -> None:
    instants = [dt.datetime(1850, 5, 1, tzinfo=dt.UTC), dt.datetime(2150, 5, 1, tzinfo=dt.UTC)]
    assert [day for day, _ in days_and_hours(list(instants), StoreClock(NEW_YORK))] == [
        business_date(instant, NEW_YORK) for instant in instants
    ]
    assert instants[0] + DAY < instants[1]
