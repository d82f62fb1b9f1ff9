"""Spreadsheets: tables in files that a person will open."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from regulars.errors import DataError

_FORMULA = r"^'*[=+\-@\t\r\x00]"


def write_sheet(table: pa.Table, path: Path) -> None:
    """Write a CSV file without formulas, or a Parquet file. Raises DataError for any other."""
    match path.suffix.lower():
        case ".csv":
            arrow_csv.write_csv(_without_formulas(table), path)
        case ".parquet":
            pq.write_table(table, path)
        case _:
            raise DataError(f"{path}: an export is a .csv or a .parquet file")


def _without_formulas(table: pa.Table) -> pa.Table:
    """Texts that a spreadsheet would run as formulas, with an apostrophe before them."""
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            is_formula = pc.match_substring_regex(table[field.name], _FORMULA)
            quoted = pc.binary_join_element_wise("'", table[field.name], "")
            table = table.set_column(place, field, pc.if_else(is_formula, quoted, table[field.name]))
    return table
