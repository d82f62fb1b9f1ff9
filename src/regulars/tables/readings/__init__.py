"""Readings: what a source wrote, turned into values of a contract, with a sentence for each value that is none.

reading      how a source writes (`Manner`), and what a reader gives back (`Reading`)
words        ids and text; marks that cannot be seen, and words that stand for nothing
numbers      money, numbers, yes and no; `amounts` takes signs of currency and groups of digits off
times        moments as they were written, dates, hours, zones; `zone_names` knows zones as shops show them

Every reader works on the distinct values of a batch: a column of a million repeated dates costs little more than its
dictionary.
"""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from regulars.tables.contracts import Kind
from regulars.tables.readings import numbers, times, words
from regulars.tables.readings.reading import Manner, Reading, as_text, fine
from regulars.tables.readings.times import Moments

__all__ = ["Manner", "Moments", "Reading", "as_text", "read", "read_moments"]


def read(kind: Kind, values: pa.Array, manner: Manner) -> Reading:
    """Read `values`, text or already typed, as `kind`. An INSTANT comes back as its clock showed it: see `read_moments`."""
    if pa.types.is_null(values.type):
        return Reading(pa.nulls(len(values), kind.arrow), fine(len(values)))
    distinct, indices = _distinct(values, manner)
    return _READERS[kind](distinct, manner).take(indices)


def read_moments(values: pa.Array, manner: Manner) -> Moments:
    """Read `values`, text or already typed, as moments."""
    if pa.types.is_null(values.type):
        return times.moments(values, manner)
    distinct, indices = _distinct(values, manner)
    return times.moments(distinct, manner).take(indices)


def _distinct(values: pa.Array, manner: Manner) -> tuple[pa.Array, pa.Array]:
    """The distinct values, without those that stand for nothing, and which of them each was."""
    encoded = values if pa.types.is_dictionary(values.type) else pc.dictionary_encode(values)
    distinct = encoded.dictionary
    if pa.types.is_large_string(distinct.type) or pa.types.is_string_view(distinct.type):
        distinct = distinct.cast(pa.string())
    if pa.types.is_string(distinct.type):
        distinct = words.without_nothing(distinct, manner)
    elif pa.types.is_floating(distinct.type):
        distinct = pc.if_else(pc.is_nan(distinct), pa.scalar(None, distinct.type), distinct)
    return distinct, encoded.indices


_READERS: dict[Kind, Callable[[pa.Array, Manner], Reading]] = {
    Kind.ID: words.read_id,
    Kind.TEXT: words.read_text,
    Kind.MONEY: numbers.read_money,
    Kind.NUMBER: numbers.read_number,
    Kind.INTEGER: numbers.read_integer,
    Kind.INSTANT: times.read_instant,
    Kind.DATE: times.read_date,
    Kind.BOOLEAN: numbers.read_boolean,
    Kind.CLOCK: times.read_clock,
    Kind.ZONE: times.read_zone,
}
