"""The snapshot: every guest's profile at the end of one business date, kept as a table of the lake."""

import datetime as dt

import pyarrow as pa

from regulars.errors import DataError
from regulars.guests.facts import known_span, profiles_with_taste
from regulars.tables import Lake
from regulars.tables.engines import Frame

PROFILES = "profiles"


def keep_profiles(lake: Lake, as_of: dt.date | None = None) -> tuple[dt.date, pa.Table]:
    """Work out every guest's profile at the end of a business date and keep them as the table profiles.

    as_of: None takes the last business date of any order that names its guest. Raises DataError where there is no such order
    until then.
    """
    date = known_date(lake, as_of)
    lake.write(PROFILES, profiles_with_taste(lake, date))
    return date, lake.read(PROFILES)


def kept_profiles(lake: Lake) -> Frame:
    """The kept profiles, worked out first where there are none."""
    if not lake.has(PROFILES):
        keep_profiles(lake)
    return lake.scan(PROFILES)


def known_date(lake: Lake, wanted: dt.date | None) -> dt.date:
    """A business date by which guests had ordered; None takes the last. Raises DataError where nobody had."""
    first, last = known_span(lake)
    if wanted is not None and wanted < first:
        raise DataError(f"no guest had ordered by {wanted}; the first order that names its guest is of {first}")
    return wanted or last
