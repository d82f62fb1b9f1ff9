"""Text files: one pass over the bytes finds hash, encoding, and whether anything is quoted."""

import codecs
import gzip
import hashlib
import io
import re
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


_NOT_ASCII = re.compile(rb"[^\x00-\x7f]+")
_LEAST_CHINESE = 0.8
_MOST_UTF8 = 0.3
_MOST_EVIDENCE = 1 << 20


def inspect(path: Path, encoding: str | None = None) -> Inspection:
    """Hash a text file and find its encoding: UTF-8, UTF-16, or GB18030 where what it then says looks Chinese.

    Raises DataError naming line and byte where it is none of these, or not what `encoding` says.
    """
    expected = encoding or _by_first_bytes(path)
    try:
        return _survey(path, expected)
    except _MistakeError as mistake:
        is_open = encoding is None and expected == "utf-8"
        if is_open and (chinese := _survey_or_none(path, "gb18030")) and _looks_chinese(path):
            return chinese
        mend = (
            "save the file as UTF-8, or say which encoding it has, such as --encoding cp1252 (in the mapping: encoding)"
        )
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


def _looks_chinese(path: Path) -> bool:
    """Whether bytes beyond ASCII come as Chinese text has them, rather than as accents of Western letters or broken UTF-8.

    In GB18030 nearly every Chinese letter is two bytes beyond ASCII, mostly of the first level, which is in the order of its sounds;
    an accented letter of Windows-1252 stands alone between plain ones, and lines of Chinese are no UTF-8.
    """
    pairs = firsts = letters = lines = utf8 = 0
    with open_bytes(path) as file:
        while lines < _MOST_EVIDENCE and (line := file.readline(_MOST_EVIDENCE)):
            runs = _NOT_ASCII.findall(line)
            if not runs:
                continue
            lines += 1
            utf8 += _is_utf8(line)
            letters += sum((len(run) + 1) // 2 for run in runs)
            whole = [run for run in runs if len(run) % 2 == 0]
            pairs += sum(len(run) // 2 for run in whole)
            firsts += sum(0xA1 <= byte <= 0xA9 or 0xB0 <= byte <= 0xD7 for run in whole for byte in run[::2])
    return pairs >= _LEAST_CHINESE * letters and firsts >= _LEAST_CHINESE * pairs and utf8 <= _MOST_UTF8 * lines


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


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
