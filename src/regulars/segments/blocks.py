"""Counting in blocks: many rules over columns of Arrow, a block at a time, while it lies in the processor's cache.

An engine asks each condition of all rows before the next one, and so moves every column through memory as often as rules name
it. Here a block of rows is read once, its values become codes (`scales`), and all rules are answered on these (`tally`).
Threads take blocks in turn; neither step holds the interpreter.
"""

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from operator import add, eq, ge, gt, le, lt, mul, ne, sub, truediv
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa

from regulars.segments.codes import LEAST, MISSING
from regulars.segments.grammar import compiled
from regulars.segments.scales import Answers, Array, Block, Column, Cuts, Members, NotInBlocksError, Scale, without_nan
from regulars.segments.tally import AND, AND_WITHIN, COUNT, NOT, OR, OR_WITHIN, WITHIN, tallied

__all__ = ["NotInBlocksError", "counted"]

ROWS = 1 << 16
_ANY = (1 << 16) - 1
_EPOCH = np.datetime64(0, "D").astype(object)
Compare = Callable[[Any, Any], Any]
_Of = TypeVar("_Of", bound=Scale)


def counted(rows: pa.Table | pa.RecordBatchReader, rules: Mapping[str, str], kinds: dict[str, str]) -> dict[str, int]:
    """How many rows meet each rule; `kinds` are those of the columns. Of a reader few rows are in memory at a time.

    Raises DataError for a wrong rule, NotInBlocksError where one cannot be answered here.
    """
    facts = _Facts({column.name: Column.of(column.name, column.type, kinds[column.name]) for column in rows.schema})
    conditions = [compiled(rule, kinds, facts, is_complete=True)[0] for rule in rules.values()]
    scales = list(facts.scales.values())
    greatest = max(scale.greatest for scale in scales)
    if greatest > _ANY:
        raise NotInBlocksError("too many constants")
    kind = np.uint8 if greatest < 256 else np.uint16
    program = [step for condition in conditions for step in (*condition.steps, _Step(COUNT))]
    steps = np.array([step.over(facts, greatest) for step in program], np.int64)

    def count(rows: pa.RecordBatch) -> Array:
        block, codes = Block(rows), np.empty((len(scales), len(rows)), kind)
        for scale, places in zip(scales, codes, strict=True):
            scale.fill(block, places)
        return tallied(steps, len(conditions), codes)

    counts = _in_turn(count, _blocks(rows), np.zeros(len(conditions), np.int64))
    return dict(zip(rules, counts.tolist(), strict=True))


def _blocks(rows: pa.Table | pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    for batch in rows.to_batches() if isinstance(rows, pa.Table) else rows:
        for start in range(0, len(batch), ROWS):
            yield batch.slice(start, ROWS)


def _in_turn(count: Callable[[pa.RecordBatch], Array], blocks: Iterator[pa.RecordBatch], nothing: Array) -> Array:
    """The sum over all blocks. Each thread takes the next block when it is done with one, so that no more are read."""
    one_at_a_time, threads = threading.Lock(), os.cpu_count() or 1

    def counting() -> Array:
        total = nothing.copy()
        while True:
            with one_at_a_time:
                block = next(blocks, None)
            if block is None:
                return total
            total += count(block)

    with ThreadPoolExecutor(threads) as pool:
        parts = [pool.submit(counting) for _ in range(threads)]
    return np.asarray(sum((part.result() for part in parts), nothing))


class _Step(NamedTuple):
    """A step of a program; `bounds` are asked for when all constants are known."""

    what: int
    scale: Any = None
    bounds: Callable[[], tuple[int, int]] = lambda: (0, 0)

    def over(self, facts: "_Facts", greatest: int) -> tuple[int, int, int, int]:
        """As `tallied` takes it."""
        low, high = self.bounds()
        place = 0 if self.scale is None else list(facts.scales.values()).index(self.scale)
        return self.what, place, low, min(high, greatest)


class _Mask(NamedTuple):
    """A condition, in postfix order."""

    steps: tuple[_Step, ...]

    def __invert__(self) -> "_Mask":
        return _Mask((*self.steps, _Step(NOT)))

    def fill_null(self, value: bool) -> "_Mask":
        """As it is: a comparison with a missing fact is answered by no already."""
        return self


def _within(scale: Scale, bounds: Callable[[], tuple[int, int]]) -> _Mask:
    return _Mask((_Step(WITHIN, scale, bounds),))


def _joined(conditions: Sequence[_Mask], joint: int, joint_within: int) -> _Mask:
    steps = list(conditions[0].steps)
    for condition in conditions[1:]:
        if len(condition.steps) == 1:
            steps.append(condition.steps[0]._replace(what=joint_within))
        else:
            steps += [*condition.steps, _Step(joint)]
    return _Mask(tuple(steps))


class _Facts:
    """The columns of a table, as the grammar wants them, and the scales of what rules ask of them."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self.columns = columns
        self.scales: dict[Any, Scale] = {}

    def fact(self, name: str) -> "_Fact | _Text":
        column = self.columns[name]
        if column.kind == "text":
            return _Text(self, column)
        return _Fact(self, name, column.numbers, column.present, column.is_whole, is_date=column.kind == "date")

    def is_whole(self, name: str) -> bool:
        return self.columns[name].is_whole

    def double(self, name: str) -> Any:
        return self.fact(name)

    def known(self, number: Any) -> Any:
        return number

    def scale(self, key: Any, make: Callable[[], _Of]) -> _Of:
        return self.scales.setdefault(key, make())  # type: ignore[return-value]

    def every(self, conditions: Sequence[_Mask]) -> _Mask:
        return _joined(conditions, AND, AND_WITHIN)

    def either(self, conditions: Sequence[_Mask]) -> _Mask:
        return _joined(conditions, OR, OR_WITHIN)

    def unless_zero(self, value: "_Fact") -> "_Fact":
        def work(block: Block) -> Array:
            numbers = value.on(block)
            return np.where(numbers == 0, 1, numbers)

        def present(block: Block) -> Array | None:
            return block.once(("not zero", value.key), lambda: _where(value.on(block) != 0, value.present(block)))

        return _Fact(self, ("unless zero", value.key), work, present, value.is_whole)


class _Fact:
    """A fact, or what arithmetic makes of facts: numbers of a block with where they are known.

    key: what it is made of, so that what several rules ask of it is worked out once for a block.
    """

    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self, facts: _Facts, key: Any, work: Callable[[Block], Array], present: Callable[[Block], Array | None],
        is_whole: bool, *, is_date: bool = False,
    ) -> None:  # fmt: skip
        self.facts, self.key, self.work, self.present = facts, key, work, present
        self.is_whole, self.is_date = is_whole, is_date

    def on(self, block: Block) -> Array:
        return block.once(self.key, lambda: self.work(block))

    def scale(self) -> Cuts:
        return self.facts.scale(self.key, lambda: Cuts(self.on, self.present, is_whole=self.is_whole))

    def is_null(self) -> _Mask:
        return _within(self.scale(), lambda: (MISSING, MISSING))

    def is_in(self, members: Sequence[Any]) -> _Mask:
        return self.facts.either([self == member for member in members])

    def compare(self, how: Compare, other: Any) -> _Mask:
        """Which rows are known and compare so with another fact, or with a constant."""
        if isinstance(other, _Fact):
            return self._beside(how, other)
        if how is ne:
            return self.facts.either([self < other, self > other])
        scale, constant = self.scale(), (other - _EPOCH).days if self.is_date else other
        first = scale.cut(constant, is_above=how is gt) if how in (gt, ge, eq) else None
        end = scale.cut(constant, is_above=how is not lt) if how in (lt, le, eq) else None

        def bounds() -> tuple[int, int]:
            return LEAST if first is None else scale.reached(first), _ANY if end is None else scale.reached(end) - 1

        return _within(scale, bounds)

    def _beside(self, how: Compare, other: "_Fact") -> _Mask:
        def answer(block: Block) -> Array:
            return np.asarray(how(self.on(block), other.on(block)))

        scale = self.facts.scale(
            (how, self.key, other.key), lambda: Answers(answer=answer, present=self._present_beside(other))
        )
        return _within(scale, lambda: (scale.greatest, scale.greatest))

    def _present_beside(self, other: Any) -> Callable[[Block], Array | None]:
        if not isinstance(other, _Fact):
            return self.present
        return lambda block: _both(self.present(block), other.present(block))

    def combine(self, how: Compare, other: Any, *, is_swapped: bool = False) -> "_Fact":
        """Arithmetic in double precision."""
        is_fact = isinstance(other, _Fact)

        def work(block: Block) -> Array:
            one = self.on(block).astype(np.float64, copy=False)
            two = other.on(block).astype(np.float64, copy=False) if is_fact else other
            with np.errstate(all="ignore"):
                return np.asarray(how(two, one) if is_swapped else how(one, two))

        def present(block: Block) -> Array | None:
            return block.once(("known", key), lambda: without_nan(block.once(key, lambda: work(block)), both(block)))

        both, key = self._present_beside(other), (how, self.key, other.key if is_fact else (other,), is_swapped)
        return _Fact(self.facts, key, work, present, is_whole=False)

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


class _Text:
    """A column of texts, which can be told apart but not put in order."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, facts: _Facts, column: Column) -> None:
        self.scale = facts.scale(column.name, lambda: Members(column))
        self.facts = facts

    def is_null(self) -> _Mask:
        return _within(self.scale, lambda: (MISSING, MISSING))

    def is_in(self, members: Sequence[str]) -> _Mask:
        return self.facts.either([self == member for member in members])

    def __eq__(self, other: Any) -> _Mask:  # type: ignore[override]
        place = self._place(other)
        return _within(self.scale, lambda: (place, place))

    def __ne__(self, other: Any) -> _Mask:  # type: ignore[override]
        place = self._place(other)
        before, after = _within(self.scale, lambda: (LEAST, place - 1)), _within(self.scale, lambda: (place + 1, _ANY))
        return self.facts.either([before, after])

    def _place(self, other: Any) -> int:
        if isinstance(other, _Text):
            raise NotInBlocksError("one text beside another")
        return self.scale.place(other)

    def _order(self, other: Any) -> _Mask:
        raise NotInBlocksError("texts in order")

    __lt__ = __le__ = __gt__ = __ge__ = _order


def _where(answer: Array, present: Array | None) -> Array:
    return answer if present is None else answer & present


def _both(one: Array | None, two: Array | None) -> Array | None:
    return two if one is None else one if two is None else one & two
