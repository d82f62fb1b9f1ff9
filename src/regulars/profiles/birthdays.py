"""Birthdays: how many days until a guest's next one."""

from datetime import date
from typing import Any

import narwhals as nw
from narwhals.typing import IntoFrame

from regulars.profiles.columns import BIRTHDAY
from regulars.profiles.frames import opened


def birthdays(guests: IntoFrame, *, as_of: date) -> nw.LazyFrame[Any]:
    """`guest_id` and the days from `as_of` to the next birthday, 0 on the day; who was born on 29 February has it on
    1 March of other years."""
    frame = opened(guests, needs=("guest_id", "birthday"), name="guests")
    this_year, next_year = (_in_year(as_of.year + later) - as_of.toordinal() for later in (0, 1))
    until = nw.when(this_year >= 0).then(this_year).otherwise(next_year)
    return frame.filter(~nw.col("birthday").is_null()).select("guest_id", **{BIRTHDAY.name: until})


def _in_year(year: int) -> nw.Expr:
    """The proleptic Gregorian day of the birthday in a year: days of whole years until 1 March, and from there on.

    Counted from 1 March, the month m begins on day (153 m + 2) // 5.
    """
    day = nw.col("birthday").cast(nw.Date)
    month = (day.dt.month().cast(nw.Int64) + 9) % 12
    since_march = (month * 153 + 2) // 5 + day.dt.day().cast(nw.Int64) - 1
    is_before_march = month >= 10
    marches = [date(march, 3, 1).toordinal() for march in (year, year - 1)]
    return nw.when(is_before_march).then(since_march + marches[1]).otherwise(since_march + marches[0])
