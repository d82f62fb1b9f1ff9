"""Returning: let reserved vouchers go, give redemptions back, and close vouchers that end. Pure, as taking is."""

import datetime as dt
from typing import Any

from regulars.offers.books import Books, Redemption, terms_of
from regulars.offers.caps import ALARM, caps_of
from regulars.offers.commands import Cancel, Command, Expire, Release, RollBack
from regulars.offers.models import Entry, Reservation, Voucher
from regulars.offers.refusals import Refusal
from regulars.offers.terms import Terms


def let_go(command: Release, books: Books) -> dict[str, Any]:
    """Release all that a reservation still holds."""
    held = [row for row in books.reservations.get(command.reservation_id, ()) if row.is_open]
    if not held or not all(command.may_act_at(row.store_id) for row in held):
        raise Refusal("reservation_not_found", reservation=command.reservation_id)
    for reservation in held:
        release(reservation, books, command)
    return {"reservation_id": command.reservation_id, "released": [row.voucher.code for row in held]}


def release(reservation: Reservation, books: Books, command: Command | None) -> None:
    """Let one voucher go, and give back what its reservation counted against."""
    voucher, minor = reservation.voucher, reservation.minor
    is_ours = terms_of(voucher.offer.terms).policy == "guaranteed"
    books.change(reservation, is_open=False)
    books.change(voucher, holds=voucher.holds - 1)
    uses = (0, 0, 0) if is_ours else (1, -1, 0)
    books.move(
        "released", voucher.offer, voucher, command, minor=(minor, -minor, 0), uses=uses,
        store_id=reservation.store_id, order_id=reservation.order_id, person_id=reservation.person_id,
    )  # fmt: skip
    _uncount(reservation, voucher, reservation.at, books)


def _uncount(row: Reservation | Entry, voucher: Voucher, at: Any, books: Books) -> None:
    persons = [str(row.person_id)] if row.person_id else []
    terms, store_id = terms_of(voucher.offer.terms), str(row.store_id)
    for cap in caps_of(voucher.offer_id, terms, store_id, books.clock(store_id), at, persons):
        if cap.key[1] != ALARM:
            books.give_back(cap.key)


def roll_back(command: RollBack, books: Books) -> dict[str, Any]:
    """Give a redemption back, wholly or in part; the whole of it also gives the use back."""
    redemption = books.redemptions.get(command.redemption_id)
    if redemption is None or not command.may_act_at(str(redemption.entry.store_id)):
        raise Refusal("redemption_not_found", redemption=command.redemption_id)
    left = redemption.entry.spent_minor - redemption.returned_minor
    if redemption.is_returned:
        raise Refusal("already_rolled_back", redemption=command.redemption_id)
    amount = left if command.amount_minor is None else command.amount_minor
    if amount > left:
        raise Refusal("refund_exceeds_discount", asked_minor=amount, left_minor=left, currency=_currency(redemption))
    _give_back(command, books, redemption, amount, left)
    return {
        "redemption_id": command.redemption_id,
        "returned_minor": amount,
        "left_minor": left - amount,
        "voucher_state": state_of(redemption.voucher),
    }


def _give_back(command: RollBack, books: Books, redemption: Redemption, amount: int, left: int) -> None:
    entry, voucher = redemption.entry, redemption.voucher
    terms, is_whole = terms_of(voucher.offer.terms), amount == left
    again = comes_back(terms, voucher) and not voucher.closed
    is_kept = again and terms.policy == "guaranteed"
    minor = (0, amount, -amount) if is_kept else (amount, 0, -amount)
    uses = (0, 0, 0) if not is_whole else (0, 1, -1) if is_kept else (1, 0, -1)
    if is_kept:
        books.change(voucher, reserved_minor=voucher.reserved_minor + amount)
    if is_whole:
        books.change(
            voucher, uses=voucher.uses - 1, closed=voucher.closed if again or voucher.closed else "rolled_back"
        )
        _uncount(entry, voucher, entry.counted_at, books)
    books.move(
        "rolled_back", voucher.offer, voucher, command, minor=minor, uses=uses, of_id=entry.reference, store_id=entry.store_id,
        order_id=entry.order_id, person_id=entry.person_id, reason=command.reason,
        platform_minor=terms.split(left - amount)[1] - terms.split(left)[1], counted_at=entry.counted_at,
    )  # fmt: skip
    books.redemptions[command.redemption_id] = redemption._replace(
        returned_minor=redemption.returned_minor + amount, is_returned=is_whole
    )


def comes_back(terms: Terms, voucher: Voucher) -> bool:
    """Whether a use returns to its voucher when it is given back: those of codes for many do."""
    return terms.again_after_refund or voucher.most_uses > 1


def cancel(command: Cancel, books: Books) -> dict[str, Any]:
    """Take back a voucher that nobody used."""
    voucher = books.voucher(command.code)
    if voucher is None:
        raise Refusal("voucher_not_found", code=command.code[:40])
    if voucher.holds:
        raise Refusal("voucher_reserved", code=voucher.code)
    if voucher.closed or voucher.uses >= voucher.most_uses:
        raise Refusal("voucher_not_active", code=voucher.code, state=state_of(voucher))
    close(voucher, "cancelled", books, command, reason=command.reason)
    return {"code": voucher.code, "offer_id": voucher.offer_id, "state": state_of(voucher)}


def expire(command: Expire, books: Books) -> dict[str, Any]:
    """End a voucher whose time is over, unless somebody is paying with it just now."""
    voucher = books.voucher(command.code)
    if voucher is None or voucher.closed or voucher.expires_at > books.now:
        raise Refusal("voucher_not_active", code=command.code[:40])
    for overdue in list(books.overdue.get(voucher.code, ())):
        if overdue.is_open:
            release(overdue, books, None)
    if voucher.holds:
        raise Refusal("voucher_reserved", code=voucher.code)
    close(voucher, "expired", books, command)
    return {"code": voucher.code, "offer_id": voucher.offer_id, "state": "expired"}


def close(voucher: Voucher, verb: str, books: Books, command: Command | None, *, reason: str = "") -> None:
    """End a voucher: what was set aside for it is free again."""
    minor, left = voucher.reserved_minor, voucher.most_uses - voucher.uses
    is_ours = terms_of(voucher.offer.terms).policy == "guaranteed"
    books.change(voucher, closed=verb, reserved_minor=0)
    uses = (left, -left, 0) if is_ours else (0, 0, 0)
    books.move(verb, voucher.offer, voucher, command, minor=(minor, -minor, 0), uses=uses, reason=reason)


def state_of(voucher: Voucher, now: dt.datetime | None = None) -> str:
    """The state of a voucher in the words of its life cycle; with `now`, expired as soon as its time is over."""
    if voucher.closed:
        return str(voucher.closed)
    if voucher.uses >= voucher.most_uses:
        return "redeemed"
    if now is not None and voucher.expires_at <= now:
        return "expired"
    return "reserved" if voucher.uses + voucher.holds >= voucher.most_uses else "issued"


def _currency(redemption: Redemption) -> str:
    return str(terms_of(redemption.voucher.offer.terms).currency)
