"""Grouping: equal histories become one row with a weight, in one pass over a hash table."""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Words = NDArray[np.uint64]

_FEWEST_SLOTS = 1 << 12
_NO_SIGN = np.uint64(2**63 - 1)  # -0.0 and 0.0 have different bits


class Grouped(NamedTuple):
    """Distinct rows, shape (m, 3), and the weight of each, shape (m,)."""

    values: FloatArray
    weights: FloatArray


def grouped(columns: tuple[FloatArray, FloatArray, FloatArray], weights: FloatArray) -> Grouped:
    """The distinct rows of three columns of numbers not below 0, with their weights summed; rows of no weight left out.

    columns: each of shape (n,). The rows come out in no particular order, but in the same one every time.

    >>> import numpy as np
    >>> rows = grouped((np.array([1.0, 0.0, 1.0]), np.array([2.0, 0.0, 2.0]), np.array([3.0, 3.0, 3.0])), np.ones(3))
    >>> sorted(zip(rows.values.tolist(), rows.weights.tolist()))
    [([0.0, 0.0, 3.0], 1.0), ([1.0, 2.0, 3.0], 2.0)]
    """
    one, two, three, weight = (np.ascontiguousarray(column) for column in (*columns, weights))
    table = _summed(one.view(np.uint64), two.view(np.uint64), three.view(np.uint64), weight)
    taken = table[table[:, 3] != 0]
    return Grouped(taken[:, :3], taken[:, 3])


@njit(nogil=True, cache=True)
def _summed(one: Words, two: Words, three: Words, weights: FloatArray) -> FloatArray:
    """Slots of a row and its weight, shape (slots, 4), so that to look at one is to fetch one line of memory.

    An empty slot has weight 0. The table is as small as the distinct rows allow, to stay near the processor.
    """
    table = np.zeros((_FEWEST_SLOTS, 4))
    words, taken = table.view(np.uint64), 0
    for i in range(weights.size):
        if weights[i] == 0:
            continue
        row = one[i] & _NO_SIGN, two[i] & _NO_SIGN, three[i] & _NO_SIGN
        slot = _slot(words, row)
        if words[slot, 3] == 0:
            words[slot, 0], words[slot, 1], words[slot, 2] = row
            taken += 1
        table[slot, 3] += weights[i]
        if 2 * taken > len(table):
            table = _doubled(words)
            words = table.view(np.uint64)
    return table


@njit(nogil=True, cache=True)
def _doubled(words: Words) -> FloatArray:
    table = np.zeros((2 * len(words), 4))
    room = table.view(np.uint64)
    for row in words:
        if row[3] != 0:
            room[_slot(room, (row[0], row[1], row[2]))] = row
    return table


@njit(nogil=True, cache=True, inline="always")
def _slot(words: Words, row: tuple[np.uint64, np.uint64, np.uint64]) -> np.uint64:
    """Where a row stands, or the empty slot where it would."""
    one, two, three = row
    last = np.uint64(len(words) - 1)
    slot = _mixed(_mixed(_mixed(one) + two) + three) & last
    while words[slot, 3] != 0 and (words[slot, 0] != one or words[slot, 1] != two or words[slot, 2] != three):
        slot = (slot + np.uint64(1)) & last
    return slot


@njit(nogil=True, cache=True, inline="always")
def _mixed(word: np.uint64) -> np.uint64:
    """The finaliser of splitmix64 (Steele, Lea & Flood 2014)."""
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))
