"""Frames that callers bring are refused where they would be counted wrongly; a date alone is that day."""

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest

from frames import Maker, Reader
from regulars import DataError
from regulars.profiles import build

AS_OF = dt.date(2026, 3, 20)


def orders(*more: dict[str, Any]) -> pa.Table:
    rows = [
        {
            "order_id": str(n),
            "guest_id": "ann",
            "store_id": "S1",
            "ordered_at": dt.datetime(2026, 3, 7, 18),
            "amount_minor": 500,
        }
        | one
        for n, one in enumerate(more)
    ]
    return pa.Table.from_pylist(rows)


def test_a_broken_minor_unit_is_refused_in_every_kind_of_frame(as_frame: Maker) -> None:
    with pytest.raises(DataError, match=r"amount_minor of order 1 is 12\.99, no whole number of minor units"):
        build(as_frame(orders({"amount_minor": 5.0}, {"amount_minor": 12.99})), as_of=AS_OF)


def test_whole_numbers_may_be_floats_and_unknown_ones_nothing(as_frame: Maker, read: Reader) -> None:
    table = orders({"amount_minor": 5.0, "margin_minor": None}, {"amount_minor": 7.0, "margin_minor": 3.0})
    [ann] = read(build(as_frame(table), as_of=AS_OF))
    assert (ann["spend_minor"], ann["margin_minor"]) == (12, None)


def test_an_order_that_stands_twice_is_refused_in_every_kind_of_frame(as_frame: Maker) -> None:
    with pytest.raises(DataError, match="order 7 stands in 2 rows; give each order one row"):
        build(as_frame(orders({"order_id": "7"}, {"order_id": "8"}, {"order_id": "7"})), as_of=AS_OF)


def test_amounts_in_words_are_refused(as_frame: Maker) -> None:
    with pytest.raises(DataError, match="orders: amount_minor is String; make it whole minor units"):
        build(as_frame(orders({"amount_minor": "12.50"})), as_of=AS_OF)


def test_a_word_for_nothing_is_nobody(as_frame: Maker, read: Reader) -> None:
    table = orders(*({"guest_id": word} for word in ("ann", "nan", "None", "NULL", "<NA>", None, "Nan")))
    assert [guest["guest_id"] for guest in read(build(as_frame(table), as_of=AS_OF))] == ["Nan", "ann"]


@pytest.mark.parametrize("at", [dt.date(2026, 3, 7), dt.datetime(2026, 3, 7)], ids=["dates", "midnights"])
def test_a_date_alone_is_that_day_and_its_hour_is_not_known(as_frame: Maker, read: Reader, at: object) -> None:
    [ann] = read(build(as_frame(orders({"ordered_at": at}, {"ordered_at": at})), as_of=AS_OF))
    assert (ann["last_ordered_on"], ann["saturday_share"], ann["lunch_share"]) == (dt.date(2026, 3, 7), 1.0, None)


def test_midnight_among_other_times_is_of_the_evening_before(as_frame: Maker, read: Reader) -> None:
    table = orders({"ordered_at": dt.datetime(2026, 3, 7)}, {"ordered_at": dt.datetime(2026, 3, 6, 18)})
    [ann] = read(build(as_frame(table), as_of=AS_OF))
    assert (ann["visits"], ann["last_ordered_on"]) == (1, dt.date(2026, 3, 6))


def test_a_table_that_was_not_asked_is_no_party(as_frame: Maker, read: Reader) -> None:
    [ann] = read(build(as_frame(orders({"covers": 6}, {"covers": 0}, {"covers": None})), as_of=AS_OF))
    assert ann["average_covers"] == 6.0
