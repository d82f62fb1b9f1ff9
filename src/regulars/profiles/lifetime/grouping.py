"""Grouping: equal rows become one row with a weight, in one pass over a hash table."""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class Grouped(NamedTuple):
    """Distinct rows, shape (m, k), and the weight of each, shape (m,)."""

    values: FloatArray
    weights: FloatArray


def grouped(rows: FloatArray, weights: FloatArray) -> Grouped:
    """The distinct rows in the order they first occur, with their weights summed; rows of no weight left out.

    >>> import numpy as np
    >>> grouped(np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]]), np.ones(3))
    Grouped(values=array([[1., 2.],
           [3., 4.]]), weights=array([2., 1.]))
    """
    rows = np.ascontiguousarray(rows + 0.0)  # -0.0 and 0.0 have different bits
    first, sums = _first_and_sums(rows, rows.view(np.uint64), np.ascontiguousarray(weights))
    return Grouped(rows[first], sums)


@njit(nogil=True, cache=True)
def _first_and_sums(
    rows: FloatArray, bits: NDArray[np.uint64], weights: FloatArray
) -> tuple[NDArray[np.int64], FloatArray]:
    size = 16
    while size < 2 * rows.shape[0]:
        size *= 2
    slots = np.full(size, -1, np.int64)
    first = np.empty(rows.shape[0], np.int64)
    sums = np.empty(rows.shape[0])
    found = 0
    for i in range(rows.shape[0]):
        if weights[i] == 0:
            continue
        slot = _hash(bits[i]) & np.uint64(size - 1)
        while slots[slot] >= 0 and not _equal(rows[first[slots[slot]]], rows[i]):
            slot = (slot + np.uint64(1)) & np.uint64(size - 1)
        if slots[slot] < 0:
            slots[slot], first[found], sums[found] = found, i, 0.0
            found += 1
        sums[slots[slot]] += weights[i]
    return first[:found].copy(), sums[:found].copy()


@njit(nogil=True, cache=True, inline="always")
def _hash(row: NDArray[np.uint64]) -> np.uint64:
    """The finaliser of splitmix64 (Steele, Lea & Flood 2014) over each word."""
    mixed = np.uint64(0)
    for j in range(row.size):
        mixed = (mixed ^ row[j]) + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed = mixed ^ (mixed >> np.uint64(31))
    return mixed


@njit(nogil=True, cache=True, inline="always")
def _equal(one: FloatArray, other: FloatArray) -> bool:
    for j in range(one.size):  # noqa: SIM110  (numba compiles no generator)
        if one[j] != other[j]:
            return False
    return True
