"""Codes: where values stand among the constants that rules compare them with, in a byte or two each.

Of `visits >= 3` and `visits > 10` nothing matters of a guest's visits but on which side of 3 and of 10 they are. So a block of
values is looked at once, however many rules name it, and every rule is answered on codes: 0 where the value is missing,
else 1 and how many of the cuts it has reached; for a text 1, or 2 and its place among the constants.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

MISSING, LEAST = 0, 1

Codes = NDArray[np.uint8] | NDArray[np.uint16]
Words = NDArray[np.uint64]

_CHUNK = 512
_FEW_CUTS = 3


@njit(nogil=True, cache=True)
def place_whole(values: NDArray[np.int64], cuts: NDArray[np.int64], codes: Codes) -> None:
    """Fill in `codes`, shape (n,); cuts: ascending. Values of a small span are looked up in a table."""
    low, high = values.min(), values.max()
    if cuts.size <= _FEW_CUTS or not 0 <= high - low < values.size // 8:
        place_floats(values, cuts, codes)
        return
    table = np.empty(high - low + 1, codes.dtype)
    reached = np.searchsorted(cuts, low, side="right")
    for place in range(table.size):
        while reached < cuts.size and cuts[reached] <= low + place:
            reached += 1
        table[place] = LEAST + reached
    for i in range(values.size):
        codes[i] = table[values[i] - low]


@njit(nogil=True, cache=True)
def place_floats(values: NDArray[Any], cuts: NDArray[Any], codes: Codes) -> None:
    """Fill in `codes`, shape (n,); cuts: ascending. NaN reaches none of them."""
    for start in range(0, values.size, _CHUNK):
        some, places = values[start : start + _CHUNK], codes[start : start + _CHUNK]
        places[:] = LEAST
        for cut in cuts:
            for i in range(some.size):
                places[i] += some[i] >= cut


class Texts(NamedTuple):
    """Constants to be found again: their first eight letters and lengths, shape (k,), and where they stand in `letters`.

    slots: an open-addressing table of 1 and the place of a constant, 0 where it is empty.
    """

    heads: Words
    sizes: Words
    starts: Words
    letters: NDArray[np.uint8]
    slots: NDArray[np.int32]


def texts(constants: list[str]) -> Texts:
    """Different constants, made ready to be found again."""
    spelled = [constant.encode() for constant in constants]
    heads = np.array([int.from_bytes(letters[:8], "little") for letters in spelled], np.uint64)
    sizes = np.array([len(letters) for letters in spelled], np.uint64)
    starts = np.cumsum(sizes) - sizes
    slots = np.zeros(1 << (8 * len(constants)).bit_length(), np.int32)
    for place, (head, size) in enumerate(zip(heads, sizes, strict=True)):
        slot = int(_slot(head, size, slots))
        while slots[slot]:
            slot = (slot + 1) % slots.size
        slots[slot] = 1 + place
    return Texts(heads, sizes, starts.astype(np.uint64), np.frombuffer(b"".join(spelled) + b"\0", np.uint8), slots)


@njit(nogil=True, cache=True)
def place_texts(offsets: NDArray[Any], letters: NDArray[np.uint8], known: Texts, codes: Codes) -> None:
    """Fill in `codes`, shape (n,). offsets: where each text starts in `letters` and the last ends, shape (n + 1,)."""
    for i in range(codes.size):
        start, size = np.uint64(offsets[i]), np.uint64(offsets[i + 1]) - np.uint64(offsets[i])
        is_inside = start + np.uint64(8) <= np.uint64(letters.size)
        head = _cut_off(_eight(letters, start), size) if is_inside else _few(letters, start, size)
        slot = _slot(head, size, known.slots)
        found = known.slots[slot]
        while found > 0 and not (
            known.heads[found - 1] == head
            and known.sizes[found - 1] == size
            and (size <= np.uint64(8) or _ends_alike(known, found - 1, letters, start))
        ):
            slot = (slot + np.uint64(1)) & np.uint64(known.slots.size - 1)
            found = known.slots[slot]
        codes[i] = LEAST + found


@njit(nogil=True, cache=True, inline="always")
def _eight(letters: NDArray[np.uint8], at: np.uint64) -> np.uint64:
    """Eight letters as one number; written out, the compiler loads them at once."""
    low = (
        np.uint64(letters[at])
        | np.uint64(letters[at + np.uint64(1)]) << np.uint64(8)
        | np.uint64(letters[at + np.uint64(2)]) << np.uint64(16)
        | np.uint64(letters[at + np.uint64(3)]) << np.uint64(24)
    )
    return (
        low
        | np.uint64(letters[at + np.uint64(4)]) << np.uint64(32)
        | np.uint64(letters[at + np.uint64(5)]) << np.uint64(40)
        | np.uint64(letters[at + np.uint64(6)]) << np.uint64(48)
        | np.uint64(letters[at + np.uint64(7)]) << np.uint64(56)
    )


@njit(nogil=True, cache=True, inline="always")
def _cut_off(head: np.uint64, size: np.uint64) -> np.uint64:
    """Only as many letters as the text has."""
    beyond = np.uint64(8) * (np.uint64(8) - min(size, np.uint64(8)))
    return (head << beyond) >> beyond if size > np.uint64(0) else np.uint64(0)


@njit(nogil=True, cache=True)
def _few(letters: NDArray[np.uint8], start: np.uint64, size: np.uint64) -> np.uint64:
    """At the very end, where no eight letters are left to load."""
    head = np.uint64(0)
    for place in range(min(size, np.uint64(8))):
        head |= np.uint64(letters[start + np.uint64(place)]) << np.uint64(8 * place)
    return head


@njit(nogil=True, cache=True, inline="always")
def _slot(head: np.uint64, size: np.uint64, slots: NDArray[np.int32]) -> np.uint64:
    """Fibonacci hashing (Knuth, volume 3, section 6.4)."""
    mixed = (head ^ (size << np.uint64(56))) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed >> np.uint64(32)) & np.uint64(slots.size - 1)


@njit(nogil=True, cache=True)
def _ends_alike(known: Texts, place: int, letters: NDArray[np.uint8], start: np.uint64) -> bool:
    """Whether two texts of one size are the same after their first eight letters."""
    first = known.starts[place]
    for at in range(np.uint64(8), known.sizes[place]):  # noqa: SIM110  (numba compiles no generator)
        if known.letters[first + at] != letters[start + at]:
            return False
    return True
