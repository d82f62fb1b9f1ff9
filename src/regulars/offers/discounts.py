"""Discounts: what one offer takes off a bill, and what is left of the bill for the next one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from regulars.benefits import AmountOff, FixedPrice, FreeItem, PercentOff, Points
from regulars.ledger.refusals import Refusal
from regulars.money import split
from regulars.offers.bill import Bill, Line
from regulars.offers.terms import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """What an offer does: the money it takes off, and the points it gives. rest: works out the bill after it, which has the same
    lines. borne: works out what each line bears of an amount that is taken off dishes.
    """

    amount_minor: int
    points: int = 0
    rest: Callable[[], Bill]
    borne: Callable[[], Sequence[int]] | None = None

    @property
    def left(self) -> Bill:
        """The bill after it, worked out when it is asked for: after the last voucher nobody does."""
        return self.rest()


def discount(terms: Terms, bill: Bill, *, left: Bill | None = None) -> Discount:
    """What an offer takes off a bill, of which other offers may have `left` less: never more than that, nor than its worst case.

    A percentage is rounded to the nearest minor unit, halves in favour of the guest. A free dish, and a dish at a fixed price,
    is the cheapest piece that gains by it; it is then done with, and no other offer for dishes counts it.

    Raises Refusal currency_mismatch; minimum_spend_not_met, which is measured on the bill before anything is taken off;
    item_not_on_bill; or no_effect, so that nobody uses up a voucher for nothing.
    """
    if bill.currency != terms.currency:
        raise Refusal("currency_mismatch", bill=bill.currency, offer=terms.currency)
    counted = _without(terms.uncounted, bill) if terms.minimum_excludes else bill.amount_minor
    if (missing := terms.minimum_spend_minor - counted) > 0:
        minimum = {"minimum_minor": terms.minimum_spend_minor, "missing_minor": missing}
        raise Refusal("minimum_spend_not_met", **minimum, currency=terms.currency)
    wanted = terms.dishes
    if wanted and not any(line.item_id in wanted for line in bill.lines):
        raise Refusal("item_not_on_bill", items=terms.items if terms.item_id is None else (terms.item_id,))
    found = _taken(terms, bill if left is None else left)
    if not found.amount_minor and not found.points:
        raise Refusal("no_effect")
    return found


def _without(dishes: frozenset[str], bill: Bill) -> int:
    """The bill without these dishes."""
    return max(bill.amount_minor - sum(line.amount_minor for line in bill.lines if line.item_id in dishes), 0)


def _taken(terms: Terms, bill: Bill) -> Discount:
    match benefit := terms.benefit:
        case Points():
            return Discount(amount_minor=0, points=benefit.points, rest=lambda: bill)
        case FreeItem() | FixedPrice():
            return _off_a_piece(benefit, bill)
        case AmountOff() | PercentOff():
            return _off_dishes(benefit, terms.dishes, bill) if terms.scope == "item" else _off_order(benefit, bill)
    assert_never(benefit)


def _off_order(benefit: AmountOff | PercentOff, bill: Bill) -> Discount:
    amount = benefit.off(bill.amount_minor)
    return Discount(amount_minor=amount, rest=lambda: replace(bill, amount_minor=bill.amount_minor - amount))


def _off_dishes(benefit: AmountOff | PercentOff, items: frozenset[str], bill: Bill) -> Discount:
    """Off these dishes together; each bears its share of it."""
    shared = [line.amount_minor if line.item_id in items else 0 for line in bill.lines]
    amount = benefit.off(min(sum(shared), bill.amount_minor))

    def borne() -> list[int]:
        return split(amount, shared)

    def rest() -> Bill:
        lines = tuple([line.less(part) if part else line for line, part in zip(bill.lines, borne(), strict=True)])
        return replace(bill, amount_minor=bill.amount_minor - amount, lines=lines)

    return Discount(amount_minor=amount, rest=rest, borne=borne)


def _off_a_piece(dish: FreeItem | FixedPrice, bill: Bill) -> Discount:
    """Of one piece, what it costs above the price."""
    gaining = [
        (unit, place)
        for place, line in enumerate(bill.lines)
        if line.item_id == dish.item_id and (unit := line.amount_minor // line.quantity) > dish.price_minor
    ]
    if not gaining:
        return Discount(amount_minor=0, rest=lambda: bill)
    unit, place = min(gaining)
    amount = min(unit - dish.price_minor, dish.worth_minor, bill.amount_minor)

    def borne() -> list[int]:
        return [amount if other == place else 0 for other in range(len(bill.lines))]

    def rest() -> Bill:
        lines = (*bill.lines[:place], _without_a_piece(bill.lines[place], unit), *bill.lines[place + 1 :])
        return replace(bill, amount_minor=bill.amount_minor - amount, lines=lines)

    return Discount(amount_minor=amount, rest=rest, borne=borne)


def _without_a_piece(line: Line, unit: int) -> Line:
    """Of the last piece there is left one for nothing, off which nobody can take anything, so that every line keeps its place."""
    return replace(line, quantity=max(line.quantity - 1, 1), amount_minor=line.amount_minor - unit)
