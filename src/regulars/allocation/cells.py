"""Cells: guests who are in the same groups of all limits, so that prices and totals are small tables instead of long columns."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regulars.allocation.limits import IntArray, Limit

ENOUGH_CELLS = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cells:
    """Which cell each guest (or each guest and offer) is in, and which row of which limit a cell consumes.

    index: shape (n, 1), or (n, k) where a group differs between the offers of one guest.
    rows: shape (limits, cells, k), -1 where a limit does not count.
    pattern: shape (cells,), which pattern of barred actions holds there.
    """

    index: NDArray[np.int32]
    rows: NDArray[np.int32]
    pattern: IntArray


def compose(limits: Sequence[Limit], guests: int, offers: int, *, pattern: IntArray, patterns: int) -> Cells:
    """The cells of these limits; their rows are numbered limit after limit. pattern: of each guest, shape (n,)."""
    codes = [_code(limit, guests) for limit in limits]
    parted = [(pattern[:, None], patterns)] if patterns > 1 else []
    index, digits = _combine([*(code for code in codes if code is not None), *parted], guests)
    rows = np.full((len(limits), len(digits), offers), -1, np.int32)
    first, digit = 0, 0
    for at, (limit, code) in enumerate(zip(limits, codes, strict=True)):
        own = None if code is None else digits[:, digit]
        rows[at] = _rows(limit, own, is_grouped=_is_grouped(limit, guests), first=first)
        digit += code is not None
        first += len(limit.amounts)
    of_cell = digits[:, -1] if parted else np.zeros(len(digits), np.int64)
    return Cells(index=index, rows=rows, pattern=of_cell)


def _is_grouped(limit: Limit, guests: int) -> bool:
    return limit.group.ndim == 1 or (limit.group.shape[0] == guests and guests > 1)


def _code(limit: Limit, guests: int) -> tuple[IntArray, int] | None:
    """The digit that tells apart the guests this limit treats differently, and its radix; None if it treats all alike."""
    group = limit.group[:, None] if limit.group.ndim == 1 else limit.group
    if not _is_grouped(limit, guests):
        return None if limit.scope is None else (limit.scope[:, None].astype(np.int32), 2)
    if limit.scope is None:
        return group, len(limit.amounts)
    return np.where(limit.scope[:, None], group + 1, 0), len(limit.amounts) + 1


def _combine(codes: Sequence[tuple[IntArray, int]], guests: int) -> tuple[NDArray[np.int32], IntArray]:
    """One number for each combination of digits, and the digits of each number, shape (cells, codes)."""
    radices = [radix for _, radix in codes]
    cells = int(np.prod(radices, dtype=object)) if radices else 1
    if cells >= 1 << 62:
        raise ValueError(f"the groups of {len(codes)} limits combine to more than 2^62 cells; merge some groups")
    if not codes:
        return np.zeros((guests, 1), np.int32), np.zeros((1, 0), np.int64)
    number: IntArray = codes[0][0]
    for digit, radix in codes[1:]:
        number = number.astype(np.int64) * radix + digit
    present: IntArray = np.arange(cells)
    if cells > max(ENOUGH_CELLS, radices[0] if len(codes) == 1 else 0):
        shape = number.shape
        present, number = np.unique(number, return_inverse=True)
        number = number.reshape(shape)
    digits = np.stack(np.unravel_index(present, radices), axis=1)
    return np.ascontiguousarray(number, dtype=np.int32), digits


def _rows(limit: Limit, digit: IntArray | None, *, is_grouped: bool, first: int) -> IntArray:
    """The limit row of each cell and offer, broadcasting to (cells, k)."""
    if not is_grouped:
        rows = limit.group + first
        return rows if digit is None else np.where(digit[:, None] == 1, rows, -1)
    assert digit is not None
    group = digit if limit.scope is None else digit - 1
    return np.where(group < 0, -1, group + first)[:, None]
