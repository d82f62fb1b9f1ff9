"""JSON Lines: one object a line; nested fields are reached by a dot, as in properties.order_id."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from regulars.errors import DataError
from regulars.tables.sources.raw import ROWS_PER_BATCH, Misshapen, RawBatch, as_json, check_header
from regulars.tables.sources.text import inspect, open_text

_LINES_OF_HEADER = 1_000
_LINES_PER_BATCH = ROWS_PER_BATCH // 4


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonLinesSource:
    """A text file with one JSON object a line. Its columns are those of the first thousand lines."""

    path: Path
    name: str
    identity: str
    columns: list[str]
    encoding: str

    @classmethod
    def of(cls, path: Path, *, encoding: str | None = None) -> "JsonLinesSource":
        found = inspect(path, encoding)
        with open_text(path, found.encoding) as text:
            objects = [_flat(line) for line in itertools.islice(text, _LINES_OF_HEADER)]
        columns = list(dict.fromkeys(name for fields in objects if isinstance(fields, dict) for name in fields))
        if not columns:
            raise DataError(
                f'{path.name} line 1: no JSON object; write one object a line, such as {{"order_id": "A1"}}'
            )
        return cls(
            path=path,
            name=path.name,
            identity=found.identity,
            columns=check_header(columns, path.name),
            encoding=found.encoding,
        )

    def written(self, row: dict[str, Any]) -> str:
        return as_json(row)

    def batches(self) -> Iterator[RawBatch]:
        with open_text(self.path, self.encoding) as text:
            numbered = enumerate(text, 1)
            while lines := list(itertools.islice(numbered, _LINES_PER_BATCH)):
                yield self._batch([(number, line) for number, line in lines if line.strip("\ufeff \t\r\n")])

    def _batch(self, lines: list[tuple[int, str]]) -> RawBatch:
        read = [(number, _flat(line), line) for number, line in lines]
        good = [(number, fields) for number, fields, _ in read if isinstance(fields, dict)]
        rows = [pa.array([fields.get(name) for _, fields in good], pa.string()) for name in self.columns]
        misshapen = (Misshapen(n, f"no JSON object: {why}", line) for n, why, line in read if isinstance(why, str))
        numbers = pa.array([number for number, _ in good], pa.int64())
        return RawBatch(pa.RecordBatch.from_arrays(rows, names=self.columns), numbers, tuple(misshapen))


def _flat(line: str) -> dict[str, str | None] | str:
    """The fields of one object as text, or the sentence that says why there are none. Numbers stay as they were written."""
    try:
        value = json.loads(line.strip("\ufeff"), parse_float=str, parse_int=str, parse_constant=str)
    except (json.JSONDecodeError, RecursionError) as error:
        return str(error)
    if not isinstance(value, dict):
        return f"a {type(value).__name__} stands where an object should"
    return dict(_fields("", value))


def _fields(prefix: str, value: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    for name, inner in value.items():
        match inner:
            case dict():
                yield from _fields(f"{prefix}{name}.", inner)
            case None | str():
                yield prefix + name, inner
            case bool():
                yield prefix + name, str(inner).lower()
            case _:
                yield prefix + name, json.dumps(inner, ensure_ascii=False)
