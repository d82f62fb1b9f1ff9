"""Shares: how what vouchers take off lies on the lines of the bill, for taxes and partial refunds."""

from collections.abc import Sequence
from operator import sub

from regulars.money import split
from regulars.offers.bill import Bill
from regulars.offers.discounts import discount
from regulars.offers.stacking import Applied


def shares(bill: Bill, applied: Sequence[Applied]) -> list[list[int]]:
    """What each line bears of each voucher, and last what the part of the bill bears that is on no line.

    They add up to what the voucher takes off, and of all vouchers together to no more than the line. What is for some dishes lies on
    these; what is for the whole order is split by what those have left of each line, and of the rest of the bill.
    """
    free = [line.amount_minor for line in bill.lines]
    free.append(max(bill.amount_minor - sum(free), 0))
    borne: list[list[int]] = [[] for _ in applied]
    left = bill
    for place, one in enumerate(applied):
        found = discount(one.terms, bill, left=left)
        left = found.left
        if found.borne is not None:
            borne[place] = [*found.borne(), 0]
            free = list(map(sub, free, borne[place]))
    for place, one in enumerate(applied):
        if not borne[place]:
            borne[place] = split(one.discount_minor, free)
            free = list(map(sub, free, borne[place]))
    return borne


def told(bill: Bill, parts: Sequence[int]) -> list[dict[str, object]]:
    """The shares of one voucher as they are said: those that are something; without a line that of the rest of the bill."""
    named = [(place, line.item_id) for place, line in enumerate(bill.lines)]
    return [
        {"line": place, "item_id": item_id, "discount_minor": part}
        for (place, item_id), part in zip([*named, (None, None)], parts, strict=True)
        if part
    ]
