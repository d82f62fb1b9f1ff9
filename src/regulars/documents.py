"""TOML files that people write: read, check, and refuse with the line, the field and the mend."""

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pydantic

from regulars.errors import DataError

Place = tuple[str | int, ...]


class Document(pydantic.BaseModel):
    """The base of everything that is read from a TOML file: unknown fields are errors, values never change."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    @pydantic.field_validator("*", mode="before")
    @classmethod
    def _is_no_truth(cls, value: Any, field: pydantic.ValidationInfo) -> Any:
        """true is no 1 where a number is meant."""
        if isinstance(value, bool) and bool not in _kinds_in(cls.model_fields[str(field.field_name)].annotation):
            raise ValueError(f"{str(value).lower()} is neither text nor number; write what is meant")
        return value


D = TypeVar("D", bound=Document)


def read(path: Path, shape: type[D]) -> D:
    """The file at `path` as a `shape`.

    Raises DataError naming every wrong field with its line.
    """
    return parse(read_text(path), shape, name=path.name)


def read_text(path: Path) -> str:
    """The text of a file. Raises DataError if there is none, or if it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise DataError(f"{path}: this is a folder; name a file in it") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8") from None


def parse(text: str, shape: type[D], *, name: str) -> D:
    """The TOML `text` as a `shape`; `name` stands for the file in error messages."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(_doubled(text, name) or f"{name}: not TOML: {error}") from None
    try:
        return shape.model_validate(values)
    except pydantic.ValidationError as error:
        problems = [_sentence(problem, text, name, shape) for problem in error.errors()]
        raise DataError("\n".join(problems)) from None


def line_of(text: str, place: Place) -> int:
    """The line, from 1, on which the field at `place` is written, or the nearest enclosing table that is."""
    best = 1
    for number, written, is_table in _places(text):
        if _starts(place, written):
            best = number
            if not is_table:
                break
    return best


def _places(text: str) -> Iterator[tuple[int, Place, bool]]:
    """Every table and field of a TOML text: the line it stands on, its place, and whether it is a table."""
    table: Place = ()
    counts: dict[Place, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*(\[\[?)\s*([^\]]+?)\s*\]", line):
            table = _enter(header[2], is_list=header[1] == "[[", counts=counts)
            yield number, table, True
        elif key := re.match(r"\s*([\w.\"'-]+)\s*=", line):
            yield number, table + _split(key[1]), False


def _doubled(text: str, name: str) -> str | None:
    """What to say where a field is written twice."""
    first: dict[Place, int] = {}
    for number, place, is_table in _places(text):
        if not is_table and (before := first.setdefault(place, number)) != number:
            field = ".".join(map(str, place))
            return f"{name} line {number}, {field}: is written twice, first on line {before}; keep one of them"
    return None


def nearest(word: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)`, or nothing when no known word is near."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean '{close[0]}'?)" if close else ""


def _enter(header: str, *, is_list: bool, counts: dict[Place, int]) -> Place:
    name = _split(header)
    if not is_list:
        return name
    counts[name] = counts.get(name, -1) + 1
    return (*name, counts[name])


def _split(key: str) -> Place:
    return tuple(part.strip().strip("\"'") for part in key.split("."))


def _starts(place: Place, prefix: Place) -> bool:
    return bool(prefix) and place[: len(prefix)] == prefix


def _sentence(problem: Any, text: str, name: str, shape: type[Document]) -> str:
    place: Place = problem["loc"]
    field = ".".join(str(part) for part in place if not str(part).startswith("function-")) or "the file"
    where = f"{name} line {line_of(text, place)}, {field}"
    match problem["type"]:
        case "missing":
            return f"{where}: is missing; add it"
        case "extra_forbidden":
            return f"{where}: no such field{nearest(str(place[-1]), _fields(shape, place))}"
        case "value_error" | "assertion_error":
            return f"{where}: {problem['ctx']['error']}"
    given = problem["input"]
    shown = f"{given!r}: " if isinstance(given, str | int | float) else ""
    return f"{where}: {shown}{problem['msg'][0].lower()}{problem['msg'][1:]}"


def _fields(shape: type[Document], place: Place) -> Sequence[str]:
    """The fields that a document knows where an unknown one was written."""
    here: Any = shape
    for part in place[:-1]:
        if isinstance(part, str) and part in getattr(here, "model_fields", {}):
            here = _document_in(here.model_fields[part].annotation) or here
    return list(here.model_fields)


def _kinds_in(annotation: Any) -> Iterator[Any]:
    """All types that an annotation is made of."""
    yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _kinds_in(inner)


def _document_in(annotation: Any) -> type[Document] | None:
    kinds = (kind for kind in _kinds_in(annotation) if isinstance(kind, type) and issubclass(kind, Document))
    return next(kinds, None)
