"""Readings: what a source wrote, turned into values of a contract, with a sentence for each value that is none.

Every reader works on the distinct values of a batch: a column of a million repeated dates costs little more than its
dictionary.
"""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.clock import zones
from regulars.tables.amounts import plain_amounts, plain_numbers
from regulars.tables.contracts import INSTANT, Kind
from regulars.tables.zone_names import iana_names

MOST_MINOR = 10**15
FLOAT_NOISE = 1e-6
FLOAT_PRECISION = 1e-12
MOST_ID = 200
MOST_TEXT = 100_000

_ISO_DATE = r"^\d{4}-\d{2}-\d{2}$"
_ISO_LOCAL = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?$"
_ISO_OFFSET = r"^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$"
_ARROW_KNOWS = set("YmdyHMSIpbBaA%")
_WORDS = dict.fromkeys(("true", "t", "yes", "y", "1"), True) | dict.fromkeys(("false", "f", "no", "n", "0"), False)


class Reading(NamedTuple):
    """Values of one column and, where there is none, why.

    values: Arrow array of the column's type, null where absent or wrong.
    problem: string array of the same length, null where all is well.
    """

    values: pa.Array
    problem: pa.Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a source writes its values.

    exponent: decimals of the currency. is_major: whether amounts are in major units (12.50) or already minor (1250).
    decimal: the decimal mark. format: strptime format of dates, or several of which each value is read by the first that
    fits; "iso" and None mean ISO 8601. currency: of amounts that show one.
    """

    exponent: int = 2
    is_major: bool = False
    decimal: str = "."
    format: str | tuple[str, ...] | None = None
    currency: str = "USD"


def read(kind: Kind, values: pa.Array, manner: Manner) -> Reading:
    """Read `values`, text or already typed, as `kind`.

    An INSTANT that carries no offset comes back as a zoneless timestamp: its zone is the store's, which only the row knows.
    """
    if pa.types.is_null(values.type):
        return Reading(pa.nulls(len(values), kind.arrow), _fine(len(values)))
    encoded = values if pa.types.is_dictionary(values.type) else pc.dictionary_encode(values)
    distinct = encoded.dictionary
    if pa.types.is_large_string(distinct.type) or pa.types.is_string_view(distinct.type):
        distinct = distinct.cast(pa.string())
    if pa.types.is_string(distinct.type):
        trimmed = pc.utf8_trim_whitespace(distinct)
        distinct = pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)
    reading = _READERS[kind](distinct, manner)
    return Reading(reading.values.take(encoded.indices), reading.problem.take(encoded.indices))


def _fine(length: int) -> pa.Array:
    return pa.nulls(length, pa.string())


def _say(values: pa.Array, is_bad: pa.Array, sentence: Callable[[str], str]) -> pa.Array:
    """`sentence(value)` where `is_bad`, null elsewhere."""
    bad = np.flatnonzero(np.asarray(pc.fill_null(is_bad, False)))
    if not len(bad):
        return _fine(len(values))
    said = np.full(len(values), None, dtype=object)
    for place in bad:
        said[place] = sentence(str(values[int(place)].as_py())[:80])
    return pa.array(said, pa.string())


def _keep(values: pa.Array, problem: pa.Array) -> Reading:
    return Reading(pc.if_else(pc.is_null(problem), values, pa.scalar(None, values.type)), problem)


def _as_text(values: pa.Array) -> pa.Array:
    if pa.types.is_string(values.type):
        return values
    if pa.types.is_floating(values.type):
        whole = pc.equal(values, pc.floor(values))
        return pc.if_else(whole, _whole_text(values, whole), values.cast(pa.string()))
    return values.cast(pa.string())


def _whole_text(values: pa.Array, whole: pa.Array) -> pa.Array:
    safe = pc.and_(whole, pc.less(pc.abs(values), 2.0**53))
    return pc.if_else(safe, values, None).cast(pa.int64(), safe=False).cast(pa.string())


def _read_id(values: pa.Array, manner: Manner) -> Reading:
    text = _as_text(values)
    return _read_words(text, MOST_ID, pc.match_substring_regex(text, r"[\x00-\x1f\x7f]"))


def _read_text(values: pa.Array, manner: Manner) -> Reading:
    text = _as_text(values)
    return _read_words(text, MOST_TEXT, pc.match_substring(text, "\0"))


def _read_words(text: pa.Array, most: int, is_odd: pa.Array) -> Reading:
    too_long = _say(
        text, pc.greater(pc.utf8_length(text), most), lambda v: f"'{v[:20]}...' is longer than {most:,} characters"
    )
    odd = _say(text, is_odd, lambda v: f"{v[:20]!r} has a character that cannot be printed; is a quote open before it?")
    return _keep(text, pc.coalesce(too_long, odd))


def _read_money(values: pa.Array, manner: Manner) -> Reading:
    exponent = manner.exponent if manner.is_major else 0
    plain, is_foreign = _without_currency(values, manner)
    numbers = _numbers(plain, manner)[1]
    major = np.asarray(pc.fill_null(numbers, 0.0))
    is_near = np.abs(major) <= MOST_MINOR / 10**exponent
    scaled = np.where(is_near, major, 0.0) * 10**exponent
    minor = np.rint(scaled)
    is_whole = np.abs(scaled - minor) <= FLOAT_NOISE + FLOAT_PRECISION * np.abs(minor)
    is_bad = pc.or_(pc.and_(pc.is_null(numbers), pc.is_valid(values)), pa.array(~(is_near & is_whole)))
    foreign = _say(values, is_foreign, lambda v: f"'{v}' is not in {manner.currency}, in which this workspace counts")
    problem = pc.coalesce(foreign, _say(values, is_bad, lambda v: _no_amount(v, manner, exponent)))
    return _keep(
        pc.if_else(pc.is_valid(numbers), pa.array(minor.astype(np.int64)), pa.scalar(None, pa.int64())), problem
    )


def _without_currency(values: pa.Array, manner: Manner) -> tuple[pa.Array, pa.Array]:
    """Amounts without signs of currency, and whether each is in another one."""
    if pa.types.is_string(values.type):
        return plain_amounts(values, manner.currency)
    return values, pa.array([False] * len(values), pa.bool_())


def _numbers(values: pa.Array, manner: Manner) -> tuple[pa.Array, pa.Array]:
    """The values as written, and as float64: null where they are no numbers."""
    if pa.types.is_boolean(values.type):
        values = values.cast(pa.string())
    if not pa.types.is_string(values.type):
        return values, values.cast(pa.float64(), safe=False)
    plain = plain_numbers(values, manner.decimal)
    is_number = pc.match_substring_regex(plain, r"^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$")
    return values, pc.if_else(is_number, plain, pa.scalar(None, pa.string())).cast(pa.float64())


def _no_amount(value: str, manner: Manner, exponent: int) -> str:
    """What is wrong with a value that is no amount, and the mend."""
    if manner.decimal == "." and re.fullmatch(r"[+-]?\d{1,3}(\.\d{3})+,\d+|[+-]?\d+,\d{1,2}", value):
        return f"'{value}' uses a decimal comma; set decimal = \",\" in the mapping"
    if re.fullmatch(r"[+-]?\d{1,13}\.\d+", value):
        if manner.is_major:
            return f"'{value}' has more decimals than {manner.currency} has ({exponent})"
        return f"'{value}' is not a whole number of minor units; set unit = \"major\" for this column in the mapping"
    if re.fullmatch(r"[+-]?(\d+(\.\d+)?([eE][+-]?\d+)?|inf|infinity)", value, re.IGNORECASE):
        return f"'{value}' is out of range for an amount"
    return f"'{value}' is no amount; write a number such as {'12.50' if exponent else '1250'}"


def _read_number(values: pa.Array, manner: Manner) -> Reading:
    text, numbers = _numbers(values, manner)
    is_bad = pc.or_(
        pc.and_(pc.is_null(numbers), pc.is_valid(values)), pc.invert(pc.fill_null(pc.is_finite(numbers), True))
    )
    return _keep(numbers, _say(text, is_bad, lambda v: f"'{v}' is no number"))


def _read_integer(values: pa.Array, manner: Manner) -> Reading:
    reading = _read_number(values, manner)
    numbers = reading.values
    is_bad = pc.or_(pc.not_equal(numbers, pc.floor(numbers)), pc.greater(pc.abs(numbers), 2.0**53))
    problem = pc.coalesce(reading.problem, _say(_as_text(values), is_bad, lambda v: f"'{v}' is no whole number"))
    fine = pc.if_else(pc.is_null(problem), numbers, pa.scalar(None, pa.float64()))
    return Reading(fine.cast(pa.int64()), problem)


def _read_boolean(values: pa.Array, manner: Manner) -> Reading:
    if pa.types.is_boolean(values.type):
        return Reading(values, _fine(len(values)))
    text = _as_text(values)
    said = [None if v is None else _WORDS.get(v.lower()) for v in text.to_pylist()]
    answer = pa.array(said, pa.bool_())
    is_bad = pc.and_(pc.is_null(answer), pc.is_valid(text))
    return Reading(answer, _say(text, is_bad, lambda v: f"'{v}' is neither yes nor no; write true or false"))


def _read_instant(values: pa.Array, manner: Manner) -> Reading:
    kind = values.type
    if pa.types.is_timestamp(kind):
        return Reading(values.cast(INSTANT if kind.tz else pa.timestamp("us"), safe=False), _fine(len(values)))
    if pa.types.is_date(kind):
        return Reading(values.cast(pa.timestamp("us")), _fine(len(values)))
    return _by_formats(_as_text(values), manner, _read_iso_instant)


def _read_iso_instant(text: pa.Array) -> Reading:
    text = _with_joined_offset(text)
    with_offset = pc.sum(pc.match_substring_regex(text, _ISO_OFFSET)).as_py() or 0
    if with_offset > (len(text) - text.null_count) / 2:
        return _by_cast(_compact(text), _ISO_OFFSET, INSTANT)
    return _by_cast(_compact(text), _ISO_LOCAL, pa.timestamp("us"))


def _read_date(values: pa.Array, manner: Manner) -> Reading:
    if pa.types.is_date(values.type) or pa.types.is_timestamp(values.type):
        return Reading(values.cast(pa.date32(), safe=False), _fine(len(values)))
    text = _as_text(values)
    reading = _by_formats(text, manner, lambda text: _by_cast(_compact(text), _ISO_DATE, pa.date32()))
    return Reading(reading.values.cast(pa.date32(), safe=False), reading.problem)


def _by_formats(text: pa.Array, manner: Manner, read_iso: Callable[[pa.Array], Reading]) -> Reading:
    """Each value by the first of the formats that fits it."""
    forms = manner.format if isinstance(manner.format, tuple) else (manner.format or "iso",)
    first = read_iso(text) if forms[0] == "iso" else _by_format(text, forms[0])
    values, problem = first
    for form in forms[1:]:
        left = pc.if_else(pc.is_null(values), text, pa.scalar(None, pa.string()))
        if left.null_count == len(left):
            break
        found = read_iso(left) if form == "iso" else _by_format(left, form)
        values = pc.coalesce(values, found.values.cast(values.type))
        problem = pc.if_else(pc.is_null(values), problem, pa.scalar(None, pa.string()))
    if len(forms) > 1:
        problem = _say(text, pc.is_valid(problem), lambda v: f"'{v}' is no date of a form such as {' or '.join(forms)}")
    return Reading(values, problem)


def _compact(text: pa.Array) -> pa.Array:
    """20260131 written as 2026-01-31, and nanoseconds cut to microseconds."""
    text = pc.replace_substring_regex(text, r"(\.\d{6})\d+", r"\1")
    return pc.replace_substring_regex(text, r"^(\d{4})(\d{2})(\d{2})$", r"\1-\2-\3")


def _with_joined_offset(text: pa.Array) -> pa.Array:
    text = pc.replace_substring_regex(text, r"(:\d{2}(?:\.\d+)?) ([+-]\d{2}:?\d{2})$", r"\1\2")
    return pc.replace_substring_regex(text, r"(:\d{2}(?:\.\d+)?) ?UTC$", r"\1Z")


def _by_cast(text: pa.Array, pattern: str, kind: pa.DataType) -> Reading:
    """ISO 8601 at the speed of Arrow; value by value only when a day in it does not exist."""
    is_good = pc.fill_null(pc.match_substring_regex(text, pattern), False)
    shaped = pc.if_else(is_good, text, pa.scalar(None, pa.string()))
    try:
        values = shaped.cast(kind)
    except pa.ArrowInvalid:
        values = pa.concat_arrays([_cast_one(value, kind) for value in shaped])
    is_bad = pc.and_(pc.is_null(values), pc.is_valid(text))
    return Reading(values, _say(text, is_bad, _no_date))


def _cast_one(value: pa.Scalar, kind: pa.DataType) -> pa.Array:
    try:
        return pa.array([value.cast(kind).as_py()], kind)
    except pa.ArrowInvalid:
        return pa.nulls(1, kind)


def _by_format(text: pa.Array, form: str) -> Reading:
    """By a strptime format, at the speed of Arrow; it takes 31 February for 3 March, so days 1 to 3 are read twice."""
    if set(re.findall(r"%(.)", form)) <= _ARROW_KNOWS:
        values = pc.strptime(text, format=form, unit="us", error_is_null=True)
        is_doubtful = pc.less_equal(pc.day(values), 3)
    else:
        values, is_doubtful = pa.nulls(len(text), pa.timestamp("us")), pc.is_valid(text)
    doubtful = np.flatnonzero(np.asarray(pc.fill_null(is_doubtful, False)))
    if len(doubtful):
        again = np.asarray(values).astype("datetime64[us]")
        again[doubtful] = [_strptime(text[int(place)].as_py(), form) for place in doubtful]
        values = pa.array(again, pa.timestamp("us"))
    is_bad = pc.and_(pc.is_null(values), pc.is_valid(text))
    return Reading(values, _say(text, is_bad, lambda v: f"'{v}' is no date of the form {form}"))


def _strptime(value: str, form: str) -> np.datetime64:
    try:
        return np.datetime64(dt.datetime.strptime(value, form).replace(tzinfo=None), "us")
    except ValueError:
        return np.datetime64("NaT", "us")


def _no_date(value: str) -> str:
    if re.match(r"^\d{4}-\d{2}-\d{2}", value):
        if re.match(_ISO_OFFSET, value):
            return f"'{value}' has an offset from UTC and most other rows have none; write all of them one way"
        return f"'{value}' does not exist in the calendar or on the clock"
    return f"'{value}' is no date; expected ISO 8601 such as 2026-01-31 18:30:00, or set format in the mapping"


def _read_clock(values: pa.Array, manner: Manner) -> Reading:
    text = pc.replace_substring_regex(_as_text(values), r"^(\d{2}:\d{2}):00(\.0*)?$", r"\1")
    is_bad = pc.invert(pc.match_substring_regex(text, r"^([01]\d|2[0-3]):[0-5]\d$"))
    return _keep(text, _say(text, is_bad, lambda v: f"'{v}' is no time of day; write it as 04:00"))


def _read_zone(values: pa.Array, manner: Manner) -> Reading:
    text = iana_names(_as_text(values))
    is_bad = pa.array([v is not None and v not in zones() for v in text.to_pylist()])
    return _keep(
        text,
        _say(text, is_bad, lambda v: f"'{v}' is no time zone; write one such as America/New_York or Asia/Shanghai"),
    )


_READERS: dict[Kind, Callable[[pa.Array, Manner], Reading]] = {
    Kind.ID: _read_id,
    Kind.TEXT: _read_text,
    Kind.MONEY: _read_money,
    Kind.NUMBER: _read_number,
    Kind.INTEGER: _read_integer,
    Kind.INSTANT: _read_instant,
    Kind.DATE: _read_date,
    Kind.BOOLEAN: _read_boolean,
    Kind.CLOCK: _read_clock,
    Kind.ZONE: _read_zone,
}
