"""Amounts as people write them: signs of currency, brackets, separators of thousands."""

import pyarrow as pa
import pytest

from regulars.tables.contracts import Kind
from regulars.tables.readings import Manner, read, read_moments


def minor(text: str, currency: str = "USD", decimal: str = ".") -> int | str:
    """The amount, or what is wrong with it."""
    reading = read(Kind.MONEY, pa.array([text]), Manner(is_major=True, decimal=decimal, currency=currency))
    return reading.problem[0].as_py() or reading.values[0].as_py()


WRITTEN = {
    "$1,234.50": 123450, "($5.00)": -500, "(5.00)": -500, "-$5.00": -500, "$-5.00": -500, "−5.00": -500, "$ 5": 500,
    "1,234,567.89": 123456789, "5.00 USD": 500, "USD 5": 500, "US$5": 500, "$.50": 50, "+5": 500,
}  # fmt: skip


@pytest.mark.parametrize("text", WRITTEN)
def test_an_amount_may_be_written_as_a_till_does(text: str) -> None:
    assert minor(text) == WRITTEN[text]


@pytest.mark.parametrize("text", ["1.234,50 EUR", "1.234,50 €", "€1.234,50", "1 234,50", "1\u00a0234,50 €"])
def test_with_a_decimal_comma_dots_and_spaces_group(text: str) -> None:
    assert minor(text, "EUR", ",") == 123450


@pytest.mark.parametrize("text", ["€5.00", "5 EUR", "CA$5", "£5", "¥500"])
def test_an_amount_in_another_currency_is_refused(text: str) -> None:
    assert minor(text) == f"'{text}' is not in USD, in which this workspace counts"


@pytest.mark.parametrize(
    ("text", "currency"), [("$5", "CAD"), ("CA$5", "CAD"), ("¥5", "CNY"), ("₺5", "TRY"), ("R$5", "BRL"), ("$5", "MXN")]
)
def test_a_currency_may_be_written_with_the_sign_it_has_at_home(text: str, currency: str) -> None:
    assert minor(text, currency) == 500


@pytest.mark.parametrize("text", ["((5)", "(5", "-($5)", "--5", "$", "1,23,456", "ABC123", "5 or 6"])
def test_what_is_no_amount_stays_none(text: str) -> None:
    assert minor(text) == f"'{text}' is no amount; write a number such as 12.50"


def test_a_date_is_read_by_the_first_form_that_fits() -> None:
    manner = Manner(format=("iso", "%m/%d/%y %I:%M %p", "%m/%d/%Y %H:%M:%S"))
    text = ["10/8/26 5:17 PM", "2/31/26 1:00 AM", "3/3/26 1:00 AM", "10/08/2026 17:05:09", "2026-01-02 12:00:00"]
    reading = read(Kind.INSTANT, pa.array(text), manner)
    assert [str(value) for value in reading.values.to_pylist()] == [
        "2026-10-08 17:17:00", "None", "2026-03-03 01:00:00", "2026-10-08 17:05:09", "2026-01-02 12:00:00",
    ]  # fmt: skip
    assert [problem is not None for problem in reading.problem.to_pylist()] == [False, True, False, False, False]


def test_an_offset_may_stand_after_a_space() -> None:
    found = read_moments(pa.array(["2026-01-02 12:00:00 -0500", "2026-01-02 17:00:00 UTC"]), Manner())
    assert [str(wall) for wall in found.wall.to_pylist()] == ["2026-01-02 12:00:00", "2026-01-02 17:00:00"]
    assert found.offset.to_pylist() == [-300, 0]
