"""Text files: one pass over the bytes finds hash, encoding, and whether anything is quoted."""

import codecs
import gzip
import hashlib
import io
from pathlib import Path
from typing import IO, NamedTuple

from regulars.errors import DataError
from regulars.tables.formats.raw import BYTES_PER_BLOCK


class Inspection(NamedTuple):
    """identity: SHA-256 of the bytes. encoding: a Python codec name. quotes: how many double quotes stand in the text."""

    identity: str
    encoding: str
    quotes: int


class _MistakeError(Exception):
    """Bytes that the encoding does not have."""


def inspect(path: Path, encoding: str | None = None) -> Inspection:
    """Hash a text file and find its encoding: UTF-8, UTF-16 or GB18030.

    Raises DataError naming line and byte where it is none of these, or not what `encoding` says.
    """
    expected = encoding or _by_first_bytes(path)
    try:
        return _survey(path, expected)
    except _MistakeError as mistake:
        if encoding is None and expected == "utf-8" and (chinese := _survey_or_none(path, "gb18030")):
            return chinese
        mend = "save the file as UTF-8, or set the right encoding in the mapping"
        raise DataError(f"{path.name} {mistake} is not {expected}; {mend}") from None


def open_bytes(path: Path) -> IO[bytes]:
    """The bytes of a file, unpacked where its name ends in .gz."""
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def open_text(path: Path, encoding: str) -> IO[str]:
    """The text of a file, line ends as they are."""
    return io.TextIOWrapper(open_bytes(path), encoding, newline="")


def _by_first_bytes(path: Path) -> str:
    with open_bytes(path) as file:
        head = file.read(4)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    is_zero = [byte == 0 for byte in head]
    if is_zero == [False, True, False, True]:
        return "utf-16-le"
    if is_zero == [True, False, True, False]:
        return "utf-16-be"
    return "utf-8"


def _survey_or_none(path: Path, encoding: str) -> Inspection | None:
    try:
        return _survey(path, encoding)
    except _MistakeError:
        return None


def _survey(path: Path, encoding: str) -> Inspection:
    digest, quotes, line, block = hashlib.sha256(), 0, 1, b""
    decoder = _decoder(encoding)
    try:
        with open_bytes(path) as file:
            while block := file.read(BYTES_PER_BLOCK):
                digest.update(block)
                quotes += decoder.decode(block).count('"')
                line += block.count(b"\n")
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        line += block[: error.start].count(b"\n")
        raise _MistakeError(f"line {line}: byte 0x{error.object[error.start]:02X}") from None
    except (OSError, EOFError) as error:
        raise DataError(f"{path.name}: cannot be read: {error}") from None
    return Inspection(digest.hexdigest(), encoding, quotes)


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    try:
        return codecs.getincrementaldecoder(encoding)()
    except LookupError:
        raise DataError(f"no encoding is called '{encoding}'; common ones are utf-8, gb18030 and utf-16") from None
