"""Discounts: what one offer takes off a bill, and what is left of the bill for the next one."""

from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from regulars.offers.bill import Bill, Line
from regulars.offers.refusals import Refusal
from regulars.offers.terms import Terms

_HUNDRED = 100 * 10**4


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """What an offer does: the money it takes off, the points it gives, and the bill after it."""

    amount_minor: int
    points: int = 0
    left: Bill


def discount(terms: Terms, bill: Bill, *, left: Bill | None = None) -> Discount:
    """What an offer takes off a bill, of which other offers may have `left` less: never more than that, nor than its worst case.

    A percentage is rounded to the nearest minor unit, halves in favour of the guest. A free dish, and a dish at a fixed price,
    is the cheapest piece that gains by it; it is then done with, and no other offer for dishes counts it.

    Raises Refusal currency_mismatch; minimum_spend_not_met, which is measured on the bill before anything is taken off;
    item_not_on_bill; or no_effect, so that nobody uses up a voucher for nothing.
    """
    if bill.currency != terms.currency:
        raise Refusal("currency_mismatch", bill=bill.currency, offer=terms.currency)
    if (missing := terms.minimum_spend_minor - bill.amount_minor) > 0:
        minimum = {"minimum_minor": terms.minimum_spend_minor, "missing_minor": missing}
        raise Refusal("minimum_spend_not_met", **minimum, currency=terms.currency)
    wanted = terms.items if terms.item_id is None else (terms.item_id,)
    if wanted and not any(line.item_id in wanted for line in bill.lines):
        raise Refusal("item_not_on_bill", items=wanted)
    found = _taken(terms, bill if left is None else left)
    if not found.amount_minor and not found.points:
        raise Refusal("no_effect")
    return found


def _taken(terms: Terms, bill: Bill) -> Discount:
    match terms.kind:
        case "points":
            return Discount(amount_minor=0, points=terms.points or 0, left=bill)
        case "free_item":
            return _off_a_piece(terms, bill, price=0)
        case "fixed_price":
            return _off_a_piece(terms, bill, price=terms.amount_minor or 0)
    return _off_dishes(terms, bill) if terms.scope == "item" else _off_order(terms, bill)


def _off_order(terms: Terms, bill: Bill) -> Discount:
    amount = _off(terms, bill.amount_minor)
    return Discount(amount_minor=amount, left=replace(bill, amount_minor=bill.amount_minor - amount))


def _off_dishes(terms: Terms, bill: Bill) -> Discount:
    """Off these dishes together; each bears its share of it."""
    shared = [line.amount_minor if line.item_id in terms.items else 0 for line in bill.lines]
    amount = _off(terms, min(sum(shared), bill.amount_minor))
    borne = _shares(amount, shared)
    lines = (replace(line, amount_minor=line.amount_minor - part) for line, part in zip(bill.lines, borne, strict=True))
    return Discount(
        amount_minor=amount, left=replace(bill, amount_minor=bill.amount_minor - amount, lines=tuple(lines))
    )


def _off(terms: Terms, amount: int) -> int:
    """Off this amount."""
    if terms.kind == "amount_off":
        return min(terms.worst_minor, amount)
    percent = int((terms.percent or 0) * 10**4)
    return min((2 * amount * percent + _HUNDRED) // (2 * _HUNDRED), terms.worst_minor, amount)


def _shares(amount: int, weights: list[int]) -> list[int]:
    """An amount in parts by weight that add up to it, none of them above its weight."""
    whole = sum(weights) or 1
    return [
        after - before
        for before, after in pairwise(amount * so_far // whole for so_far in accumulate(weights, initial=0))
    ]


def _off_a_piece(terms: Terms, bill: Bill, *, price: int) -> Discount:
    """Of one piece, what it costs above the price."""
    gaining = [
        (unit, place)
        for place, line in enumerate(bill.lines)
        if line.item_id == terms.item_id and (unit := line.amount_minor // line.quantity) > price
    ]
    if not gaining:
        return Discount(amount_minor=0, left=bill)
    unit, place = min(gaining)
    amount = min(unit - price, terms.worst_minor, bill.amount_minor)
    lines = (*bill.lines[:place], *_without_a_piece(bill.lines[place], unit), *bill.lines[place + 1 :])
    return Discount(amount_minor=amount, left=replace(bill, amount_minor=bill.amount_minor - amount, lines=lines))


def _without_a_piece(line: Line, unit: int) -> tuple[Line, ...]:
    if line.quantity == 1:
        return ()
    return (replace(line, quantity=line.quantity - 1, amount_minor=line.amount_minor - unit),)
