"""Admission: may this voucher be used here and now by this guest, whatever it does for the bill?"""

import datetime as dt
from dataclasses import dataclass
from typing import NamedTuple

from regulars.access.scopes import may_see
from regulars.clock import StoreClock
from regulars.ledger.books import Books
from regulars.ledger.commands import Command
from regulars.ledger.refusals import Refusal
from regulars.offers import people, validity
from regulars.offers.bill import Bill
from regulars.offers.halts import check_halts
from regulars.offers.identity import Guest, kind_of
from regulars.offers.models import Offer, Person, Reservation, Voucher
from regulars.offers.reservations import is_overdue, reserved
from regulars.offers.terms import Terms
from regulars.offers.usages import clock_of
from regulars.offers.validity import MOST_OFFLINE, MOST_SKEW
from regulars.offers.versions import promised
from regulars.offers.vouchers import found, offer_of

NOBODY = Guest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented(Command):
    """Vouchers that a guest presents for a bill.

    is_best: take those that serve the guest best and leave the others; otherwise all or none. reservation_id: the vouchers
    were reserved under it. is_offline: it happened at `at`, while the till could not reach the house.
    """

    codes: tuple[str, ...]
    store_id: str
    bill: Bill
    guest: Guest = NOBODY
    order_id: str | None = None
    reservation_id: str | None = None
    is_best: bool = True
    is_offline: bool = False


class Admitted(NamedTuple):
    """A voucher that may be used; reservation: the one it was kept under; person: who uses it, where they are known."""

    voucher: Voucher
    offer: Offer
    terms: Terms
    reservation: Reservation | None
    person: Person | None


def admit(books: Books, command: Presented, text: str) -> Admitted:
    """The voucher of this code. Raises the Refusal that a guest would best understand."""
    _check_time(books, command)
    clock = clock_of(books, command.store_id)
    voucher = found(books, text)
    if voucher is None or not may_see(command.stores, (terms := promised(books, voucher)).stores):
        raise Refusal("voucher_not_found", code=text[:40])
    offer = offer_of(books, voucher)
    check_halts(books, offer=offer.offer_id, campaign=offer.campaign_id, store=command.store_id)
    reservation = _claimed(books, command, voucher)
    _check_state(voucher, reservation, command, _end(voucher, terms, clock), clock.zone)
    if command.bill.currency != terms.currency:
        raise Refusal("currency_mismatch", bill=command.bill.currency, offer=terms.currency)
    validity.check(terms, command.at, command.store_id, clock)
    return Admitted(voucher, offer, terms, reservation, _person(books, command, voucher, terms, reservation))


def _end(voucher: Voucher, terms: Terms, clock: StoreClock) -> dt.datetime:
    """When a voucher ends in a store: as its own trading day closes, and never later than the voucher says."""
    if terms.valid_days is None:
        return voucher.expires_at
    return min(voucher.expires_at, validity.expires_at(terms, voucher.issued_at, *clock))


def _check_time(books: Books, command: Presented) -> None:
    """A till that was offline may tell of the past, but not of long ago, and nobody of the future."""
    behind = books.now - command.at
    if behind > (MOST_OFFLINE if command.is_offline else MOST_SKEW) or -behind > MOST_SKEW:
        raise Refusal("clock_wrong", at=command.at, now=books.now)


def _claimed(books: Books, command: Presented, voucher: Voucher) -> Reservation | None:
    """The reservation under which a voucher was kept, where the command names one."""
    if command.reservation_id is None:
        return None
    held = reserved(books, command.reservation_id)
    claimed = next((row for row in held if row.voucher_id == voucher.code), None)
    if claimed is None or claimed.store_id != command.store_id or claimed.till_id != command.till:
        raise Refusal("reservation_not_found", reservation=command.reservation_id)
    if is_overdue(books, claimed):
        raise Refusal("reservation_expired", reservation=command.reservation_id)
    if not claimed.is_open:
        raise Refusal("reservation_not_found", reservation=command.reservation_id)
    return claimed


def _check_state(
    voucher: Voucher, claimed: Reservation | None, command: Presented, end: dt.datetime, zone: str
) -> None:
    """What the sweep has ended is refused in the words of what it would end, for nobody should notice whether it ran."""
    if voucher.closed not in ("", "expired"):
        raise Refusal(f"voucher_{voucher.closed}", code=voucher.code)
    if voucher.uses >= voucher.most_uses:
        refusal = "voucher_redeemed" if voucher.most_uses == 1 else "per_code_exceeded"
        raise Refusal(refusal, code=voucher.code, most=voucher.most_uses)
    if command.at < voucher.issued_at - MOST_SKEW:
        raise Refusal("voucher_not_yet_valid", code=voucher.code, starts_at=voucher.issued_at, zone=zone)
    if command.at >= end or voucher.closed:
        raise Refusal("voucher_expired", code=voucher.code, ends_at=end, zone=zone)
    if claimed is None and voucher.uses + voucher.holds >= voucher.most_uses:
        raise Refusal("voucher_reserved", code=voucher.code)


def _person(
    books: Books, command: Presented, voucher: Voucher, terms: Terms, claimed: Reservation | None
) -> Person | None:
    """Who uses it: the guest at the till, or, where nobody is named, the one it was issued to."""
    tokens = set(people.tokens_of(command.guest))
    own = set(people.tokens_of(Guest(guest_id=voucher.guest_id))) if voucher.guest_id else set()
    is_personal = terms.audience == "holders"
    if is_personal and not tokens and claimed is None:
        raise Refusal("guest_required", offer=voucher.offer_id)
    if is_personal and tokens and not _is_holder(books, tokens, own):
        raise Refusal("guest_mismatch", code=voucher.code)
    person = people.who(books, (tokens | own if is_personal else tokens) or own, till=command.till)
    is_known = person is not None or (claimed is not None and claimed.person_id is not None)
    if not is_known and (terms.per_guest is not None or terms.first_order_only):
        raise Refusal("guest_required", offer=voucher.offer_id)
    if terms.first_order_only and person is not None and _has_ordered(books, command, person):
        raise Refusal("not_first_order", offer=voucher.offer_id)
    return person


def _has_ordered(books: Books, command: Presented, person: Person) -> bool:
    """Whether they had another order than this one: by the ledger, by what we were told, or by what the till counts."""
    this = command.store_id, command.order_id
    return (command.guest.orders_before or 0) > 0 or people.has_ordered(books, person.person_id, besides=this)


def _is_holder(books: Books, tokens: set[str], own: set[str]) -> bool:
    """Whether somebody is whom a voucher was issued to: by their guest id, or else by names that are known as theirs and nobody
    else's. A name that nobody knows proves nothing."""
    ids = {token for token in tokens if kind_of(token) == "guest_id"}
    if ids:
        return ids == own
    return bool(own) and people.roots_of(books, tokens) == people.roots_of(books, own) != set()
