"""Redemption: validate, reserve and redeem vouchers on a bill."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from regulars.access.stores import STORES
from regulars.ledger.accounts import NOTHING, Move, new_name, post
from regulars.ledger.books import Books
from regulars.ledger.commands import Concerned
from regulars.ledger.refusals import Refusal
from regulars.offers import people, shares, usages
from regulars.offers.admission import NOBODY, Admitted, Presented, admit
from regulars.offers.caps import ALARM
from regulars.offers.halts import count_use, raise_alarm, standing
from regulars.offers.identity import Guest
from regulars.offers.models import RESERVATIONS, Reservation
from regulars.offers.reservations import OF_RESERVATIONS, let_go_overdue, overdue, to_let_go
from regulars.offers.sealing import seal
from regulars.offers.stacking import Applied, Combined, combine
from regulars.offers.usages import Use, counts_of, usages_for
from regulars.offers.versions import promised, versions_of
from regulars.offers.vouchers import OF_CODES, canonicals, comes_back, found, vouchers_by
from regulars.records.shelves import Need


class _SpoiledError(Exception):
    """One voucher could not be taken, though it was admitted."""

    def __init__(self, code: str, refusal: Refusal) -> None:
        super().__init__(code)
        self.code, self.refusal = code, refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Validate(Presented):
    """Would these vouchers be taken for this bill, and for how much? Changes nothing."""

    is_deed: ClassVar[bool] = False

    def accounts(self) -> Iterator[Concerned]:
        yield Concerned(OF_CODES, canonicals(self.codes))
        yield Concerned(OF_RESERVATIONS, {self.reservation_id} if self.reservation_id else ())

    def needs(self, books: Books) -> Iterator[tuple[Need, ...]]:
        claimed = (RESERVATIONS.where("reservation_id {}", {self.reservation_id}),) if self.reservation_id else ()
        here = STORES.where("store_id {}", {self.store_id})
        yield *vouchers_by(books, self.codes), here, *standing(books, self.store_id), *claimed, *overdue(books)
        yield from to_let_go(books)
        vouchers = [voucher for text in self.codes if (voucher := found(books, text))]
        if older := versions_of(books, vouchers):
            yield older
        guests = [Guest(guest_id=voucher.guest_id) for voucher in vouchers if voucher.guest_id]
        guests += [self.guest] if self.guest != NOBODY else []
        tokens = {token for guest in guests for token in people.tokens_of(guest)}
        if tokens:
            yield from people.people_behind(books, tokens, is_deed=self.is_deed)
        persons = people.families(books, tokens) if tokens else []
        terms = [(voucher.offer_id, promised(books, voucher)) for voucher in vouchers]
        capped = [Use(offer_id, self.store_id, self.at, persons) for offer_id, one in terms if one.is_capped]
        is_first = any(one.first_order_only for _, one in terms)
        if capped or is_first:
            yield usages_for(books, capped), *(people.orders_of(persons) if is_first else ())

    def decide(self, books: Books) -> dict[str, Any]:
        return self.take(books, self.redeem)

    def take(self, books: Books, use: "Doing") -> dict[str, Any]:
        """What the vouchers do for this bill, and, unless it is only asked, the deed itself.

        Where the best are to be taken, those that are refused are left out and named; only if none is left is the first refusal raised.
        """
        if not self.may_act_at(self.store_id):
            raise Refusal("not_allowed", store=self.store_id)
        if (field := self.guest.unreadable) is not None:
            raise Refusal("guest_invalid", field=field)
        let_go_overdue(books)
        admitted: dict[str, Admitted] = {}
        left_out: dict[str, Refusal] = {}
        for text in dict.fromkeys(self.codes):
            try:
                one = admit(books, self, text)
                admitted[one.voucher.code] = one
            except Refusal as refusal:
                left_out[text] = refusal
        while True:
            if not admitted or (left_out and not self.is_best):
                raise _first(left_out)
            offered = [(code, one.terms) for code, one in admitted.items()]
            combined = combine(offered, self.bill, mode="best" if self.is_best else "all")
            if not combined.applied:
                raise combined.left_out[0][1]
            try:
                with books.trial():
                    applied = [_applied(books, one, admitted[one.ref], use) for one in combined.applied]
            except _SpoiledError as spoiled:
                left_out[spoiled.code] = spoiled.refusal
                del admitted[spoiled.code]
            else:
                return _said(self, combined, applied, left_out | dict(combined.left_out))

    def redeem(self, books: Books, one: Admitted, discount_minor: int) -> dict[str, str]:
        """Use one voucher: the redemption_id."""
        voucher, terms, held = one.voucher, one.terms, one.reservation
        cost = _cost(one, discount_minor)
        if held is None:
            counts = _count(books, self, one)
        else:
            counts = held.counts
            books.change(held, is_open=False)
        if terms.policy == "guaranteed":
            rest = terms.worst_minor - cost
            kept = rest if comes_back(terms, voucher) else 0
            minor, uses = Move.settle(cost) + Move.reserve(kept - rest), Move.settle(1)
            books.change(voucher, reserved_minor=voucher.reserved_minor - terms.worst_minor + kept)
        elif held is None:
            minor, uses = Move.spend(cost), Move.spend(1)
        else:
            minor, uses = Move.reserve(-held.minor) + Move.spend(cost), Move.settle(1)
        books.change(voucher, uses=voucher.uses + 1, holds=voucher.holds - (held is not None))
        entry = post(
            books, "redeemed", one.offer.account_id, self, minor=minor, uses=uses, bill_minor=self.bill.amount_minor,
            platform_minor=terms.split(cost)[1], counted_at=held.at if held else self.at, counts=counts, **_facts(self, one),
        )  # fmt: skip
        return {"redemption_id": entry.reference}


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeem(Validate):
    """Use these vouchers on this bill."""

    is_deed: ClassVar[bool] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve(Validate):
    """Keep these vouchers for this bill, for so many seconds."""

    is_deed: ClassVar[bool] = True
    seconds: int = 600

    def decide(self, books: Books) -> dict[str, Any]:
        reservation_id, until = new_name(books), self.at + dt.timedelta(seconds=self.seconds)

        def keep(books: Books, one: Admitted, discount_minor: int) -> dict[str, str]:
            voucher, cost = one.voucher, _cost(one, discount_minor)
            counts = _count(books, self, one)
            books.change(voucher, holds=voucher.holds + 1)
            is_ours = one.terms.policy == "guaranteed"
            minor, uses = (NOTHING, NOTHING) if is_ours else (Move.reserve(cost), Move.reserve(1))
            post(books, "reserved", one.offer.account_id, self, minor=minor, uses=uses, **_facts(self, one))
            kept = Reservation(
                reservation_id=reservation_id,
                voucher_id=voucher.code,
                till_id=self.till,
                store_id=self.store_id,
                order_id=self.order_id,
                person=one.person,
                counts=counts,
                minor=0 if is_ours else cost,
                at=self.at,
                until=until,
            )  # fmt: skip
            books.add(kept)
            return {}

        said = self.take(books, keep)
        return said | {"reservation_id": reservation_id, "reserved_until": until.isoformat()}


Doing = Callable[[Books, Admitted, int], dict[str, str]]
"""What is done with a voucher that is applied, for so much: what is told of it besides."""


def _applied(books: Books, applied: Applied, one: Admitted, use: Doing) -> dict[str, Any]:
    try:
        told = use(books, one, applied.discount_minor)
    except Refusal as refusal:
        raise _SpoiledError(applied.ref, refusal) from None
    return {"code": applied.ref, "offer_id": one.offer.offer_id, "discount_minor": applied.discount_minor} | told


def _first(left_out: dict[str, Refusal]) -> Refusal:
    """Why none is taken; each code that is not there was a guess."""
    refusal = next(iter(left_out.values()))
    refusal.unknown_codes = sum(one.code == "voucher_not_found" for one in left_out.values())
    return refusal


def _count(books: Books, command: Validate, one: Admitted) -> str:
    """Count the use against every cap, and for the watches of its campaign and its store; what it counts against."""
    counts = _count_caps(books, command, one) if one.terms.is_capped else ""
    if not command.is_offline:
        count_use(books, campaign=one.offer.campaign_id, store=command.store_id)
    return counts


def _count_caps(books: Books, command: Validate, one: Admitted) -> str:
    """One too many in a minute raises the alarm, which halts the offer."""
    own = one.person.person_id if one.person else None
    use = Use(one.offer.offer_id, command.store_id, command.at, [own] if own else [])
    also = [(use.offer_id, "guest", member) for member in people.family(books, own) if member != own] if own else []
    caps = usages.caps_for(books, use)
    for cap in caps:
        try:
            usages.take(books, cap, also=also if cap.key[1] == "guest" else ())
        except Refusal:
            if cap.key[1] == ALARM:
                raise_alarm(books, "offer", use.offer_id, f"more than {cap.most} uses in the minute {cap.key[2]}")
            raise
    return counts_of(caps)


def _cost(one: Admitted, discount_minor: int) -> int:
    """What it costs us: what the guest saves, but for points, which they are given."""
    return one.terms.worst_minor if one.terms.kind == "points" else discount_minor


def _facts(command: Validate, one: Admitted) -> dict[str, Any]:
    """Of which voucher, where, on which bill and by whom; whose use it counts as is whoever reserved it."""
    person_id = one.reservation.person_id if one.reservation else one.person and one.person.person_id
    guest_id = one.voucher.guest_id or command.guest.guest_id
    return {
        "subject": one.voucher.pk or one.voucher, "store_id": command.store_id, "order_id": command.order_id,
        "person_id": person_id, "guest_id": None if guest_id is None else seal(guest_id),
    }  # fmt: skip


def _said(
    command: Validate, combined: Combined, applied: list[dict[str, Any]], left_out: dict[str, Refusal]
) -> dict[str, Any]:
    bill, language, total = command.bill, command.language, combined.total_minor
    if not command.is_deed:
        applied = [{name: value for name, value in row.items() if name != "redemption_id"} for row in applied]
    if bill.lines:
        borne = zip(applied, shares.shares(bill, combined.applied), strict=True)
        applied = [row | {"shares": shares.told(bill, parts)} for row, parts in borne]
    return {
        "discount_minor": total,
        "amount_minor": bill.amount_minor - total,
        "currency": bill.currency,
        "applied": applied,
        "left_out": [
            {"code": code, "reason": refusal.code, "detail": refusal.words(language)}
            for code, refusal in left_out.items()
        ],
        "explanation": combined.words(language),
    }
