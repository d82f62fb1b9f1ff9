"""Counting in blocks: many rules over columns in memory, a block at a time, while it lies in the processor's cache.

An engine asks each condition of all rows before the next one, and so moves every column through memory as often as rules name
it. Here a block of rows is read once, integers are narrowed to what their values need, texts become the numbers of the few
constants they are compared with, and all conditions are answered on that. Threads take blocks in turn; numpy lets them run.
"""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from operator import add, eq, ge, gt, le, lt, mul, ne, sub, truediv
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.segments.grammar import compiled

ROWS = 1 << 17
_ORDERED = (lt, le, gt, ge)
_NARROW = tuple(np.iinfo(kind) for kind in (np.int8, np.int16, np.int32))
Compare = Callable[[Any, Any], Any]


class NotInBlocksError(Exception):
    """What only an engine can answer: texts in order, one text beside another, columns of other kinds than rules are for."""


def counted(table: pa.Table, rules: Mapping[str, str], kinds: dict[str, str]) -> dict[str, int]:
    """How many rows meet each rule; `kinds` are those of the columns.

    Raises DataError for a wrong rule, NotInBlocksError where one cannot be answered here.
    """
    facts = _Facts({name: _Column.of(name, table[name], kinds[name]) for name in table.column_names})
    masks = [compiled(rule, kinds, facts, is_complete=True)[0] for rule in rules.values()]

    def count(rows: pa.RecordBatch) -> list[int]:
        block = _Block(rows)
        return [int(np.count_nonzero(mask.on(block))) for mask in masks]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = np.array(list(pool.map(count, table.to_batches(ROWS))), np.int64).reshape(-1, len(rules))
    return dict(zip(rules, parts.sum(axis=0).tolist(), strict=True))


@dataclass(slots=True)
class _Block:
    """Some rows, and what was worked out about them so far."""

    rows: pa.RecordBatch
    known: dict[Any, np.ndarray] = field(default_factory=dict)

    def once(self, key: Any, work: Callable[[], np.ndarray]) -> np.ndarray:
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = work()
        return found


@dataclass(slots=True, eq=False)
class _Column:
    """How a column is read as numbers: a text as the place of its value among `constants`, -1 for any other."""

    name: str
    kind: str
    narrow: np.dtype[Any] | None
    has_nulls: bool
    constants: list[Any] = field(default_factory=list)

    @classmethod
    def of(cls, name: str, values: pa.ChunkedArray, kind: str) -> "_Column":
        if kind not in ("number", "date", "text", "boolean"):
            raise NotInBlocksError(f"{name} is of kind '{kind}'")
        if pa.types.is_floating(values.type) and pc.any(pc.is_nan(values)).as_py():
            raise NotInBlocksError(f"{name} has numbers that are none")
        return cls(name, kind, _narrowest(values), values.null_count > 0)

    def numbers(self, block: _Block) -> np.ndarray:
        """Shape (rows,); anything where the value is missing."""
        values = block.rows.column(self.name)
        if self.kind == "text":
            place = pc.index_in(values, value_set=pa.array(self.constants, values.type))
            return np.asarray(pc.fill_null(place, -1)).astype(np.int16)
        if self.kind == "date":
            values = values.cast(pa.int32())
        if values.null_count:
            values = pc.fill_null(values, False if self.kind == "boolean" else 0)
        return np.asarray(values)

    def narrowed(self, block: _Block) -> np.ndarray:
        numbers = self.numbers(block)
        return numbers if self.narrow is None else numbers.astype(self.narrow)

    def present(self, block: _Block) -> np.ndarray | None:
        if not self.has_nulls:
            return None
        return block.once((self.name, "present"), lambda: np.asarray(pc.is_valid(block.rows.column(self.name))))

    def number_of(self, constant: Any) -> Any:
        """A constant as the column has it."""
        if self.kind == "text":
            if constant not in self.constants:
                self.constants.append(constant)
            return self.constants.index(constant)
        return (constant - _EPOCH).days if self.kind == "date" else constant


_EPOCH = np.datetime64(0, "D").astype(object)


def _narrowest(values: pa.ChunkedArray) -> np.dtype[Any] | None:
    if not pa.types.is_integer(values.type):
        return None
    span = pc.min_max(values).as_py()
    low, high = min(span["min"] or 0, 0), max(span["max"] or 0, 0)
    return next((kind.dtype for kind in _NARROW if kind.min <= low and high <= kind.max), None)


class _Mask:
    """A condition: which rows of a block meet it, shape (rows,)."""

    def __init__(self, on: Callable[[_Block], np.ndarray]) -> None:
        self.on = on

    def __invert__(self) -> "_Mask":
        return _Mask(lambda block: ~self.on(block))

    def fill_null(self, value: bool) -> "_Mask":
        """As it is: a comparison with a missing fact is answered by no already."""
        return self


class _Fact:
    """A fact, or what arithmetic makes of facts: numbers of a block with where they are known.

    key: what it is made of, so that what several rules ask of it is worked out once for a block. uses: how often each
    comparison is asked for; an answer that one rule alone wants is not kept, so that its memory is there for the next.
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self,
        key: Any,
        work: Callable[[_Block], np.ndarray],
        present: Callable[[_Block], np.ndarray | None],
        uses: Counter[Any],
    ) -> None:
        self.key, self.work, self.present, self.uses = key, work, present, uses

    def on(self, block: _Block) -> np.ndarray:
        return block.once(self.key, lambda: self.work(block))

    def is_null(self) -> _Mask:
        return _Mask(lambda block: _is_missing(self.present(block), block))

    def is_in(self, members: Sequence[Any]) -> _Mask:
        answers = [self == member for member in members]
        return _Mask(lambda block: _joined(np.logical_or, answers, block))

    def compare(self, how: Compare, other: Any) -> _Mask:
        """Which rows are known and compare so with another fact, or with a constant."""
        if isinstance(other, _Fact):
            return _Mask(
                lambda block: _where(how(self.on(block), other.on(block)), self.present(block), other.present(block))
            )
        key = (self.key, how, other)
        self.uses[key] += 1

        def answer(block: _Block) -> np.ndarray:
            return _where(how(self.on(block), other), self.present(block))

        return _Mask(lambda block: block.once(key, lambda: answer(block)) if self.uses[key] > 1 else answer(block))

    def combine(self, how: Compare, other: Any, *, is_swapped: bool = False) -> "_Fact":
        def work(block: _Block) -> np.ndarray:
            one, two = self.on(block), other.on(block) if isinstance(other, _Fact) else other
            return np.asarray(how(two, one) if is_swapped else how(one, two))

        def present(block: _Block) -> np.ndarray | None:
            return _both(self.present(block), other.present(block) if isinstance(other, _Fact) else None)

        key = (how, self.key, other.key if isinstance(other, _Fact) else (other,), is_swapped)
        return _Fact(key, work, present, self.uses)

    def __eq__(self, other: Any) -> _Mask:  # type: ignore[override]
        return self.compare(eq, other)

    def __ne__(self, other: Any) -> _Mask:  # type: ignore[override]
        return self.compare(ne, other)

    def __lt__(self, other: Any) -> _Mask:
        return self.compare(lt, other)

    def __le__(self, other: Any) -> _Mask:
        return self.compare(le, other)

    def __gt__(self, other: Any) -> _Mask:
        return self.compare(gt, other)

    def __ge__(self, other: Any) -> _Mask:
        return self.compare(ge, other)

    def __add__(self, other: Any) -> "_Fact":
        return self.combine(add, other)

    def __radd__(self, other: Any) -> "_Fact":
        return self.combine(add, other)

    def __sub__(self, other: Any) -> "_Fact":
        return self.combine(sub, other)

    def __rsub__(self, other: Any) -> "_Fact":
        return self.combine(sub, other, is_swapped=True)

    def __mul__(self, other: Any) -> "_Fact":
        return self.combine(mul, other)

    def __rmul__(self, other: Any) -> "_Fact":
        return self.combine(mul, other)

    def __truediv__(self, other: Any) -> "_Fact":
        return self.combine(truediv, other)

    def __rtruediv__(self, other: Any) -> "_Fact":
        return self.combine(truediv, other, is_swapped=True)

    def __neg__(self) -> "_Fact":
        return self.combine(mul, -1)


class _Named(_Fact):
    """A column of the table; comparisons with constants look at its narrowed numbers."""

    def __init__(self, column: _Column, uses: Counter[Any]) -> None:
        super().__init__(column.name, column.numbers, column.present, uses)
        self.column = column

    def compare(self, how: Compare, other: Any) -> _Mask:
        if self.column.kind == "text" and (how in _ORDERED or isinstance(other, _Fact)):
            raise NotInBlocksError("texts in order, or beside each other")
        if isinstance(other, _Fact):
            return super().compare(how, other)
        narrowed = _Fact((self.key, "narrowed"), self.column.narrowed, self.present, self.uses)
        return narrowed.compare(how, self.column.number_of(other))


class _Facts:
    """The columns of a table, as the grammar wants them."""

    def __init__(self, columns: Mapping[str, _Column]) -> None:
        self.columns = columns
        self.uses: Counter[Any] = Counter()

    def fact(self, name: str) -> _Fact:
        return _Named(self.columns[name], self.uses)

    def every(self, conditions: Sequence[_Mask]) -> _Mask:
        return _Mask(lambda block: _joined(np.logical_and, conditions, block))

    def either(self, conditions: Sequence[_Mask]) -> _Mask:
        return _Mask(lambda block: _joined(np.logical_or, conditions, block))

    def unless_zero(self, value: _Fact) -> _Fact:
        def work(block: _Block) -> np.ndarray:
            numbers = value.on(block)
            return np.where(numbers == 0, 1, numbers)

        def present(block: _Block) -> np.ndarray | None:
            return block.once(("not zero", value.key), lambda: _where(value.on(block) != 0, value.present(block)))

        return _Fact(("unless zero", value.key), work, present, self.uses)


def _joined(how: np.ufunc, conditions: Sequence[_Mask], block: _Block) -> np.ndarray:
    met = conditions[0].on(block)
    for condition in conditions[1:]:
        met = how(met, condition.on(block))
    return met


def _where(answer: np.ndarray, *present: np.ndarray | None) -> np.ndarray:
    for known in present:
        if known is not None:
            answer = answer & known
    return answer


def _both(one: np.ndarray | None, two: np.ndarray | None) -> np.ndarray | None:
    return two if one is None else one if two is None else one & two


def _is_missing(present: np.ndarray | None, block: _Block) -> np.ndarray:
    return np.zeros(len(block.rows), dtype=bool) if present is None else ~present
