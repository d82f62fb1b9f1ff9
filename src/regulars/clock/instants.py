"""One instant in a store: which trading day it belongs to, which hour its clock shows, and when a day begins."""

import datetime as dt
import re
from functools import lru_cache
from typing import NamedTuple

from regulars.clock.zones import zone_of
from regulars.errors import DataError

CLOSES = "04:00"
"""When a trading day ends, unless a store says otherwise."""
_DAY = dt.timedelta(days=1)
_CLOSING = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)


class StoreClock(NamedTuple):
    """A store's time zone, and the time on its wall at which its trading day closes; 24:00 and 00:00 are midnight."""

    zone: str
    closes: str = CLOSES

    def check(self) -> "StoreClock":
        """Itself. Raises DataError where there is no such zone or no such time."""
        zone_of(self.zone)
        closing_minute(self.closes)
        return self

    def business_date(self, instant: dt.datetime) -> dt.date:
        return business_date(instant, self.zone, self.closes)

    def day_begins(self, day: dt.date) -> dt.datetime:
        return day_begins(day, self.zone, self.closes)


def closing_minute(closes: str) -> int:
    """The minute of the day at which a trading day closes. Raises DataError where that is no time.

    >>> closing_minute("04:00"), closing_minute("24:00")
    (240, 0)
    """
    parts = _CLOSING.fullmatch(closes)
    if parts is None:
        raise DataError(f"day_closes_at: '{closes[:40]}' is no time; write one such as {CLOSES}, or 24:00 for midnight")
    return int(parts[1] or 0) * 60 + int(parts[2] or 0)


def business_date(instant: dt.datetime, zone: str, closes: str = CLOSES) -> dt.date:
    """The trading day that an instant belongs to: it begins, and the one before closes, at `closes`.

    >>> business_date(dt.datetime(2026, 10, 3, 1, 30, tzinfo=dt.UTC), "Europe/London").isoformat()
    '2026-10-02'
    """
    today = instant.astimezone(zone_of(zone)).date()
    near = (today + days * _DAY for days in (1, 0, -1, -2))
    return next(day for day in near if day_begins(day, zone, closes) <= instant)


def day_begins(day: dt.date, zone: str, closes: str = CLOSES) -> dt.datetime:
    """The instant at which a trading day begins, in UTC."""
    return dt.datetime.combine(day, _time(closes), tzinfo=zone_of(zone)).astimezone(dt.UTC)


def store_hour(instant: dt.datetime, zone: str) -> str:
    """The hour on the wall of a store, by name; an hour that comes twice has two names.

    >>> store_hour(dt.datetime(2026, 11, 1, 6, 30, tzinfo=dt.UTC), "America/New_York")
    '2026-11-01T01-05:00'
    """
    return instant.astimezone(zone_of(zone)).isoformat(timespec="hours")


@lru_cache(maxsize=256)
def _time(closes: str) -> dt.time:
    return dt.time(*divmod(closing_minute(closes), 60))
