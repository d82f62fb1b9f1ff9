"""Dishes: what was sold most, and what is bought together more often than by chance."""

import datetime as dt
from typing import ClassVar, NamedTuple

import narwhals as nw
import numpy as np
import pyarrow as pa
from scipy import sparse, special

from regulars.guests.dishes import named_lines
from regulars.merchant.sales import orders_of
from regulars.tables import Lake
from regulars.tables.engines import Frame
from regulars.tabular import Rows

_MOST_DISHES = 200
_LEAST_TOGETHER = 10


class Sold(NamedTuple):
    """A dish. orders: checks with it, of_share of all checks with lines; sales_minor: what its lines took in."""

    dish: str
    orders: int
    of_share: float
    pieces: float
    sales_minor: int


class DishesSold(Rows[Sold]):
    """Those that took in most first."""

    schema: ClassVar = {
        "dish": pa.string(), "orders": pa.int64(), "of_share": pa.float64(), "pieces": pa.float64(), "sales_minor": pa.int64(),
    }  # fmt: skip


class Pair(NamedTuple):
    """Two dishes on one check. together: checks with both; times: as often as if they had nothing to do with each other, with its
    interval, which holds for all pairs that were looked at together."""

    dish: str
    other: str
    together: int
    times: float
    low: float
    high: float


class PairsSold(Rows[Pair]):
    """Pairs bought together more often than by chance, the most telling first."""

    schema: ClassVar = {
        "dish": pa.string(), "other": pa.string(), "together": pa.int64(), "times": pa.float64(), "low": pa.float64(),
        "high": pa.float64(),
    }  # fmt: skip


def dishes_sold(
    lake: Lake, *, store: str | None = None, since: dt.date | None = None, until: dt.date | None = None
) -> DishesSold:
    """All dishes by what they took in, returned lines taken off. Raises DataError where there are no such orders or no lines."""
    lines = _lines(lake, store, since, until)
    sums = lines.group_by("item_id").agg(
        nw.col("order_id").n_unique().cast(nw.Int64).alias("orders"),
        nw.col("quantity").sum().cast(nw.Float64).alias("pieces"),
        nw.col("amount_minor").sum().cast(nw.Int64).alias("sales_minor"),
    )
    checks = lake.collect(lines.select(nw.col("order_id").n_unique().cast(nw.Int64).alias("n")))["n"][0].as_py()
    rows = lake.collect(sums).sort_by([("sales_minor", "descending"), ("item_id", "ascending")]).to_pylist()
    return DishesSold(
        Sold(row["item_id"], row["orders"], row["orders"] / checks, row["pieces"], row["sales_minor"]) for row in rows
    )


def pairs_sold(
    lake: Lake,
    *,
    store: str | None = None,
    since: dt.date | None = None,
    until: dt.date | None = None,
    alpha: float = 0.05,
) -> PairsSold:
    """Which of the 200 dishes on most checks are bought together more often than by chance.

    The interval is that of the logarithm of `times`, by the delta method for counts of a multinomial, at the level of Bonferroni for
    all pairs with ten checks or more. It says nothing of why: dishes of one season, or of one store, go together too.
    Raises DataError as `dishes_sold` does.
    """
    on_checks = lake.collect(
        _lines(lake, store, since, until).filter(nw.col("quantity") > 0).select("order_id", "item_id").unique()
    )
    names, together, count = _together(on_checks)
    alone = together.diagonal()
    one, other = np.nonzero(np.triu(together, 1) >= _LEAST_TOGETHER)
    both = together[one, other].astype(float)
    times = both * count / (alone[one] * alone[other])
    error = np.sqrt(1 / both - 1 / alone[one] - 1 / alone[other] + (2 * times - 1) / count)
    reach = -special.ndtri(alpha / 2 / max(len(one), 1)) * error
    low, high = times * np.exp(-reach), times * np.exp(reach)
    telling = [place for place in np.argsort(-low, kind="stable") if low[place] > 1]
    return PairsSold(
        Pair(names[one[i]], names[other[i]], int(both[i]), float(times[i]), float(low[i]), float(high[i]))
        for i in telling
    )


def _lines(lake: Lake, store: str | None, since: dt.date | None, until: dt.date | None) -> Frame:
    """The lines of these orders, under the names of their dishes, refunds left out."""
    orders = orders_of(lake, store, since, until).filter(~nw.col("is_refund"))
    return named_lines(lake).join(orders.select("order_id"), on="order_id", how="inner")


def _together(on_checks: pa.Table) -> tuple[list[str], np.ndarray, int]:
    """The dishes on most checks; on how many checks each two of them stand, each by itself on the diagonal; and how many there are."""
    checks, dishes = (on_checks[name].combine_chunks().dictionary_encode() for name in ("order_id", "item_id"))
    names = dishes.dictionary.to_pylist()
    places = checks.indices.to_numpy(), dishes.indices.to_numpy()
    table = sparse.csr_array((np.ones(len(on_checks)), places), shape=(len(checks.dictionary), len(names)))
    most = np.argsort(-table.sum(axis=0), kind="stable")[:_MOST_DISHES]
    kept = table[:, most]
    return [names[place] for place in most], np.asarray((kept.T @ kept).todense()), table.shape[0]
