"""The snapshot: every guest's profile at the end of one business date, kept as a table of the lake.

Where no date was asked for it is worked out again as soon as newer rows were loaded; a snapshot of a date that was asked for stays,
and says until when there are orders.
"""

import datetime as dt
import json
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from regulars.errors import DataError
from regulars.guests.facts import known_span, profiles_with_taste
from regulars.tables import Lake
from regulars.tables.engines import Frame

PROFILES = "profiles"
_MADE_OF = ("orders", "order_items", "menu_items", "guests")


class Snapshot(NamedTuple):
    """The profiles of all guests at the end of a business date. orders_until: the last one of any order, where that is later."""

    as_of: dt.date
    profiles: Frame
    orders_until: dt.date | None = None


class _Record(NamedTuple):
    """What a kept snapshot was made of. is_asked: whether somebody named its date."""

    as_of: dt.date
    is_asked: bool
    versions: dict[str, int]


def keep_profiles(lake: Lake, as_of: dt.date | None = None) -> tuple[dt.date, pa.Table]:
    """Work out every guest's profile at the end of a business date and keep them as the table profiles.

    as_of: None takes the last business date of any order that names its guest. Raises DataError where there is no such order
    until then.
    """
    record = _Record(known_date(lake, as_of), as_of is not None, _versions(lake))
    lake.write(PROFILES, profiles_with_taste(lake, record.as_of))
    _write(lake, record)
    return record.as_of, lake.read(PROFILES)


def snapshot(lake: Lake) -> Snapshot:
    """The kept profiles, worked out first where there are none, or none of these tables."""
    record, last = _read(lake), known_date(lake, None)
    is_of_these = record is not None and lake.has(PROFILES) and (record.is_asked or record.versions == _versions(lake))
    if record is None or not is_of_these:
        keep_profiles(lake)
        return Snapshot(last, lake.scan(PROFILES))
    return Snapshot(record.as_of, lake.scan(PROFILES), last if last > record.as_of else None)


def kept_profiles(lake: Lake) -> Frame:
    """The profiles of the snapshot."""
    return snapshot(lake).profiles


def known_date(lake: Lake, wanted: dt.date | None) -> dt.date:
    """A business date by which guests had ordered; None takes the last. Raises DataError where nobody had."""
    first, last = known_span(lake)
    if wanted is not None and wanted < first:
        raise DataError(f"no guest had ordered by {wanted}; the first order that names its guest is of {first}")
    return wanted or last


def _versions(lake: Lake) -> dict[str, int]:
    return {table: lake.version(table) for table in _MADE_OF}


def _file(lake: Lake) -> Path:
    return lake.workspace.path / "profiles.json"


def _write(lake: Lake, record: _Record) -> None:
    told = record._asdict() | {"as_of": record.as_of.isoformat()}
    _file(lake).write_text(json.dumps(told) + "\n", encoding="utf-8")


def _read(lake: Lake) -> _Record | None:
    """None where there is no snapshot, or one that an earlier version kept without saying what it was made of."""
    if not _file(lake).exists():
        return None
    told = json.loads(_file(lake).read_text(encoding="utf-8"))
    return _Record(dt.date.fromisoformat(told["as_of"]), told["is_asked"], told["versions"])
