"""Sentences and voices: a code with its facts, and how it is said to one reader, in their language, money and clock."""

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import islice
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, get_day_names
from pydantic_core import core_schema

from regulars import money
from regulars.clock import WEEKDAYS
from regulars.wording.catalogue import words_of

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")

_LOCALES = {"en": "en_US", "zh": "zh_CN"}
_CLOCKS = {"en": "d MMM y, HH:mm", "zh": "y年M月d日 HH:mm"}
_COMMAS = {"en": ", ", "zh": "、"}
_MOST_LISTED = 10
_FIELD = re.compile(r"\{(\w+)(?::([^{}]*))?\}")
_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")


class Sentence:
    """A code and its facts; `Voice.say` makes words of it.

    Facts that end in `_minor` are money in minor units, those that end in `_share` are parts of one. A fact may be a sentence.

    >>> Sentence("few_exposures", offer="soup", guests=12)
    Sentence('few_exposures', offer='soup', guests=12)
    """

    __slots__ = ("code", "facts")

    code: str
    facts: dict[str, Any]

    def __init__(self, code: str, /, **facts: Any) -> None:
        self.code = code
        self.facts = facts

    def as_dict(self) -> dict[str, Any]:
        """For JSON; `of` reads it back."""
        return {"code": self.code, "facts": {name: _written(value) for name, value in self.facts.items()}}

    @classmethod
    def of(cls, written: dict[str, Any]) -> Self:
        """A sentence as `as_dict` wrote it."""
        return cls(written["code"], **{name: _read(value) for name, value in written["facts"].items()})

    def __str__(self) -> str:
        """Its English words, for whoever prints it."""
        return Voice().say(self)

    def __contains__(self, text: str) -> bool:
        """Whether its English words hold a text."""
        return text in str(self)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        """How values that hold sentences are written as JSON and read back."""
        return core_schema.no_info_plain_validator_function(
            lambda known: known if isinstance(known, Sentence) else cls.of(_checked(known)),
            serialization=core_schema.plain_serializer_function_ser_schema(cls.as_dict),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sentence) and (self.code, self.facts) == (other.code, other.facts)

    def __hash__(self) -> int:
        return hash((self.code, *self.facts))

    def __repr__(self) -> str:
        return f"Sentence({', '.join([repr(self.code), *(f'{name}={value!r}' for name, value in self.facts.items())])})"


Progress = Callable[[Sentence], None]
"""What long work tells of each step it begins."""


def language_for(reader: str | None) -> Language:
    """The one of our languages that serves a reader of this one (BCP 47, or a locale such as zh_CN.UTF-8); English for others."""
    return "zh" if (reader or "").casefold().replace("_", "-").split("-")[0] == "zh" else "en"


def clean(text: str, most: int = 200) -> str:
    """Text by others, safe to show: on one line, nothing hidden in it, at most so many letters."""
    text = text[:most]
    seen = text if text.isprintable() else "".join("�" if _is_hidden(char) else char for char in text)
    return " ".join(seen.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One reader. currency: of amounts, None where they are plain numbers. zone: of instants, UTC where none is said.

    most_echo: how many letters of a text by others are repeated.

    >>> Voice(language="zh", currency="CNY").money(123450)
    '¥1,234.50'
    """

    language: Language = "en"
    currency: str | None = None
    zone: str | None = None
    most_echo: int = 200

    def say(self, sentence: Sentence | str, /, **facts: Any) -> str:
        """A sentence in words; or a code with its facts. Raises ValueError for a code without words, KeyError for a missing fact."""
        if isinstance(sentence, str):
            sentence = Sentence(sentence, **facts)
        known = {name: value for name, value in sentence.facts.items() if value is not None}
        words = _OPTIONAL.sub(
            lambda part: part[1] if _names_in(part[1]) <= known.keys() else "", words_of(sentence.code, self.language)
        )
        return _FIELD.sub(lambda field: self._fill(field[1], field[2], known), words)

    def each(self, sentences: Iterable[Sentence]) -> list[str]:
        """Sentences in words, in order."""
        return [self.say(sentence) for sentence in sentences]

    def money(self, amount_minor: float) -> str:
        """An amount of minor units with its currency, rounded to whole ones. Raises ValueError where no currency is known."""
        if self.currency is None:
            raise ValueError("this voice has no currency; say in which money amounts are")
        return money.say(amount_minor, self.currency, self.language)

    def amount(self, value: float) -> str:
        """Minor units as money; a plain number of four significant digits where there is no currency."""
        if self.currency is not None:
            return self.money(value)
        return _plain(value)

    def figure(self, value: float) -> str:
        """A signed number with three telling digits: +12.3, -0.0452, +43,210."""
        if not math.isfinite(value):
            return self.say("not_known") if math.isnan(value) else f"{value:+}"
        decimals: int = 2 - math.floor(math.log10(abs(value))) if value else 0
        return f"{value:+,.{max(decimals, 0)}f}"

    def percent(self, share: float, decimals: int = 0) -> str:
        return f"{share:.{decimals}%}"

    def instant(self, at: dt.datetime, zone: str | None = None) -> str:
        """An instant on the clock of a zone, by name where it is nobody's own."""
        zone = zone or self.zone
        said = format_datetime(
            at, _CLOCKS[self.language], tzinfo=ZoneInfo(zone or "UTC"), locale=_LOCALES[self.language]
        )
        return str(said) if zone else f"{said} UTC"

    def weekdays(self, days: Iterable[str]) -> str:
        """Weekdays by name, from monday, tuesday and so on."""
        names = _day_names(self.language)
        return self.listed(names[day] for day in days)

    def listed(self, values: Iterable[Any], most: int | None = _MOST_LISTED) -> str:
        """Values one after another, with the comma of the language; at most ten unless said, all of them for None."""
        return _COMMAS[self.language].join(self.told(value) for value in islice(values, most))

    def told(self, value: Any) -> str:
        """A value as its kind is read: dates as 2026-10-05, whole numbers by thousands, text cleaned."""
        if isinstance(value, Sentence):
            return self.say(value)
        if isinstance(value, dt.datetime):
            return self.instant(value)
        if isinstance(value, bool | dt.date | dt.time):
            return str(value)
        if isinstance(value, int):
            return f"{value:,}"
        if isinstance(value, float | Decimal):
            return _plain(float(value))
        if isinstance(value, tuple | list | set | frozenset):
            return self.listed(value)
        return clean(str(value), self.most_echo)

    def _fill(self, name: str, form: str | None, facts: Mapping[str, Any]) -> str:
        value = facts[name]
        if form:
            word, _, rest = form.partition(" ")
            return _FORMS[word](self, value, rest) if word in _FORMS else format(value, form)
        if isinstance(value, dt.datetime):
            return self.instant(value, facts.get("zone"))
        if name.endswith("_minor") and not isinstance(value, str):
            return money.say(value, facts.get("currency") or self.currency or "", self.language)
        if name.endswith("_share"):
            return self.percent(value)
        return self.weekdays(value) if name == "weekdays" else self.told(value)


def _count(voice: Voice, value: Any, noun: str) -> str:
    """`{guests:count guest}`, `{boxes:count box/boxes}`: the number with its noun, in the number that English asks for."""
    one, _, many = noun.partition("/")
    if voice.language != "en" or not noun:
        return f"{value:,}"
    return f"{value:,} {one if value == 1 else many or one + 's'}"


_FORMS: dict[str, Callable[[Voice, Any, str], str]] = {
    "amount": lambda voice, value, _: voice.amount(value),
    "count": _count,
    "figure": lambda voice, value, _: voice.figure(value),
    "size": lambda voice, value, _: voice.figure(abs(value)).removeprefix("+"),
    "money": lambda voice, value, _: voice.money(value),
    "percent": lambda voice, value, decimals: voice.percent(value, int(decimals or 0)),
    "plain": lambda voice, value, _: clean(str(value), voice.most_echo),
    "weekdays": lambda voice, value, _: voice.weekdays(value),
    "word": lambda voice, value, kind: voice.say(f"{kind}_{value}" if kind else str(value)),
}
"""What may stand after the colon of a field, beside the forms of Python's own numbers.

`{basis:word basis}` says the sentence `basis_randomised` where the fact is `randomised`.
"""


def _plain(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def _names_in(part: str) -> set[str]:
    return {field[1] for field in _FIELD.finditer(part)}


def _is_hidden(char: str) -> bool:
    """Control, format and direction marks, halves of pairs; but not the joiner that emoji are made with."""
    return unicodedata.category(char)[0] == "C" and char not in "\t\n\r\u200d"


@cache
def _day_names(language: str) -> dict[str, str]:
    names = get_day_names("wide", locale=_LOCALES[language])
    return {day: str(names[place]) for place, day in enumerate(WEEKDAYS)}


def _checked(written: Any) -> dict[str, Any]:
    """What `as_dict` wrote. Raises ValueError for anything else, such as the words of an earlier version."""
    if isinstance(written, dict) and written.keys() == {"code", "facts"} and isinstance(written["facts"], dict):
        return written
    raise ValueError("not a code with its facts")


def _written(value: Any) -> Any:
    if isinstance(value, Sentence):
        return value.as_dict()
    if isinstance(value, tuple | list):
        return [_written(one) for one in value]
    return value


def _read(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {"code", "facts"}:
        return Sentence.of(value)
    if isinstance(value, list):
        return tuple(_read(one) for one in value)
    return value
