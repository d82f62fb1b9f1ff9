"""Vouchers: how one is found, what state it is in, and how it ends without being used."""

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from regulars.ledger.accounts import ACCOUNTS, NOTHING, Move, post
from regulars.ledger.books import Books
from regulars.ledger.commands import Command, Concerned
from regulars.ledger.refusals import Refusal
from regulars.offers import codes
from regulars.offers.definition import terms_of
from regulars.offers.models import OFFERS, VOUCHERS, Offer, Voucher
from regulars.offers.reservations import let_go_overdue, open_reservations
from regulars.offers.terms import Terms
from regulars.records.shelves import Need

OF_CODES = "select o.account_id from offers_offer o join offers_voucher v on v.offer_id = o.offer_id where v.code {}"


@lru_cache(maxsize=4096)
def canonical(text: str) -> str | None:
    """A code as it is kept, None where it is none."""
    try:
        return codes.read(text)
    except Refusal:
        return None


def canonicals(texts: Collection[str]) -> set[str]:
    """Those of these texts that may be codes, as they are kept."""
    return {code for text in texts if (code := canonical(text))}


def vouchers_by(books: Books, texts: Collection[str]) -> tuple[Need, ...]:
    """The vouchers of codes, with the offers of all accounts at hand."""
    return VOUCHERS.where("code {}", canonicals(texts)), OFFERS.where("account_id {}", books[ACCOUNTS])


def found(books: Books, text: str) -> Voucher | None:
    """The voucher of a code as somebody wrote it."""
    voucher = books[VOUCHERS].get(canonical(text))
    return voucher if voucher is not None and voucher.offer_id in books[OFFERS] else None


def offer_of(books: Books, voucher: Voucher) -> Offer:
    return books[OFFERS][voucher.offer_id]


def state_of(voucher: Voucher, now: dt.datetime | None = None) -> str:
    """The state of a voucher in the words of its life cycle; with `now`, expired as soon as its time is over."""
    if voucher.closed:
        return str(voucher.closed)
    if voucher.uses >= voucher.most_uses:
        return "redeemed"
    if now is not None and voucher.expires_at <= now:
        return "expired"
    return "reserved" if voucher.uses + voucher.holds >= voucher.most_uses else "issued"


def comes_back(terms: Terms, voucher: Voucher) -> bool:
    """Whether a use returns to its voucher when it is given back: those of codes for many do."""
    return terms.again_after_refund or voucher.most_uses > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ending(Command):
    """What ends a voucher. What was set aside for it is free again."""

    code: str

    def accounts(self) -> Iterator[Concerned]:
        yield Concerned(OF_CODES, canonicals([self.code]))

    def needs(self, books: Books) -> Iterator[tuple[Need, ...]]:
        yield vouchers_by(books, [self.code])
        if (voucher := found(books, self.code)) is not None:
            yield from open_reservations(books, [voucher])

    def _end(self, books: Books, voucher: Voucher, how: str, reason: str = "") -> dict[str, Any]:
        offer, minor, left = offer_of(books, voucher), voucher.reserved_minor, voucher.most_uses - voucher.uses
        uses = Move.reserve(-left) if terms_of(offer.terms).policy == "guaranteed" else NOTHING
        books.change(voucher, closed=how, reserved_minor=0)
        post(
            books, how, offer.account_id, self, minor=Move.reserve(-minor), uses=uses, subject=voucher.pk, reason=reason
        )
        return {"code": voucher.code, "offer_id": voucher.offer_id, "state": how}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel(_Ending):
    """Take back a voucher that nobody used."""

    reason: str = ""

    def decide(self, books: Books) -> dict[str, Any]:
        voucher = found(books, self.code)
        if voucher is None:
            raise Refusal("voucher_not_found", code=self.code[:40])
        if voucher.holds:
            raise Refusal("voucher_reserved", code=voucher.code)
        if voucher.closed or voucher.uses >= voucher.most_uses:
            raise Refusal("voucher_not_active", code=voucher.code, state=state_of(voucher))
        return self._end(books, voucher, "cancelled", self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expire(_Ending):
    """End a voucher whose time is over, unless somebody is paying with it just now."""

    def decide(self, books: Books) -> dict[str, Any]:
        voucher = found(books, self.code)
        if voucher is None or voucher.closed or voucher.expires_at > books.now:
            raise Refusal("voucher_not_active", code=self.code[:40])
        let_go_overdue(books, voucher)
        if voucher.holds:
            raise Refusal("voucher_reserved", code=voucher.code)
        return self._end(books, voucher, "expired")
