"""Facts: what is known of every guest on a date, and what they brought in a window after it.

Margins and amounts are after discounts, so a voucher that lowered a check is in them already. Only the part of its cost by which no
amount paid is lower (`beside_check_minor`) is taken off besides.
"""

import datetime as dt
from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.errors import DataError
from regulars.guests.redemptions import redemptions
from regulars.profiles import build
from regulars.profiles.categories import costed_lines
from regulars.profiles.orders import ready_orders, with_margins
from regulars.tables import Lake
from regulars.tables.engines import Frame

_NO_FEATURES = frozenset({"guest_id", "as_of"})
_SUMS = ("orders", "amount_minor", "margin_minor")


@dataclass(frozen=True, slots=True)
class Facts:
    """The orders of a lake with their margins, and its redemptions, worked out once and asked for many dates."""

    lake: Lake
    orders: Frame
    redemptions: pa.Table

    @classmethod
    def of(cls, lake: Lake) -> "Facts":
        """Raises DataError where the lake holds no orders."""
        ready = ready_orders(nw.to_native(lake.scan("orders")), as_of=dt.date.max)
        items, menu = _items(lake)
        lines = None if items is None or menu is None else costed_lines(nw.to_native(items), nw.to_native(menu))
        margins = lake.engine.keep(with_margins(ready, lines, lake.settings.margin_rate))
        return cls(lake, margins, redemptions(lake))

    def profiles(self, as_of: dt.date) -> pa.Table:
        """The profile of every guest who had ordered by the end of a business date, by guest_id; without taste."""
        frame = build(nw.to_native(self.orders), as_of=as_of)
        return self.lake.collect(nw.from_native(frame)).sort_by("guest_id")

    def outcomes(self, first: dt.date, days: int) -> pa.Table:
        """What each guest brought in `days` business dates from `first`, after all subsidies.

        guest_id, orders, amount_minor, margin_minor; guests without an order have a row where a voucher cost something besides.
        """
        day, end = nw.col("business_date"), first + dt.timedelta(days=days)
        window = self.orders.filter(day >= first, day < end)
        counted = window.with_columns((~nw.col("is_refund")).cast(nw.Int64).alias("orders"))
        sums = [nw.col(name).sum().cast(nw.Int64) for name in _SUMS]
        found = self.lake.collect(counted.group_by("guest_id").agg(*sums))
        besides = self._besides(first, end)
        if not len(besides):
            return found
        summed = pa.concat_tables([found, besides]).group_by("guest_id").aggregate([(name, "sum") for name in _SUMS])
        return summed.rename_columns(["guest_id", *_SUMS])

    def _besides(self, first: dt.date, end: dt.date) -> pa.Table:
        """What vouchers of a window cost besides what amounts show, as rows of outcomes below 0."""
        rows = self.redemptions
        is_here = pc.and_(pc.greater_equal(rows["day"], first), pc.less(rows["day"], end))
        rows = rows.filter(pc.and_(is_here, pc.and_(pc.is_valid(rows["guest_id"]), pc.greater(rows["beside"], 0.0))))
        loss = pc.negate(pc.round(rows["beside"]).cast(pa.int64()))
        nothing = pa.array(np.zeros(len(rows), np.int64))
        return pa.table({"guest_id": rows["guest_id"], "orders": nothing, "amount_minor": loss, "margin_minor": loss})

    def brought(self, guest: np.ndarray, first: dt.date, days: int) -> np.ndarray:
        """The margin of each guest in a window after all subsidies, 0 for those who did not come, shape (n,), minor units."""
        outcomes = self.outcomes(first, days)
        return looked_up(outcomes, outcomes["margin_minor"], guest, 0).astype(np.float64)

    def span(self) -> tuple[dt.date, dt.date]:
        """The first and the last business date of any order of a known guest."""
        return known_span(self.lake)


def known_span(lake: Lake) -> tuple[dt.date, dt.date]:
    """The first and the last business date of any order that names its guest. Raises DataError where there is none."""
    day = nw.col("business_date")
    named = lake.scan("orders").filter(~nw.col("guest_id").is_null())
    row = lake.collect(named.select(day.min().alias("first"), day.max().alias("last"))).to_pylist()[0]
    if row["first"] is None:
        raise DataError(
            f"{lake.workspace.path}: no order names its guest; map guest_id, then load the orders again; "
            "`regulars sales` tells what can be told without"
        )
    return row["first"], row["last"]


def profiles_with_taste(lake: Lake, as_of: dt.date) -> Frame:
    """The whole profile of every guest who had ordered by the end of a business date."""
    guests = lake.scan("guests") if lake.has("guests") else None
    tables = [None if frame is None else nw.to_native(frame) for frame in (*_items(lake), guests)]
    orders = nw.to_native(lake.scan("orders"))
    return nw.from_native(build(orders, *tables, as_of=as_of, margin_rate=lake.settings.margin_rate))  # type: ignore[no-any-return]


def _items(lake: Lake) -> tuple[Frame | None, Frame | None]:
    """Order items and menu; costs that nobody ever wrote down are left away, for joining them would be in vain."""
    if not lake.has("order_items") or not lake.has("menu_items"):
        return None, None
    menu = lake.scan("menu_items")
    known = lake.collect(menu.select(nw.col("cost_minor").count().alias("n")))["n"][0].as_py()
    return lake.scan("order_items"), menu if known else menu.drop("cost_minor")


def feature_names(profiles: pa.Table) -> list[str]:
    """The columns of a profile that a model may learn from: every number in it, no names and no dates."""
    kinds = {field.name: field.type for field in profiles.schema if field.name not in _NO_FEATURES}
    return [name for name, kind in kinds.items() if pa.types.is_integer(kind) or pa.types.is_floating(kind)]


def looked_up(table: pa.Table, values: pa.ChunkedArray, guest: np.ndarray, missing: object) -> np.ndarray:
    """The value of each guest in a table with one row per guest, `missing` where it has none, shape (n,)."""
    place = pc.index_in(pa.array(guest, pa.string()), value_set=table["guest_id"])
    found = pc.fill_null(values.combine_chunks().take(place), pa.scalar(missing, values.type))
    return np.array(found.to_numpy(zero_copy_only=False))
