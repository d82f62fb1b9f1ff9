"""A sentence before it is said: a code that programs may rely on, and the facts that its words are filled with."""

from collections.abc import Callable
from typing import Any, Self

from pydantic_core import core_schema


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
        return {"code": self.code, "facts": {name: _plain(value) for name, value in self.facts.items()}}

    @classmethod
    def of(cls, written: dict[str, Any]) -> Self:
        """A sentence as `as_dict` wrote it."""
        return cls(written["code"], **{name: _read(value) for name, value in written["facts"].items()})

    def __str__(self) -> str:
        """Its English words, for whoever prints it."""
        from regulars.wording.voice import Voice  # a voice knows sentences, so a sentence cannot know it earlier

        return Voice().say(self)

    def __contains__(self, text: str) -> bool:
        """Whether its English words hold a text."""
        return text in str(self)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        """How values that hold sentences are written as JSON and read back."""
        return core_schema.no_info_plain_validator_function(
            lambda known: known if isinstance(known, Sentence) else cls.of(known),
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


def _plain(value: Any) -> Any:
    if isinstance(value, Sentence):
        return value.as_dict()
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value


def _read(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {"code", "facts"}:
        return Sentence.of(value)
    if isinstance(value, list):
        return tuple(_read(one) for one in value)
    return value
