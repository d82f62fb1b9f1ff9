"""Clocks: from what a till's clock showed to an instant, and from an instant to the trading day."""

import datetime as dt
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.tables.contracts import INSTANT


class StoreClock(NamedTuple):
    """A store's time zone and the local minute of the day at which its trading day ends."""

    zone: str
    closes_at_minute: int

    @classmethod
    def of(cls, zone: str, day_closes_at: str) -> "StoreClock":
        hours, minutes = day_closes_at.split(":")
        return cls(zone, int(hours) * 60 + int(minutes))


class TradingDay(NamedTuple):
    """business_date: date32 array. hour: int64 array, 0 to 23, on the store's clock."""

    business_date: pa.Array
    hour: pa.Array


def to_instant(local: pa.Array, clock_of_row: np.ndarray, clocks: list[StoreClock]) -> tuple[pa.Array, pa.Array]:
    """Zoneless times as instants, each in its own store's zone, and whether each fell into a gap of the clock.

    local: timestamps without zone, shape (n,). clock_of_row: index into `clocks`, -1 where the store is unknown, shape (n,).
    A time that the clock showed twice (when summer ends) is taken as the first of the two.
    """
    instants = np.full(len(local), np.datetime64("NaT"), dtype="datetime64[us]")
    in_gap = np.zeros(len(local), dtype=bool)
    for index in np.unique(clock_of_row[clock_of_row >= 0]):
        rows = np.flatnonzero(clock_of_row == index)
        times = local.take(pa.array(rows))
        zone = clocks[index].zone
        before = pc.assume_timezone(times, zone, ambiguous="earliest", nonexistent="earliest")
        after = pc.assume_timezone(times, zone, ambiguous="earliest", nonexistent="latest")
        in_gap[rows] = np.asarray(pc.fill_null(pc.not_equal(before, after), False))
        instants[rows] = _naive(before)
    return pa.array(instants, pa.timestamp("us")).cast(INSTANT), pa.array(in_gap)


def trading_day(instants: pa.Array, clock_of_row: np.ndarray, clocks: list[StoreClock]) -> TradingDay:
    """The trading day and local hour of each instant.

    A check at 01:30 belongs to the evening before where the day closes at 04:00.
    """
    date = np.full(len(instants), np.datetime64("NaT"), dtype="datetime64[D]")
    hour = np.full(len(instants), -1, dtype=np.int64)
    for index in np.unique(clock_of_row[clock_of_row >= 0]):
        rows = np.flatnonzero(clock_of_row == index)
        local = _naive(pc.local_timestamp(instants.take(pa.array(rows)).cast(pa.timestamp("us", clocks[index].zone))))
        day = (local - np.timedelta64(clocks[index].closes_at_minute, "m")).astype("datetime64[D]")
        date[rows] = day
        hour[rows] = (local - local.astype("datetime64[D]")).astype("timedelta64[h]").astype(np.int64)
    return TradingDay(pa.array(date, pa.date32()), pa.array(hour, mask=np.isnat(date)))


def start_of_day(date: dt.date, clock: StoreClock) -> dt.datetime:
    """The instant at which the trading day `date` begins in a store."""
    local = pa.array(
        [dt.datetime.combine(date, dt.time()) + dt.timedelta(minutes=clock.closes_at_minute)], pa.timestamp("us")
    )
    instant: dt.datetime = pc.assume_timezone(local, clock.zone, ambiguous="earliest", nonexistent="latest")[0].as_py()
    return instant.astimezone(dt.UTC)


def _naive(times: pa.Array) -> np.ndarray:
    naive: np.ndarray = (
        times.cast(pa.timestamp("us"), safe=False).to_numpy(zero_copy_only=False).astype("datetime64[us]")
    )
    return naive
