"""Bills: what no till could charge is no bill."""

from typing import Any

import pytest

from regulars.offers.bill import MOST_MINOR, Bill, Line


@pytest.mark.parametrize("amount", [-1, 1.0, "1", True, None, MOST_MINOR + 1, float("nan")])
def test_an_amount_is_whole_minor_units(amount: Any) -> None:
    with pytest.raises(ValueError, match=r"^bill: amount_minor is .*; give whole minor units, 0 to 9007199254740991$"):
        Bill(amount_minor=amount, currency="USD")
    with pytest.raises(ValueError, match=r"^line 'tea': amount_minor is"):
        Line(item_id="tea", amount_minor=amount)


@pytest.mark.parametrize("quantity", [0, -1, 0.5, True, MOST_MINOR + 1])
def test_a_line_has_whole_pieces(quantity: Any) -> None:
    with pytest.raises(ValueError, match=r"^line 'tea': quantity is .*; give whole pieces, 1 or more$"):
        Line(item_id="tea", quantity=quantity, amount_minor=5)


def test_nothing_and_the_most_there_is_are_amounts() -> None:
    assert [Bill(amount_minor=amount, currency="KWD").amount_minor for amount in (0, MOST_MINOR)] == [0, MOST_MINOR]
