"""Many instants at once: from what a till's clock showed to instants, and from instants to trading days."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.clock.instants import StoreClock, day_begins

INSTANT = pa.timestamp("us", "UTC")
_LOCAL = pa.timestamp("us")
_DAY = np.timedelta64(1, "D")


class TradingDay(NamedTuple):
    """business_date: date32 array. hour: int64 array, 0 to 23, on the store's clock."""

    business_date: pa.Array
    hour: pa.Array


def to_instant(local: pa.Array, clock_of_row: np.ndarray, clocks: Sequence[StoreClock]) -> tuple[pa.Array, pa.Array]:
    """Zoneless times as instants, each in its own store's zone, and whether each fell into a gap of the clock.

    local: timestamps without zone, shape (n,). clock_of_row: index into `clocks`, -1 where the store is unknown, shape (n,).
    A time that the clock showed twice (when summer ends) is taken as the first of the two.
    """
    instants = np.full(len(local), np.datetime64("NaT"), dtype="datetime64[us]")
    in_gap = np.zeros(len(local), dtype=bool)
    for clock, rows in _by_clock(clock_of_row, clocks):
        times = local.take(pa.array(rows))
        before = pc.assume_timezone(times, clock.zone, ambiguous="earliest", nonexistent="earliest")
        after = pc.assume_timezone(times, clock.zone, ambiguous="earliest", nonexistent="latest")
        in_gap[rows] = np.asarray(pc.fill_null(pc.not_equal(before, after), False))
        instants[rows] = _naive(before)
    return pa.array(instants, _LOCAL).cast(INSTANT), pa.array(in_gap)


def trading_day(instants: pa.Array, clock_of_row: np.ndarray, clocks: Sequence[StoreClock]) -> TradingDay:
    """The trading day and local hour of each instant, as `regulars.clock.business_date` has them.

    A check at 01:30 belongs to the evening before where the day closes at 04:00.
    """
    date = np.full(len(instants), np.datetime64("NaT"), dtype="datetime64[D]")
    hour = np.full(len(instants), -1, dtype=np.int64)
    for clock, rows in _by_clock(clock_of_row, clocks):
        times = instants.take(pa.array(rows)).cast(pa.timestamp("us", clock.zone))
        local = _naive(pc.local_timestamp(times))
        today = local.astype("datetime64[D]")
        date[rows] = _dates(_naive(times.cast(INSTANT)), today, clock)
        hour[rows] = (local - today).astype("timedelta64[h]").astype(np.int64)
    return TradingDay(pa.array(date, pa.date32()), pa.array(hour, mask=np.isnat(date)))


def _by_clock(clock_of_row: np.ndarray, clocks: Sequence[StoreClock]) -> Iterator[tuple[StoreClock, np.ndarray]]:
    """The rows of each clock; stores whose clocks go alike are taken together."""
    alike = {clock: place for place, clock in enumerate(dict.fromkeys(clocks))}
    group_of_clock = np.array([*(alike[clock] for clock in clocks), -1])
    group = group_of_clock[clock_of_row]
    for clock, place in alike.items():
        rows = np.flatnonzero(group == place)
        if len(rows):
            yield clock, rows


def _dates(instants: np.ndarray, today: np.ndarray, clock: StoreClock) -> np.ndarray:
    """The latest day that had begun, shape (n,); of the days near the local date `today`, of each of which the beginning is known."""
    known = today[~np.isnat(today)]
    if not len(known):
        return today
    days = np.arange(known.min() - 2 * _DAY, known.max() + 2 * _DAY)
    begins = np.array([_begins(day, clock) for day in days.tolist()], dtype="datetime64[us]")
    found = days[np.clip(np.searchsorted(begins, instants, side="right") - 1, 0, None)]
    return np.where(np.isnat(today), np.datetime64("NaT"), found)


def _begins(day: dt.date, clock: StoreClock) -> dt.datetime:
    return day_begins(day, clock.zone, clock.closes).replace(tzinfo=None)


def _naive(times: pa.Array) -> np.ndarray:
    naive: np.ndarray = times.cast(_LOCAL, safe=False).to_numpy(zero_copy_only=False).astype("datetime64[us]")
    return naive
