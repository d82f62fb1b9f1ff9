"""Schedules: once for each time, whoever looks first, also after a pause and around changes of the clock."""

import datetime as dt

import pytest

from jobs.conftest import BEGINNING, HandClock
from regulars.errors import DataError
from regulars.jobs import actions, schedules
from regulars.jobs.kinds import Kind
from regulars.jobs.worker import Worker

pytestmark = pytest.mark.usefixtures("database")


def done(clock: HandClock) -> int:
    """Do all that is due; how many jobs there were."""
    own, count = Worker([Kind(name="sweep", work=lambda job: None)], clock), 0
    while own.turn():
        count += 1
    return count


def test_what_comes_again_is_done_once_each_time_and_what_was_missed_once(clock: HandClock) -> None:
    schedules.every("sweep", "sweep", 60, now=clock())
    assert done(clock) == 1
    clock.forward(seconds=59)
    assert done(clock) == 0
    clock.forward(seconds=1)
    assert done(clock) == 1
    clock.forward(hours=5, seconds=1)
    assert done(clock) == 1
    clock.forward(seconds=59)
    assert done(clock) == 1, "it keeps its beat"


def test_two_workers_that_look_at_once_put_in_one(clock: HandClock) -> None:
    schedules.every("sweep", "sweep", 60, now=clock())
    assert schedules.tick(clock()) == 1
    assert schedules.tick(clock()) == 0
    assert len(actions.jobs()) == 1


def test_saying_it_again_changes_nothing_and_another_pace_does(clock: HandClock) -> None:
    schedules.every("sweep", "sweep", 60, now=clock())
    assert done(clock) == 1
    schedules.every("sweep", "sweep", 60, now=clock())
    assert done(clock) == 0
    schedules.every("sweep", "sweep", 30, now=clock())
    assert done(clock) == 1
    schedules.drop("sweep")
    clock.forward(hours=1)
    assert done(clock) == 0


def test_each_day_at_a_time_of_the_store_also_where_its_clock_is_changed(clock: HandClock) -> None:
    clock.now = dt.datetime(2026, 10, 30, 12, tzinfo=dt.UTC)
    schedules.daily("round", "sweep", "05:30", "America/New_York", now=clock())
    at = []
    for _ in range(24 * 4):
        if done(clock):
            at.append(clock.now.isoformat())
        clock.forward(hours=0.5)
    assert at == ["2026-10-31T09:30:00+00:00", "2026-11-01T10:30:00+00:00"]


def test_a_time_or_a_zone_that_is_none_is_refused() -> None:
    with pytest.raises(DataError, match="is no time"):
        schedules.daily("round", "sweep", "25:00", "UTC", now=BEGINNING)
    with pytest.raises(DataError):
        schedules.daily("round", "sweep", "05:00", "Mars/Base", now=BEGINNING)
    with pytest.raises(ValueError, match="at least 1"):
        schedules.every("round", "sweep", 0, now=BEGINNING)
