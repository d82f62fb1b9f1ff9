"""Trust: which reviews to believe less, and why; each keeps its place, with a weight and the reasons.

Texts that are nearly the same are found by the least hashes of their runs of five letters (Broder 1997, "On the resemblance and
containment of documents"), so that no review is compared with all others.
"""

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import poisson

from regulars.quality.clauses import cleaned
from regulars.quality.servings import Coded, FloatArray, IntArray
from regulars.tabular import Rows, Tabular

REASONS = {
    "same_text": 0.0, "burst": 0.5, "stars_against_text": 0.5, "staff": 0.0, "many_from_one_guest": 0.0, "before_its_order": 0.5,
}  # fmt: skip
"""What may be said of a review, and the weight it leaves it; 0 for those whose weight is shared or taken."""
_RUN, _HASHES, _BAND = 5, 32, 4
_LEAST_BYTES, _ALIKE = 40, 0.75  # forty Latin letters, fourteen Chinese characters: shorter praise is alike by itself
_WINDOW, _BURST_CHANCE, _LEAST_BURST = 28, 1e-4, 6


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Trust(Tabular):
    """r reviews. weight: (r,) 0 to 1. reasons: (r,) Arrow lists of the names in REASONS."""

    review_id: pa.ChunkedArray
    weight: FloatArray
    reasons: pa.Array

    @property
    def headline(self) -> str:
        said = ", ".join(f"{count:,} {reason}" for reason, count in self.counts.items())
        return f"Trust: {len(self.weight):,} reviews{f'; {said}' if said else ''}"

    @property
    def counts(self) -> dict[str, int]:
        """How often each reason stands, the most frequent first."""
        return dict(Counter(self.reasons.flatten().to_pylist()).most_common())

    def to_arrow(self) -> pa.Table:
        return pa.table({"review_id": self.review_id, "weight": self.weight, "reasons": self.reasons})


class Doubt(NamedTuple):
    """A review that weighs less."""

    review_id: str
    store_id: str
    guest_id: str | None
    rating: float | None
    text: str | None
    weight: float
    reasons: tuple[str, ...]


class Doubts(Rows[Doubt]):
    """The reviews that weigh less, the least weight first."""

    schema: ClassVar = {
        "review_id": pa.string(), "store_id": pa.string(), "guest_id": pa.string(), "rating": pa.float64(), "text": pa.string(),
        "weight": pa.float64(), "reasons": pa.list_(pa.string()),
    }  # fmt: skip


def trust(
    reviews: pa.Table, clauses: pa.Table, *, staff: pa.Array | None = None, ordered_at: pa.Array | None = None
) -> Trust:
    """Weigh reviews. reviews: of our contract. clauses: theirs, as `mentions` keeps them. staff: guest ids of the house's own people.

    ordered_at: (r,) when the order was that each review is about, null where unknown.
    Texts that agree share one weight; the reviews of one guest of one store in one month together weigh one.
    """
    day = (
        reviews["reviewed_at"]
        .cast(pa.timestamp("us", "UTC"))
        .cast(pa.date32())
        .cast(pa.int32())
        .to_numpy()
        .astype(np.int64)
    )
    store, guest = Coded.of(reviews["store_id"]).code, Coded.of(reviews["guest_id"]).code
    copies = near_copies(reviews["text"])
    many = _repeated(guest, store, day)
    flags = {
        "same_text": copies > 1,
        "burst": _bursts(store, day),
        "stars_against_text": _contradictions(reviews, clauses),
        "staff": _among(reviews["guest_id"], staff),
        "many_from_one_guest": many > 1,
        "before_its_order": _too_early(reviews["reviewed_at"], ordered_at),
    }
    weight = 1.0 / np.maximum(copies, many)
    for name, left in REASONS.items():
        if name not in ("same_text", "many_from_one_guest"):
            weight = np.where(flags[name], weight * left, weight)
    return Trust(review_id=reviews["review_id"], weight=weight, reasons=_listed(flags))


def near_copies(texts: pa.ChunkedArray | pa.Array) -> IntArray:
    """How many reviews have nearly the same text as each, itself among them, shape (r,); short texts stand alone.

    >>> text = "The best noodles in all of the town, you have to go there"
    >>> near_copies(pa.array([text, text.upper() + "!", "ok", "ok"])).tolist()
    [2, 2, 1, 1]
    """
    plain = pc.replace_substring_regex(pc.utf8_lower(cleaned(texts)), r"[^\pL\pN]+", "")
    rows = np.flatnonzero(pc.greater_equal(pc.binary_length(plain), _LEAST_BYTES).to_numpy(zero_copy_only=False))
    copies = np.ones(len(plain), dtype=np.int64)
    if len(rows) < 2:
        return copies
    encoded = plain.take(pa.array(rows)).dictionary_encode()
    marks = _marks(encoded.dictionary)
    one, other = _pairs(marks)
    is_alike = (marks[one] == marks[other]).mean(axis=1) >= _ALIKE
    one, other = one[is_alike], other[is_alike]
    links = coo_array((np.ones(len(one)), (one, other)), shape=(len(marks), len(marks)))
    label = connected_components(links, directed=False)[1][encoded.indices.to_numpy()]
    copies[rows] = np.bincount(label)[label]
    return copies


def _marks(texts: pa.Array) -> np.ndarray:
    """The least of 32 hashes of all runs of five letters of each text, shape (t, 32)."""
    letters = np.frombuffer("".join(texts.to_pylist()).encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    lengths = pc.utf8_length(texts).to_numpy().astype(np.int64)
    stops = np.cumsum(lengths)
    with np.errstate(over="ignore"):
        runs = np.zeros(len(letters) - _RUN + 1, dtype=np.uint64)
        for place in range(_RUN):
            runs = runs * np.uint64(1_000_003) + letters[place : len(runs) + place]
        place_of = np.repeat(np.arange(len(lengths)), lengths)[: len(runs)]
        inside = np.arange(len(runs)) + _RUN <= stops[place_of]
        runs, starts = runs[inside], np.concatenate([[0], np.cumsum(lengths - _RUN + 1)[:-1]])
        draw = np.random.default_rng(0)
        factors = draw.integers(1, 1 << 60, _HASHES, dtype=np.uint64) | np.uint64(1)
        marks = [np.minimum.reduceat(_mixed(runs * factor), starts) for factor in factors]
    return np.column_stack(marks)


def _mixed(values: np.ndarray) -> np.ndarray:
    values = values ^ (values >> np.uint64(31))
    values = values * np.uint64(0x9E3779B97F4A7C15)
    return np.asarray(values ^ (values >> np.uint64(29)))


def _pairs(marks: np.ndarray) -> tuple[IntArray, IntArray]:
    """Neighbours in the order of each band of marks: texts that agree in one band."""
    ones, others = [], []
    for band in range(0, _HASHES, _BAND):
        order = np.lexsort(marks[:, band : band + _BAND].T)
        same = (marks[order[1:], band : band + _BAND] == marks[order[:-1], band : band + _BAND]).all(axis=1)
        ones.append(order[1:][same])
        others.append(order[:-1][same])
    return np.concatenate(ones), np.concatenate(others)


def _repeated(guest: IntArray, store: IntArray, day: IntArray) -> IntArray:
    """How many reviews the guest wrote of the store within the same 30 days, shape (r,); 1 where the guest is unknown."""
    month = day // 30 - (day.min() // 30 if len(day) else 0)
    key = (guest * (store.max(initial=0) + 1) + store) * (month.max(initial=0) + 1) + month
    _, place, count = np.unique(key, return_inverse=True, return_counts=True)
    return np.where(guest >= 0, count[place], 1)


def _bursts(store: IntArray, day: IntArray) -> np.ndarray:
    """Reviews of a day on which a store had more than chance allows, by its mean of the four weeks around."""
    if not len(day):
        return np.zeros(0, dtype=bool)
    span = int(day.max() - day.min()) + 1
    counts = (
        np.bincount(store * span + day - day.min(), minlength=(store.max() + 1) * span).reshape(-1, span).astype(float)
    )
    sums = np.cumsum(np.pad(counts, ((0, 0), (_WINDOW // 2 + 1, _WINDOW // 2))), axis=1)
    around = sums[:, _WINDOW:][:, :span] - sums[:, :-_WINDOW][:, :span]
    usual = np.maximum((around - counts) / (_WINDOW - 1), 1 / _WINDOW)
    is_burst = (counts >= _LEAST_BURST) & (poisson.sf(counts - 1, usual) < _BURST_CHANCE)
    return np.asarray(is_burst[store, day - day.min()])


def _contradictions(reviews: pa.Table, clauses: pa.Table) -> np.ndarray:
    """High stars over words that all complain, or low stars over words that all praise; two clauses at least."""
    of = pc.index_in(clauses["review_id"], value_set=reviews["review_id"].combine_chunks())
    review = pc.fill_null(of, -1).to_numpy().astype(np.int64)
    is_told = clauses["is_told"].to_numpy() & (clauses["aspects"].to_numpy() > 0) & (review >= 0)
    polarity = clauses["polarity"].to_numpy()[is_told]
    good, bad = (np.bincount(review[is_told][polarity == sign], minlength=len(reviews)) for sign in (1, -1))
    stars = pc.fill_null(reviews["rating"].cast(pa.float64()), 3.0).to_numpy()
    return np.asarray(((stars >= 4) & (bad >= 2) & (good == 0)) | ((stars <= 2) & (good >= 2) & (bad == 0)))


def _among(guests: pa.ChunkedArray, staff: pa.Array | None) -> np.ndarray:
    if staff is None or not len(staff):
        return np.zeros(len(guests), dtype=bool)
    return np.asarray(pc.is_in(guests, value_set=staff, skip_nulls=True).to_numpy())


def _too_early(reviewed_at: pa.ChunkedArray, ordered_at: pa.Array | None) -> np.ndarray:
    if ordered_at is None:
        return np.zeros(len(reviewed_at), dtype=bool)
    return np.asarray(pc.fill_null(pc.less(reviewed_at, ordered_at), False).to_numpy(zero_copy_only=False))


def doubts(reviews: pa.Table, found: Trust) -> Doubts:
    """The doubted ones of the reviews that were weighed."""
    rows = np.flatnonzero(pc.list_value_length(found.reasons).to_numpy(zero_copy_only=False) > 0)
    rows = rows[np.argsort(found.weight[rows], kind="stable")]
    known = reviews.select(["review_id", "store_id", "guest_id", "rating", "text"]).take(pa.array(rows)).to_pylist()
    reasons = found.reasons.take(pa.array(rows)).to_pylist()
    return Doubts(
        Doubt(**row, weight=float(found.weight[place]), reasons=tuple(said))
        for row, place, said in zip(known, rows, reasons, strict=True)
    )


def _listed(flags: dict[str, np.ndarray]) -> pa.Array:
    names, rows = np.array(list(flags), dtype=object), np.column_stack(list(flags.values()))
    starts = np.concatenate([[0], np.cumsum(rows.sum(axis=1))])
    said = pa.array(names[np.nonzero(rows)[1]], pa.string())
    return pa.ListArray.from_arrays(pa.array(starts, pa.int32()), said)
