"""Reservations: vouchers kept for a bill until a time, and let go."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from regulars.access.stores import STORES
from regulars.ledger.accounts import ACCOUNTS, NOTHING, Move, post
from regulars.ledger.books import Books
from regulars.ledger.commands import Command, Concerned
from regulars.ledger.refusals import Refusal
from regulars.offers.definition import terms_of
from regulars.offers.models import OFFERS, RESERVATIONS, VOUCHERS, Reservation, Voucher
from regulars.offers.usages import Use, give_back, usages_for
from regulars.records.shelves import Need

OF_RESERVATIONS = """
    select o.account_id from offers_offer o join offers_voucher v on v.offer_id = o.offer_id
    join offers_reservation r on r.voucher_id = v.code where r.reservation_id {}"""
OPEN = "reservation_id {} and is_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(Command):
    """Let go all vouchers that a reservation still holds."""

    reservation_id: str

    def accounts(self) -> Iterator[Concerned]:
        yield Concerned(OF_RESERVATIONS, {self.reservation_id})

    def needs(self, books: Books) -> Iterator[tuple[Need, ...]]:
        yield RESERVATIONS.where(OPEN, {self.reservation_id}), OFFERS.where("account_id {}", books[ACCOUNTS])
        held = reserved(books, self.reservation_id)
        codes, stores = {row.voucher_id for row in held}, {row.store_id for row in held}
        yield VOUCHERS.where("code {}", codes), STORES.where("store_id {}", stores)
        yield (usages_for(books, (use_of(books, row) for row in held)),)

    def decide(self, books: Books) -> dict[str, Any]:
        held = [row for row in reserved(books, self.reservation_id) if row.is_open]
        if not held or not all(self.may_act_at(row.store_id) for row in held):
            raise Refusal("reservation_not_found", reservation=self.reservation_id)
        for reservation in held:
            release(books, reservation, self)
        return {"reservation_id": self.reservation_id, "released": [row.voucher_id for row in held]}


def reserved(books: Books, reservation_id: str | None) -> list[Reservation]:
    """What a reservation holds, or held a moment ago."""
    return [row for row in books[RESERVATIONS].values() if row.reservation_id == reservation_id]


def open_reservations(books: Books, vouchers: Collection[Voucher]) -> Iterator[tuple[Need, ...]]:
    """Whatever holds these vouchers, and all that is needed to let it go once its time is up."""
    codes = {voucher.code for voucher in vouchers if voucher.holds}
    if codes:
        yield (RESERVATIONS.where("voucher_id {} and is_open", codes),)
        held = [row for row in books[RESERVATIONS].values() if row.voucher_id in codes]
        yield (STORES.where("store_id {}", {row.store_id for row in held}),)
        yield (usages_for(books, (use_of(books, row) for row in held)),)


def let_go_overdue(books: Books, voucher: Voucher) -> None:
    """Let go whatever holds a voucher though its time is up."""
    if voucher.holds:
        for row in list(books[RESERVATIONS].values()):
            if row.voucher_id == voucher.code and row.is_open and row.until <= books.now:
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
    give_back(books, use_of(books, reservation))


def use_of(books: Books, row: Reservation) -> Use:
    """What a reservation counts against."""
    offer_id = books[VOUCHERS][row.voucher_id].offer_id
    return Use(offer_id, row.store_id, row.at, [row.person_id] if row.person_id else [])
