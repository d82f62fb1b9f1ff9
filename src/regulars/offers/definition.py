"""Definition: make an offer with its account, or change its terms."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from regulars.access.scopes import may_change
from regulars.ledger.accounts import ACCOUNTS, Move, amounts_of, open_account, post
from regulars.ledger.books import Books
from regulars.ledger.commands import Command, Concerned
from regulars.ledger.refusals import Refusal
from regulars.offers.models import OFFERS, VOUCHERS, Offer, Version
from regulars.offers.reservations import let_go_overdue, overdue, to_let_go
from regulars.offers.terms import Terms
from regulars.offers.versions import terms_of
from regulars.records.shelves import Need

OF_OFFERS = "select account_id from offers_offer where offer_id {}"
_ONE_VOUCHER = """id in (
    select (select v.id from offers_voucher v where v.offer_id = o.offer_id limit 1) from offers_offer o where o.offer_id {})"""
_FIXED = ("kind", "policy", "currency", "per_code", "worst_minor", "again_after_refund")


@dataclass(frozen=True, slots=True, kw_only=True)
class Define(Command):
    """Make an offer with its account, or change its terms: budget and cap may rise, and sink to what is used of them."""

    offer_id: str
    terms: Terms
    campaign_id: str | None = None

    def accounts(self) -> Iterator[Concerned]:
        yield Concerned(OF_OFFERS, {self.offer_id})

    def needs(self, books: Books) -> Iterator[tuple[Need, ...]]:
        one = VOUCHERS.where(_ONE_VOUCHER, {self.offer_id})
        yield OFFERS.where("offer_id {}", {self.offer_id}), one, *overdue(books)
        yield from to_let_go(books)

    def decide(self, books: Books) -> dict[str, Any]:
        demand_own(self, self.terms.stores)
        let_go_overdue(books)
        terms, offer = self.terms, books[OFFERS].get(self.offer_id)
        if offer is None:
            offer = self._made(books)
        else:
            before = terms_of(offer.terms)
            demand_own(self, before.stores)
            if self.campaign_id not in (None, offer.campaign_id):
                raise Refusal("offer_exists", offer=self.offer_id, field="campaign_id")
            if any(voucher.offer_id == self.offer_id for voucher in books[VOUCHERS].values()):
                _check_change(self.offer_id, before, terms)
            books.change(offer, terms=terms.model_dump_json(), version=offer.version + 1)
        books.add(Version(offer_id=self.offer_id, number=offer.version, terms=offer.terms))
        account = books[ACCOUNTS][offer.account_id]
        minor, uses = Move(free=terms.budget_minor - account.budget_minor), Move(free=terms.cap - account.cap)
        if minor.free or uses.free:
            post(books, "budgeted", offer.account_id, self, minor=minor, uses=uses)
        return described(offer, account)

    def _made(self, books: Books) -> Offer:
        account_id = f"offer/{self.offer_id}"
        open_account(books, account_id)
        offer = Offer(
            offer_id=self.offer_id,
            account_id=account_id,
            campaign_id=self.campaign_id,
            terms=self.terms.model_dump_json(),
            made_at=books.now,
        )  # fmt: skip
        return books.add(offer)


def _check_change(offer_id: str, before: Terms, after: Terms) -> None:
    for name in _FIXED:
        if getattr(before, name) != getattr(after, name):
            raise Refusal("offer_exists", offer=offer_id, field=name)


def demand_own(command: Command, stores: Collection[str]) -> None:
    """Raises Refusal not_allowed unless all these stores are the sender's own; none stands for everywhere."""
    if not may_change(command.stores, stores):
        raise Refusal("not_allowed", store=next(iter(stores), "*"))


def described(offer: Offer, account: Any) -> dict[str, Any]:
    """An offer and its account as a plain document."""
    return {
        "offer_id": offer.offer_id, "campaign_id": offer.campaign_id, "version": offer.version,
        "terms": terms_of(offer.terms).model_dump(mode="json", exclude_defaults=True), "account": amounts_of(account),
    }  # fmt: skip
