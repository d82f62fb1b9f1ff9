"""Shaping: the rows of a source made into rows of a table, before any value is read.

    fill down -> count -> set aside -> one row for each element of a list

What an order says once is said on all its rows; what is not meant for the table is counted, never lost sight of.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.tables.formats import Misshapen, RawBatch
from regulars.tables.formats.raw import as_json
from regulars.tables.mapping import Condition, From, Mapping, Words
from regulars.tables.notes import Notes
from regulars.tables.readings import as_text
from regulars.tables.readings.words import cleaned, means_nothing


class Shaped(NamedTuple):
    """Rows of a source in the shape of a table.

    raw: the batch as the source wrote it. rows: n rows. place: int64, shape (n,): which row of `raw` each was.
    first: number of the first row of `raw` in its source. misshapen: rows of which nothing could be made.
    """

    raw: RawBatch
    rows: pa.RecordBatch
    place: np.ndarray
    first: int
    misshapen: tuple[Misshapen, ...] = ()

    @property
    def line(self) -> pa.Array:
        """On which line of the source each row stands, shape (n,)."""
        return self.raw.line.take(pa.array(self.place))

    @property
    def row(self) -> pa.Array:
        """Which row of the source each was, shape (n,)."""
        return pa.array(self.place + self.first, pa.int64())

    def column(self, name: str) -> pa.Array:
        """A column of the source; nothing where the source has none of that name."""
        at = self.rows.schema.get_field_index(name)
        return self.rows.column(at) if at >= 0 else pa.nulls(len(self.rows), pa.string())

    def where(self, is_kept: pa.Array) -> "Shaped":
        return self._replace(rows=self.rows.filter(is_kept), place=self.place[np.asarray(is_kept)])


class Parted(NamedTuple):
    """kept: what is meant for the table. void: what never was, and `because` of each. set_aside: how many rows, by reason."""

    kept: Shaped
    void: Shaped
    because: pa.Array
    set_aside: Counter[str]


@dataclass(slots=True)
class Shaper:
    """Shapes the batches of one source, in their order, as a mapping says. rows, misshapen: how many there were so far."""

    mapping: Mapping
    notes: Notes = field(default_factory=Notes)
    rows: int = 0
    misshapen: int = 0
    _above: pa.RecordBatch | None = None
    _seen: set[str] = field(default_factory=set)
    _counted: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many rows the source had so far."""
        return self.rows + self.misshapen

    def shape(self, raw: RawBatch) -> Parted:
        mapping = self.mapping
        whole = Shaped(raw, raw.rows, np.arange(len(raw.rows)), self.rows, raw.misshapen)
        self.rows += len(raw.rows)
        self.misshapen += len(raw.misshapen)
        if mapping.fill_down and len(raw.rows):
            whole = whole._replace(rows=self._filled(raw.rows, *next(iter(mapping.fill_down.items()))))
        for origin in mapping.columns.values():
            if origin.count_per is not None and mapping.each is None:
                whole = whole._replace(rows=self._numbered(whole, origin))
        kept, void, because = _without_void(whole, mapping)
        for reason in mapping.void:
            self.notes.want(f"void '{reason}'", is_there=bool(pc.any(pc.equal(because, reason)).as_py()))
        if mapping.refund is not None:
            self.notes.want("refund", is_there=bool(pc.any(holds(whole, mapping.refund)).as_py()))
        kept, set_aside = _only(kept, mapping)
        if mapping.only is not None:
            self.notes.want("only", is_there=len(kept.rows) > 0)
        set_aside.update(because.to_pylist())
        if mapping.once_per is not None:
            once = self._once(kept, mapping.once_per)
            set_aside["sent twice"] += len(kept.rows) - len(once.rows)
            kept = once
        if mapping.each is not None:
            kept, empty = _of_each(kept, mapping.each, mapping)
            set_aside.update(empty)
        return Parted(kept, void, because, set_aside)

    def _filled(self, rows: pa.RecordBatch, group: str, names: tuple[str, ...]) -> pa.RecordBatch:
        """Empty values take what stands above them in the same group, across the border of batches too."""
        stacked = rows if self._above is None else _stacked(self._above, rows)
        begins = _begins(stacked.column(group))
        for name in names:
            if (at := stacked.schema.get_field_index(name)) >= 0:
                stacked = stacked.set_column(at, name, _filled_down(stacked.column(at), begins))
        self._above = stacked.slice(len(stacked) - 1)
        return stacked.slice(len(stacked) - len(rows))

    def _once(self, shaped: Shaped, name: str) -> Shaped:
        """The rows whose name did not come before; a row without a name is one of its own."""
        encoded = pc.dictionary_encode(words_of(shaped.column(name)))
        names, codes = encoded.dictionary.to_pylist(), np.asarray(encoded.indices, np.int64)
        is_known = np.array([word in self._seen for word in names], dtype=bool)[codes]
        is_unnamed = np.array([word == "" for word in names], dtype=bool)[codes]
        self._seen.update(word for word in names if word)
        return shaped.where(pa.array(is_unnamed | (~is_known & (_place_within(codes) == 0))))

    def _numbered(self, shaped: Shaped, origin: From) -> pa.RecordBatch:
        """The rows with the number of each among those that agree in the columns by which `origin` counts."""
        keys = [words_of(shaped.column(name)) for name in origin.counted_by]
        encoded = pc.dictionary_encode(pc.binary_join_element_wise(*keys, "\x1f"))
        groups, codes = encoded.dictionary.to_pylist(), np.asarray(encoded.indices, np.int64)
        before = np.array([self._counted.get(group, 0) for group in groups], np.int64)
        after = before + np.bincount(codes, minlength=len(groups))
        self._counted.update(zip(groups, after.tolist(), strict=True))
        return _with(shaped.rows, count_name(origin), pa.array(before[codes] + _place_within(codes) + 1, pa.int64()))


def count_name(origin: From) -> str:
    """The name under which shaped rows carry their numbers."""
    return f"__count per {', '.join(origin.counted_by)}"


def holds(shaped: Shaped, condition: Condition) -> pa.Array:
    """Whether each row says what a condition asks for, in all its columns; case does not matter."""
    result = pa.array(np.ones(len(shaped.rows), dtype=bool))
    for name, words in condition.items():
        result = pc.and_(result, _says(shaped.column(name), words))
    return result


def _says(values: pa.Array, words: Words) -> pa.Array:
    said = words_of(values)
    if isinstance(words, bool):
        return pc.equal(pc.not_equal(said, ""), words)
    wanted = [words] if isinstance(words, str) else words
    return pc.is_in(pc.utf8_lower(said), pa.array([word.strip().lower() for word in wanted], pa.string()))


def _without_void(shaped: Shaped, mapping: Mapping) -> tuple[Shaped, Shaped, pa.Array]:
    """What is left, what never was, and why."""
    because = pa.nulls(len(shaped.rows), pa.string())
    for reason, condition in mapping.void.items():
        said = pc.if_else(holds(shaped, condition), pa.scalar(reason), pa.scalar(None, pa.string()))
        because = pc.coalesce(because, said)
    if because.null_count == len(because):
        return shaped, shaped.where(pc.is_valid(because)), because.slice(0, 0)
    return shaped.where(pc.is_null(because)), shaped.where(pc.is_valid(because)), because.drop_null()


def _only(shaped: Shaped, mapping: Mapping) -> tuple[Shaped, Counter[str]]:
    """The rows that say what they must, and how many others there are, by what they say instead."""
    if mapping.only is None:
        return shaped, Counter()
    is_meant = holds(shaped, mapping.only)
    others = shaped.where(pc.invert(is_meant))
    said = pa.nulls(len(others.rows), pa.string())
    for name, words in mapping.only.items():
        value = words_of(others.column(name))
        word = pc.if_else(pc.equal(value, ""), pa.scalar(f"without {name}"), value)
        if isinstance(words, bool):
            word = pa.array([f"{'without' if words else 'with'} {name}"] * len(value), pa.string())
        said = pc.coalesce(said, pc.if_else(_says(value, words), pa.scalar(None, pa.string()), word))
    counted = {item["values"]: item["counts"] for item in pc.value_counts(said).to_pylist()}
    return shaped.where(is_meant), Counter(counted)


def _of_each(shaped: Shaped, each: str, mapping: Mapping) -> tuple[Shaped, dict[str, int]]:
    """One row for each element of a list; how many rows have an empty one."""
    lists = [_elements(text, mapping.decimal) for text in words_of(shaped.column(each)).to_pylist()]
    odd = tuple(
        Misshapen(
            line, f"'{each}' holds no list of objects", as_json(shaped.raw.rows.slice(int(place), 1).to_pylist()[0])
        )
        for line, place, found in zip(shaped.line.to_pylist(), shaped.place, lists, strict=True)
        if found is None
    )
    sizes = np.array([len(found or ()) for found in lists], np.int64)
    taken = np.repeat(np.arange(len(lists)), sizes)
    rows = shaped.rows.take(pa.array(taken))
    entries = [entry for found in lists for entry in found or ()]
    for name in mapping.sources:
        if name.startswith(f"{each}."):
            values = [_as_written(entry, name.removeprefix(f"{each}.")) for entry in entries]
            rows = _with(rows, name, pa.array(values, pa.string()))
    for origin in mapping.columns.values():
        if origin.count_per is not None:
            rows = _with(rows, count_name(origin), pa.array(_place_within(taken) + 1, pa.int64()))
    empty = sum(found == [] for found in lists)
    label = f"without {each.rsplit('.', 1)[-1]}"
    return shaped._replace(rows=rows, place=shaped.place[taken], misshapen=(*shaped.misshapen, *odd)), {label: empty}


def _elements(text: str, decimal: str) -> list[dict[str, Any]] | None:
    """The objects of a list that is written as JSON, None where there is no such list; numbers with the decimal mark."""
    try:
        found = json.loads(
            text or "[]", parse_float=lambda number: number.replace(".", decimal), parse_int=str, parse_constant=str
        )
    except (json.JSONDecodeError, RecursionError):
        return None
    return found if isinstance(found, list) and all(isinstance(entry, dict) for entry in found) else None


def _as_written(entry: dict[str, Any], name: str) -> str | None:
    value: Any = entry
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _begins(groups: pa.Array) -> np.ndarray:
    """For each row the first row of its group, of rows that stand together; a row without a name is a group of its own."""
    said = words_of(groups)
    is_new = np.ones(len(said), dtype=bool)
    is_new[1:] = np.asarray(pc.or_(pc.not_equal(said[1:], said[:-1]), pc.equal(said[1:], "")))
    return np.maximum.accumulate(np.where(is_new, np.arange(len(said)), 0))


def _filled_down(values: pa.Array, begins: np.ndarray) -> pa.Array:
    own = np.arange(len(begins))
    last = np.maximum.accumulate(np.where(np.asarray(pc.not_equal(words_of(values), "")), own, 0))
    return values.take(pa.array(np.where(last >= begins, last, own)))


def _place_within(codes: np.ndarray) -> np.ndarray:
    """The place of each row among those of its code, from 0, shape (n,)."""
    order = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes)
    begins = np.cumsum(sizes) - sizes
    place = np.empty(len(codes), np.int64)
    place[order] = np.arange(len(codes)) - begins[codes[order]]
    return place


def words_of(values: pa.Array, nothing: tuple[str, ...] = ()) -> pa.Array:
    """Values as cleaned text, empty where there is none or it stands for nothing."""
    encoded = pc.dictionary_encode(text_of(values))
    clean = cleaned(encoded.dictionary)
    words = pc.if_else(means_nothing(clean, nothing), pa.scalar(""), clean)
    return pc.fill_null(words.take(encoded.indices), "")


def text_of(values: pa.Array) -> pa.Array:
    """Values as text, empty where a float is none."""
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
    return as_text(values)


def _with(rows: pa.RecordBatch, name: str, values: pa.Array) -> pa.RecordBatch:
    at = rows.schema.get_field_index(name)
    return rows.append_column(name, values) if at < 0 else rows.set_column(at, name, values)


def _stacked(above: pa.RecordBatch, below: pa.RecordBatch) -> pa.RecordBatch:
    columns = [pa.concat_arrays([top, bottom]) for top, bottom in zip(above.columns, below.columns, strict=True)]
    return pa.RecordBatch.from_arrays(columns, names=below.schema.names)
