"""Birthdays come round: the days to the next one, across the year's end and in leap years, on every engine."""

import datetime as dt
from calendar import isleap

import polars as pl
import pyarrow as pa
import pytest

from frames import Maker, Reader
from regulars.errors import DataError
from regulars.profiles import BIRTHDAY, build
from regulars.profiles.birthdays import birthdays
from regulars.segments import LIBRARY, Segment

AS_OF = dt.date(2026, 12, 29)
BORN = {
    "today": dt.date(1990, 12, 29), "tomorrow": dt.date(2001, 12, 30), "new year": dt.date(1985, 1, 1),
    "yesterday": dt.date(1970, 12, 28), "leap": dt.date(2000, 2, 29), "march": dt.date(1999, 3, 1), "unknown": None,
}  # fmt: skip


def orders(guests: list[str]) -> pa.Table:
    return pa.table({
        "order_id": [f"O{n}" for n in range(len(guests))], "guest_id": guests, "store_id": ["S1"] * len(guests),
        "hour": [12] * len(guests), "business_date": [dt.date(2026, 12, 1)] * len(guests), "amount_minor": [900] * len(guests),
    })  # fmt: skip


def guests(born: dict[str, dt.date | None]) -> pa.Table:
    return pa.table({"guest_id": list(born), "birthday": pa.array(list(born.values()), pa.date32())})


def test_the_next_birthday_is_never_past(as_frame: Maker, read: Reader) -> None:
    everybody = [*BORN, "stranger"]
    profiles = build(as_frame(orders(everybody)), guests=as_frame(guests(BORN)), as_of=AS_OF)
    found = {row["guest_id"]: row[BIRTHDAY.name] for row in read(profiles)}
    assert found == {
        "today": 0, "tomorrow": 1, "new year": 3, "yesterday": 364, "leap": 62, "march": 62, "unknown": None, "stranger": None,
    }  # fmt: skip


def in_year(born: dt.date, year: int) -> dt.date:
    return dt.date(year, 3, 1) if (born.month, born.day) == (2, 29) and not isleap(year) else born.replace(year=year)


@pytest.mark.parametrize(
    "today", [dt.date(2026, 2, 28), dt.date(2027, 3, 1), dt.date(2028, 2, 29), dt.date(2099, 12, 31)]
)
def test_the_calendar_gives_the_same_for_everybody_born_in_eighty_years(today: dt.date) -> None:
    born = {f"{number}": dt.date(1940, 1, 1) + dt.timedelta(days=number) for number in range(80 * 365)}
    found = birthdays(pl.from_arrow(guests(born)), as_of=today).collect("pyarrow").rows()
    expected = {
        guest: min(
            (in_year(day, year) - today).days for year in (today.year, today.year + 1) if in_year(day, year) >= today
        )
        for guest, day in born.items()
    }
    assert dict(found) == expected


def test_without_guests_there_is_no_such_column_and_a_rule_says_so() -> None:
    profiles = build(orders(["ann"]), as_of=AS_OF)
    rule = next(ready.rule for ready in LIBRARY if ready.name == "birthday_this_week")
    with pytest.raises(DataError, match=r"there is no fact `birthday_in_days`; .*load guests with their birthdays"):
        Segment(rule).filter(profiles)


def test_the_ready_segment_finds_the_week() -> None:
    rule = next(ready.rule for ready in LIBRARY if ready.name == "birthday_this_week")
    profiles = build(orders(list(BORN)), guests=guests(BORN), as_of=AS_OF)
    assert sorted(Segment(rule).filter(profiles)["guest_id"].to_pylist()) == ["new year", "today", "tomorrow"]


def test_guests_without_birthdays_are_refused() -> None:
    with pytest.raises(DataError, match="guests: no column birthday"):
        build(orders(["ann"]), guests=pa.table({"guest_id": ["ann"]}), as_of=AS_OF)
