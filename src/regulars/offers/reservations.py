"""Reservations: vouchers kept for a bill until a time, and let go."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from regulars.access.stores import STORES
from regulars.ledger.accounts import ACCOUNTS, NOTHING, Move, post
from regulars.ledger.books import Books
from regulars.ledger.commands import Command, Concerned
from regulars.ledger.refusals import Refusal
from regulars.offers.models import OFFERS, RESERVATIONS, VOUCHERS, Reservation
from regulars.offers.usages import Kept, Use, give_back, usages_kept
from regulars.offers.versions import terms_of
from regulars.records.shelves import Need

OF_RESERVATIONS = """
    select o.account_id from offers_offer o join offers_voucher v on v.offer_id = o.offer_id
    join offers_reservation r on r.voucher_id = v.code where r.reservation_id {}"""
_OPEN = "reservation_id {} and is_open"
_OVERDUE = """is_open and until {past} and exists (
    select 1 from offers_voucher v join offers_offer o on o.offer_id = v.offer_id
    where v.code = offers_reservation.voucher_id and o.account_id {})"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(Command):
    """Let go all vouchers that a reservation still holds."""

    reservation_id: str

    def accounts(self) -> Iterator[Concerned]:
        yield Concerned(OF_RESERVATIONS, {self.reservation_id})

    def needs(self, books: Books) -> Iterator[tuple[Need, ...]]:
        yield RESERVATIONS.where(_OPEN, {self.reservation_id}), OFFERS.where("account_id {}", books[ACCOUNTS])
        yield from _to_let_go(books, reserved(books, self.reservation_id))

    def decide(self, books: Books) -> dict[str, Any]:
        held = [row for row in reserved(books, self.reservation_id) if row.is_open and self._may(books, row)]
        if not held or not all(self.may_act_at(row.store_id) for row in held):
            raise Refusal("reservation_not_found", reservation=self.reservation_id)
        for reservation in held:
            release(books, reservation, self)
        return {"reservation_id": self.reservation_id, "released": [row.voucher_id for row in held]}

    def _may(self, books: Books, row: Reservation) -> bool:
        return not is_overdue(books, row)


@dataclass(frozen=True, slots=True, kw_only=True)
class LetGo(Release):
    """The same of a reservation whose time is up, by the house."""

    def _may(self, books: Books, row: Reservation) -> bool:
        return is_overdue(books, row)


def is_overdue(books: Books, row: Reservation) -> bool:
    """Whether it holds nothing any more, though nobody let it go."""
    return bool(row.until <= books.now)


def reserved(books: Books, reservation_id: str | None) -> list[Reservation]:
    """What a reservation holds, or held before."""
    return [row for row in books[RESERVATIONS].values() if row.reservation_id == reservation_id]


def overdue(books: Books) -> tuple[Need, ...]:
    """Whatever holds vouchers of the offers at hand though its time is up: nobody may be refused for it.

    Where no use is reserved, nothing is held.
    """
    holding = {account.account_id for account in books[ACCOUNTS].values() if account.reserved_uses}
    return (RESERVATIONS.where(_OVERDUE, {books.now}, holding),) if holding else ()


def to_let_go(books: Books) -> Iterator[tuple[Need, ...]]:
    """All that is needed to let go what is overdue."""
    yield from _to_let_go(
        books, [row for row in books[RESERVATIONS].values() if row.is_open and is_overdue(books, row)]
    )


def _to_let_go(books: Books, held: Collection[Reservation]) -> Iterator[tuple[Need, ...]]:
    if held:
        stores = {row.store_id for row in held if row.counts is None}
        yield VOUCHERS.where("code {}", {row.voucher_id for row in held}), STORES.where("store_id {}", stores)
        known = [row for row in held if row.voucher_id in books[VOUCHERS]]
        yield (usages_kept(books, [kept_of(books, row) for row in known]),)


def let_go_overdue(books: Books) -> None:
    """Let go whatever holds a voucher though its time is up."""
    for row in list(books[RESERVATIONS].values()):
        if row.is_open and is_overdue(books, row):
            release(books, row, None)


def release(books: Books, reservation: Reservation, command: Command | None) -> None:
    """Let one voucher go, and give back what its reservation counted against."""
    voucher, minor = books[VOUCHERS][reservation.voucher_id], reservation.minor
    offer = books[OFFERS][voucher.offer_id]
    books.change(reservation, is_open=False)
    books.change(voucher, holds=voucher.holds - 1)
    uses = NOTHING if terms_of(offer.terms).policy == "guaranteed" else Move.reserve(-1)
    post(
        books, "released", offer.account_id, command, minor=Move.reserve(-minor), uses=uses, subject=voucher.pk,
        store_id=reservation.store_id, order_id=reservation.order_id, person_id=reservation.person_id,
    )  # fmt: skip
    give_back(books, kept_of(books, reservation))


def kept_of(books: Books, row: Reservation) -> Kept:
    """What a reservation counts against."""
    use = Use(books[VOUCHERS][row.voucher_id].offer_id, row.store_id, row.at, [row.person_id] if row.person_id else [])
    return Kept(use, row.counts)
