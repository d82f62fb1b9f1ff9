"""Sources: any file, or any Arrow object, as a stream of raw batches whose rows know their line."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from regulars.errors import DataError
from regulars.tables.formats.arrow import FrameSource, ParquetSource
from regulars.tables.formats.delimited import DelimitedSource
from regulars.tables.formats.json_lines import JsonLinesSource
from regulars.tables.formats.raw import Misshapen, RawBatch, Source
from regulars.tables.formats.sheets import SheetSource

__all__ = ["FrameSource", "JsonLinesSource", "Misshapen", "RawBatch", "Source", "in_decimals", "open_source"]


def open_source(
    data: Any,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str = ".",
    sheet: str | None = None,
) -> Source:
    """A file (CSV, Parquet, JSON Lines, XLSX, told by its ending) or any object with `__arrow_c_stream__`.

    encoding, delimiter: of text files; None finds out. decimal: the mark with which the values are to be read. sheet: of a
    workbook; None takes the first that has rows.
    Raises DataError for what cannot be read at all: no file, a folder, an empty file, no header, a column named twice.
    """
    if hasattr(data, "__arrow_c_stream__"):
        return FrameSource.of(data)
    if not isinstance(data, str | Path):
        raise TypeError(f"cannot load a {type(data).__name__}; give a path, or an object with __arrow_c_stream__")
    path = _readable(Path(data))
    match path.name.lower().removesuffix(".gz").rsplit(".", 1)[-1]:
        case "parquet" | "pq":
            return ParquetSource.of(path)
        case "jsonl" | "ndjson" | "json":
            return JsonLinesSource.of(path, encoding=encoding, decimal=decimal)
        case "xlsx" | "xlsm":
            return SheetSource.of(path, sheet=sheet, decimal=decimal)
        case "xls" | "ods" | "numbers":
            raise DataError(f"{path.name}: save it as .xlsx or .csv; other workbooks are not read")
        case _:
            return DelimitedSource.of(path, encoding=encoding, delimiter=delimiter)


def in_decimals(source: Source, decimal: str) -> Source:
    """A source whose typed numbers are written with a decimal mark."""
    if isinstance(source, JsonLinesSource | SheetSource):
        return replace(source, decimal=decimal)
    return source


def _readable(path: Path) -> Path:
    if path.is_dir():
        raise DataError(f"{path}: this is a folder; name a file in it")
    if not path.exists():
        raise DataError(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise DataError(f"{path}: the file is empty")
    return path
