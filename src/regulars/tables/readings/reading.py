"""What a reader is told, and what it gives back: values, and a sentence for each value that is none."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


class Reading(NamedTuple):
    """Values of one column and, where there is none, why.

    values: Arrow array of the column's type, null where absent or wrong.
    problem: string array of the same length, null where all is well.
    """

    values: pa.Array
    problem: pa.Array

    def take(self, indices: pa.Array) -> "Reading":
        return Reading(self.values.take(indices), self.problem.take(indices))


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a source writes its values.

    exponent: decimals of the currency. is_major: whether amounts are in major units (12.50) or already minor (1250).
    decimal: the decimal mark. format: strptime format of dates, or several of which each value is read by the first that
    fits; "iso" and None mean ISO 8601. currency: of amounts that show one. nothing: words of the source that stand for no value.
    is_percent: whether numbers may be written with a sign of per cent. keeps_words: whether words such as None are names here.
    """

    exponent: int = 2
    is_major: bool = False
    decimal: str = "."
    format: str | tuple[str, ...] | None = None
    currency: str = "USD"
    nothing: tuple[str, ...] = ()
    is_percent: bool = False
    keeps_words: bool = False


def fine(length: int) -> pa.Array:
    """No problem with any of so many values."""
    return pa.nulls(length, pa.string())


def say(values: pa.Array, is_bad: pa.Array, sentence: Callable[[str], str]) -> pa.Array:
    """`sentence(value)` where `is_bad`, null elsewhere."""
    bad = np.flatnonzero(np.asarray(pc.fill_null(is_bad, False)))
    if not len(bad):
        return fine(len(values))
    said = np.full(len(values), None, dtype=object)
    for place in bad:
        said[place] = sentence(str(values[int(place)].as_py())[:80])
    return pa.array(said, pa.string())


def keep(values: pa.Array, problem: pa.Array) -> Reading:
    """The values that have no problem."""
    return Reading(pc.if_else(pc.is_null(problem), values, pa.scalar(None, values.type)), problem)


def as_text(values: pa.Array) -> pa.Array:
    """Values as text; a float or decimal without a fraction as a whole number."""
    if pa.types.is_string(values.type):
        return values
    if pa.types.is_decimal(values.type):
        return pc.replace_substring_regex(values.cast(pa.string()), r"\.0*$", "")
    if pa.types.is_floating(values.type):
        whole = pc.and_(pc.equal(values, pc.floor(values)), pc.less(pc.abs(values), MOST_EXACT))
        return pc.if_else(whole, _whole_text(values, whole), values.cast(pa.string()))
    return values.cast(pa.string())


MOST_EXACT = 2.0**53
"""From here on a float skips whole numbers."""


def _whole_text(values: pa.Array, whole: pa.Array) -> pa.Array:
    return pc.if_else(whole, values, None).cast(pa.int64(), safe=False).cast(pa.string())
