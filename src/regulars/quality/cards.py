"""Score cards: how good each store, dish, part of the day and month is, with what is not known said.

Every figure leans on its peers as far as its own data are few, has an interval, and a place among peers with the places that are
possible; there is no bare number from three reviews.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.errors import DataError
from regulars.quality.aspects import NAMES
from regulars.quality.mentions import unpacked
from regulars.quality.servings import Coded, FloatArray, IntArray, Servings
from regulars.quality.shrinkage import LEAST_PEERS, pooled_means, pooled_shares, ranks

BY = ("store", "item", "shift", "month")
LESS_IS_BETTER = frozenset({"refunds_and_voids"})
_LEAST_WEIGHT = 0.5


class Reviews(NamedTuple):
    """r reviews and c clauses of them, in the codes of servings.

    store, shift, month: (r,), shift -1 where the review names no order. rating: (r,) NaN where there is none.
    weight: (r,) of each, 0 to 1, by `trust`. review: (c,) of which. item: (c,) the dish meant, -1 for none.
    aspects: (c, 18). polarity: (c,). is_told: (c,).
    """

    store: IntArray
    shift: IntArray
    month: IntArray
    rating: FloatArray
    weight: FloatArray
    review: IntArray
    item: IntArray
    aspects: np.ndarray
    polarity: IntArray
    is_told: np.ndarray


class _Counts(NamedTuple):
    """One measure of some units. unit: (m,) keys, may repeat. hits, trials: (m,). squares: (m,) for means, else None."""

    measure: str
    aspect: str | None
    unit: IntArray
    hits: FloatArray
    trials: FloatArray
    squares: FloatArray | None = None


def coded_reviews(
    servings: Servings, reviews: pa.Table, clauses: pa.Table, weight: FloatArray | None = None
) -> Reviews:
    """Reviews and their clauses, as `mentions` keeps them, in the codes of servings; those of stores without orders are left out."""
    store = _codes(reviews["store_id"], servings.store.names)
    order = pc.index_in(reviews["order_id"], value_set=servings.order_id, skip_nulls=True)
    row = pc.fill_null(order, -1).to_numpy().astype(np.int64)
    shift = np.where(row >= 0, servings.shift.code[row], -1) if len(servings) else np.full(len(row), -1)
    day = reviews["reviewed_at"].cast(pa.timestamp("us", "UTC")).cast(pa.date32()).cast(pa.int32()).to_numpy() + 719_163
    is_kept = store >= 0
    place = np.cumsum(is_kept) - 1
    of_clause = pc.index_in(clauses["review_id"], value_set=reviews["review_id"].combine_chunks())
    review = pc.fill_null(of_clause, -1).to_numpy().astype(np.int64)
    known = (review >= 0) & is_kept[review]
    rating = pc.fill_null(reviews["rating"].cast(pa.float64()), np.nan).to_numpy()
    given = np.ones(len(reviews)) if weight is None else weight
    return Reviews(
        store[is_kept], shift[is_kept], months(day.astype(np.int64))[is_kept], rating[is_kept], given[is_kept],
        place[review[known]], _codes(clauses["item_id"], servings.item.names)[known],
        unpacked(clauses["aspects"].to_numpy())[known], clauses["polarity"].to_numpy().astype(np.int64)[known],
        clauses["is_told"].to_numpy()[known],
    )  # fmt: skip


def score_cards(
    servings: Servings,
    reviews: Reviews | None = None,
    *,
    by: Sequence[str] = ("store",),
    store_peers: Sequence[str] | None = None,
    item_peers: Sequence[str] | None = None,
    level: float = 0.9,
) -> pa.Table:
    """One row for each unit and measure.

    by: of BY. store_peers, item_peers: what makes stores and dishes comparable, such as cuisine and category, in the order of the
    servings' names; the level of price in three steps is
    added where a kind has nine. A dish in a store has the same dish in other stores as peers.
    Columns: those of `by`, measure, aspect (of talk and positive alone), n, estimate, low, high (`level` of probability), group_mean,
    is_known (its own data weigh at least as much as its peers), rank, rank_best, rank_worst, peers.
    Raises DataError for an unknown `by`.
    """
    if not by or (unknown := [name for name in by if name not in BY]):
        raise DataError(f"score cards are by {', '.join(BY)}, not {', '.join(unknown) if by else 'nothing'}")
    shape = _Shape.of(servings, by)
    peers = _peers(servings, by, store_peers, item_peers)
    parts = [_card(counts, shape, peers, level) for counts in _all_counts(servings, reviews, shape)]
    return pa.concat_tables([part for part in parts if len(part)])


class _Shape(NamedTuple):
    """How units are numbered: names and sizes of `by`. first_month: months count from it."""

    by: tuple[str, ...]
    names: tuple[np.ndarray, ...]
    first_month: int

    @classmethod
    def of(cls, servings: Servings, by: Sequence[str]) -> "_Shape":
        month = months(servings.day)
        first, last = int(month.min(initial=10**6)), int(month.max(initial=0))
        written = np.array([f"{m // 12}-{m % 12 + 1:02}" for m in range(first, last + 1)], dtype=object)
        known = {
            "store": servings.store.names,
            "item": servings.item.names,
            "shift": servings.shift.names,
            "month": written,
        }
        return cls(tuple(by), tuple(known[name] for name in by), first)

    def keys(self, codes: dict[str, IntArray]) -> IntArray:
        """One number for each unit, -1 where a part of it is not known, shape (m,)."""
        key = np.zeros(len(next(iter(codes.values()))), dtype=np.int64)
        is_known = np.ones(len(key), dtype=bool)
        for name, names in zip(self.by, self.names, strict=True):
            code = codes[name] - self.first_month if name == "month" else codes[name]
            is_known &= (code >= 0) & (code < len(names))
            key = key * len(names) + code
        return np.where(is_known, key, -1)

    def parts(self, keys: IntArray) -> dict[str, IntArray]:
        """The codes that make each key."""
        found: dict[str, IntArray] = {}
        for name, names in zip(reversed(self.by), reversed(self.names), strict=True):
            keys, found[name] = np.divmod(keys, len(names))
        return found


def months(day: IntArray) -> IntArray:
    """Months since year 0 of proleptic Gregorian days, shape (n,)."""
    return (day - 719_163).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) + 1970 * 12


def _codes(ids: pa.ChunkedArray, names: np.ndarray) -> IntArray:
    found = pc.index_in(ids.cast(pa.string()), value_set=pa.array(names, pa.string()), skip_nulls=True)
    return np.asarray(pc.fill_null(found, -1).to_numpy(), dtype=np.int64)


def _all_counts(servings: Servings, reviews: Reviews | None, shape: _Shape) -> Iterator[_Counts]:
    month = months(servings.day) if "month" in shape.by else servings.day
    codes = {"store": servings.store.code, "item": servings.item.code, "shift": servings.shift.code, "month": month}
    key = shape.keys(codes)
    is_told = ~np.isnan(servings.reordered)
    yield _Counts("reorder_rate", None, key[is_told], servings.reordered[is_told], np.ones(is_told.sum()))
    yield _Counts("refunds_and_voids", None, key, servings.is_bad.astype(np.float64), np.ones(len(key)))
    if reviews is not None:
        yield from _review_counts(reviews, shape)


def _review_counts(reviews: Reviews, shape: _Shape) -> Iterator[_Counts]:
    of_reviews = {"store": reviews.store, "shift": reviews.shift, "month": reviews.month}
    codes = {name: code[reviews.review] for name, code in of_reviews.items()} | {"item": reviews.item}
    key = shape.keys(codes)
    if "item" in shape.by:
        who, review = _pairs(key, reviews.review)
    else:
        who, review = shape.keys(of_reviews), np.arange(len(reviews.store))
    weight, rating = reviews.weight[review], reviews.rating[review]
    rated = ~np.isnan(rating)
    yield _Counts("rating", None, who[rated], (weight * rating)[rated], weight[rated], (weight * rating**2)[rated])
    clause_weight = reviews.weight[reviews.review]
    talking, speaking = _pairs(key, reviews.review)
    for place, aspect in enumerate(NAMES):
        rows = np.flatnonzero(reviews.aspects[:, place])
        named, naming = _pairs(key[rows], reviews.review[rows])
        hit = np.concatenate([reviews.weight[naming], np.zeros(len(talking))])
        trial = np.concatenate([np.zeros(len(named)), reviews.weight[speaking]])
        yield _Counts("talk", aspect, np.concatenate([named, talking]), hit, trial)
        judged = rows[reviews.is_told[rows] & (reviews.polarity[rows] != 0)]
        good = clause_weight[judged] * (reviews.polarity[judged] > 0)
        yield _Counts("positive", aspect, key[judged], good, clause_weight[judged])


def _pairs(unit: IntArray, review: IntArray) -> tuple[IntArray, IntArray]:
    """Each unit and review once."""
    size = int(review.max(initial=0)) + 1
    known = unit >= 0
    return np.divmod(np.unique(unit[known] * size + review[known]), size)


def _peers(
    servings: Servings, by: Sequence[str], store_peers: Sequence[str] | None, item_peers: Sequence[str] | None
) -> dict[str, IntArray]:
    """The group of each store, dish, part of the day and month in which it is compared."""
    groups: dict[str, IntArray] = {}
    if "item" in by and "store" in by:
        groups["item"] = np.arange(len(servings.item.names))
    elif "item" in by:
        groups["item"] = _alike(servings.item, servings.price, item_peers)
    elif "store" in by:
        groups["store"] = _alike(servings.store, servings.price, store_peers)
    for name, size in (("shift", len(servings.shift.names)), ("month", 12_000 * 12)):
        if name in by and len(by) > 1:
            groups[name] = np.arange(size)
    return groups


def _alike(coded: Coded, price: FloatArray, kind: Sequence[str] | None) -> IntArray:
    """Groups of one kind, and of one third of its mean prices where each third has peers enough."""
    is_priced = ~np.isnan(price)
    size = len(coded.names)
    sums = np.bincount(coded.code[is_priced], weights=price[is_priced], minlength=size)
    mean = sums / np.maximum(np.bincount(coded.code[is_priced], minlength=size), 1)
    kinds = np.zeros(size, dtype=np.int64) if kind is None else _places(np.array(kind, dtype=str))
    third = np.zeros(size, dtype=np.int64)
    for place in np.flatnonzero(np.bincount(kinds, minlength=1) >= 3 * LEAST_PEERS):
        alike = np.flatnonzero(kinds == place)
        third[alike] = np.searchsorted(np.quantile(mean[alike], [1 / 3, 2 / 3]), mean[alike])
    return _places(kinds * 3 + third)


def _places(values: np.ndarray) -> IntArray:
    return np.asarray(np.unique(values, return_inverse=True)[1], dtype=np.int64)


def _sums(place: IntArray, values: FloatArray, size: int) -> FloatArray:
    return np.asarray(np.bincount(place, weights=values, minlength=size), dtype=np.float64)


def _card(counts: _Counts, shape: _Shape, peers: dict[str, IntArray], level: float) -> pa.Table:
    is_known = counts.unit >= 0
    unit, place = np.unique(counts.unit[is_known], return_inverse=True)
    hits, trials = (_sums(place, v[is_known], len(unit)) for v in (counts.hits, counts.trials))
    parts = shape.parts(unit)
    group = np.zeros(len(unit), dtype=np.int64)
    for name, groups in peers.items():
        group = group * (int(groups.max(initial=0)) + 1) + groups[parts[name]]
    group = np.unique(group, return_inverse=True)[1]
    if counts.squares is None:
        found = pooled_shares(hits, trials, group, level=level)
    else:
        squares = _sums(place, counts.squares[is_known], len(unit))
        found = pooled_means(hits, squares, trials, group, level=level)
    placed = ranks(found, group, level=level, more_is_better=counts.measure not in LESS_IS_BETTER)
    named = {n: pa.array(names[parts[n]], pa.string()) for n, names in zip(shape.by, shape.names, strict=True)}
    columns = {
        "measure": pa.array([counts.measure] * len(unit), pa.string()),
        "aspect": pa.array([counts.aspect] * len(unit), pa.string()),
        "n": trials, "estimate": found.estimate, "low": found.low, "high": found.high, "group_mean": found.group_mean,
        "is_known": found.weight >= _LEAST_WEIGHT, "rank": placed.rank, "rank_best": placed.best,
        "rank_worst": placed.worst, "peers": placed.peers,
    }  # fmt: skip
    return pa.table(named | {name: pa.array(value) for name, value in columns.items()})
