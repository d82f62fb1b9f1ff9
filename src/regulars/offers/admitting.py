"""Admitting: may this voucher be used here and now by this guest, whatever it does for the bill?"""

import datetime as dt
from dataclasses import dataclass

from regulars.offers.books import Books, terms_of
from regulars.offers.commands import Redeem, Validate
from regulars.offers.hours import check
from regulars.offers.identity import Guest
from regulars.offers.models import Person, Reservation, Voucher
from regulars.offers.refusals import Refusal
from regulars.offers.returning import release
from regulars.offers.terms import Terms

_CLOSED = {"expired": "voucher_expired", "cancelled": "voucher_cancelled", "rolled_back": "voucher_rolled_back"}
MOST_SKEW = dt.timedelta(minutes=10)
MOST_OFFLINE = dt.timedelta(hours=72)


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A voucher that may be used; reservation: the one it was kept under; person: who uses it, where he is known."""

    voucher: Voucher
    terms: Terms
    reservation: Reservation | None
    person: Person | None


def admit(text: str, command: Validate, books: Books) -> Admitted:
    """The voucher of this code. Raises the Refusal that a guest would best understand."""
    _check_time(command, books)
    clock = books.clock(command.store_id)
    voucher = books.voucher(text)
    if voucher is None:
        raise Refusal("voucher_not_found", code=text[:40])
    terms = terms_of(voucher.offer.terms)
    _check_halts(voucher, command.store_id, books)
    reservation = _reservation(voucher, command, books)
    _check_state(voucher, reservation, command, clock.zone)
    if command.bill.currency != terms.currency:
        raise Refusal("currency_mismatch", bill=command.bill.currency, offer=terms.currency)
    check(terms, command.at, command.store_id, clock)
    person = _person(voucher, terms, command, books)
    return Admitted(voucher=voucher, terms=terms, reservation=reservation, person=person)


def _check_time(command: Validate, books: Books) -> None:
    """A till that was offline may tell of the past, but not of long ago, and nobody of the future."""
    behind = books.now - command.at
    is_late = behind > (MOST_OFFLINE if isinstance(command, Redeem) and command.is_offline else MOST_SKEW)
    if is_late or -behind > MOST_SKEW:
        raise Refusal("clock_wrong", at=command.at, now=books.now)


def _check_halts(voucher: Voucher, store_id: str, books: Books) -> None:
    where = {"offer": voucher.offer_id, "campaign": voucher.offer.campaign_id, "store": store_id}
    for kind, key in where.items():
        if books.is_halted(kind, key):
            raise Refusal(f"{kind}_halted", **{kind: key})


def _reservation(voucher: Voucher, command: Validate, books: Books) -> Reservation | None:
    """The one that is claimed, after those whose time is up were let go."""
    for overdue in list(books.overdue.get(voucher.code, ())):
        if overdue.is_open:
            release(overdue, books, None)
    if command.reservation_id is None:
        return None
    held = books.reservations.get(command.reservation_id, ())
    found = next((row for row in held if row.voucher is voucher), None)
    if found is None or found.store_id != command.store_id or found.till_id != command.till:
        raise Refusal("reservation_not_found", reservation=command.reservation_id)
    if not found.is_open:
        raise Refusal("reservation_expired", reservation=command.reservation_id)
    return found


def _check_state(voucher: Voucher, held: Reservation | None, command: Validate, zone: str) -> None:
    if voucher.closed:
        raise Refusal(_CLOSED[voucher.closed], code=voucher.code)
    if voucher.uses >= voucher.most_uses:
        refusal = "voucher_redeemed" if voucher.most_uses == 1 else "per_code_exceeded"
        raise Refusal(refusal, code=voucher.code, most=voucher.most_uses)
    if command.at < voucher.issued_at - MOST_SKEW:
        raise Refusal("voucher_not_yet_valid", code=voucher.code, starts_at=voucher.issued_at, zone=zone)
    if command.at >= voucher.expires_at:
        raise Refusal("voucher_expired", code=voucher.code, ends_at=voucher.expires_at, zone=zone)
    if held is None and voucher.uses + voucher.holds >= voucher.most_uses:
        raise Refusal("voucher_reserved", code=voucher.code)


def _person(voucher: Voucher, terms: Terms, command: Validate, books: Books) -> Person | None:
    """Who uses it: the guest at the till, or, where nobody is named, the one it was issued to."""
    guest, holder = command.guest, Guest(guest_id=voucher.guest_id)
    tokens, own = set(guest.tokens(books.secret)), set(holder.tokens(books.secret))
    if terms.audience == "holders" and tokens and not _is_same(tokens, own, books):
        raise Refusal("guest_mismatch", code=voucher.code)
    person = books.who(sorted((tokens | own if terms.audience == "holders" else tokens) or own))
    if person is None and (terms.per_guest is not None or terms.first_order_only):
        raise Refusal("guest_required", offer=voucher.offer_id)
    if terms.first_order_only and person is not None and _has_ordered(person, command, books):
        raise Refusal("not_first_order", offer=voucher.offer_id)
    return person


def _has_ordered(person: Person, command: Validate, books: Books) -> bool:
    """Whether he had another order than this one: by the ledger, by what we were told, or by what the till counts."""
    return (command.guest.orders_before or 0) > 0 or books.has_ordered(person, besides=command.order_id)


def _is_same(tokens: set[str], own: set[str], books: Books) -> bool:
    """Whether names may be one person's: not if a guest id is given and it is another, nor if they are known as somebody else's."""
    ids, own_ids = ({token for token in some if token.startswith("guest_id:")} for some in (tokens, own))
    if ids:
        return ids == own_ids or not own
    persons = {person.person_id for some in (tokens, own) for token in some if (person := books.people.get(token))}
    return len(persons) <= 1
