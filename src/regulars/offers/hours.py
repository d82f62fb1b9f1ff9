"""Hours: whether an offer holds at an instant in a store, which trading day that is, and when a voucher ends.

Instants are in UTC; what people agreed on is read from the clock on the wall of the store. Where that clock shows a time
twice, both are meant; a time that it leaps over never comes; and a day that closes at such a time closes when it would have
without the leap (RFC 5545, 3.3.5).
"""

import datetime as dt
import re
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo, available_timezones

from regulars.documents import nearest
from regulars.errors import DataError
from regulars.offers.refusals import Refusal, shown
from regulars.offers.terms import Terms, Window

CLOSES = "04:00"
_DAY = dt.timedelta(days=1)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class StoreClock(Protocol):
    """A store's zone, such as Asia/Shanghai, and when its trading day closes, such as 04:00."""

    @property
    def store_id(self) -> str: ...
    @property
    def zone(self) -> str: ...
    @property
    def day_closes_at(self) -> str: ...


def check(terms: Terms, at: dt.datetime, clock: StoreClock) -> None:
    """Whether an offer holds in this store at this instant.

    Raises Refusal store_not_allowed, voucher_not_yet_valid, voucher_expired or outside_hours.
    """
    if terms.stores and clock.store_id not in terms.stores:
        raise Refusal("store_not_allowed", store=clock.store_id)
    if terms.starts_at is not None and at < terms.starts_at:
        raise Refusal("voucher_not_yet_valid", starts_at=terms.starts_at, zone=clock.zone)
    if at >= terms.ends_at:
        raise Refusal("voucher_expired", ends_at=terms.ends_at, zone=clock.zone)
    if not _is_open(terms, at, clock):
        limits = {"weekdays": terms.weekdays, "hours": terms.hours}
        known = {name: limit for name, limit in limits.items() if limit}
        raise Refusal("outside_hours", at=at, zone=clock.zone, **known)


def business_date(instant: dt.datetime, zone: str, closes: str = CLOSES) -> dt.date:
    """The trading day that an instant belongs to: it begins, and the one before closes, at `closes`.

    >>> business_date(dt.datetime(2026, 10, 3, 1, 30, tzinfo=dt.UTC), "Europe/London").isoformat()
    '2026-10-02'
    """
    today = instant.astimezone(_zone(zone)).date()
    near = (today + days * _DAY for days in (1, 0, -1, -2))
    return next(day for day in near if day_begins(day, zone, closes) <= instant)


def day_begins(day: dt.date, zone: str, closes: str = CLOSES) -> dt.datetime:
    """The instant at which a trading day begins, in UTC."""
    return dt.datetime.combine(day, _time(closes), tzinfo=_zone(zone)).astimezone(dt.UTC)


def store_hour(instant: dt.datetime, zone: str) -> str:
    """The hour on the wall of a store, by name; an hour that comes twice has two names.

    >>> store_hour(dt.datetime(2026, 11, 1, 6, 30, tzinfo=dt.UTC), "America/New_York")
    '2026-11-01T01-05:00'
    """
    return instant.astimezone(_zone(zone)).isoformat(timespec="hours")


def expires_at(terms: Terms, issued_at: dt.datetime, zone: str, closes: str = CLOSES) -> dt.datetime:
    """When a voucher of this offer ends.

    With valid_days, as the trading day that many days after it was issued closes: a guest keeps the whole of his last evening.
    Vouchers issued before the offer starts count from its start. Never later than the offer.
    """
    if terms.valid_days is None:
        return terms.ends_at
    begins = issued_at if terms.starts_at is None else max(issued_at, terms.starts_at)
    last = business_date(begins, zone, closes) + terms.valid_days * _DAY
    return min(day_begins(last + _DAY, zone, closes), terms.ends_at)


def check_clock(zone: str, closes: str) -> None:
    """Raises DataError where there is no such zone, or no such time for a trading day to close."""
    if zone not in available_timezones():
        raise DataError(
            f"zone: no zone is called '{shown(zone)}'{nearest(zone[:64], available_timezones())}; see IANA's list"
        )
    if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d|24:00", closes, re.ASCII) is None:
        raise DataError(
            f"day_closes_at: '{shown(closes)}' is no time; write one such as {CLOSES}, or 24:00 for midnight"
        )


def _is_open(terms: Terms, at: dt.datetime, clock: StoreClock) -> bool:
    if not terms.hours:
        return not terms.weekdays or _weekday(business_date(at, clock.zone, clock.day_closes_at)) in terms.weekdays
    local = at.astimezone(_zone(clock.zone))
    begun = {day for window in terms.windows if (day := _day_of(window, local)) is not None}
    return bool(begun) and (not terms.weekdays or any(_weekday(day) in terms.weekdays for day in begun))


def _day_of(window: Window, local: dt.datetime) -> dt.date | None:
    """The day on which the hours began that are running now, None if they are not."""
    minute = local.hour * 60 + local.minute
    if window.begins < window.ends:
        return local.date() if window.begins <= minute < window.ends else None
    if minute >= window.begins:
        return local.date()
    return local.date() - _DAY if minute < window.ends else None


def _weekday(day: dt.date) -> str:
    return _WEEKDAYS[day.weekday()]


@lru_cache(maxsize=256)
def _time(closes: str) -> dt.time:
    if closes == "24:00":
        return dt.time()
    hour, minute = closes.split(":")
    return dt.time(int(hour), int(minute))


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
