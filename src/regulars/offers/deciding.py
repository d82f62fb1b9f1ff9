"""Deciding: one command and the books -> what is said of it. No database, no clock, no chance but the names of new things."""

from typing import Any

from regulars.offers.books import Books, terms_of
from regulars.offers.codes import make
from regulars.offers.codes import read as read_code
from regulars.offers.commands import (
    Cancel,
    Command,
    Define,
    Expire,
    Issue,
    Release,
    Resume,
    RollBack,
    Stop,
    Validate,
)
from regulars.offers.governing import define, halt, resume, stop
from regulars.offers.hours import expires_at
from regulars.offers.models import Voucher
from regulars.offers.refusals import Refusal
from regulars.offers.returning import cancel, expire, let_go, roll_back, state_of
from regulars.offers.taking import take


def decide(command: Command, books: Books) -> dict[str, Any]:
    """What is said of it. Raises Refusal, and then nothing in the books has changed but the alarm it may have raised."""
    try:
        with books.trial():
            return _decide(command, books)
    finally:
        _halt_alarmed(books)


def _decide(command: Command, books: Books) -> dict[str, Any]:
    match command:
        case Validate():
            if not command.may_act_at(command.store_id):
                raise Refusal("not_allowed", store=command.store_id)
            return take(command, books)
        case Release():
            return let_go(command, books)
        case RollBack():
            return roll_back(command, books)
        case Issue():
            return issue(command, books)
        case Cancel():
            return cancel(command, books)
        case Expire():
            return expire(command, books)
        case Define():
            return define(command, books)
        case Stop():
            return stop(command, books)
        case Resume():
            return resume(command, books)
    raise TypeError(f"no such command: {type(command).__name__}")


def issue(command: Issue, books: Books) -> dict[str, Any]:
    """Issue one voucher; with the guaranteed policy its worst case is set aside now."""
    offer = books.offers.get(command.offer_id)
    if offer is None:
        raise Refusal("offer_not_found", offer=command.offer_id)
    for kind, key in ("offer", offer.offer_id), ("campaign", offer.campaign_id):
        if books.is_halted(kind, key):
            raise Refusal(f"{kind}_halted", **{kind: key})
    terms = terms_of(offer.terms)
    if command.at >= terms.ends_at:
        raise Refusal("voucher_expired", code=command.code or command.offer_id)
    if terms.audience == "holders" and command.guest_id is None:
        raise Refusal("guest_required", offer=offer.offer_id)
    code = read_code(command.code) if command.code else make(1)[0]
    if code in books.vouchers:
        raise Refusal("code_exists", code=code)
    minor, uses = set_aside(terms)
    voucher = Voucher(
        code=code, offer=offer, guest_id=command.guest_id, issued_at=command.at, most_uses=terms.per_code,
        expires_at=expires_at(terms, command.at, books.zone), reserved_minor=minor,
    )  # fmt: skip
    books.add(voucher)
    books.move("issued", offer, voucher, command, minor=(-minor, minor, 0), uses=(-uses, uses, 0))
    return {
        "code": code, "offer_id": offer.offer_id, "state": state_of(voucher), "guest_id": command.guest_id,
        "expires_at": voucher.expires_at.isoformat(),
    }  # fmt: skip


def set_aside(terms: Any) -> tuple[int, int]:
    """What issuing one voucher sets aside: the worst case of all its uses, in minor units, and the uses."""
    if terms.policy != "guaranteed":
        return 0, 0
    return terms.worst_minor * terms.per_code, terms.per_code


def _halt_alarmed(books: Books) -> None:
    """Whoever raised the alarm: nobody else uses what it is about until a person has looked."""
    for (kind, whose), reason in books.alarms.items():
        if not books.is_halted(kind, whose):
            halt(kind, whose, books, reason=reason, by="velocity alarm")
    books.alarms.clear()
