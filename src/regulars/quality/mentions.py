"""Mentions: the reviews of a lake, read; one row for each clause, kept as the table `review_clauses`.

Each distinct clause is read once: what it says is kept as `clause_readings`, so that tomorrow's reviews cost only what is new.
"""

import uuid
from collections.abc import Callable
from typing import NamedTuple

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from regulars.errors import DataError
from regulars.quality import clauses as pieces
from regulars.quality import dishes
from regulars.quality.aspects import ASPECTS, NAMES
from regulars.quality.readers import LexiconReader, Reader, open_reader
from regulars.tables import Lake
from regulars.wording import Sentence

READINGS, CLAUSES = "clause_readings", "review_clauses"
_BITS = 1 << np.arange(len(ASPECTS), dtype=np.int64)
_READING = pa.schema(
    [
        ("clause", pa.string()), ("reader", pa.string()), ("aspects", pa.int64()), ("polarity", pa.int8()),
        ("is_told", pa.bool_()), ("safety", pa.int8()),
    ]
)  # fmt: skip


class ReadReport(NamedTuple):
    """What was read. empty: reviews without a clause, such as emoji alone. new: distinct clauses that were not known before.

    untold: judgements of an aspect whose polarity cannot be told, which are not counted. linked: clauses that mean a dish.
    reader: what read.
    """

    reviews: int
    empty: int
    clauses: int
    distinct: int
    new: int
    mentions: int
    untold: int
    linked: int
    reader: Sentence


def read_reviews(
    lake: Lake, reader: Reader | None = None, progress: Callable[[int, int], None] | None = None
) -> ReadReport:
    """Read all reviews of a lake and keep their clauses. progress: told how many new clauses are read, of how many.

    reader: None takes the best there is, and the lexicon where that fails, which its `about` then says.
    Raises DataError where the lake holds no reviews.
    """
    if reader is None:
        best = open_reader()
        try:
            return read_reviews(lake, best, progress)
        except DataError as error:
            if isinstance(best, LexiconReader) or not lake.has("reviews"):
                raise
            return read_reviews(lake, LexiconReader(why=str(error).split("; ")[0]), progress)
    columns = nw.col("review_id", "guest_id", "store_id", "order_id", "item_id", "reviewed_at", "rating", "text")
    reviews = lake.collect(lake.scan("reviews").select(columns)).sort_by("review_id")
    split = pieces.split(reviews["text"])
    encoded = split.text.dictionary_encode()
    distinct, place = encoded.dictionary, encoded.indices.to_numpy(zero_copy_only=False)
    known, new = _known(lake, distinct, reader, progress)
    dish = _dishes(lake, reviews, split.review, distinct, place)
    table = _rows(reviews, split, known.take(pa.array(place)), dish)
    keep(lake, CLAUSES, table)
    aspects = table["aspects"].to_numpy()
    mentions = np.bitwise_count(aspects)
    is_told = table["is_told"].to_numpy()
    return ReadReport(
        len(reviews), len(reviews) - len(np.unique(split.review)), len(split), len(distinct), new,
        int(mentions.sum()), int(mentions[~is_told].sum()), len(dish) - dish.null_count, reader.about,
    )  # fmt: skip


def kept_clauses(lake: Lake) -> pa.Table:
    """The clauses as they were read last. Raises DataError where no review was read yet."""
    if not lake.has(CLAUSES):
        raise DataError(f"{lake.workspace.path}: no review is read yet; `regulars quality read` reads them")
    return lake.read(CLAUSES)


def mentions(clauses: pa.Table) -> pa.Table:
    """One row for each aspect that a clause judges and whose polarity is told: the columns of the clause and `aspect`."""
    told = clauses.filter(clauses["is_told"])
    row, aspect = np.nonzero(unpacked(told["aspects"].to_numpy()))
    table = told.take(pa.array(row)).drop_columns(["aspects", "is_told"])
    return table.append_column("aspect", pa.array(np.array(NAMES, dtype=object)[aspect], pa.string()))


def keep(lake: Lake, name: str, table: pa.Table) -> None:
    """Put rows made in this process in the place of a derived table, on whichever engine the lake has."""
    lake.workspace.scratch.mkdir(parents=True, exist_ok=True)
    path = lake.workspace.scratch / f"{uuid.uuid4().hex}.parquet"
    pq.write_table(table, path)
    try:
        lake.write(name, lake.engine.scan([str(path)], table.schema))
    finally:
        path.unlink()


def packed(aspects: np.ndarray) -> np.ndarray:
    """(c, 18) truths as one number for each clause."""
    return np.asarray(aspects.astype(np.int64) @ _BITS)


def unpacked(numbers: np.ndarray) -> np.ndarray:
    """The truths that `packed` made numbers of, shape (c, 18)."""
    return np.asarray((numbers[:, None] & _BITS) > 0)


def _known(
    lake: Lake, distinct: pa.Array, reader: Reader, progress: Callable[[int, int], None] | None
) -> tuple[pa.Table, int]:
    """What each distinct clause says, in their order; what is new is read and kept."""
    stored = (
        (lake.read(READINGS) if lake.has(READINGS) else _READING.empty_table()).select(_READING.names).cast(_READING)
    )
    kept = stored.filter(pc.equal(stored["reader"], reader.name))
    fresh = distinct.filter(pc.invert(pc.is_in(distinct, value_set=kept["clause"].combine_chunks())))
    if len(fresh):
        told = None if progress is None else lambda done: progress(done, len(fresh))
        found = reader.read(fresh, told)
        columns = [
            fresh, pa.array([reader.name] * len(fresh)), pa.array(packed(found.aspects)), pa.array(found.polarity, pa.int8()),
            pa.array(found.is_told), pa.array(found.safety, pa.int8()),
        ]  # fmt: skip
        read = pa.table(columns, schema=_READING)
        kept = pa.concat_tables([kept, read]).combine_chunks()
        keep(lake, READINGS, pa.concat_tables([stored, read]))
    return kept.take(pc.index_in(distinct, value_set=kept["clause"].combine_chunks())), len(fresh)


def _dishes(
    lake: Lake, reviews: pa.Table, review_of: np.ndarray, distinct: pa.Array, clause_of: np.ndarray
) -> pa.Array:
    """The dish of each clause: the one it names, else the one the review is about, else none."""
    told = reviews["item_id"].combine_chunks().take(pa.array(review_of))
    if not lake.has("menu_items") or not len(clause_of):
        return told
    menu = lake.read("menu_items")
    links = dishes.link(distinct, dishes.names_of(menu))
    items = menu["item_id"].combine_chunks()
    found = dishes.meant(links, clause_of, _ordered(lake, reviews, items), review_of, len(menu))
    named = items.take(pa.array(found, pa.int64(), mask=found < 0))
    return pc.coalesce(named, told)


def _ordered(lake: Lake, reviews: pa.Table, items: pa.Array) -> set[tuple[int, int]]:
    """(review, item), as places, of the dishes on the checks that reviews are about."""
    if not lake.has("order_items") or reviews["order_id"].null_count == len(reviews):
        return set()
    told = lake.scan("reviews").filter(~nw.col("order_id").is_null()).select("order_id").unique()
    known = lake.collect(lake.scan("order_items").select("order_id", "item_id").join(told, on="order_id"))
    review = pc.index_in(known["order_id"], value_set=reviews["order_id"].combine_chunks())
    item = pc.index_in(known["item_id"], value_set=items)
    both = pa.table({"review": review, "item": item}).drop_null()
    return set(zip(both["review"].to_pylist(), both["item"].to_pylist(), strict=True))


def _rows(reviews: pa.Table, split: pieces.Clauses, said: pa.Table, dish: pa.Array) -> pa.Table:
    about = reviews.select(["review_id", "guest_id", "store_id", "order_id", "reviewed_at", "rating"])
    table = about.take(pa.array(split.review))
    table = table.append_column("number", pa.array(split.number)).append_column("item_id", dish)
    for name in ("clause", "aspects", "polarity", "is_told", "safety"):
        table = table.append_column(name, said[name])
    return table.combine_chunks()
