"""Histories: how often guests had which dish, older orders counting for less, in arrays; and the crowd they are compared with."""

from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from narwhals.typing import IntoFrame
from scipy import sparse

from regulars.profiles.choices import chosen, count
from regulars.profiles.frames import arrow_of
from regulars.profiles.habits import day_number
from regulars.profiles.likeness import Crowd, FloatArray, IntArray, Rows
from regulars.profiles.orders import half_up

_UNIT = 2**20  # weights are summed as whole numbers of this: the same to the last bit in whatever order they come
_SUMS = (count("times"), nw.col("weight").sum().cast(nw.Int64), nw.col("recent").sum().cast(nw.Int64))
_MOST_COMPARED = 5_000
_MOST_NAMED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """How much old orders, neighbours and the crowd count.

    half_life_days: after so many days an order counts for half. recent_days: the same for what sells of late.
    neighbours: how many guests like them are asked. prior_orders: as how many orders of their own their choices count.
    """

    half_life_days: float = 150.0
    recent_days: float = 28.0
    neighbours: int = 100
    prior_orders: float = 10.0

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is above 0, not {getattr(self, name)}")


SHIPPED = Blend()
"""What `benchmarks/next_dish.py` chose."""


class Histories(NamedTuple):
    """Guests and items stand in the order of their ids.

    times, decayed: orders with each item, sparse, shape (guests, items). orders, weight: orders with a known item, and the
    same decayed, shape (guests,). stands: where each guest stands in the crowd, -1 if they do not, shape (guests,).
    """

    guests: pa.Array
    items: pa.Array
    times: Any
    decayed: Any
    orders: FloatArray
    weight: FloatArray
    stands: IntArray
    crowd: Crowd


def histories(orders: IntoFrame, order_items: IntoFrame, guests: pa.Array, *, as_of: date, blend: Blend) -> Histories:
    """What these guests had; who is not known had nothing. Fetches the counts of each guest and dish from the engine.

    guests: in their order. Everybody is counted for what is popular; compared are 5,000 guests, evenly taken.
    """
    once = chosen(orders, order_items, as_of=as_of).group_by("guest_id", "order_id", "item_id")
    had = _weighed(once.agg(nw.col("business_date").max()), as_of, blend)
    made = had.group_by("guest_id", "order_id").agg(nw.col("weight").max(), nw.col("recent").max())
    by_guest, by_item = (
        arrow_of(rows.group_by(key).agg(*_SUMS)).sort_by(key) for rows, key in ((made, "guest_id"), (had, "item_id"))
    )
    everybody, items = by_guest["guest_id"].combine_chunks(), by_item["item_id"].combine_chunks()
    compared = np.linspace(0, len(everybody) - 1, min(len(everybody), _MOST_COMPARED)).astype(np.int64)
    place = places(guests, everybody)
    times, decayed = _matrices(had, everybody, items, np.union1d(compared, place[place >= 0]))
    known, weight = (np.append(_floats(by_guest[name]), 0.0) for name in ("times", "weight"))
    stands = np.full(len(everybody) + 1, -1)
    stands[compared] = np.arange(compared.size)
    crowd = _crowd(decayed[compared], weight[compared] / _UNIT, *_popular(by_guest, by_item, blend))
    return Histories(
        guests, items, times[place], decayed[place], known[place], weight[place] / _UNIT, stands[place], crowd
    )


def _weighed(rows: nw.LazyFrame[Any], as_of: date, blend: Blend) -> nw.LazyFrame[Any]:
    """With what a row counts for: half of it for every half-life since its business date."""
    age = nw.lit(as_of.toordinal()) - day_number(nw.col("business_date"))
    halves = {"weight": blend.half_life_days, "recent": blend.recent_days}
    return rows.with_columns(
        **{name: half_up((age * (-np.log(2) / days)).exp() * _UNIT) for name, days in halves.items()}
    )


def _matrices(had: nw.LazyFrame[Any], everybody: pa.Array, items: pa.Array, needed: IntArray) -> tuple[Any, Any]:
    """Orders with each item, and the same decayed, of the guests at the places needed; after everybody an empty row, at -1."""
    if needed.size < min(len(everybody), _MOST_NAMED):
        had = had.filter(nw.col("guest_id").is_in(everybody.take(pa.array(needed)).to_pylist()))
    pairs = arrow_of(had.group_by("guest_id", "item_id").agg(*_SUMS[:2]))
    at = places(pairs["guest_id"], everybody), places(pairs["item_id"], items)
    shape = len(everybody) + 1, len(items)
    times, decayed = (sparse.csr_array((_floats(pairs[name]), at), shape=shape) for name in ("times", "weight"))
    return times, decayed / _UNIT


def _popular(by_guest: pa.Table, by_item: pa.Table, blend: Blend) -> tuple[FloatArray, FloatArray]:
    """Of all orders the share with each dish, and how much more often it is ordered of late, each of shape (items,)."""
    share = _floats(by_item["weight"]) / max(_floats(by_guest["weight"]).sum(), 1.0)
    recent, usual = (x / _UNIT for x in (_floats(by_item["recent"]), share * _floats(by_guest["recent"]).sum()))
    return share, (recent + blend.prior_orders) / (usual + blend.prior_orders)


def _crowd(decayed: Any, weight: FloatArray, share: FloatArray, trend: FloatArray) -> Crowd:
    length = np.sqrt((decayed**2).sum(axis=1))
    scaled = decayed.multiply(1 / np.where(length > 0, length, 1.0)[:, None]).tocsc()
    return Crowd(rows_of(decayed), weight, rows_of(scaled), share, trend)


def places(ids: Any, among: pa.Array) -> IntArray:
    """Where each id stands, -1 where it does not."""
    found = pc.index_in(ids.cast(among.type), among)
    return np.asarray(pc.fill_null(found, -1), np.int64)


def rows_of(matrix: Any) -> Rows:
    """A compressed sparse matrix as the kernels take it."""
    return Rows(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), matrix.data.astype(np.float64))


def _floats(column: pa.ChunkedArray) -> FloatArray:
    return np.asarray(column, np.float64)
