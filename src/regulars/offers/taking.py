"""Taking: validate, reserve and redeem vouchers on a bill. Pure: all it knows and all it changes is in the books."""

from typing import Any

from regulars.offers.admitting import Admitted, admit
from regulars.offers.books import Books, name
from regulars.offers.caps import ALARM, caps_of
from regulars.offers.commands import HaltKind, Redeem, Reserve, Validate
from regulars.offers.models import Entry, Reservation
from regulars.offers.refusals import Refusal
from regulars.offers.returning import comes_back
from regulars.offers.stacking import Combined, combine


class _SpoiledError(Exception):
    """One voucher could not be taken, though it was admitted."""

    def __init__(self, code: str, refusal: Refusal) -> None:
        super().__init__(code)
        self.code, self.refusal = code, refusal


def take(command: Validate, books: Books) -> dict[str, Any]:
    """What the vouchers do for this bill, and, unless it is only asked, the deed itself.

    Where the best are to be taken, those that are refused are left out and named; only if none is left is the first refusal raised.
    """
    admitted: dict[str, Admitted] = {}
    left_out: dict[str, Refusal] = {}
    for text in dict.fromkeys(command.codes):
        try:
            found = admit(text, command, books)
            admitted[found.voucher.code] = found
        except Refusal as refusal:
            left_out[text] = refusal
    while True:
        if not admitted or (left_out and not command.is_best):
            raise next(iter(left_out.values()))
        vouchers = [(code, found.terms) for code, found in admitted.items()]
        combined = combine(vouchers, command.bill, mode="best" if command.is_best else "all")
        if not combined.applied:
            raise combined.left_out[0][1]
        try:
            with books.trial(is_kept=isinstance(command, Reserve | Redeem)):
                done = _do(command, books, combined, admitted)
        except _SpoiledError as spoiled:
            left_out[spoiled.code] = spoiled.refusal
            del admitted[spoiled.code]
            continue
        return _said(command, combined, left_out | dict(combined.left_out), admitted, done)


def _do(command: Validate, books: Books, combined: Combined, admitted: dict[str, Admitted]) -> dict[str, Any]:
    done: dict[str, Any] = {}
    reservation_id = name(books.now) if isinstance(command, Reserve) else None
    for applied in combined.applied:
        found = admitted[applied.ref]
        try:
            if reservation_id is not None:
                done[applied.ref] = _reserve(command, books, found, applied.discount_minor, reservation_id)
            else:
                done[applied.ref] = _redeem(command, books, found, applied.discount_minor)
        except Refusal as refusal:
            raise _SpoiledError(applied.ref, refusal) from None
    return done


def _count(command: Validate, books: Books, found: Admitted) -> None:
    """Count the use against every cap; one too many in a minute raises the alarm, which halts the offer."""
    own = found.person.person_id if found.person else None
    family = [member.person_id for member in books.families.get(own, ())] if own else []
    offer_id = found.voucher.offer_id
    also = [(offer_id, "guest", member) for member in family if member != own]
    for cap in caps_of(
        offer_id, found.terms, command.store_id, books.clock(command.store_id), command.at, [own] if own else []
    ):
        try:
            books.use(cap.key, cap.most, cap.refusal, also=also if cap.key[1] == "guest" else ())
        except Refusal:
            if cap.key[1] == ALARM:
                books.alarms["offer", offer_id] = f"more than {cap.most} uses in the minute {cap.key[2]}"
            raise
    if books.watches and not (isinstance(command, Redeem) and command.is_offline):
        _watch(found.voucher.offer.campaign_id, command.store_id, books)


def _watch(campaign_id: str | None, store_id: str, books: Books) -> None:
    """Count the use of this minute for its campaign and its store, where somebody set a limit."""
    minute = f"{books.now:%Y-%m-%dT%H:%M}"
    whose: tuple[tuple[HaltKind, str | None], ...] = (("campaign", campaign_id), ("store", store_id))
    for kind, key in whose:
        if key is None or (watch := books.watches.get((kind, key))) is None:
            continue
        used = watch.used if watch.minute == minute else 0
        if used >= watch.per_minute:
            books.alarms[kind, key] = f"more than {watch.per_minute} uses in the minute {minute}"
            raise Refusal(f"{kind}_halted", **{kind: key})
        books.change(watch, minute=minute, used=used + 1)


def _cost(found: Admitted, discount_minor: int) -> int:
    """What it costs us: what the guest saves, but for points, which he is given."""
    return int(found.terms.worst_minor) if found.terms.kind == "points" else discount_minor


def _reserve(command: Validate, books: Books, found: Admitted, discount: int, reservation_id: str) -> Reservation:
    assert isinstance(command, Reserve)
    voucher, cost = found.voucher, _cost(found, discount)
    _count(command, books, found)
    books.change(voucher, holds=voucher.holds + 1)
    is_ours = found.terms.policy == "guaranteed"
    minor, uses = ((0, 0, 0), (0, 0, 0)) if is_ours else ((-cost, cost, 0), (-1, 1, 0))
    books.move("reserved", voucher.offer, voucher, command, minor=minor, uses=uses, **_facts(command, found))
    reservation = Reservation(
        reservation_id=reservation_id, voucher=voucher, till_id=command.till, store_id=command.store_id,
        order_id=command.order_id, person=found.person, minor=0 if is_ours else cost, at=command.at,
        until=command.until,
    )  # fmt: skip
    books.add(reservation)
    return reservation


def _redeem(command: Validate, books: Books, found: Admitted, discount: int) -> Entry:
    voucher, terms, held, cost = found.voucher, found.terms, found.reservation, _cost(found, discount)
    if held is None:
        _count(command, books, found)
    else:
        books.change(held, is_open=False)
    if terms.policy == "guaranteed":
        rest = terms.worst_minor - cost
        kept = rest if comes_back(terms, voucher) else 0
        minor, uses = (rest - kept, -(cost + rest - kept), cost), (0, -1, 1)
        books.change(voucher, reserved_minor=voucher.reserved_minor - terms.worst_minor + kept)
    else:
        aside = held.minor if held else 0
        minor, uses = (aside - cost, -aside, cost), (0, -1, 1) if held else (-1, 0, 1)
    books.change(voucher, uses=voucher.uses + 1, holds=voucher.holds - (1 if held else 0))
    return books.move(
        "redeemed", voucher.offer, voucher, command, minor=minor, uses=uses, bill_minor=command.bill.amount_minor,
        platform_minor=terms.split(cost)[1], counted_at=held.at if held else command.at, **_facts(command, found),
    )  # fmt: skip


def _facts(command: Validate, found: Admitted) -> dict[str, Any]:
    """Where, on which bill and by whom; whose use it counts as is whoever reserved it."""
    person_id = found.reservation.person_id if found.reservation else found.person and found.person.person_id
    guest_id = found.voucher.guest_id or command.guest.guest_id
    return {"store_id": command.store_id, "order_id": command.order_id, "person_id": person_id, "guest_id": guest_id}


def _said(
    command: Validate,
    combined: Combined,
    left_out: dict[str, Refusal],
    admitted: dict[str, Admitted],
    done: dict[str, Any],
) -> dict[str, Any]:
    language, bill = command.language, command.bill
    applied = [
        {"code": one.ref, "offer_id": admitted[one.ref].voucher.offer_id, "discount_minor": one.discount_minor}
        for one in combined.applied
    ]
    said: dict[str, Any] = {
        "discount_minor": combined.total_minor,
        "amount_minor": bill.amount_minor - combined.total_minor,
        "currency": bill.currency,
        "applied": applied,
        "left_out": [
            {"code": code, "reason": refusal.code, "detail": refusal.words(language)}
            for code, refusal in left_out.items()
        ],
        "explanation": combined.words(language),
    }
    match command:
        case Redeem():
            for row in applied:
                row["redemption_id"] = done[row["code"]].reference
        case Reserve():
            kept: Reservation = next(iter(done.values()))
            said |= {"reservation_id": kept.reservation_id, "reserved_until": kept.until.isoformat()}
    return said
