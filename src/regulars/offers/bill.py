"""Bills: what a till is about to charge, before or after some offers were taken off."""

from dataclasses import dataclass

MOST_MINOR = 2**53 - 1
"""The largest amount there is: beyond it JSON readers that use floats would round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One dish on a bill. amount_minor: for all of its pieces together; what is sold by weight is one piece."""

    item_id: str
    quantity: int = 1
    amount_minor: int

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int or not 0 <= self.amount_minor <= MOST_MINOR:
            raise _no_amount(f"line '{self.item_id[:40]}'", self.amount_minor)
        if type(self.quantity) is not int or not 1 <= self.quantity <= MOST_MINOR:
            raise ValueError(f"line '{self.item_id[:40]}': quantity is {self.quantity!r}; give whole pieces, 1 or more")

    def less(self, amount_minor: int) -> "Line":
        """The line with so much taken off, at most all of it; not checked again, for thousands are made to find the best of vouchers."""
        line = object.__new__(Line)
        _set(line, "item_id", self.item_id)
        _set(line, "quantity", self.quantity)
        _set(line, "amount_minor", self.amount_minor - amount_minor)
        return line


_set = object.__setattr__


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What is to be paid. amount_minor: with all that is not a dish, such as tax; lines: the dishes, where the till tells them."""

    amount_minor: int
    currency: str
    lines: tuple[Line, ...] = ()

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int or not 0 <= self.amount_minor <= MOST_MINOR:
            raise _no_amount("bill", self.amount_minor)


def _no_amount(where: str, amount: object) -> ValueError:
    return ValueError(f"{where}: amount_minor is {amount!r}; give whole minor units, 0 to {MOST_MINOR}")
