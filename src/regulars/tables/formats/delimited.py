"""Delimited text: CSV and its relatives, streamed by Arrow, every value as text."""

import csv
import io
import itertools
import re
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from regulars.errors import DataError
from regulars.tables.formats.raw import (
    BYTES_PER_BLOCK,
    LINES_OF_HEADER,
    Misshapen,
    RawBatch,
    check_header,
    header_place,
    without_headers,
)
from regulars.tables.formats.text import inspect, open_bytes, open_text
from regulars.wording import Sentence

DELIMITERS = (",", ";", "\t", "|")
_SEVERAL = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class DelimitedSource:
    """A text file of rows, one a line unless a quoted value holds a line end. above: lines before the header."""

    path: Path
    name: str
    identity: str
    columns: list[str]
    encoding: str
    delimiter: str
    has_quotes: bool
    header_lines: int
    above: int = 0
    notes: tuple[Sentence, ...] = ()

    @classmethod
    def of(cls, path: Path, *, encoding: str | None = None, delimiter: str | None = None) -> "DelimitedSource":
        found = inspect(path, encoding)
        with open_text(path, found.encoding) as text:
            top = _Top.of(text, delimiter)
            text.seek(0)
            for _ in range(top.above):
                text.readline()
            reader = csv.reader(text, delimiter=top.delimiter)
            columns = check_header(next(reader, []), path.name, top.above + 1)
            header_lines = top.above + reader.line_num
            if not any(line.strip() for line in text):
                raise DataError(f"{path.name}: has a header and no rows")
        if found.quotes % 2 and (line := _open_quote(path, found.encoding, top.delimiter)):
            raise DataError(
                f"{path.name} line {line}: a quote opens here and is never closed; close it, or write it twice"
            )
        return cls(
            path=path, name=path.name, identity=found.identity, columns=columns, encoding=found.encoding,
            delimiter=top.delimiter, has_quotes=found.quotes > 0, header_lines=header_lines, above=top.above,
            notes=(Sentence("lines_above_header", lines=top.titles),) if top.titles else (),
        )  # fmt: skip

    def written(self, row: dict[str, Any]) -> str:
        line = io.StringIO()
        csv.writer(line, delimiter=self.delimiter, lineterminator="").writerow(row.values())
        return line.getvalue()

    def batches(self) -> Generator[RawBatch, None, None]:
        """Raises DataError where a quote opens and never closes."""
        ragged: list[Any] = []
        place = _Place(record=2 + self.above, line=self.header_lines + 1)
        for rows in self._stream(ragged):
            yield without_headers(_number(rows, ragged, place, has_line_ends=self.has_quotes), self)
        if ragged:
            yield _number(_no_rows(self.columns), ragged, place, has_line_ends=False)

    def _stream(self, ragged: list[Any]) -> Iterator[pa.RecordBatch]:
        def keep(row: Any) -> str:
            ragged.append(row)
            return "skip"

        reading = arrow_csv.ReadOptions(
            use_threads=False, block_size=BYTES_PER_BLOCK, encoding="utf8" if self.encoding == "utf-8" else self.encoding,
            column_names=self.columns, skip_rows=self.above, skip_rows_after_names=1,
        )  # fmt: skip
        parsing = arrow_csv.ParseOptions(
            delimiter=self.delimiter,
            newlines_in_values=self.has_quotes,
            ignore_empty_lines=False,
            invalid_row_handler=keep,
        )
        as_text = arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(self.columns, pa.string()), strings_can_be_null=False
        )
        try:
            with open_bytes(self.path) as file:
                yield from arrow_csv.open_csv(file, reading, parsing, as_text)
        except pa.ArrowInvalid as error:
            if "straddl" in str(error):
                error = f"a row is longer than {BYTES_PER_BLOCK >> 20} MB; is a quote open before it?"
            raise DataError(f"{self.name}: {error}") from None


class _Top(NamedTuple):
    """How a file begins. above: lines before the header; titles: those of them that say something."""

    delimiter: str
    above: int
    titles: int

    @classmethod
    def of(cls, text: IO[str], delimiter: str | None) -> "_Top":
        lines = list(itertools.islice(text, LINES_OF_HEADER))
        first = 0
        if lines and (said := re.fullmatch(r'\ufeff?"?sep=(.)"?\s*', lines[0])):
            delimiter, first = delimiter or said[1], 1
        mark = delimiter or _delimiter_of(lines[first:])
        cells = [[cell for cell in row if cell.strip()] for row in csv.reader(lines[first:], delimiter=mark)]
        place = header_place(cells) if not any('"' in line for line in lines) else 0
        return cls(mark, first + place, sum(bool(row) for row in cells[:place]))


@dataclass(slots=True)
class _Place:
    """How far a reading has come. record: number of the next record, the header being 1. line: on which line it begins."""

    record: int
    line: int


def _number(rows: pa.RecordBatch, ragged: list[Any], place: _Place, *, has_line_ends: bool) -> RawBatch:
    """Give each row its line, and take from `ragged` the rows that stood between them."""
    odd = np.array([row.number for row in ragged], dtype=np.int64)
    records = np.setdiff1d(np.arange(place.record, place.record + len(rows) + len(odd)), odd)[: len(rows)]
    end = records[-1] + 1 if len(rows) else int(odd.max()) + 1
    here = [row for row in ragged if row.number < end]
    ragged[:] = [row for row in ragged if row.number >= end]
    height = np.ones(end - place.record, dtype=np.int64)
    if has_line_ends:
        height[records - place.record] += _line_ends(rows)
    for row in here:
        height[row.number - place.record] += row.text.count("\n")
    begins = place.line + np.cumsum(height) - height
    misshapen = tuple(_misshapen(row, int(begins[row.number - place.record])) for row in here if row.text.strip())
    line = begins[records - place.record]
    place.record, place.line = int(end), int(place.line + height.sum())
    is_blank = np.asarray(pc.fill_null(_is_blank(rows), False))
    if is_blank.any():
        rows, line = rows.filter(pa.array(~is_blank)), line[~is_blank]
    return RawBatch(rows, pa.array(line, pa.int64()), misshapen)


def _misshapen(row: Any, line: int) -> Misshapen:
    return Misshapen(line, f"{row.actual_columns} columns where the header has {row.expected_columns}", row.text)


def _line_ends(rows: pa.RecordBatch) -> np.ndarray:
    total = np.zeros(len(rows), dtype=np.int64)
    for column in rows.columns:
        total += np.asarray(pc.count_substring(column, "\n"))
    return total


def _is_blank(rows: pa.RecordBatch) -> pa.Array:
    blank = pc.equal(rows.column(0), "")
    for column in rows.columns[1:]:
        if not pc.any(blank).as_py():
            break
        blank = pc.and_(blank, pc.equal(column, ""))
    return blank


def _no_rows(columns: list[str]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], pa.string()) for _ in columns], names=columns)


def _delimiter_of(lines: list[str]) -> str:
    """The mark that the header has most of; under a title without any, that of the first line that has several."""
    for least, line in zip(itertools.chain([1], itertools.repeat(_SEVERAL)), lines, strict=False):
        outside_quotes = "".join(line.split('"')[::2])
        mark = max(DELIMITERS, key=outside_quotes.count)
        if outside_quotes.count(mark) >= least:
            return mark
    return DELIMITERS[0]


def _open_quote(path: Path, encoding: str, delimiter: str) -> int | None:
    """The line on which the last record begins, where it ends within quotes; else None."""
    limit = csv.field_size_limit(sys.maxsize)
    try:
        with open_text(path, encoding) as text:
            reader = csv.reader(text, delimiter=delimiter, strict=True)
            line = 1
            for _ in reader:
                line = reader.line_num + 1
    except csv.Error as error:
        return line if "unexpected end of data" in str(error) else None
    finally:
        csv.field_size_limit(limit)
    return None
