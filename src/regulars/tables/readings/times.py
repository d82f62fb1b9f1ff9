"""Times: moments, dates, hours of a clock and zones, as sources write them.

A moment is kept as it was written: what the clock on the wall showed, and how far that clock was from UTC where it says so.
"""

import datetime as dt
import re
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.clock import zones
from regulars.tables.readings.reading import Manner, Reading, as_text, fine, keep, say
from regulars.tables.readings.zone_names import iana_names

WALL = pa.timestamp("us")
_ISO = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?$"
_ISO_DATE = r"^\d{4}-\d{2}-\d{2}$"
_OFFSET = r"(:\d{2}(?:\.\d+)?) ?(Z|UTC|GMT|[+-]\d{2}:?\d{2})$"
_ARROW_KNOWS = set("YmdyHMSIpbBaA%")
_CLOCK = set("HIMSpfXcT")
_FIRST_YEAR = 1000


class Moments(NamedTuple):
    """Times as they were written.

    wall: what the clock showed, timestamps without zone. offset: minutes that it was ahead of UTC, null where it does not say.
    is_date: whether no time of day was written. problem: why there is none, null where all is well.
    """

    wall: pa.Array
    offset: pa.Array
    is_date: pa.Array
    problem: pa.Array

    def take(self, indices: pa.Array) -> "Moments":
        return Moments(*(part.take(indices) for part in self))

    def or_else(self, other: "Moments") -> "Moments":
        """These, and the others where these are none."""
        is_ours = pc.is_valid(self.wall)
        problem = pc.if_else(pc.or_(is_ours, pc.is_valid(other.wall)), pa.scalar(None, pa.string()), self.problem)
        return Moments(
            pc.if_else(is_ours, self.wall, other.wall),
            pc.if_else(is_ours, self.offset, other.offset),
            pc.if_else(is_ours, self.is_date, other.is_date),
            problem,
        )


def moments(values: pa.Array, manner: Manner) -> Moments:
    """The moments of distinct values, text or already typed."""
    kind = values.type
    if pa.types.is_timestamp(kind):
        return _of_timestamps(values)
    if pa.types.is_date(kind):
        return _all(values.cast(WALL), is_date=True)
    if pa.types.is_null(kind):
        return _all(pa.nulls(len(values), WALL), is_date=False)
    return _by_formats(as_text(values), manner)


def read_instant(values: pa.Array, manner: Manner) -> Reading:
    """What the clock on the wall showed."""
    found = moments(values, manner)
    return Reading(found.wall, found.problem)


def read_date(values: pa.Array, manner: Manner) -> Reading:
    found = moments(values, manner)
    return Reading(found.wall.cast(pa.date32(), safe=False), found.problem)


def _all(wall: pa.Array, *, is_date: bool) -> Moments:
    length = len(wall)
    return Moments(wall, pa.nulls(length, pa.int32()), pa.array([is_date] * length, pa.bool_()), fine(length))


def _of_timestamps(values: pa.Array) -> Moments:
    if values.type.tz is None:
        return _all(values.cast(WALL, safe=False), is_date=False)
    wall = pc.local_timestamp(values).cast(WALL, safe=False)
    instants = values.cast(pa.timestamp("us", "UTC"), safe=False).cast(pa.int64())
    offset = pc.divide(pc.subtract(wall.cast(pa.int64()), instants), 60_000_000).cast(pa.int32())
    return _all(wall, is_date=False)._replace(offset=offset)


def _by_formats(text: pa.Array, manner: Manner) -> Moments:
    """Each value by the first of the formats that fits it."""
    forms = manner.format if isinstance(manner.format, tuple) else (manner.format or "iso",)
    found = _by_form(text, forms[0])
    for form in forms[1:]:
        left = pc.if_else(pc.is_null(found.wall), text, pa.scalar(None, pa.string()))
        if left.null_count == len(left):
            break
        found = found.or_else(_by_form(left, form))
    if len(forms) == 1:
        return found
    fits = " or ".join(forms)
    return found._replace(
        problem=say(text, pc.is_valid(found.problem), lambda v: f"'{v}' is no date of a form such as {fits}")
    )


def _by_form(text: pa.Array, form: str) -> Moments:
    return _by_iso(text) if form == "iso" else _by_format(text, form)


def _by_iso(text: pa.Array) -> Moments:
    """ISO 8601, also as 20260131, with a space before the offset, or UTC in its place."""
    offset = pa.nulls(len(text), pa.int32())
    plain = text
    if pc.any(pc.match_substring_regex(text, _OFFSET)).as_py():
        said = pc.extract_regex(text, r":\d{2}(?:\.\d+)? ?(?P<offset>Z|UTC|GMT|[+-]\d{2}:?\d{2})$")
        offset = _minutes(pc.struct_field(said, "offset"))
        plain = pc.replace_substring_regex(text, _OFFSET, r"\1")
    plain = _compact(plain)
    wall, problem = _by_cast(plain, text)
    is_date = pc.fill_null(pc.match_substring_regex(plain, _ISO_DATE), False)
    return Moments(wall, pc.if_else(is_date, pa.scalar(None, pa.int32()), offset), is_date, problem)


def _minutes(offset: pa.Array) -> pa.Array:
    """Offsets such as -05:00 in minutes; distinct ones are few."""
    encoded = pc.dictionary_encode(offset)
    return pa.array(map(_minutes_of, encoded.dictionary.to_pylist()), pa.int32()).take(encoded.indices)


def _minutes_of(written: str) -> int:
    if not written.startswith(("+", "-")):
        return 0
    minutes = int(written[1:3]) * 60 + int(written[-2:])
    return -minutes if written[0] == "-" else minutes


def _compact(text: pa.Array) -> pa.Array:
    """20260131 written as 2026-01-31, and nanoseconds cut to microseconds."""
    text = pc.replace_substring_regex(text, r"(\.\d{6})\d+", r"\1")
    return pc.replace_substring_regex(text, r"^(\d{4})(\d{2})(\d{2})$", r"\1-\2-\3")


def _by_cast(plain: pa.Array, text: pa.Array) -> Reading:
    """At the speed of Arrow; value by value only when a day in it does not exist."""
    shaped = pc.if_else(pc.fill_null(pc.match_substring_regex(plain, _ISO), False), plain, pa.scalar(None, pa.string()))
    try:
        values = shaped.cast(WALL)
    except pa.ArrowInvalid:
        values = pa.concat_arrays([_cast_one(value) for value in shaped])
    is_bad = pc.and_(pc.is_null(values), pc.is_valid(text))
    return Reading(values, say(text, is_bad, _no_date))


def _cast_one(value: pa.Scalar) -> pa.Array:
    try:
        return pa.array([value.cast(WALL).as_py()], WALL)
    except pa.ArrowInvalid:
        return pa.nulls(1, WALL)


def _by_format(text: pa.Array, form: str) -> Moments:
    """By a strptime format, at the speed of Arrow; it takes 31 February for 3 March, so days 1 to 3 are read twice."""
    directives = set(re.findall(r"%(.)", form))
    if directives <= _ARROW_KNOWS:
        values = pc.strptime(text, format=form, unit="us", error_is_null=True)
        is_doubtful = pc.less_equal(pc.day(values), 3)
    else:
        values, is_doubtful = pa.nulls(len(text), WALL), pc.is_valid(text)
    values, offset = _read_again(values, text, is_doubtful, form)
    if "Y" in directives:
        values = pc.if_else(pc.greater_equal(pc.year(values), _FIRST_YEAR), values, pa.scalar(None, WALL))
    is_bad = pc.and_(pc.is_null(values), pc.is_valid(text))
    is_date = pa.array([not directives & _CLOCK] * len(text), pa.bool_())
    return Moments(values, offset, is_date, say(text, is_bad, lambda v: f"'{v}' is no date of the form {form}"))


def _read_again(values: pa.Array, text: pa.Array, is_doubtful: pa.Array, form: str) -> tuple[pa.Array, pa.Array]:
    """The doubtful values as Python reads them, and their offsets."""
    doubtful = np.flatnonzero(np.asarray(pc.fill_null(is_doubtful, False)))
    if not len(doubtful):
        return values, pa.nulls(len(text), pa.int32())
    read = [_strptime(text[int(place)].as_py(), form) for place in doubtful]
    again = np.asarray(values).astype("datetime64[us]")
    again[doubtful] = [
        np.datetime64("NaT") if one is None else np.datetime64(one.replace(tzinfo=None), "us") for one in read
    ]
    offset = np.full(len(text), None, dtype=object)
    offset[doubtful] = [_offset_of(one) for one in read]
    return pa.array(again, WALL), pa.array(offset, pa.int32())


def _strptime(value: str, form: str) -> dt.datetime | None:
    try:
        return dt.datetime.strptime(value, form)
    except ValueError:
        return None


def _offset_of(moment: dt.datetime | None) -> int | None:
    offset = None if moment is None else moment.utcoffset()
    return None if offset is None else int(offset.total_seconds() // 60)


def _no_date(value: str) -> str:
    if re.match(r"^\d{4}-\d{2}-\d{2}", value):
        return f"'{value}' does not exist in the calendar or on the clock"
    return f"'{value}' is no date; expected ISO 8601 such as 2026-01-31 18:30:00, or set format in the mapping"


def read_clock(values: pa.Array, manner: Manner) -> Reading:
    text = pc.replace_substring_regex(as_text(values), r"^(\d{2}:\d{2}):00(\.0*)?$", r"\1")
    is_bad = pc.invert(pc.match_substring_regex(text, r"^([01]\d|2[0-3]):[0-5]\d$"))
    return keep(text, say(text, is_bad, lambda v: f"'{v}' is no time of day; write it as 04:00"))


def read_zone(values: pa.Array, manner: Manner) -> Reading:
    text = iana_names(as_text(values))
    is_bad = pa.array([v is not None and v not in zones() for v in text.to_pylist()])
    return keep(
        text,
        say(text, is_bad, lambda v: f"'{v}' is no time zone; write one such as America/New_York or Asia/Shanghai"),
    )
