"""Contract tables: what a town did, as tables in our contracts."""

import datetime as dt
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.rehearsal.guests import Guests
from regulars.rehearsal.places import CATEGORIES, FOOD_COST, IntArray, Menu, Places
from regulars.rehearsal.visits import Visits
from regulars.rehearsal.vouchers import FIRST_HOUR

ZONE = "America/New_York"
_EPOCH = dt.date(1970, 1, 1).toordinal()
_MINUTE, _DAY = 60_000_000, 86_400_000_000
_LINE_SHARE, _MOST_LINES = 0.4, 8
_KM_PER_DEGREE = 111.0
_NORTH, _WEST = 40.7, -74.0


def names(letter: str, numbers: np.ndarray, digits: int = 7) -> pa.Array:
    """Ids such as G0000012, shape (n,)."""
    written = pc.utf8_lpad(pa.array(numbers, pa.int64()).cast(pa.string()), digits, "0")
    return pc.binary_join_element_wise(letter, written, "")


def store_table(places: Places, store_ids: tuple[str, ...]) -> pa.Table:
    return pa.table(
        {
            "store_id": pa.array(store_ids, pa.string()),
            "zone": pa.array([ZONE] * len(store_ids)),
            "city": pa.array(["Rehearsal"] * len(store_ids)),
            "latitude": pa.array(_NORTH + places.stores[:, 1] / _KM_PER_DEGREE),
            "longitude": pa.array(_WEST + places.stores[:, 0] / _KM_PER_DEGREE),
        }
    )


def guest_table(guests: Guests, store_ids: tuple[str, ...], first: dt.date) -> pa.Table:
    joined = (guests.joined + first.toordinal() - _EPOCH) * _DAY + FIRST_HOUR * 60 * _MINUTE
    return pa.table(
        {
            "guest_id": names("G", np.arange(len(guests))),
            "joined_at": _instants(joined),
            "home_store": pa.array(np.array(store_ids, dtype=object)[guests.stores[:, 0]], pa.string()),
        }
    )


def menu_table(menu: Menu) -> pa.Table:
    return pa.table(
        {
            "item_id": pa.array(menu.item_id, pa.string()),
            "name": pa.array([item.replace("-", " ").capitalize() for item in menu.item_id], pa.string()),
            "category": pa.array([CATEGORIES[category] for category in menu.category], pa.string()),
            "price_minor": pa.array(menu.price, pa.int64()),
            "cost_minor": pa.array(np.rint(menu.price * FOOD_COST).astype(np.int64), pa.int64()),
        }
    )


def order_table(visits: Visits, store_ids: tuple[str, ...], first_number: int) -> pa.Table:
    """One row per visit, as a till writes it: the amount paid, the discount, and what is left after both it and the food."""
    numbers = first_number + np.arange(len(visits))
    return pa.table(
        {
            "order_id": names("O", numbers, 9),
            "guest_id": names("G", visits.guest),
            "store_id": pa.array(store_ids, pa.string()).take(pa.array(visits.store)),
            "ordered_at": ordered_at(visits),
            "amount_minor": pa.array(visits.paid, pa.int64()),
            "discount_minor": pa.array(visits.discount, pa.int64()),
            "margin_minor": pa.array(visits.margin, pa.int64()),
        }
    )


class Lines(NamedTuple):
    """The l lines of checks: the visit's place in its log, the line from 1, the dish, the amount paid, minor units, shape (l,)."""

    visit: IntArray
    line: IntArray
    dish: IntArray
    amount: IntArray


def lines_of(visits: Visits, guests: Guests, menu: Menu, rng: np.random.Generator) -> Lines:
    """Split every check into dishes to its guest's taste; the lines of a check add up to what was paid."""
    usual = menu.price.mean() / _LINE_SHARE
    count = np.clip(np.rint(visits.paid / (usual * _LINE_SHARE)), 1, _MOST_LINES).astype(np.int64)
    visit = np.repeat(np.arange(len(visits)), count)
    begin = np.cumsum(count) - count
    luck = rng.random(len(visit))
    category = (guests.taste[visits.guest[visit]] < luck[:, None]).sum(axis=1).clip(max=len(CATEGORIES) - 1)
    dish = np.empty(len(visit), np.int64)
    for index in range(len(CATEGORIES)):
        here = np.flatnonzero(category == index)
        dishes, chances = menu.dishes_of(index)
        dish[here] = dishes[np.searchsorted(np.cumsum(chances)[:-1], rng.random(len(here)), side="right")]
    price = menu.price[dish].astype(np.float64)
    whole = np.add.reduceat(price, begin) if len(begin) else price
    up_to = np.cumsum(price) - np.repeat(np.cumsum(whole) - whole, count)
    paid = np.rint(visits.paid[visit] * up_to / whole[visit]).astype(np.int64)
    amount = np.diff(paid, prepend=0)
    amount[begin] = paid[begin]
    return Lines(visit, np.arange(len(visit)) - np.repeat(begin, count) + 1, dish, amount)


def item_table(lines: Lines, menu: Menu, first_number: int) -> pa.Table:
    return pa.table(
        {
            "order_id": names("O", first_number + lines.visit, 9),
            "line": pa.array(lines.line, pa.int64()),
            "item_id": pa.array(menu.item_id, pa.string()).take(pa.array(lines.dish)),
            "quantity": pa.array(np.ones(len(lines.line))),
            "amount_minor": pa.array(lines.amount, pa.int64()),
        }
    )


def guest_and_day(orders: pa.Table) -> tuple[IntArray, IntArray]:
    """The guest's index and the ordinal of the town's date of each order, each of shape (v,)."""
    guest = pc.utf8_slice_codeunits(orders["guest_id"], 1).cast(pa.int64())
    there = pc.local_timestamp(orders["ordered_at"].cast(pa.timestamp("us", ZONE)))
    day = pc.floor_temporal(there, unit="day").cast(pa.int64()).to_numpy() // _DAY
    return guest.to_numpy(), day + _EPOCH


def ordered_at(visits: Visits) -> pa.Array:
    clock = (FIRST_HOUR + visits.hour) * 60 + visits.minute
    return _instants((visits.day - _EPOCH) * _DAY + clock * _MINUTE)


def _instants(local: np.ndarray) -> pa.Array:
    """Microseconds on the town's clock as instants in UTC."""
    there = pc.assume_timezone(pa.array(local.astype(np.int64), pa.int64()).cast(pa.timestamp("us")), ZONE)
    return there.cast(pa.timestamp("us", "UTC"))
