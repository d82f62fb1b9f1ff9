"""Hours of a day and days of the week on which something holds; hours past midnight belong to the day they began on."""

import datetime as dt
import re
from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple

import pydantic

from regulars.clock.instants import StoreClock
from regulars.clock.zones import weekday_of, zone_of

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_DAY = dt.timedelta(days=1)
_WRITTEN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)", re.ASCII)


class Window(NamedTuple):
    """Hours of a day, in minutes since midnight; if it ends before it begins, it ends on the next day."""

    begins: int
    ends: int

    def begun(self, local: dt.datetime) -> dt.date | None:
        """The day on which the hours began that are running at this local time, None if they are not."""
        minute = local.hour * 60 + local.minute
        if self.begins < self.ends:
            return local.date() if self.begins <= minute < self.ends else None
        if minute >= self.begins:
            return local.date()
        return local.date() - _DAY if minute < self.ends else None


def window_of(text: str) -> Window:
    """Hours as they are written. Raises ValueError where they are none.

    >>> window_of("22:00-02:00")
    Window(begins=1320, ends=120)
    """
    parts = _WRITTEN.fullmatch(text)
    if parts is None:
        raise ValueError(f"{text[:40]!r} are no hours; write them as 11:00-14:00, or 22:00-02:00 past midnight")
    begins = int(parts[1]) * 60 + int(parts[2])
    ends = int(parts[3]) * 60 + int(parts[4]) if parts[3] else 24 * 60
    if begins == ends:
        raise ValueError(f"{text!r} begins when it ends; write 00:00-24:00 for the whole day")
    return Window(begins, ends)


def _checked(text: str) -> str:
    window_of(text)
    return text


Hours = Annotated[str, pydantic.AfterValidator(_checked)]
"""A field of a document that holds hours, such as 11:00-14:00."""


class Holding(NamedTuple):
    """On which weekdays and at which hours something holds; where it names none, always."""

    weekdays: Sequence[str] = ()
    windows: Sequence[Window] = ()

    @classmethod
    def of(cls, weekdays: Sequence[str], hours: Sequence[str]) -> "Holding":
        """From documents. Raises ValueError for hours that are none."""
        return cls(weekdays, tuple(window_of(text) for text in hours))

    def holds(self, at: dt.datetime, clock: StoreClock) -> bool:
        """Whether it holds at an instant in a store."""
        if not self.windows:
            return not self.weekdays or weekday_of(clock.business_date(at)) in self.weekdays
        local = at.astimezone(zone_of(clock.zone))
        begun = [day for window in self.windows if (day := window.begun(local)) is not None]
        return any(not self.weekdays or weekday_of(day) in self.weekdays for day in begun)
