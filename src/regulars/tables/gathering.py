"""Gathering: the values of one of our columns, out of the source columns that its mapping names."""

import functools

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.tables.contracts import Kind
from regulars.tables.mapping import From
from regulars.tables.readings import Manner, Reading, read
from regulars.tables.shaping import Shaped, count_name, words_of

_EMAIL = r"^[^@\s]+@[^@\s]+$"


def gather(kind: Kind, raw: Shaped, origin: From, manner: Manner) -> Reading:
    """The values of a column, as `origin` says; nothing where it only falls back on something else."""
    if origin.count_per is not None:
        return read(kind, raw.column(count_name(origin)), manner)
    parts = [_translated(raw.column(name), origin) for name in origin.added]
    if origin.first_of is not None:
        parts = [_first_filled(parts)]
    if kind in (Kind.MONEY, Kind.NUMBER, Kind.INTEGER):
        return _amount(kind, parts, raw, origin, manner)
    if not parts:
        return read(kind, pa.nulls(len(raw.rows), pa.string()), manner)
    return read(kind, parts[0] if len(parts) == 1 else _joined(parts), manner)


def _amount(kind: Kind, parts: list[pa.Array], raw: Shaped, origin: From, manner: Manner) -> Reading:
    readings = [read(kind, part, manner) for part in parts]
    total = functools.reduce(_added, readings) if readings else None
    if total is not None and origin.times is not None:
        total = _multiplied(total, read(Kind.NUMBER, raw.column(origin.times), manner))
    for name in origin.taken_off:
        values, problem = read(kind, raw.column(name), manner)
        less = Reading(pc.negate(values), problem)
        total = less if total is None else _added(total, less)
    return total or read(kind, pa.nulls(len(raw.rows), pa.string()), manner)


def _added(one: Reading, other: Reading) -> Reading:
    """The sum of what is there; nothing where nothing is."""
    either = pc.or_(pc.is_valid(one.values), pc.is_valid(other.values))
    total = pc.add(pc.fill_null(one.values, 0), pc.fill_null(other.values, 0))
    return Reading(pc.if_else(either, total, pa.scalar(None, total.type)), pc.coalesce(one.problem, other.problem))


def _multiplied(amount: Reading, factor: Reading) -> Reading:
    """An amount times a quantity, to the nearest whole; a quantity that is not given is one."""
    product = pc.multiply(amount.values.cast(pa.float64()), pc.fill_null(factor.values, 1.0))
    whole = np.rint(np.asarray(pc.fill_null(product, 0.0)))
    values = pa.array(whole, pa.float64()).cast(amount.values.type)
    kept = pc.if_else(pc.is_valid(amount.values), values, pa.scalar(None, values.type))
    return Reading(kept, pc.coalesce(amount.problem, factor.problem))


def _translated(values: pa.Array, origin: From) -> pa.Array:
    if origin.values is None and not origin.lower_emails:
        return values
    encoded = pc.dictionary_encode(_as_words(values))
    words = encoded.dictionary
    if origin.values is not None:
        words = pa.array([str(origin.values.get(word, word)) for word in words.to_pylist()], pa.string())
    if origin.lower_emails:
        is_email = pc.match_substring_regex(pc.utf8_trim_whitespace(words), _EMAIL)
        words = pc.if_else(is_email, pc.utf8_lower(words), words)
    return words.take(encoded.indices)


def _first_filled(parts: list[pa.Array]) -> pa.Array:
    filled = [pc.if_else(pc.equal(words_of(part), ""), pa.scalar(None, pa.string()), _as_words(part)) for part in parts]
    return pc.coalesce(*filled)


def _joined(parts: list[pa.Array]) -> pa.Array:
    return pc.binary_join_element_wise(*[_as_words(part) for part in parts], " ")


def _as_words(values: pa.Array) -> pa.Array:
    return values if pa.types.is_string(values.type) else values.cast(pa.string())
