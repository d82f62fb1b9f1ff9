"""Numbers: amounts of money, quantities, shares, and words for yes and no."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.tables.readings.amounts import plain_amounts, plain_numbers
from regulars.tables.readings.reading import Manner, Reading, as_text, fine, keep, say

MOST_MINOR = 10**15
FLOAT_NOISE = 1e-6
FLOAT_PRECISION = 1e-12
_NUMBER = r"^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
_WORDS = dict.fromkeys(("true", "t", "yes", "y", "1"), True) | dict.fromkeys(("false", "f", "no", "n", "0"), False)


def read_money(values: pa.Array, manner: Manner) -> Reading:
    exponent = manner.exponent if manner.is_major else 0
    plain, is_foreign = _without_currency(values, manner)
    numbers = _numbers(plain, manner)[1]
    major = np.asarray(pc.fill_null(numbers, 0.0))
    is_near = np.abs(major) <= MOST_MINOR / 10**exponent
    scaled = np.where(is_near, major, 0.0) * 10**exponent
    minor = np.rint(scaled)
    is_whole = np.abs(scaled - minor) <= FLOAT_NOISE + FLOAT_PRECISION * np.abs(minor)
    is_bad = pc.or_(pc.and_(pc.is_null(numbers), pc.is_valid(values)), pa.array(~(is_near & is_whole)))
    foreign = say(values, is_foreign, lambda v: f"'{v}' is not in {manner.currency}, in which this workspace counts")
    problem = pc.coalesce(foreign, say(values, is_bad, lambda v: _no_amount(v, manner, exponent)))
    return keep(
        pc.if_else(pc.is_valid(numbers), pa.array(minor.astype(np.int64)), pa.scalar(None, pa.int64())), problem
    )


def read_number(values: pa.Array, manner: Manner) -> Reading:
    plain = values
    if manner.is_percent and pa.types.is_string(values.type):
        plain = pc.replace_substring_regex(values, r"\s?%$", "")
    numbers = _numbers(plain, manner)[1]
    is_bad = pc.or_(
        pc.and_(pc.is_null(numbers), pc.is_valid(values)), pc.invert(pc.fill_null(pc.is_finite(numbers), True))
    )
    return keep(numbers, say(values, is_bad, lambda v: _pointed(v, manner) or f"'{v}' is no number"))


def read_integer(values: pa.Array, manner: Manner) -> Reading:
    reading = read_number(values, manner)
    numbers = reading.values
    is_bad = pc.or_(pc.not_equal(numbers, pc.floor(numbers)), pc.greater(pc.abs(numbers), 2.0**53))
    problem = pc.coalesce(reading.problem, say(as_text(values), is_bad, lambda v: f"'{v}' is no whole number"))
    whole = pc.if_else(pc.is_null(problem), numbers, pa.scalar(None, pa.float64()))
    return Reading(whole.cast(pa.int64()), problem)


def read_boolean(values: pa.Array, manner: Manner) -> Reading:
    if pa.types.is_boolean(values.type):
        return Reading(values, fine(len(values)))
    text = as_text(values)
    said = [None if v is None else _WORDS.get(v.lower()) for v in text.to_pylist()]
    answer = pa.array(said, pa.bool_())
    is_bad = pc.and_(pc.is_null(answer), pc.is_valid(text))
    return Reading(answer, say(text, is_bad, lambda v: f"'{v}' is neither yes nor no; write true or false"))


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
        return values, _floats(values)
    plain = plain_numbers(values, manner.decimal)
    is_number = pc.match_substring_regex(plain, _NUMBER)
    return values, pc.if_else(is_number, plain, pa.scalar(None, pa.string())).cast(pa.float64())


def _floats(values: pa.Array) -> pa.Array:
    """Typed numbers as floats; dates and other kinds are no numbers."""
    kind = values.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return values.cast(pa.float64(), safe=False)
    return pa.nulls(len(values), pa.float64())


def _no_amount(value: str, manner: Manner, exponent: int) -> str:
    """What is wrong with a value that is no amount, and the mend."""
    if manner.decimal == "." and re.fullmatch(r"[+-]?\d{1,3}(\.\d{3})+,\d+|[+-]?\d+,\d{1,2}", value):
        return f"'{value}' uses a decimal comma; set decimal = \",\" in the mapping"
    if pointed := _pointed(value, manner):
        return pointed
    if re.fullmatch(r"[+-]?\d{1,13}\.\d+", value):
        if manner.is_major:
            return f"'{value}' has more decimals than {manner.currency} has ({exponent})"
        return f"'{value}' is not a whole number of minor units; set unit = \"major\" for this column in the mapping"
    if re.fullmatch(r"[+-]?(\d+(\.\d+)?([eE][+-]?\d+)?|inf|infinity)", value, re.IGNORECASE):
        return f"'{value}' is out of range for an amount"
    return f"'{value}' is no amount; write a number such as {'12.50' if exponent else '1250'}"


def _pointed(value: str, manner: Manner) -> str | None:
    """What is wrong with a point where the decimal mark is a comma."""
    if manner.decimal != "," or not re.fullmatch(r"\D{0,4}[\d.,]*\.[\d.,]*\D{0,4}", value):
        return None
    return f"'{value}' has a point where decimal = \",\" is set; a point may only group three digits there"
