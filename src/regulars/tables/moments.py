"""Moments: from what a source wrote to instants and trading days, on the clock of each row's store.

A date alone is that day, wherever the clock of the store stands: it is kept as noon, and no hour is known of it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.clock import StoreClock, closing_minute
from regulars.clock.arrays import INSTANT, to_instant
from regulars.tables.readings import Moments

_NOON = 12 * 60
_DAY = pa.timestamp("us")


class Clocks(NamedTuple):
    """The clock of each row. of_row: index into `clocks`, -1 where it is unknown, shape (n,)."""

    of_row: np.ndarray
    clocks: Sequence[StoreClock]

    @classmethod
    def one(cls, clock: StoreClock, rows: int) -> "Clocks":
        return cls(np.zeros(rows, np.int64), [clock])


class Instants(NamedTuple):
    """values: instants in UTC. in_gap: whether each was written as a time that its clock leaped over.

    midnight: the date of each that was written as midnight, or without a time of day. is_date: which were without.
    """

    values: pa.Array
    in_gap: pa.Array
    midnight: pa.Array
    is_date: pa.Array


def to_instants(found: Moments, zones: Clocks, stores: Clocks) -> Instants:
    """Moments as instants. zones: where times without an offset were shown; stores: whose day a date alone is."""
    date = found.wall.cast(pa.date32(), safe=False)
    midnight = pc.if_else(pc.equal(date.cast(_DAY), found.wall), date, pa.scalar(None, pa.date32()))
    values, in_gap = to_instant(found.wall, zones.of_row, zones.clocks)
    in_gap = pc.and_(in_gap, pc.is_null(midnight))
    if found.offset.null_count < len(found.offset):
        values, in_gap = _with_offsets(found, values, in_gap)
    is_date = pc.and_(found.is_date, pc.is_valid(found.wall))
    if pc.any(is_date).as_py():
        values = pc.if_else(is_date, at_noon(date, stores), values)
    return Instants(values, in_gap, midnight, is_date)


def at_noon(day: pa.Array, stores: Clocks) -> pa.Array:
    """Noon of days on the clocks of stores; where the trading day begins later, its beginning."""
    minutes = np.array([max(_NOON, closing_minute(clock.closes)) for clock in stores.clocks] or [_NOON], np.int64)
    since = pa.array(minutes[np.maximum(stores.of_row, 0)].astype("timedelta64[m]").astype("timedelta64[us]"))
    return to_instant(pc.add(day.cast(_DAY), since), stores.of_row, stores.clocks)[0]


def _with_offsets(found: Moments, values: pa.Array, in_gap: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The instants of times that say how far they are from UTC, among those that do not."""
    ahead = pc.multiply(found.offset.cast(pa.int64()), 60_000_000)
    exact = pc.subtract(found.wall.cast(pa.int64()), ahead).cast(INSTANT)
    is_said = pc.is_valid(found.offset)
    return pc.if_else(is_said, exact, values), pc.and_(in_gap, pc.invert(is_said))
