"""Vouchers: how one is found, what state it is in, and how it ends without being used."""

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from regulars.access.scopes import may_see
from regulars.ledger.accounts import ACCOUNTS, NOTHING, Move, post
from regulars.ledger.books import Books
from regulars.ledger.commands import Command, Concerned
from regulars.ledger.refusals import Refusal
from regulars.offers import codes
from regulars.offers.definition import demand_own
from regulars.offers.models import OFFERS, VOUCHERS, Offer, Voucher
from regulars.offers.reservations import let_go_overdue, overdue, to_let_go
from regulars.offers.terms import Terms
from regulars.offers.validity import MOST_OFFLINE
from regulars.offers.versions import promised, terms_of, versions_of
from regulars.records.shelves import Need

_DUE = """id in (
    select v.id from offers_voucher v where v.closed = '' and v.expires_at {past} and v.uses < v.most_uses and v.holds = 0
    and exists (select 1 from offers_offer o where o.offer_id = v.offer_id and o.account_id {}) order by v.expires_at limit 200)"""
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


def is_due(voucher: Voucher, now: dt.datetime) -> bool:
    """Whether its time is over, also for a till that was offline: nothing needs to be kept for it."""
    return not voucher.closed and voucher.uses < voucher.most_uses and bool(voucher.expires_at + MOST_OFFLINE <= now)


def due(books: Books) -> Need:
    """Some vouchers of the accounts at hand for which nothing needs to be kept any more."""
    return VOUCHERS.where(_DUE, {books.now - MOST_OFFLINE}, books[ACCOUNTS])


def end(books: Books, voucher: Voucher, how: str, command: Command | None, reason: str = "") -> None:
    """End a voucher; what was set aside for it is free again. command: who asks, None where the house does it by itself."""
    offer, minor, left = offer_of(books, voucher), voucher.reserved_minor, voucher.most_uses - voucher.uses
    uses = Move.reserve(-left) if terms_of(offer.terms).policy == "guaranteed" else NOTHING
    books.change(voucher, closed=how, reserved_minor=0)
    post(
        books, how, offer.account_id, command, minor=Move.reserve(-minor), uses=uses, subject=voucher.pk, reason=reason
    )


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
        yield *vouchers_by(books, [self.code]), *overdue(books)
        yield from to_let_go(books)
        if (voucher := found(books, self.code)) is not None and (older := versions_of(books, [voucher])):
            yield older


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel(_Ending):
    """Take back a voucher that nobody used."""

    reason: str = ""

    def decide(self, books: Books) -> dict[str, Any]:
        let_go_overdue(books)
        voucher = found(books, self.code)
        if voucher is None or not may_see(self.stores, promised(books, voucher).stores):
            raise Refusal("voucher_not_found", code=self.code[:40])
        demand_own(self, promised(books, voucher).stores)
        state = state_of(voucher, books.now)
        if state not in ("issued", "reserved"):
            raise Refusal("voucher_not_active", code=voucher.code, state=state)
        if voucher.holds:
            raise Refusal("voucher_reserved", code=voucher.code)
        end(books, voucher, "cancelled", self, self.reason)
        return {"code": voucher.code, "offer_id": voucher.offer_id, "state": "cancelled"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expire(_Ending):
    """End a voucher whose time is over, once no till may tell any more of what it did with it while it was offline."""

    def decide(self, books: Books) -> dict[str, Any]:
        voucher = found(books, self.code)
        if voucher is None or not is_due(voucher, books.now):
            raise Refusal("voucher_not_active", code=self.code[:40])
        let_go_overdue(books)
        if voucher.holds:
            raise Refusal("voucher_reserved", code=voucher.code)
        end(books, voucher, "expired", self)
        return {"code": voucher.code, "offer_id": voucher.offer_id, "state": "expired"}
