"""Words: ids and text, without marks that cannot be seen, and without words that stand for nothing."""

import pyarrow as pa
import pyarrow.compute as pc

from regulars.tables.readings.reading import MOST_EXACT, Manner, Reading, as_text, fine, keep, say

MOST_ID = 200
MOST_TEXT = 100_000
NOTHING = (
    "", "null", "none", "nan", "-nan", "n/a", "#n/a", "#na", "#n/a n/a", "<na>", "nat", "undefined", "\\n", "(null)", "<null>",
    "(none)", "<none>", "<nil>", "#null!", "#ref!", "#value!", "#div/0!", "#name?", "#num!", "[object object]",
    "-", "--", "–", "—", "0000-00-00", "0000-00-00 00:00:00",
)  # fmt: skip
"""What databases, scripts and spreadsheets write where there is no value, in small letters."""
_ONLY_SO = ("NA", "nil")
"""Words that stand for nothing in this form alone: R and Ruby write them, and people are called so."""
_A_NAME = "Nan"

_HIDDEN = r"[\x{200B}\x{200E}\x{200F}\x{2060}\x{FEFF}\x{00AD}\x{061C}\x{180E}\x{202A}-\x{202E}\x{2066}-\x{2069}\x{FFF9}-\x{FFFB}]"
_JOINERS = r"[\x{200C}\x{200D}]"
_SPACES = r"[\x{00A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]"
_GUARDED = r"^'('*[=+\-@\t\r])"
_WITH_ZERO = r"^(-?\d{1,15})[.,]0$"
_SHORTENED = r"^[+-]?\d([.,]\d+)?[eE]\+\d{1,3}$"


def cleaned(text: pa.Array) -> pa.Array:
    """Text without marks that cannot be seen and without spaces around it, its letters composed, any space a plain one.

    >>> cleaned(pa.array(["cat\\u200b", "\\ufeffbob", "a\\u00a0b ", "e\\u0301"])).to_pylist()
    ['cat', 'bob', 'a b', 'é']
    """
    if not pc.all(pc.string_is_ascii(text)).as_py():
        text = pc.replace_substring_regex(text, _HIDDEN, "")
        text = pc.utf8_normalize(pc.replace_substring_regex(text, _SPACES, " "), form="NFC")
    return pc.utf8_trim_whitespace(text)


def means_nothing(clean: pa.Array, nothing: tuple[str, ...] = ()) -> pa.Array:
    """Whether each cleaned text stands for no value; `nothing` are more words for it.

    >>> means_nothing(pa.array(["NULL", "nan", "Nan", "ann", "Walk-in"]), ("walk-in",)).to_pylist()
    [True, True, False, False, True]
    """
    small = pc.utf8_lower(clean)
    is_nothing = pc.and_(pc.is_in(small, pa.array(NOTHING)), pc.invert(pc.is_in(clean, pa.array([_A_NAME]))))
    is_nothing = pc.or_(is_nothing, pc.is_in(clean, pa.array(_ONLY_SO)))
    return pc.or_(is_nothing, pc.is_in(small, pa.array([word.strip().lower() for word in nothing], pa.string())))


def without_nothing(text: pa.Array, manner: Manner) -> pa.Array:
    """Distinct texts, cleaned, and null where they stand for nothing."""
    clean = cleaned(text)
    is_nothing = pc.equal(clean, "") if manner.keeps_words else means_nothing(clean, manner.nothing)
    return pc.if_else(is_nothing, pa.scalar(None, pa.string()), clean)


def read_id(values: pa.Array, manner: Manner) -> Reading:
    """Ids: the same whether a spreadsheet, a frame or a script wrote them, or refused where their digits are lost."""
    lost = _too_long_a_number(values)
    text = pc.replace_substring_regex(_plain(as_text(values)), _WITH_ZERO, r"\1")
    text = pc.replace_substring_regex(text, _JOINERS, "")
    lost = pc.coalesce(lost, say(text, pc.match_substring_regex(text, _SHORTENED), _shortened))
    lost = pc.coalesce(lost, say(text, pc.match_substring(text, "\ufffd"), _unreadable))
    reading = _read(text, MOST_ID, pc.match_substring_regex(text, r"[\x00-\x1f\x7f]"))
    return keep(reading.values, pc.coalesce(lost, reading.problem))


def read_text(values: pa.Array, manner: Manner) -> Reading:
    text = _plain(as_text(values))
    return _read(text, MOST_TEXT, pc.match_substring(text, "\0"))


def _plain(text: pa.Array) -> pa.Array:
    """Without the apostrophe that guards a spreadsheet against formulas."""
    return pc.replace_substring_regex(text, _GUARDED, r"\1")


def _too_long_a_number(values: pa.Array) -> pa.Array:
    if not pa.types.is_floating(values.type):
        return fine(len(values))
    is_lost = pc.or_(pc.greater_equal(pc.abs(values), MOST_EXACT), pc.invert(pc.is_finite(values)))
    return say(
        values, is_lost, lambda v: f"{v} is a number of which the last digits are lost; give this column as text"
    )


def _shortened(value: str) -> str:
    return f"'{value}' is a number that a spreadsheet shortened; format the column as text there, and export it again"


def _unreadable(value: str) -> str:
    return f"'{value}' lost letters when it was saved; export it again as UTF-8"


def _read(text: pa.Array, most: int, is_odd: pa.Array) -> Reading:
    too_long = say(
        text, pc.greater(pc.utf8_length(text), most), lambda v: f"'{v[:20]}...' is longer than {most:,} characters"
    )
    odd = say(text, is_odd, lambda v: f"{v[:20]!r} has a character that cannot be printed; is a quote open before it?")
    return keep(text, pc.coalesce(too_long, odd))
