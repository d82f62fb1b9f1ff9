"""Zones, by the names of IANA's database, and the days of the week."""

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from regulars.documents import nearest
from regulars.errors import DataError

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NOWHERE = {"Factory", "localtime", "posixrules"}


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """The names of all zones that are places or offsets."""
    return frozenset(available_timezones() - _NOWHERE)


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    """The zone of this name. Raises DataError where there is none."""
    if name not in zones():
        raise DataError(f"'{name[:64]}' is no time zone{nearest(name[:64], zones())}; write one such as Asia/Shanghai")
    return ZoneInfo(name)


def weekday_of(day: dt.date) -> str:
    """
    >>> weekday_of(dt.date(2026, 11, 30))
    'monday'
    """
    return WEEKDAYS[day.weekday()]
