"""The crowd: all guests with their profiles, kept as a table, and the part of them that meets a rule."""

import datetime as dt
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from regulars.errors import DataError
from regulars.planning.facts import known_span, profiles_with_taste
from regulars.segments import Segment
from regulars.tables import Lake

PROFILES = "profiles"
_FORMULA = r"^[=+\-@\t\r\x00]"


class Found(NamedTuple):
    """Guests who meet a rule, with their profiles, the best first; `of` so many."""

    guests: pa.Table
    of: int


def keep_profiles(lake: Lake, as_of: dt.date | None = None) -> tuple[dt.date, pa.Table]:
    """Work out every guest's profile at the end of a business date and keep them as the table profiles.

    as_of: None takes the last business date of any order that names its guest. Raises DataError where there is no such order
    until then.
    """
    first, last = known_span(lake)
    date = as_of or last
    if date < first:
        raise DataError(f"no guest had ordered by {date}; the first order that names its guest is of {first}")
    lake.write(PROFILES, profiles_with_taste(lake, date))
    return date, lake.read(PROFILES)


def find_segment(lake: Lake, rule: str, export: Path | None = None) -> Found:
    """The guests who meet a rule, by the kept profiles; worked out first where there are none. export: a file to write.

    Raises DataError for a rule that cannot be read, and for an export that is neither CSV nor Parquet.
    """
    crowd = lake.read(PROFILES) if lake.has(PROFILES) else keep_profiles(lake)[1]
    guests = (
        Segment(rule, known=crowd).filter(crowd).sort_by([("spend_minor", "descending"), ("guest_id", "ascending")])
    )
    if export is not None:
        _write(guests, export)
    return Found(guests, len(crowd))


def _write(guests: pa.Table, path: Path) -> None:
    match path.suffix.lower():
        case ".csv":
            arrow_csv.write_csv(_without_formulas(guests), path)
        case ".parquet":
            pq.write_table(guests, path)
        case _:
            raise DataError(f"{path}: an export is a .csv or a .parquet file")


def _without_formulas(table: pa.Table) -> pa.Table:
    """Texts that a spreadsheet would run as formulas, with an apostrophe before them."""
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type):
            is_formula = pc.match_substring_regex(table[field.name], _FORMULA)
            quoted = pc.binary_join_element_wise("'", table[field.name], "")
            table = table.set_column(place, field, pc.if_else(is_formula, quoted, table[field.name]))
    return table
