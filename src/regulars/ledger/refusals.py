"""Refusals: a no with its reason, for a till, an operator or a guest. The words of each stand in `wording/sentences/refusals.toml`."""

from functools import lru_cache
from typing import Any

from regulars.documents import nearest
from regulars.errors import OfferError
from regulars.wording import Sentence, Voice, known_codes, language_for

MOST_ECHO = 40
"""How much of what somebody typed is said back to them, in letters."""

_PREFIX = "refused_"


@lru_cache(maxsize=1)
def reasons() -> frozenset[str]:
    """Every reason that has words."""
    return frozenset(code.removeprefix(_PREFIX) for code in known_codes() if code.startswith(_PREFIX))


class Refusal(OfferError):  # noqa: N818  (the word of the trade; it is said to guests)
    """A no with its reason. code: stable, for programs. facts: what the words fill in.

    Facts that end in `_minor` are money of the `currency` among them; instants are told on the clock of the `zone` among them.

    >>> print(Refusal("minimum_spend_not_met", minimum_minor=3000, missing_minor=450, currency="CNY").words("zh"))
    未达到最低消费¥30.00，还差¥4.50。
    """

    def __init__(self, code: str, /, **facts: Any) -> None:
        if code not in reasons():
            raise ValueError(f"no refusal is called '{code}'{nearest(code, reasons())}; give it words in sentences/")
        super().__init__(code)
        self.code = code
        self.facts = facts
        self.unknown_codes = int(code == "voucher_not_found")
        """How many codes were tried in vain, for whoever counts guesses."""

    def __str__(self) -> str:
        return self.words("en")

    @property
    def sentence(self) -> Sentence:
        """The reason, to be said."""
        return Sentence(f"{_PREFIX}{self.code}", **self.facts)

    def words(self, language: str) -> str:
        """The reason as a sentence: in Chinese for zh, zh-CN and the like, in English for everybody else."""
        return Voice(language=language_for(language), most_echo=MOST_ECHO).say(self.sentence)
