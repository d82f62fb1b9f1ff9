"""Streams: as many order lines as a benchmark wants, batch after batch, in memory that does not grow.

Each batch is a town's crowd of its own on days that follow one another: guests are drawn by how often they come, visits by how busy
the day is, checks and dishes as in the town. What needs a memory (who is lost, who was given what) is left out.
"""

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from regulars.rehearsal.contract_tables import item_table, lines_of, order_table
from regulars.rehearsal.days import busyness
from regulars.rehearsal.guests import Guests
from regulars.rehearsal.places import Menu, Places
from regulars.rehearsal.towns import AVERAGE_CHECK, TODAY
from regulars.rehearsal.visits import Luck, Visits, plain_visits

_CROWD, _DAYS = 20_000, 728


class Batch(NamedTuple):
    """Whole orders with all their lines: Arrow tables in our contracts."""

    orders: pa.Table
    order_items: pa.Table


def stream(
    lines: int,
    *,
    guests: int = 1_000_000,
    stores: int = 200,
    seed: int = 0,
    batch: int = 500_000,
    last_day: dt.date = TODAY,
) -> Iterator[Batch]:
    """At least `lines` order lines over two years, day after day, about `batch` lines at a time; the same seed, the same rows.

    Raises ValueError for a number below 1.

    >>> parts = list(stream(3_000, guests=500, stores=3, batch=1_000))
    >>> len(parts) >= 3, sum(len(part.order_items) for part in parts) >= 3_000
    (True, True)
    """
    for name, value in (("lines", lines), ("guests", guests), ("stores", stores), ("batch", batch)):
        if value < 1:
            raise ValueError(f"{name} is {value}; give a whole number of at least 1")
    return _batches(lines, guests, stores, seed, batch, last_day)


def _batches(lines: int, guests: int, stores: int, seed: int, batch: int, last_day: dt.date) -> Iterator[Batch]:
    rng = np.random.default_rng([seed, 6])
    places, menu = Places.draw(stores, rng), Menu.draw(AVERAGE_CHECK, (), rng)
    crowd = Guests.draw(
        min(guests, _CROWD),
        places,
        average_check=AVERAGE_CHECK,
        pace=1.0,
        days=_DAYS,
        rng=np.random.default_rng([seed, 7]),
    )
    store_ids = tuple(f"S{i + 1:04d}" for i in range(stores))
    first = last_day - dt.timedelta(days=_DAYS)
    reached = np.cumsum(busyness(first, _DAYS, seed))
    comes = np.cumsum(crowd.rate + crowd.rate.mean())
    done = orders = 0
    begin = 0.0
    while done < lines:
        end = max(begin, min(1.0, (done + batch) / lines))
        size = min(batch, lines - done)
        visits, like = _visits(size, crowd, comes, guests, (begin, end), reached, first, rng)
        split = lines_of(like, crowd, menu, rng)
        yield Batch(order_table(visits, store_ids, orders), item_table(split, menu, orders))
        done, orders, begin = done + len(split.line), orders + len(visits), end


def _visits(
    lines: int,
    crowd: Guests,
    comes: np.ndarray,
    guests: int,
    span: tuple[float, float],
    reached: np.ndarray,
    first: dt.date,
    rng: np.random.Generator,
) -> tuple[Visits, Visits]:
    """Visits that come to about as many lines; once with the guests' own numbers, once with the places of those they are like."""
    count = max(1, lines // 3)
    like = np.minimum(np.searchsorted(comes, rng.random(count) * comes[-1], side="right"), len(crowd) - 1)
    begin, end = span
    when = np.sort(np.minimum(begin + rng.random(count) * (end - begin), 1.0 - 1e-12)) * reached[-1]
    day = np.searchsorted(reached, when, side="right") + first.toordinal()
    draws = rng.random((4, count))
    luck = Luck(draws[0], draws[0], draws[1], draws[2], draws[3], rng.standard_normal(count))
    plain = plain_visits(_crowd_of(crowd, like), np.arange(count), luck, first)
    part = Visits(**{**_fields(plain), "guest": like, "day": day})
    copies = max(1, guests // len(crowd))
    named = like + len(crowd) * rng.integers(0, copies, count)
    return Visits(**{**_fields(part), "guest": named}), part


def _crowd_of(crowd: Guests, like: np.ndarray) -> Guests:
    return Guests(**{name: getattr(crowd, name)[like] for name in Guests.__slots__})


def _fields(visits: Visits) -> dict[str, np.ndarray]:
    return {name: getattr(visits, name) for name in Visits.__slots__}
