"""Scales: the constants that all rules compare one fact with, and the codes of its values among them."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.segments.codes import LEAST, MISSING, Codes, place_floats, place_texts, place_whole, texts

Array = np.ndarray[Any, np.dtype[Any]]
_Found = TypeVar("_Found")


class NotInBlocksError(Exception):
    """What only an engine can answer: texts in order, one text beside another, columns of other kinds than rules are for."""


@dataclass(slots=True)
class Block:
    """Some rows, and what was worked out about them so far."""

    rows: pa.RecordBatch
    known: dict[Any, Any] = field(default_factory=dict)

    def once(self, key: Any, work: Callable[[], _Found]) -> _Found:
        if key not in self.known:
            self.known[key] = work()
        return self.known[key]  # type: ignore[no-any-return]


class Scale(Protocol):
    """Gathers constants while rules are compiled; after that, fills in codes."""

    @property
    def greatest(self) -> int:
        """The greatest code there is."""
        ...

    def fill(self, block: Block, codes: Codes) -> None:
        """The codes of the rows of a block, shape (rows,)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """How a column is read. is_whole: its numbers are whole; days count from 1970."""

    name: str
    kind: str
    is_whole: bool

    @classmethod
    def of(cls, name: str, type_: pa.DataType, kind: str) -> "Column":
        is_number = pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_null(type_)
        if kind not in ("number", "date", "text", "boolean") or (kind == "number" and not is_number):
            raise NotInBlocksError(f"{name} is of kind '{kind}' and type {type_}")
        if pa.types.is_uint64(type_):
            raise NotInBlocksError(f"{name} may have numbers beyond 63 bits")
        return cls(name=name, kind=kind, is_whole=not pa.types.is_floating(type_))

    def numbers(self, block: Block) -> Array:
        """Shape (rows,), of 64 bits; 0 where the value is missing."""
        return block.once(self.name, lambda: self._numbers(block.rows.column(self.name)))

    def _numbers(self, values: pa.Array) -> Array:
        if self.kind == "date":
            values = values.cast(pa.date32()).cast(pa.int32())
        if values.null_count:
            values = pc.fill_null(values.cast(pa.int8()) if self.kind == "boolean" else values, 0)
        return np.asarray(values).astype(np.int64 if self.is_whole else np.float64, copy=False)

    def letters(self, block: Block) -> tuple[Array, Array]:
        """Where each text starts and the last ends, shape (rows + 1,), in the letters of all."""
        values = block.rows.column(self.name)
        if not pa.types.is_string(values.type):
            values = values.cast(pa.large_string())
        _, starts, letters = values.buffers()
        kind = np.int32 if pa.types.is_string(values.type) else np.int64
        offsets = np.frombuffer(starts, kind)[values.offset : values.offset + len(values) + 1]
        return offsets, np.frombuffer(letters or b"\0", np.uint8)

    def present(self, block: Block) -> Array | None:
        return block.once((self.name, "present"), lambda: self._present(block))

    def _present(self, block: Block) -> Array | None:
        values = block.rows.column(self.name)
        present = np.asarray(pc.is_valid(values)) if values.null_count else None
        return present if self.is_whole else without_nan(self.numbers(block), present)


class Cuts:
    """Of numbers: the code is 1 and how many cuts a value has reached. To be above c is to have reached the next number."""

    def __init__(
        self, numbers: Callable[[Block], Array], present: Callable[[Block], Array | None], *, is_whole: bool
    ) -> None:
        self.numbers, self.present, self.is_whole = numbers, present, is_whole
        self.cuts: set[Any] = set()

    def cut(self, constant: Any, *, is_above: bool) -> Any:
        """From here on values are at least the constant, or above it."""
        if self.is_whole:
            cut: Any = math.floor(constant) + 1 if is_above else math.ceil(constant)
            if cut >= 2**63:
                raise NotInBlocksError("no whole number of 64 bits is greater")
        else:
            cut = math.nextafter(constant, math.inf) if is_above else float(constant)
        self.cuts.add(cut)
        return cut

    def reached(self, cut: Any) -> int:
        """The least code of a value that has reached the cut."""
        return LEAST + 1 + int(np.searchsorted(self.ascending, cut))

    @cached_property
    def ascending(self) -> Array:
        """Asked for when all rules are compiled."""
        return np.array(sorted(self.cuts), np.int64 if self.is_whole else np.float64)

    @property
    def greatest(self) -> int:
        return LEAST + len(self.cuts)

    def fill(self, block: Block, codes: Codes) -> None:
        place = place_whole if self.is_whole else place_floats
        place(self.numbers(block), self.ascending, codes)
        _leave_out(codes, self.present(block))


class Members:
    """Of texts: the code is 1, or 2 and the place of the text among the constants."""

    def __init__(self, column: Column) -> None:
        self.column = column
        self.places: dict[str, int] = {}

    def place(self, constant: str) -> int:
        return LEAST + 1 + self.places.setdefault(constant, len(self.places))

    @cached_property
    def known(self) -> Any:
        """Asked for when all rules are compiled."""
        return texts(list(self.places))

    @property
    def greatest(self) -> int:
        return LEAST + len(self.places)

    def fill(self, block: Block, codes: Codes) -> None:
        offsets, letters = self.column.letters(block)
        place_texts(offsets, letters, self.known, codes)
        _leave_out(codes, self.column.present(block))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Of two facts beside each other: the code is 1 for no, 2 for yes."""

    answer: Callable[[Block], Array]
    present: Callable[[Block], Array | None]
    greatest: int = LEAST + 1

    def fill(self, block: Block, codes: Codes) -> None:
        np.add(self.answer(block), LEAST, out=codes, casting="unsafe")
        _leave_out(codes, self.present(block))


def without_nan(numbers: Array, present: Array | None) -> Array | None:
    """Where doubles are numbers, of those that are present."""
    is_nan = np.isnan(numbers)
    if not is_nan.any():
        return present
    return ~is_nan if present is None else ~is_nan & present


def _leave_out(codes: Codes, present: Array | None) -> None:
    if present is not None:
        codes[~present] = MISSING
