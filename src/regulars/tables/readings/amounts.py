"""Amounts as tills and shops write them, such as $1,234.50, ($5.00), -$5.00 and 1.234,50 EUR, made plain numbers."""

import re
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from regulars.money import is_currency, symbol_of, symbols

_MARK = r"[A-Z]{0,3}\p{Sc}|[A-Z]{3}"
_WRITTEN = (
    r"^(?P<opened>\()?(?P<sign>[-+])?\s?"
    rf"(?P<before>{_MARK})?\s?(?P<inner>-)?(?P<number>[\d., '’]*\d\.?)\s?(?P<after>{_MARK})?(?P<closed>\))?$"
)
_GROUPED = r"^-?\d{1,3}((,\d{3})+|( \d{3})+|(['’]\d{3})+)(\.\d*)?$"
_WITH_COMMA = r"^-?(\d{1,3}((\.\d{3})+|( \d{3})+|(['’]\d{3})+)|\d*)(,\d*)?([eE][+-]?\d{1,3})?$"


class Plain(NamedTuple):
    """text: the numbers alone, "-5.00" for "($5.00)". is_foreign: whether each is in another currency."""

    text: pa.Array
    is_foreign: pa.Array


def plain_amounts(text: pa.Array, currency: str) -> Plain:
    """Take signs of currency and brackets off amounts; what is written in no such way stays as it is. Spaces are plain ones.

    >>> plain_amounts(pa.array(["$1,234.50", "($5.00)", "-$5", "12.50 EUR", "about 7"]), "USD").text.to_pylist()
    ['1,234.50', '-5.00', '-5', '12.50', 'about 7']
    """
    signed = pc.replace_substring(text, "−", "-")
    parts = pc.extract_regex(signed, _WRITTEN)
    marks = pc.binary_join_element_wise(parts.field("before"), parts.field("after"), "")
    is_marked = pc.not_equal(marks, "")
    is_opened, is_closed = (pc.not_equal(parts.field(name), "") for name in ("opened", "closed"))
    is_signed = pc.equal(parts.field("sign"), "-")
    has_inner = pc.not_equal(parts.field("inner"), "")
    minuses = sum_of(is_opened, is_signed, has_inner)
    is_known, is_foreign = _by_mark(marks, currency)
    is_written = pc.and_(pc.and_(pc.equal(is_opened, is_closed), pc.less_equal(minuses, 1)), is_known)
    is_written = pc.fill_null(pc.and_(is_written, pc.or_(is_marked, pc.or_(is_opened, has_inner))), False)
    minus = pc.if_else(pc.equal(minuses, 1), "-", "")
    number = pc.binary_join_element_wise(minus, parts.field("number"), "")
    return Plain(pc.if_else(is_written, number, signed), pc.and_(is_written, pc.fill_null(is_foreign, False)))


def sum_of(*masks: pa.Array) -> pa.Array:
    """How many of the masks hold, for each value."""
    total = masks[0].cast(pa.int8())
    for mask in masks[1:]:
        total = pc.add(total, mask.cast(pa.int8()))
    return total


def plain_numbers(text: pa.Array, decimal: str) -> pa.Array:
    """Take separators of thousands and a leading plus off numbers, and give them a decimal point.

    What groups digits otherwise than by threes stays as it is, and is then no number.

    >>> plain_numbers(pa.array(["1.234,50", "12,5", "12.50", "1 234"]), ",").to_pylist()
    ['1234.50', '12.5', '12.50?', '1234']
    """
    plain = pc.replace_substring_regex(text, r"^\+", "")
    if decimal == ",":
        is_written = pc.fill_null(pc.match_substring_regex(plain, _WITH_COMMA), False)
        numbers = pc.replace_substring(pc.replace_substring_regex(plain, "[. '’]", ""), ",", ".")
        return pc.if_else(is_written, numbers, pc.binary_join_element_wise(plain, "?", ""))
    is_grouped = pc.fill_null(pc.match_substring_regex(plain, _GROUPED), False)
    return pc.if_else(is_grouped, pc.replace_substring_regex(plain, "[, '’]", ""), plain)


def _by_mark(marks: pa.Array, currency: str) -> tuple[pa.Array, pa.Array]:
    """Whether each mark means money at all, and whether it means another currency."""
    encoded = pc.dictionary_encode(marks)
    words = encoded.dictionary.to_pylist()
    is_known = pa.array([not word or not word.isascii() or "$" in word or is_currency(word) for word in words])
    is_foreign = pa.array([bool(word) and not _is_ours(word, currency) for word in words])
    if not words:
        return pa.nulls(len(marks), pa.bool_()), pa.nulls(len(marks), pa.bool_())
    return is_known.take(encoded.indices), is_foreign.take(encoded.indices)


def _is_ours(mark: str, currency: str) -> bool:
    """Whether a mark such as $, US$, CA$ or EUR can mean the currency; $ alone means any dollar."""
    letters, sign = re.fullmatch(r"([A-Z]*)(.*)", mark, re.DOTALL).groups()  # type: ignore[union-attr]
    if not sign:
        return bool(letters == currency)
    if letters:
        return mark == symbol_of(currency) or letters in (currency, currency[:2])
    return symbol_of(currency).endswith(sign) or sign not in symbols()
