"""Codes: what is printed on vouchers and typed at tills.

A printed code has 14 of 29 letters and digits, in groups of four: 13 of them at random, which is 63 bits (29^13 = 1.03e19;
who tries codes against a million live vouchers needs 10^13 guesses for one), and a check letter. There is no 0 O 1 I L among
them, nor U and Z, which are read as V and 2.

The check letter makes the sum of place times letter a multiple of 29, as ISBN-10 does with 11 (ISO 2108). Since 29 is prime
and no place or difference of places is a multiple of it, every single wrong letter and every two that changed places show.

People may also choose a code to be read aloud, such as WELCOME10: 4 to 32 letters and digits, but not 14.
"""

import hashlib
import io
import os
import re
import unicodedata
from collections.abc import Callable
from operator import mul

import numpy as np
import segno
from numpy.typing import NDArray

from regulars.ledger.refusals import Refusal

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXY"
LETTERS = 14
GROUP = 4
_RANDOM = LETTERS - 1
_BYTES = 2 * _RANDOM
_BLOCK = 4096
_MOST_TYPED = 200
_SEEN_AS = str.maketrans("UZ", "V2")
_SHAPES = np.frombuffer(ALPHABET.encode(), np.uint8)
_PLACES = np.arange(1, LETTERS + 1)
_NUMBERS = bytes(ALPHABET.find(chr(letter)) % 256 for letter in range(256))
"""The number of each letter, 255 where it is none of ours."""


def make(count: int, entropy: Callable[[int], bytes] = os.urandom) -> list[str]:
    """New codes. entropy: gives so many bytes; the system's own randomness unless told otherwise."""
    if count < 0:
        raise ValueError(f"count is {count}; ask for 0 codes or more")
    return _codes(entropy(count * _BYTES))


def make_batch(secret: bytes, batch_id: str, start: int, count: int) -> list[str]:
    """The codes of a batch from number `start`: always the same ones, and nobody without the secret can tell them.

    They are read off a stream of SHAKE256 (FIPS 202), keyed by BLAKE2 of the batch's name, so a batch that was stopped goes on
    where it was. Raises ValueError for a secret that is not 16 to 64 bytes.
    """
    if not 16 <= len(secret) <= hashlib.blake2b.MAX_KEY_SIZE:
        raise ValueError(f"the secret has {len(secret)} bytes; give 16 to 64, made at random")
    if start < 0 or count < 0:
        raise ValueError(f"start is {start} and count is {count}; neither may be negative")
    key = hashlib.blake2b(batch_id.encode(), key=secret, person=b"regulars batch").digest()
    first, last = start // _BLOCK, -(-(start + count) // _BLOCK)
    stream = b"".join(_block(key, number) for number in range(first, last))
    skipped = (start - first * _BLOCK) * _BYTES
    return _codes(stream[skipped : skipped + count * _BYTES])


def read(text: str) -> str:
    """The code somebody typed, in the one form in which it is kept: capitals and digits without spaces or dashes.

    Full-width letters, any dashes and spaces, and what cannot be seen are forgiven; in printed codes also U for V and Z for 2.

    >>> read("  welcome–１０ ")
    'WELCOME10'

    Raises Refusal code_invalid where no voucher can have this code.
    """
    code = _folded(text) if len(text) <= _MOST_TYPED else ""
    if is_printed := len(code) == LETTERS:
        code = code.translate(_SEEN_AS)
    if not (_is_sound(code) if is_printed else re.fullmatch(r"[A-Z0-9]{4,32}", code)):
        raise Refusal("code_invalid", code=text)
    return code


def in_groups(code: str) -> str:
    """A code as it is printed: in groups of four if it is a long one.

    >>> in_groups("7KQM2XV9DRTHPB")
    '7KQM-2XV9-DRTH-PB'
    """
    if len(code) != LETTERS:
        return code
    return "-".join(code[place : place + GROUP] for place in range(0, LETTERS, GROUP))


def qr_svg(content: str, *, scale: float = 4) -> str:
    """A code, or the address of a page that shows it, as a QR picture to be set into a page."""
    return str(_qr(content).svg_inline(scale=scale, border=4))


def qr_png(content: str, *, scale: int = 8) -> bytes:
    """The same as a PNG file. scale: pixels of one dot."""
    file = io.BytesIO()
    _qr(content).save(file, kind="png", scale=scale, border=4)
    return file.getvalue()


def _qr(content: str) -> segno.QRCode:
    """Readable with a seventh of it lost (level M), as on creased paper."""
    return segno.make_qr(content, error="m", boost_error=False)


def _block(key: bytes, number: int) -> bytes:
    return hashlib.shake_256(key + number.to_bytes(8, "big")).digest(_BLOCK * _BYTES)


def _codes(entropy: bytes) -> list[str]:
    """Two bytes make a letter, each of the 29 as likely as any other to 1 in 2000, which leaves the 63 bits whole."""
    drawn = np.frombuffer(entropy, "<u2").reshape(-1, _RANDOM).astype(np.uint32)
    numbers = np.empty((len(drawn), LETTERS), np.uint8)
    numbers[:, :_RANDOM] = (drawn * len(ALPHABET)) >> 16
    numbers[:, _RANDOM] = _check(numbers)
    text = _SHAPES[numbers].tobytes().decode("ascii")
    return [text[place : place + LETTERS] for place in range(0, len(text), LETTERS)]


def _check(numbers: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The last letter, which brings the weighted sum to a multiple of 29: its weight's inverse times what is missing."""
    missing = -(numbers[:, :_RANDOM].astype(np.int64) @ _PLACES[:_RANDOM])
    return (missing * pow(LETTERS, -1, len(ALPHABET))) % len(ALPHABET)


def _is_sound(code: str) -> bool:
    numbers = code.encode("ascii", "replace").translate(_NUMBERS)
    return max(numbers) < len(ALPHABET) and sum(map(mul, range(1, LETTERS + 1), numbers)) % len(ALPHABET) == 0


def _folded(text: str) -> str:
    """Capitals (Unicode NFKC), without spaces, dashes and what has no shape of its own."""
    if text.isascii() and text.isalnum():
        return text.upper()
    capitals = unicodedata.normalize("NFKC", text).upper()
    return "".join(letter for letter in capitals if not _is_between(letter))


def _is_between(letter: str) -> bool:
    return letter.isspace() or letter in "_−" or unicodedata.category(letter) in ("Pd", "Cf")
