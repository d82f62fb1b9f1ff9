"""Moments: instants on usual days and around every change of the clock, in every zone."""

import datetime as dt
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from regulars.clock import zones

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
NEW_YORK = "America/New_York"
ZONES = sorted(zones())
ODD = (NEW_YORK, "Australia/Lord_Howe", "America/St_Johns", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu",
       "Africa/Casablanca", "Europe/Dublin", "Asia/Tehran", "America/Havana", "Pacific/Kwajalein", "Asia/Gaza")  # fmt: skip


def at(text: str, zone: str = NEW_YORK, *, fold: int = 0) -> dt.datetime:
    """The instant at which the clock of a zone shows this."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(dt.UTC)


def changes_of(zone: str, year: int) -> list[dt.datetime]:
    """The instants of a year at which the clocks of a zone are changed, to the minute."""
    begin, found = dt.datetime(year, 1, 1, tzinfo=dt.UTC), []
    for day in range(366):
        early, late = begin + day * DAY, begin + (day + 1) * DAY
        if offset(early, zone) == offset(late, zone):
            continue
        while late - early > dt.timedelta(minutes=1):
            middle = early + (late - early) / 2
            early, late = (early, middle) if offset(middle, zone) != offset(early, zone) else (middle, late)
        found.append(late.replace(second=0, microsecond=0))
    return found


def offset(instant: dt.datetime, zone: str) -> dt.timedelta:
    offset = instant.astimezone(ZoneInfo(zone)).utcoffset()
    assert offset is not None
    return offset


def leap(start: dt.datetime, end: dt.datetime, zone: str) -> dt.timedelta:
    return abs(offset(end, zone) - offset(start, zone))


CHANGES = [
    (zone, change) for zone in ODD for year in (1971, 1993, 2011, 2018, 2024, 2026) for change in changes_of(zone, year)
]
usual = st.tuples(
    st.sampled_from(ZONES),
    st.datetimes(dt.datetime(1970, 1, 3), dt.datetime(2100, 1, 1)).map(lambda naive: naive.replace(tzinfo=dt.UTC)),
)
odd = st.builds(
    lambda change, minutes: (change[0], change[1] + minutes * dt.timedelta(minutes=1)),
    st.sampled_from(CHANGES),
    st.integers(-36 * 60, 36 * 60),
)
moments = st.one_of(usual, odd)
closings = st.sampled_from(["04:00", "00:00", "02:00", "01:30", "02:30", "05:15", "24:00"])
