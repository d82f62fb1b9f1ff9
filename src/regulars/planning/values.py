"""Values on disk: what is kept of a plan as JSON, and the same values back."""

import json
from pathlib import Path
from typing import Any, TypeVar

import pydantic

from regulars.errors import DataError

T = TypeVar("T")


def write_value(file: Path, value: Any) -> None:
    """Write a value of ours once; the file is then read-only."""
    plain = pydantic.TypeAdapter(type(value)).dump_python(value)
    write_once(file, json.dumps(plain, indent=2, ensure_ascii=False, default=str).encode())


def write_once(file: Path, content: bytes) -> None:
    """Write a file that nobody changes afterwards."""
    file.write_bytes(content)
    file.chmod(0o444)


def read_value(file: Path, kind: type[T], *, mend: str) -> T:
    """The value in a file. mend: what to do where another version of regulars wrote it; DataError then says so."""
    try:
        return pydantic.TypeAdapter(kind).validate_python(json.loads(file.read_text(encoding="utf-8")))
    except (pydantic.ValidationError, json.JSONDecodeError) as error:
        raise DataError(f"{file}: {_why(error)}; another version of regulars wrote it: {mend}") from None


def _why(error: pydantic.ValidationError | json.JSONDecodeError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno} is no JSON"
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
