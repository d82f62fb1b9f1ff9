"""Verdicts: the first thing that is wrong with each row, and in which column."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc


@dataclass(slots=True)
class Verdict:
    """column, reason: shape (n,), null where nothing is wrong."""

    column: pa.Array
    reason: pa.Array

    @classmethod
    def none_yet(cls, length: int) -> "Verdict":
        return cls(pa.nulls(length, pa.string()), pa.nulls(length, pa.string()))

    @property
    def is_fine(self) -> pa.Array:
        return pc.is_null(self.reason)

    def add(self, name: str, reason: pa.Array) -> None:
        if reason.null_count == len(reason):
            return
        is_first = pc.and_(pc.is_null(self.reason), pc.is_valid(reason))
        self.column = pc.if_else(is_first, pa.scalar(name), self.column)
        self.reason = pc.coalesce(self.reason, reason)

    def add_where(self, name: str, is_bad: pa.Array, sentence: str) -> None:
        if pc.any(is_bad).as_py():
            self.add(name, pc.if_else(pc.fill_null(is_bad, False), pa.scalar(sentence), pa.scalar(None, pa.string())))
