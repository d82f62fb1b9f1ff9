"""Tally: how many rows meet each of many rules, all rules over a few rows at a time, while these lie next to the processor.

A rule is a program in postfix order over codes: each step puts a mask of the rows on a stack or changes those on top, and
the last one counts.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from regulars.segments.codes import Codes

WITHIN, AND_WITHIN, OR_WITHIN, AND, OR, NOT, COUNT = range(7)
"""What a step does. The first three ask whether the code of a column lies within bounds."""

Mask = NDArray[np.uint8]
_CHUNK = 4096


@njit(nogil=True, cache=True)
def tallied(steps: NDArray[np.int64], rules: int, codes: Codes) -> NDArray[np.int64]:
    """The rows that meet each rule, shape (rules,).

    steps: shape (steps, 4): what, and for the first three a row of `codes`, the least and the greatest code that meet it.
    codes: shape (columns, rows).
    """
    counts = np.zeros(rules, np.int64)
    stack = np.zeros((_depth(steps), _CHUNK), np.uint8)
    for start in range(0, codes.shape[1], _CHUNK):
        some = codes[:, start : start + _CHUNK]
        masks, top, rule = stack[:, : some.shape[1]], -1, 0
        for at in range(len(steps)):
            what, column, low, high = steps[at, 0], steps[at, 1], steps[at, 2], steps[at, 3]
            if what == WITHIN:
                top += 1
                _within(masks[top], some[column], low, high)
            elif what == AND_WITHIN:
                _and_within(masks[top], some[column], low, high)
            elif what == OR_WITHIN:
                _or_within(masks[top], some[column], low, high)
            elif what == NOT:
                _not(masks[top])
            else:
                top -= 1
                if what == COUNT:
                    counts[rule] += _sum(masks[top + 1])
                    rule += 1
                elif what == AND:
                    _and(masks[top], masks[top + 1])
                else:
                    _or(masks[top], masks[top + 1])
    return counts


@njit(nogil=True, cache=True)
def _depth(steps: NDArray[np.int64]) -> int:
    """How many masks are on the stack at most."""
    depth = most = 0
    for what in steps[:, 0]:
        depth += 1 if what == WITHIN else -1 if what in (AND, OR, COUNT) else 0
        most = max(most, depth)
    return most


@njit(nogil=True, cache=True)
def _within(mask: Mask, codes: Codes, low: int, high: int) -> None:
    least, greatest = codes.dtype.type(low), codes.dtype.type(high)
    for i in range(mask.size):
        mask[i] = (codes[i] >= least) & (codes[i] <= greatest)


@njit(nogil=True, cache=True)
def _and_within(mask: Mask, codes: Codes, low: int, high: int) -> None:
    least, greatest = codes.dtype.type(low), codes.dtype.type(high)
    for i in range(mask.size):
        mask[i] &= (codes[i] >= least) & (codes[i] <= greatest)


@njit(nogil=True, cache=True)
def _or_within(mask: Mask, codes: Codes, low: int, high: int) -> None:
    least, greatest = codes.dtype.type(low), codes.dtype.type(high)
    for i in range(mask.size):
        mask[i] |= (codes[i] >= least) & (codes[i] <= greatest)


@njit(nogil=True, cache=True)
def _and(mask: Mask, other: Mask) -> None:
    for i in range(mask.size):
        mask[i] &= other[i]


@njit(nogil=True, cache=True)
def _or(mask: Mask, other: Mask) -> None:
    for i in range(mask.size):
        mask[i] |= other[i]


@njit(nogil=True, cache=True)
def _not(mask: Mask) -> None:
    for i in range(mask.size):
        mask[i] ^= 1


@njit(nogil=True, cache=True)
def _sum(mask: Mask) -> int:
    """Eight rows are one word; so many words can be added before a byte runs over, and then four pairs of bytes."""
    whole = mask.size // 8 * 8
    words, total = mask[:whole].view(np.uint64), 0
    for start in range(0, words.size, 128):
        sums = np.uint64(0)
        for i in range(start, min(start + 128, words.size)):
            sums += words[i]
        pairs = (sums & np.uint64(0x00FF00FF00FF00FF)) + ((sums >> np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF))
        total += int((pairs * np.uint64(0x0001000100010001)) >> np.uint64(48))
    for i in range(whole, mask.size):
        total += int(mask[i])
    return total
