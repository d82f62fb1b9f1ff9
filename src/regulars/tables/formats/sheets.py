"""Sheets: one sheet of an XLSX workbook; its header row names the columns."""

import datetime as dt
import zipfile
from collections.abc import Generator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import python_calamine

from regulars.errors import DataError
from regulars.tables.formats.raw import (
    LINES_OF_HEADER,
    ROWS_PER_BATCH,
    RawBatch,
    as_json,
    check_header,
    hash_of,
    header_place,
    without_headers,
)
from regulars.wording import Sentence

MOST_UNPACKED_BYTES = 2 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetSource:
    """A sheet; a row's line is its number in the sheet. decimal: the mark with which numbers are to be read."""

    path: Path
    name: str
    identity: str
    columns: list[str]
    rows: list[list[Any]]
    first_row: int
    decimal: str = "."
    notes: tuple[Sentence, ...] = ()

    @classmethod
    def of(cls, path: Path, *, sheet: str | None = None, decimal: str = ".") -> "SheetSource":
        chosen, others = _sheet(path, sheet)
        rows = _rows(chosen)
        if not rows:
            raise DataError(f"{path.name}: the sheet '{chosen.name}' is empty")
        header = header_place([[cell for cell in map(_words, row) if cell] for row in rows[:LINES_OF_HEADER]])
        if len(rows) == header + 1:
            raise DataError(f"{path.name}: the sheet '{chosen.name}' has a header and no rows")
        columns = check_header([_words(cell) or "" for cell in rows[header]], path.name, header + 1)
        notes = [Sentence("other_sheets", sheet=chosen.name, others=others)] if others else []
        notes += [Sentence("lines_above_header", lines=header)] if header else []
        return cls(
            path=path, name=path.name, identity=f"{hash_of(path)}/{chosen.name}", columns=columns, rows=rows[header + 1 :],
            first_row=header + 2, decimal=decimal, notes=tuple(notes),
        )  # fmt: skip

    def written(self, row: dict[str, Any]) -> str:
        return as_json(row)

    def batches(self) -> Generator[RawBatch, None, None]:
        with_times = self._with_times()
        numbered = ((number, row) for number, row in enumerate(self.rows, self.first_row) if any(map(_words, row)))
        while part := list(islice(numbered, ROWS_PER_BATCH)):
            columns = [
                pa.array([_text(row[place], self.decimal, place in with_times) for _, row in part], pa.string())
                for place in range(len(self.columns))
            ]
            numbers = pa.array([number for number, _ in part], pa.int64())
            yield without_headers(RawBatch(pa.RecordBatch.from_arrays(columns, names=self.columns), numbers), self)

    def _with_times(self) -> set[int]:
        """The columns that hold times of day somewhere: a date among those was midnight."""
        return {place for row in self.rows for place, cell in enumerate(row) if isinstance(cell, dt.datetime)}


def _sheet(path: Path, wanted: str | None) -> tuple[python_calamine.CalamineSheet, tuple[str, ...]]:
    """The sheet that is wanted, else the first with rows; and the names of the others that have some."""
    try:
        with zipfile.ZipFile(path) as packed:
            unpacked = sum(entry.file_size for entry in packed.infolist())
        if unpacked > MOST_UNPACKED_BYTES:
            raise DataError(f"{path.name}: unpacks to {unpacked >> 20:,} MB; save it as CSV")
        book = python_calamine.load_workbook(path)
        sheets = [book.get_sheet_by_name(name) for name in book.sheet_names]
    except (zipfile.BadZipFile, python_calamine.CalamineError) as error:
        raise DataError(f"{path.name}: no XLSX workbook: {error}") from None
    filled = [sheet for sheet in sheets if sheet.height] or sheets[:1]
    if wanted is not None:
        filled = [sheet for sheet in sheets if sheet.name == wanted]
        if not filled:
            raise DataError(f"{path.name}: has no sheet '{wanted}'; it has {', '.join(s.name for s in sheets)}")
        return filled[0], ()
    return filled[0], tuple(sheet.name for sheet in filled[1:])


def _rows(sheet: python_calamine.CalamineSheet) -> list[list[Any]]:
    rows = sheet.to_python(skip_empty_area=False)
    while rows and not any(map(_words, rows[-1])):
        rows.pop()
    return rows


def _words(cell: Any) -> str | None:
    return _text(cell, ".", is_time=False)


def _text(cell: Any, decimal: str, is_time: bool) -> str | None:
    """A cell as a CSV file would hold it."""
    match cell:
        case "" | None:
            return None
        case bool():
            return str(cell).lower()
        case float() if cell.is_integer():
            return str(int(cell))
        case float():
            return str(cell).replace(".", decimal)
        case dt.datetime():
            return cell.isoformat(" ")
        case dt.date():
            return f"{cell.isoformat()} 00:00:00" if is_time else cell.isoformat()
        case _:
            return str(cell)
