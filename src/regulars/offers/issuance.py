"""Issuance: issue one voucher; with the guaranteed policy its worst case is set aside at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from regulars.access.stores import STORES
from regulars.clock import StoreClock
from regulars.ledger.accounts import ACCOUNTS, NOTHING, Move, post
from regulars.ledger.books import Books
from regulars.ledger.commands import Command, Concerned
from regulars.ledger.refusals import Refusal
from regulars.offers import codes, people
from regulars.offers.definition import OF_OFFERS
from regulars.offers.halts import IN_FORCE, check_halts
from regulars.offers.identity import Guest
from regulars.offers.models import OFFERS, VOUCHERS, Offer, Voucher
from regulars.offers.terms import Terms
from regulars.offers.validity import last_end
from regulars.offers.versions import terms_of
from regulars.offers.vouchers import canonicals, due, end, is_due, state_of
from regulars.records.shelves import Need


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue(Command):
    """Issue one voucher of an offer, to a guest if one is named; `code` only for a generic one that people will read aloud."""

    offer_id: str
    guest_id: str | None = None
    code: str | None = None

    def accounts(self) -> Iterator[Concerned]:
        yield Concerned(OF_OFFERS, {self.offer_id})

    def needs(self, books: Books) -> Iterator[tuple[Need, ...]]:
        taken = VOUCHERS.where("code {}", canonicals([self.code] if self.code else ()))
        yield OFFERS.where("offer_id {}", {self.offer_id}), taken, IN_FORCE
        if (offer := books[OFFERS].get(self.offer_id)) is None:
            return
        terms = terms_of(offer.terms)
        if terms.valid_days is not None:
            yield (stores_where(terms),)
        if _is_tight(books[ACCOUNTS][offer.account_id], terms):
            yield (due(books),)

    def decide(self, books: Books) -> dict[str, Any]:
        offer = books[OFFERS].get(self.offer_id)
        if offer is None:
            raise Refusal("offer_not_found", offer=self.offer_id)
        check_halts(books, offer=offer.offer_id, campaign=offer.campaign_id)
        terms = terms_of(offer.terms)
        if self.at >= terms.ends_at:
            raise Refusal("voucher_expired", code=self.code or self.offer_id)
        check_holder(terms, offer.offer_id, self.guest_id)
        code = codes.read(self.code) if self.code else codes.make(1)[0]
        if code in books[VOUCHERS]:
            raise Refusal("code_exists", code=code)
        minor, uses = set_aside(terms)
        _make_room(books, offer, minor, uses)
        voucher = Voucher(
            code=code,
            offer_id=offer.offer_id,
            version=offer.version,
            guest_id=self.guest_id,
            issued_at=self.at,
            most_uses=terms.per_code,
            expires_at=last_end(terms, self.at, clocks_of(books, terms)),
            reserved_minor=minor.reserved,
        )  # fmt: skip
        books.add(voucher)
        post(books, "issued", offer.account_id, self, minor=minor, uses=uses, subject=voucher)
        return {
            "code": code, "offer_id": offer.offer_id, "state": state_of(voucher), "guest_id": self.guest_id,
            "expires_at": voucher.expires_at.isoformat(),
        }  # fmt: skip


def check_holder(terms: Terms, offer_id: str, guest_id: str | None) -> None:
    """Raises Refusal guest_required where only its holder may use a voucher and there is nobody who could be."""
    if terms.audience == "holders" and not (guest_id and people.tokens_of(Guest(guest_id=guest_id))):
        raise Refusal("guest_required", offer=offer_id)


def stores_where(terms: Terms) -> Need:
    """The stores whose clocks say when a voucher ends: those of the offer, or one of each clock there is."""
    if terms.stores:
        return STORES.where("store_id {}", set(terms.stores))
    return STORES.where("store_id in (select min(store_id) from access_store group by zone, day_closes_at)")


def clocks_of(books: Books, terms: Terms) -> list[StoreClock]:
    """The clocks of the stores where an offer holds; the house's own where there is none yet."""
    there = [store for store in books[STORES].values() if not terms.stores or store.store_id in terms.stores]
    return [StoreClock(store.zone, store.day_closes_at) for store in there] or [StoreClock(settings.TIME_ZONE)]


_TIGHT = 64
"""For so many vouchers there is room in any case: as many commands there may be in one transaction."""


def _is_tight(account: Any, terms: Terms) -> bool:
    """Whether there may be no room for more, unless vouchers that have ended make some."""
    minor, uses = set_aside(terms, _TIGHT)
    return account.free_minor + minor.free < 0 or account.free_uses + uses.free < 0


def _make_room(books: Books, offer: Offer, minor: Move, uses: Move) -> None:
    """End vouchers that nobody may use any more, as the sweep would, until this one has room."""
    account = books[ACCOUNTS][offer.account_id]
    over = [row for row in books[VOUCHERS].values() if row.offer_id == offer.offer_id and is_due(row, books.now)]
    for voucher in over:
        if account.free_minor + minor.free >= 0 and account.free_uses + uses.free >= 0:
            return
        end(books, voucher, "expired", None)


def set_aside(terms: Terms, vouchers: int = 1) -> tuple[Move, Move]:
    """What issuing vouchers sets aside: the worst case of all their uses, in minor units, and the uses."""
    if terms.policy != "guaranteed":
        return NOTHING, NOTHING
    uses = terms.per_code * vouchers
    return Move.reserve(terms.worst_minor * uses), Move.reserve(uses)
