"""Guest lists: files that name guests, one a line, or as a column of a CSV such as `regulars segments --export` writes."""

import csv
from collections import Counter
from pathlib import Path

from regulars.documents import read_text
from regulars.errors import DataError
from regulars.tables.names import KNOWN, bare

COLUMN = "guest_id"
_MOST_ID = 64
_CALLED = {bare(name) for name in KNOWN["guest_id"]}
"""Other words for the column, in letters and digits."""
_BETWEEN = ",;\t|"


def read_guests(file: Path) -> list[str]:
    """The ids of guests in a file, in its order.

    A first line that names a column guest_id is a header; without one, each line is an id and nothing else. Raises DataError,
    with the line, for columns that nobody named, for a guest who stands there twice, and for an id that is too long.
    """
    lines = [(number, line) for number, line in enumerate(read_text(file).splitlines(), 1) if line.strip()]
    if not lines:
        raise DataError(f"{file}: there is no guest in it")
    between = max(_BETWEEN, key=lines[0][1].count)
    header = [cell.strip() for cell in next(csv.reader([lines[0][1]], delimiter=between))]
    plain = [bare(name) for name in header]
    if plain.count(bare(COLUMN)) == 1:
        found = _of_column(file, lines, between, plain.index(bare(COLUMN)))
    elif len(header) == 1 and plain[0] in _CALLED:
        raise DataError(
            f"{file}, line 1: '{header[0]}' is a header and no guest; call that column {COLUMN}, or leave the line out"
        )
    else:
        found = [(number, _alone(file, number, line)) for number, line in lines]
    _check(file, found)
    return [guest for _, guest in found]


def _of_column(file: Path, lines: list[tuple[int, str]], between: str, place: int) -> list[tuple[int, str]]:
    rows = csv.reader((line for _, line in lines[1:]), delimiter=between)
    found = []
    for (number, _), row in zip(lines[1:], rows, strict=False):
        if place >= len(row) or not row[place].strip():
            raise DataError(
                f"{file}, line {number}: it names no guest in the column {COLUMN}; add the id or take the line out"
            )
        found.append((number, _bare(row[place].strip())))
    if not found:
        raise DataError(f"{file}: there is no guest under its header")
    return found


def _alone(file: Path, number: int, line: str) -> str:
    """A line that is one id and nothing else."""
    text = line.strip()
    if any(mark in text for mark in _BETWEEN):
        raise DataError(
            f"{file}, line {number}: there are several columns and none is called {COLUMN}; name the one with the guests'"
            f" ids {COLUMN}, or give one id a line and nothing else"
        )
    return _bare(text.strip('"'))


def _bare(text: str) -> str:
    """Without the apostrophe that our own exports put before what a spreadsheet would run."""
    return text[1:] if text[:1] == "'" and text[1:2] in ("=", "+", "-", "@", "'") else text


def _check(file: Path, found: list[tuple[int, str]]) -> None:
    for number, guest in found:
        if len(guest) > _MOST_ID:
            raise DataError(f"{file}, line {number}: an id has at most {_MOST_ID} letters; this one has {len(guest)}")
    guest, times = Counter(guest for _, guest in found).most_common(1)[0]
    if times > 1:
        again = [number for number, one in found if one == guest][1]
        raise DataError(f"{file}, line {again}: guest '{guest}' stands there {times} times; leave each once")
