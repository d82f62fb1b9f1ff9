"""Issuance: issue one voucher; with the guaranteed policy its worst case is set aside at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from regulars.ledger.accounts import NOTHING, Move, post
from regulars.ledger.books import Books
from regulars.ledger.commands import Command, Concerned
from regulars.ledger.refusals import Refusal
from regulars.offers import codes
from regulars.offers.definition import OF_OFFERS, terms_of
from regulars.offers.halts import IN_FORCE, check_halts
from regulars.offers.models import OFFERS, VOUCHERS, Voucher
from regulars.offers.terms import Terms
from regulars.offers.validity import expires_at
from regulars.offers.vouchers import canonicals, state_of
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

    def decide(self, books: Books) -> dict[str, Any]:
        offer = books[OFFERS].get(self.offer_id)
        if offer is None:
            raise Refusal("offer_not_found", offer=self.offer_id)
        check_halts(books, offer=offer.offer_id, campaign=offer.campaign_id)
        terms = terms_of(offer.terms)
        if self.at >= terms.ends_at:
            raise Refusal("voucher_expired", code=self.code or self.offer_id)
        if terms.audience == "holders" and self.guest_id is None:
            raise Refusal("guest_required", offer=offer.offer_id)
        code = codes.read(self.code) if self.code else codes.make(1)[0]
        if code in books[VOUCHERS]:
            raise Refusal("code_exists", code=code)
        minor, uses = set_aside(terms)
        voucher = Voucher(
            code=code,
            offer_id=offer.offer_id,
            guest_id=self.guest_id,
            issued_at=self.at,
            most_uses=terms.per_code,
            expires_at=expires_at(terms, self.at, settings.TIME_ZONE),
            reserved_minor=minor.reserved,
        )  # fmt: skip
        books.add(voucher)
        post(books, "issued", offer.account_id, self, minor=minor, uses=uses, subject=voucher)
        return {
            "code": code, "offer_id": offer.offer_id, "state": state_of(voucher), "guest_id": self.guest_id,
            "expires_at": voucher.expires_at.isoformat(),
        }  # fmt: skip


def set_aside(terms: Terms, vouchers: int = 1) -> tuple[Move, Move]:
    """What issuing vouchers sets aside: the worst case of all their uses, in minor units, and the uses."""
    if terms.policy != "guaranteed":
        return NOTHING, NOTHING
    uses = terms.per_code * vouchers
    return Move.reserve(terms.worst_minor * uses), Move.reserve(uses)
