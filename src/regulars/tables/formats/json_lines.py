"""JSON: one object a line, or one document; nested fields are reached by a dot, as in properties.order_id.

A list of objects is its objects, and so is an envelope as event APIs take it: {"batch": [...], "sentAt": ...}; what the envelope
says is said of each of them. So is one as APIs answer, {"data": [...], "links": ...}; what stands beside is about the answer.
"""

import itertools
import json
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from regulars.errors import DataError
from regulars.tables.formats.raw import ROWS_PER_BATCH, Misshapen, RawBatch, as_json, check_header, clean_name
from regulars.tables.formats.text import inspect, open_text
from regulars.wording import Sentence

_LINES_PER_BATCH = ROWS_PER_BATCH // 4
_ABOUT_THE_ANSWER = frozenset((
    "links", "meta", "metadata", "cursor", "summary", "count", "next", "previous", "next_page", "has_more", "total", "page", "per_page",
    "object", "url", "success", "message", "errors", "paging", "pagination", "page_info", "columns",
))  # fmt: skip
_BLANK = "\ufeff \t\r\n"
_BATCH = "batch"
_ANSWERS = ("data", "orders", "receipts", "results", "records", "transactions")
_SEPARATORS = re.compile(r"[\s,]*")


class _Object(NamedTuple):
    """fields: of one object, as text; the sentence that says why there are none. Numbers stay as they were written."""

    line: int
    fields: dict[str, str | None] | str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonLinesSource:
    """A text file of JSON objects. Its columns are those of all its objects; is_document: it is JSON as a whole.

    decimal: the mark with which numbers are to be read, which JSON writes with a point.
    """

    path: Path
    name: str
    identity: str
    columns: list[str]
    encoding: str
    is_document: bool = False
    decimal: str = "."
    notes: tuple[Sentence, ...] = ()

    @classmethod
    def of(cls, path: Path, *, encoding: str | None = None, decimal: str = ".") -> "JsonLinesSource":
        found = inspect(path, encoding)
        source = cls(
            path=path, name=path.name, identity=found.identity, columns=[], encoding=found.encoding, decimal=decimal
        )
        first = next(source._objects(), None)
        if first is not None and isinstance(first.fields, str):
            source = replace(source, is_document=source._is_document())
        columns: dict[str, None] = {}
        for found_object in source._objects():
            if isinstance(found_object.fields, dict):
                columns.update(dict.fromkeys(found_object.fields))
        if not columns:
            raise DataError(
                f'{path.name} line 1: no JSON object; write one object a line, such as {{"order_id": "A1"}}'
            )
        return replace(source, columns=check_header(list(columns), path.name))

    def written(self, row: dict[str, Any]) -> str:
        return as_json(row)

    def batches(self) -> Generator[RawBatch, None, None]:
        objects = self._objects()
        while part := list(itertools.islice(objects, _LINES_PER_BATCH)):
            yield self._batch(part)

    def _batch(self, objects: list[_Object]) -> RawBatch:
        good = [(line, fields) for line, fields, _ in objects if isinstance(fields, dict)]
        rows = [pa.array([fields.get(name) for _, fields in good], pa.string()) for name in self.columns]
        misshapen = (
            Misshapen(line, f"no JSON object: {why}", text) for line, why, text in objects if isinstance(why, str)
        )
        numbers = pa.array([line for line, _ in good], pa.int64())
        return RawBatch(pa.RecordBatch.from_arrays(rows, names=self.columns), numbers, tuple(misshapen))

    def _objects(self) -> Iterator[_Object]:
        read = _Reader(self.decimal)
        with open_text(self.path, self.encoding) as text:
            if self.is_document:
                yield from _of_document(text.read(), read)
                return
            for number, line in enumerate(text, 1):
                if line.strip(_BLANK):
                    yield from _of_line(number, line, read)

    def _is_document(self) -> bool:
        """Whether the whole file is one piece of JSON, over several lines."""
        with open_text(self.path, self.encoding) as text:
            try:
                json.loads(text.read().strip(_BLANK))
            except (json.JSONDecodeError, RecursionError):
                return False
        return True


class _TwiceError(ValueError):
    """A name that stands twice in one object."""


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads JSON with its numbers as they were written, but for the decimal mark."""

    decimal: str

    def __call__(self, text: str) -> Any:
        return json.loads(
            text, parse_float=self._number, parse_int=str, parse_constant=str, object_pairs_hook=_named_once
        )

    def _number(self, written: str) -> str:
        return written.replace(".", self.decimal)


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(f"'{next(name for name in names if names.count(name) > 1)}' stands twice in it")
    return named


def _of_line(number: int, line: str, read: _Reader) -> Iterator[_Object]:
    try:
        value = read(line.strip(_BLANK))
    except (ValueError, RecursionError) as error:
        yield _Object(number, str(error), line)
        return
    for inner in _unpacked(value):
        yield _flat(number, inner, line)


def _flat(number: int, value: Any, text: str) -> _Object:
    if not isinstance(value, dict):
        return _Object(number, f"a {type(value).__name__} stands where an object should", text)
    return _Object(number, dict(_fields("", value)), text)


def _unpacked(value: Any) -> list[Any]:
    """The objects of a list or an envelope; anything else is one."""
    if isinstance(value, dict) and isinstance(value.get(_BATCH), list):
        around = {name: inner for name, inner in value.items() if name != _BATCH}
        return [around | inner if isinstance(inner, dict) else inner for inner in value[_BATCH]]
    if isinstance(value, dict) and (name := _answered(value)) is not None:
        return list(value[name])
    return value if isinstance(value, list) else [value]


def _answered(value: dict[str, Any]) -> str | None:
    """The name under which an answer of an API has its objects, where all that stands beside is about the answer."""
    names = [name for name in _ANSWERS if isinstance(value.get(name), list)]
    is_answer = len(names) == 1 and value.keys() - set(names) <= _ABOUT_THE_ANSWER
    return names[0] if is_answer and all(isinstance(inner, dict) for inner in value[names[0]]) else None


def _of_document(text: str, read: _Reader) -> Iterator[_Object]:
    """The objects of a document, each with the line on which it begins."""
    try:
        objects = _unpacked(read(text.strip(_BLANK)))
    except _TwiceError as error:
        yield _Object(1, str(error), text[:200])
        return
    lines = _lines_of(text)
    for place, value in enumerate(objects):
        line = lines[place] if len(lines) == len(objects) else 1
        yield _flat(line, value, json.dumps(value, ensure_ascii=False))


def _lines_of(text: str) -> list[int]:
    """The line on which each object of a document's list begins; of a single object, its own."""
    names = "|".join((_BATCH, *_ANSWERS))
    begin = re.search(rf'^[{_BLANK}]*(\[)|"({names})"\s*:\s*(\[)', text)
    if begin is None:
        return [1 + text[: len(text) - len(text.lstrip(_BLANK))].count("\n")]
    decoder, at, lines, line, last = json.JSONDecoder(), begin.end(), [], 1, 0
    while (at := _SEPARATORS.match(text, at).end()) < len(text) and text[at] != "]":  # type: ignore[union-attr]
        line, last = line + text.count("\n", last, at), at
        lines.append(line)
        _, at = decoder.raw_decode(text, at)
    return lines


def _fields(prefix: str, value: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    for written, inner in value.items():
        name = clean_name(written)
        match inner:
            case dict():
                yield from _fields(f"{prefix}{name}.", inner)
            case None | str():
                yield prefix + name, inner
            case bool():
                yield prefix + name, str(inner).lower()
            case _:
                yield prefix + name, json.dumps(inner, ensure_ascii=False)
