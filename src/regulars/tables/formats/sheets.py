"""Sheets: the first sheet of an XLSX workbook; its first row names the columns."""

import datetime as dt
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import python_calamine

from regulars.errors import DataError
from regulars.tables.formats.raw import ROWS_PER_BATCH, RawBatch, as_json, check_header, hash_of

MOST_UNPACKED_BYTES = 2 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetSource:
    """A sheet; a row's line is its number in the sheet."""

    path: Path
    name: str
    identity: str
    columns: list[str]
    rows: list[list[Any]]
    first_row: int

    @classmethod
    def of(cls, path: Path) -> "SheetSource":
        sheet = _first_sheet(path)
        rows = sheet.to_python(skip_empty_area=False)
        while rows and not any(_text(cell) for cell in rows[-1]):
            rows.pop()
        if not rows:
            raise DataError(f"{path.name}: the sheet '{sheet.name}' is empty")
        if len(rows) == 1:
            raise DataError(f"{path.name}: the sheet '{sheet.name}' has a header and no rows")
        columns = check_header([_text(cell) or "" for cell in rows[0]], path.name)
        return cls(path=path, name=path.name, identity=hash_of(path), columns=columns, rows=rows[1:], first_row=2)

    def written(self, row: dict[str, Any]) -> str:
        return as_json(row)

    def batches(self) -> Iterator[RawBatch]:
        numbered = ((number, row) for number, row in enumerate(self.rows, self.first_row) if any(_text(c) for c in row))
        while part := list(islice(numbered, ROWS_PER_BATCH)):
            columns = [
                pa.array([_text(row[place]) for _, row in part], pa.string()) for place in range(len(self.columns))
            ]
            numbers = pa.array([number for number, _ in part], pa.int64())
            yield RawBatch(pa.RecordBatch.from_arrays(columns, names=self.columns), numbers)


def _first_sheet(path: Path) -> python_calamine.CalamineSheet:
    try:
        with zipfile.ZipFile(path) as packed:
            unpacked = sum(entry.file_size for entry in packed.infolist())
        if unpacked > MOST_UNPACKED_BYTES:
            raise DataError(f"{path.name}: unpacks to {unpacked >> 20:,} MB; save it as CSV")
        return python_calamine.load_workbook(path).get_sheet_by_index(0)
    except (zipfile.BadZipFile, python_calamine.CalamineError) as error:
        raise DataError(f"{path.name}: no XLSX workbook: {error}") from None


def _text(cell: Any) -> str | None:
    """A cell as a CSV file would hold it."""
    match cell:
        case "" | None:
            return None
        case bool():
            return str(cell).lower()
        case float() if cell.is_integer():
            return str(int(cell))
        case dt.datetime():
            return cell.isoformat(" ")
        case dt.date():
            return cell.isoformat()
        case _:
            return str(cell)
