"""Refunds: give a redemption back, wholly or in part; the whole of it also gives the use back."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from regulars.access.stores import STORES
from regulars.ledger.accounts import ACCOUNTS, ENTRIES, NOTHING, Move, post
from regulars.ledger.books import Books
from regulars.ledger.commands import Command, Concerned
from regulars.ledger.refusals import Refusal
from regulars.offers.models import OFFERS, VOUCHERS, Voucher
from regulars.offers.reservations import let_go_overdue, overdue, to_let_go
from regulars.offers.terms import Terms
from regulars.offers.usages import Kept, Use, give_back, usages_kept
from regulars.offers.versions import promised, versions_of
from regulars.offers.vouchers import comes_back, state_of
from regulars.records.shelves import Need

_OF_REDEMPTIONS = "select account_id from ledger_entry where reference {}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBack(Command):
    """Give back a redemption: so much of it, or, where no amount is said, all that is left."""

    redemption_id: str
    amount_minor: int | None = None
    reason: str = ""

    def accounts(self) -> Iterator[Concerned]:
        yield Concerned(_OF_REDEMPTIONS, {self.redemption_id})

    def needs(self, books: Books) -> Iterator[tuple[Need, ...]]:
        offers = OFFERS.where("account_id {}", books[ACCOUNTS])
        yield ENTRIES.where("reference {} or of_id {}", {self.redemption_id}), offers, *overdue(books)
        yield from to_let_go(books)
        if (entry := books[ENTRIES].get(self.redemption_id)) is None or entry.verb != "redeemed":
            return
        yield VOUCHERS.where("id {}", {entry.subject}), STORES.where("store_id {}", {entry.store_id})
        voucher = _voucher_of(books, entry)
        yield usages_kept(books, [_kept_of(entry, voucher)]), *versions_of(books, [voucher])

    def decide(self, books: Books) -> dict[str, Any]:
        entry = books[ENTRIES].get(self.redemption_id)
        if entry is None or entry.verb != "redeemed" or not self.may_act_at(str(entry.store_id)):
            raise Refusal("redemption_not_found", redemption=self.redemption_id)
        let_go_overdue(books)
        voucher = _voucher_of(books, entry)
        terms = promised(books, voucher)
        back = [row for row in books[ENTRIES].values() if row.of_id == self.redemption_id]
        if any(row.spent_uses for row in back):
            raise Refusal("already_rolled_back", redemption=self.redemption_id)
        left = entry.spent_minor + sum(row.spent_minor for row in back)
        amount = left if self.amount_minor is None else self.amount_minor
        if amount > left:
            raise Refusal("refund_exceeds_discount", asked_minor=amount, left_minor=left, currency=terms.currency)
        self._give_back(books, entry, voucher, terms, amount, left)
        return {
            "redemption_id": self.redemption_id, "returned_minor": amount, "left_minor": left - amount,
            "voucher_state": state_of(voucher, books.now),
        }  # fmt: skip

    def _give_back(self, books: Books, entry: Any, voucher: Voucher, terms: Terms, amount: int, left: int) -> None:
        is_whole = amount == left
        again = comes_back(terms, voucher) and not voucher.closed
        is_kept = again and terms.policy == "guaranteed"
        give = Move.settle if is_kept else Move.spend
        if is_kept:
            books.change(voucher, reserved_minor=voucher.reserved_minor + amount)
        if is_whole:
            closed = voucher.closed if again or voucher.closed else "rolled_back"
            books.change(voucher, uses=voucher.uses - 1, closed=closed)
            give_back(books, _kept_of(entry, voucher))
        post(
            books, "rolled_back", entry.account_id, self, minor=give(-amount), uses=give(-1) if is_whole else NOTHING,
            subject=entry.subject, of_id=entry.reference, store_id=entry.store_id, order_id=entry.order_id,
            person_id=entry.person_id, reason=self.reason, counted_at=entry.counted_at, counts=entry.counts,
            platform_minor=terms.split(left - amount)[1] - terms.split(left)[1],
        )  # fmt: skip


def _voucher_of(books: Books, entry: Any) -> Voucher:
    return next(row for row in books[VOUCHERS].values() if entry.subject in (row.pk, row))


def _kept_of(entry: Any, voucher: Voucher) -> Kept:
    persons = [entry.person_id] if entry.person_id else []
    return Kept(Use(voucher.offer_id, str(entry.store_id), entry.counted_at, persons), entry.counts)
