"""Money: read, rounded, split and said once for the whole house, against Python's decimals."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars import money
from regulars.errors import DataError

amounts = st.integers(0, 10**15)


@given(minor=st.integers(-(10**15), 10**15), currency=st.sampled_from(["USD", "JPY", "KWD", "CNY"]))
def test_what_is_written_is_read_again(minor: int, currency: str) -> None:
    assert money.to_minor(money.to_major(minor, currency), currency) == minor


@pytest.mark.parametrize(
    ("written", "currency", "minor"),
    [("0.1", "USD", 10), (0.29, "USD", 29), (1.005, "USD", 101), ("-1.005", "USD", -101), (12.5, "JPY", 13), ("1.2345", "KWD", 1235)],
)  # fmt: skip
def test_halves_go_away_from_zero_and_floats_are_what_people_see(
    written: str | float, currency: str, minor: int
) -> None:
    assert money.to_minor(written, currency) == minor


@given(amount=amounts, part=st.integers(0, 10**6), whole=st.integers(1, 10**6))
def test_a_share_is_that_of_decimals(amount: int, part: int, whole: int) -> None:
    exact = Decimal(amount * part) / Decimal(whole)
    if (2 * amount * part) % whole or (2 * amount * part // whole) % 2 == 0:
        exact = (
            exact.quantize(Decimal(1), ROUND_HALF_UP)
            if amount * part < 10**20
            else Decimal((2 * amount * part + whole) // (2 * whole))
        )
        assert money.share_of(amount, part, whole) == exact
    assert abs(2 * (money.share_of(amount, part, whole) * whole - amount * part)) <= whole


@given(weights=st.lists(st.integers(0, 10**9), min_size=1, max_size=30), data=st.data())
def test_parts_add_up_and_none_is_above_its_weight(weights: list[int], data: st.DataObject) -> None:
    amount = data.draw(st.integers(0, sum(weights)))
    parts = money.split(amount, weights)
    assert sum(parts) == amount
    assert all(0 <= part <= weight for part, weight in zip(parts, weights, strict=True))


@pytest.mark.parametrize(
    ("minor", "currency", "language", "said"),
    [(81786005, "USD", "en", "$817,860.05"), (123450, "CNY", "zh", "¥1,234.50"), (1250, "KWD", "en", "KWD1.250"),
     (-0.4, "USD", "en", "$0.00"), (12.5, "JPY", "en", "¥13"), (123456, "EUR", "de_DE", "1.234,56\xa0€")],
)  # fmt: skip
def test_it_is_said_with_its_currency(minor: float, currency: str, language: str, said: str) -> None:
    assert money.say(minor, currency, language) == said


def test_a_currency_that_is_none_is_named() -> None:
    with pytest.raises(DataError, match="no currency is called 'YUAN'; write an ISO 4217 code"):
        money.say(1, "YUAN")
    with pytest.raises(DataError, match="no locale is called 'xx_YY'"):
        money.say(1, "USD", "xx_YY")
