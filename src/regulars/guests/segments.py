"""Segments of guests: who meets a rule, how many, and who entered or left since a date."""

import datetime as dt
from pathlib import Path
from typing import ClassVar, NamedTuple

import narwhals as nw
import pyarrow as pa

from regulars.errors import DataError
from regulars.guests.facts import profiles_with_taste
from regulars.guests.snapshot import known_date, snapshot
from regulars.segments import (
    LIBRARY,
    SavedSegment,
    Segment,
    changes,
    counts,
    find,
    is_reference,
    saved,
)
from regulars.tables import Lake
from regulars.tables.spreadsheets import write_sheet
from regulars.tabular import Rows

_EVERYBODY = ""


class Found(NamedTuple):
    """Guests who meet a rule, with their profiles at the end of a business date, the best first; `of` so many.

    orders_until: the last business date of any order, where that is later.
    """

    rule: str
    guests: pa.Table
    of: int
    as_of: dt.date
    orders_until: dt.date | None = None


class Counted(NamedTuple):
    """How many guests are in a segment at the end of a business date, and their share.

    lacking: facts of its rule that these profiles do not have. orders_until: the last business date of any order, where that is later.
    """

    segment: SavedSegment
    guests: int
    share: float
    lacking: tuple[str, ...]
    as_of: dt.date
    orders_until: dt.date | None = None

    @property
    def name(self) -> str:
        return self.segment.name

    @property
    def rule(self) -> str:
        return self.segment.rule


class Segments(Rows[Counted]):
    """The saved segments, then the ready ones, with how many guests each has."""

    schema: ClassVar = {
        "name": pa.string(),
        "rule": pa.string(),
        "guests": pa.int64(),
        "share": pa.float64(),
        "as_of": pa.date32(),
    }


class Moved(NamedTuple):
    """Who entered a segment and who left it between two business dates: guest_id, change and because, by guest_id."""

    rule: str
    before: dt.date
    after: dt.date
    guests: pa.Table


def find_segment(lake: Lake, rule: str, export: Path | None = None) -> Found:
    """The guests who meet a rule, by the kept profiles; worked out first where there are none. export: a file to write.

    rule: a rule, or `@name` of a saved or ready segment. Raises DataError for a rule that cannot be read, a segment that
    does not exist, and an export that is neither CSV nor Parquet.
    """
    (as_of, profiles, until), text = snapshot(lake), rule_of(lake, rule)
    met = nw.from_native(Segment(text).filter(nw.to_native(profiles)))
    guests = lake.collect(met).sort_by([("spend_minor", "descending"), ("guest_id", "ascending")])
    if export is not None:
        write_sheet(guests, export)
    everybody = lake.collect(profiles.select(nw.len().cast(nw.Int64).alias("n")))["n"][0].as_py()
    return Found(text, guests, everybody, as_of, until)


def count_segments(lake: Lake) -> Segments:
    """The guests of every saved segment, then of every ready one, by the kept profiles; one scan for all."""
    as_of, kept, until = snapshot(lake)
    profiles = nw.to_native(kept)
    mine = saved(lake.workspace)
    names = {segment.name for segment in mine}
    ready = [SavedSegment(r.name, 0, r.rule, r.meaning, None) for r in LIBRARY if r.name not in names]
    known = nw.from_native(profiles).collect_schema().names()
    lacking = {s.name: tuple(sorted(set(Segment(s.rule).columns).difference(known))) for s in (*mine, *ready)}
    rules = {segment.name: segment.rule for segment in (*mine, *ready) if not lacking[segment.name]}
    found = counts(profiles, {**rules, _EVERYBODY: "guest_id is not None"})
    everybody = max(found.pop(_EVERYBODY), 1)
    return Segments(
        Counted(segment, guests := found.get(segment.name, 0), guests / everybody, lacking[segment.name], as_of, until)
        for segment in (*mine, *ready)
    )


def moved(lake: Lake, rule: str, *, since: dt.date, until: dt.date | None = None, export: Path | None = None) -> Moved:
    """Who entered a segment and who left it since the end of a business date, and why.

    until: None takes the last business date. Raises DataError as `find_segment` does, and where nobody had ordered by `since`.
    """
    after, text = known_date(lake, until), rule_of(lake, rule)
    before = known_date(lake, since)
    if before >= after:
        raise DataError(f"{before} is not before {after}; name an earlier date")
    dates = [nw.to_native(lake.engine.keep(profiles_with_taste(lake, day))) for day in (before, after)]
    guests = lake.collect(nw.from_native(changes(dates[0], dates[1], text))).sort_by("guest_id")
    if export is not None:
        write_sheet(guests, export)
    return Moved(text, before, after, guests)


def rule_of(lake: Lake, rule: str) -> str:
    """The rule itself, where a segment's name stands for it."""
    return find(lake.workspace, rule).rule if is_reference(rule) else rule
