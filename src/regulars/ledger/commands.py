"""Commands: what a till, an operator or a clock may ask of the ledger; each is one value, answered once."""

import datetime as dt
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from regulars.access.scopes import Own
from regulars.ledger.refusals import Refusal
from regulars.records.shelves import Need

if TYPE_CHECKING:
    from regulars.ledger.books import Books

DONE = "done"
"""The outcome of a command that was not refused."""


class Concerned(NamedTuple):
    """Accounts that a command may move: those that a query finds, in which {} stands for "is one of the names"."""

    query: str
    names: Collection[object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What all commands say, and what each answers for itself.

    key: the sender's own name for it; the same key from the same till is answered from memory. fingerprint: a digest of what
    was asked, so that the key cannot stand for something else. till: who asks, None for the house itself. stores: where the
    till may act, None for everywhere. at: when it happened, an instant in UTC; the house's clock unless a till was offline.
    """

    key: str
    fingerprint: str = ""
    till: str | None = None
    stores: Own = None
    at: dt.datetime
    language: str = "en"
    is_deed: ClassVar[bool] = True
    """Whether it changes anything; of a question nothing stays, whatever it tried."""

    @property
    def name(self) -> tuple[str, str]:
        """What it is known by: its till, empty for the house, and its key."""
        return self.till or "", self.key

    def may_act_at(self, store_id: str) -> bool:
        return self.stores is None or store_id in self.stores

    def accounts(self) -> Iterator[Concerned]:
        """The accounts it may move; they are locked before anything is read, for all commands in the order of their ids."""
        return iter(())

    def needs(self, books: "Books") -> Iterator[tuple[Need, ...]]:
        """The rows it has to read. What is yielded together is read at once, and is in the books when it goes on."""
        return iter(())

    def decide(self, books: "Books") -> dict[str, Any]:
        """What is said of it. Raises Refusal, and then nothing in the books has changed."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a command: a plain document, or why it was refused; and what was said of it, to the byte.

    outcome: `done`, or the code of the refusal. text: what was said the first time, which is said again whenever the key comes again.
    """

    said: dict[str, Any] | None = None
    refusal: Refusal | None = None
    outcome: str = DONE
    text: str = ""
    is_repeated: bool = False


Speaker = Callable[[Command, "dict[str, Any] | Refusal"], str]
"""How an answer is said: the command and its outcome -> a text that is kept."""
