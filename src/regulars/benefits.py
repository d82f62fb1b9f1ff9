"""Benefits: the kinds of offer: what each needs to be said, what it takes off a bill, and what it costs at worst.

The till's terms, the campaign file, learning and the town ask here. A new kind is a class in this file; what has no answer for it
(`assert_never`) is then an error of types.
"""

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import ClassVar, Literal

from regulars.money import share_of

Kind = Literal["amount_off", "percent_off", "free_item", "fixed_price", "points"]

_PRECISION = 10**4
"""Percentages have four decimals at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountOff:
    """An amount off the whole order, or off some dishes together."""

    kind: ClassVar[Kind] = "amount_off"
    amount_minor: int

    @property
    def worst_minor(self) -> int:
        return self.amount_minor

    def off(self, amount_minor: int) -> int:
        """What it takes off an amount."""
        return min(self.amount_minor, amount_minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentOff:
    """A part of the order off, or of some dishes, and no more than `most_minor`; halves of a minor unit favour the guest."""

    kind: ClassVar[Kind] = "percent_off"
    percent: Decimal
    most_minor: int

    @property
    def worst_minor(self) -> int:
        return self.most_minor

    def off(self, amount_minor: int) -> int:
        """What it takes off an amount."""
        return min(
            share_of(amount_minor, int(self.percent * _PRECISION), 100 * _PRECISION), self.most_minor, amount_minor
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeItem:
    """One piece of a dish for nothing. worth_minor: the most that it may cost us."""

    kind: ClassVar[Kind] = "free_item"
    price_minor: ClassVar[int] = 0
    item_id: str
    worth_minor: int

    @property
    def worst_minor(self) -> int:
        return self.worth_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedPrice:
    """One piece of a dish at a price. worth_minor: the most that it may cost us."""

    kind: ClassVar[Kind] = "fixed_price"
    amount_minor: int
    item_id: str
    worth_minor: int

    @property
    def price_minor(self) -> int:
        return self.amount_minor

    @property
    def worst_minor(self) -> int:
        return self.worth_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Points, which take nothing off the bill. worth_minor: what they are worth at most."""

    kind: ClassVar[Kind] = "points"
    points: int
    worth_minor: int

    @property
    def worst_minor(self) -> int:
        return self.worth_minor


Benefit = AmountOff | PercentOff | FreeItem | FixedPrice | Points
KINDS: dict[Kind, type[Benefit]] = {kind.kind: kind for kind in (AmountOff, PercentOff, FreeItem, FixedPrice, Points)}


def needs(kind: Kind) -> tuple[str, ...]:
    """The fields that an offer of this kind has to say.

    >>> needs("fixed_price")
    ('amount_minor', 'item_id', 'worth_minor')
    """
    return tuple(field.name for field in fields(KINDS[kind]))
