"""Accounts and their entries: what moves between free, reserved and spent."""

import secrets
from dataclasses import dataclass
from typing import Any, Self

from django.db.models import QuerySet

from regulars.ledger.books import Books
from regulars.ledger.commands import Command
from regulars.ledger.models import Account, Entry
from regulars.ledger.refusals import Refusal
from regulars.records.shelves import Shelf
from regulars.records.statements import made

ACCOUNTS = Shelf(
    Account, by="account_id",
    changes="budget_minor free_minor reserved_minor spent_minor cap free_uses reserved_uses spent_uses",
    lock="account_id",
)  # fmt: skip
ENTRIES = Shelf(Entry, by="reference")


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What moves, in minor units or uses: to where it is above 0, from where it is below. Together it is what comes in.

    >>> Move.reserve(500) + Move.settle(500)
    Move(free=-500, reserved=0, spent=500)
    """

    free: int = 0
    reserved: int = 0
    spent: int = 0

    @classmethod
    def reserve(cls, amount: int) -> Self:
        """Set aside what was free; below 0, let it go."""
        return cls(free=-amount, reserved=amount)

    @classmethod
    def settle(cls, amount: int) -> Self:
        """Spend what was set aside."""
        return cls(reserved=-amount, spent=amount)

    @classmethod
    def spend(cls, amount: int) -> Self:
        """Spend what was free; below 0, give it back."""
        return cls(free=-amount, spent=amount)

    @property
    def total(self) -> int:
        """What comes in from outside, and nothing where it only moves."""
        return self.free + self.reserved + self.spent

    def __add__(self, other: "Move") -> "Move":
        return Move(
            free=self.free + other.free, reserved=self.reserved + other.reserved, spent=self.spent + other.spent
        )


NOTHING = Move()


def open_account(books: Books, account_id: str) -> None:
    """A new account with nothing on it."""
    books.add(made(Account, account_id=account_id))


def entries() -> "QuerySet[Entry]":
    """Every line of the ledger, to be asked of."""
    return Entry.objects.all()


def amounts_of(account: Any) -> dict[str, int]:
    """What an account has, as a plain document."""
    names = [f"{place}_{unit}" for unit in ("minor", "uses") for place in ("free", "reserved", "spent")]
    return {name: getattr(account, name) for name in ("budget_minor", "cap", *names)}


def post(
    books: Books, verb: str, account_id: str, command: Command | None, *, minor: Move = NOTHING, uses: Move = NOTHING,
    **facts: Any,
) -> Entry:  # fmt: skip
    """Move money and uses on an account, and write the entry. command: who asks; None where the house does it by itself.

    Raises Refusal budget_exhausted or quantity_exceeded where more would be taken than is free.
    """
    move(books, account_id, minor=minor, uses=uses)
    entry: Entry = made(
        Entry, reference=new_name(books), verb=verb, account_id=account_id, at=command.at if command else books.now,
        noted_at=books.now, till_id=command.till if command else None,
        budget_minor=minor.total, free_minor=minor.free, reserved_minor=minor.reserved, spent_minor=minor.spent,
        cap=uses.total, free_uses=uses.free, reserved_uses=uses.reserved, spent_uses=uses.spent, **facts,
    )  # fmt: skip
    books.add(entry)
    return entry


def move(books: Books, account_id: str, *, minor: Move, uses: Move) -> None:
    """Move on the account alone, where the entries are written elsewhere. Raises as `post`."""
    account = books[ACCOUNTS][account_id]
    for moved, unit, whole, refusal in (
        (minor, "minor", "budget_minor", "budget_exhausted"),
        (uses, "uses", "cap", "quantity_exceeded"),
    ):
        if moved == NOTHING:
            continue
        free = getattr(account, f"free_{unit}") + moved.free
        if free < 0 and moved.free < 0:
            raise Refusal(refusal, account=account_id)
        books.change(
            account,
            **{
                f"free_{unit}": free,
                f"reserved_{unit}": getattr(account, f"reserved_{unit}") + moved.reserved,
                f"spent_{unit}": getattr(account, f"spent_{unit}") + moved.spent,
                whole: getattr(account, whole) + moved.total,
            },
        )


def new_name(books: Books) -> str:
    """A name nobody else has, that sorts by time: 12 hexadecimal digits of milliseconds and 16 of chance."""
    return f"{int(books.now.timestamp() * 1000):012x}{secrets.token_hex(8)}"
