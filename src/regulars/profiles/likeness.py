"""Likeness: what the guests who order as one does order, put together with what that one orders; array kernels.

A guest g who had dish i in d[g, i] of their w[g] orders (older orders count for less) will have it in the share

    score = (d[g, i] + m * alike[g, i]) / (w[g] + m) * trend[i]

of their next ones: a Gamma-Poisson shrinkage, in which what guests like them do counts as m orders of their own. Theirs is
shrunk in the same way towards what everybody orders, p[i], over the guests r nearest to g by the cosine c of
their dishes:

    alike[g, i] = (sum_r c[r] d[r, i] + m p[i]) / (sum_r c[r] w[r] + m)

The neighbours are those of Hu, He, Gao & Zhang (2020, TIFU-kNN), the shrinkage ours.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_GUESTS = 256


class Rows(NamedTuple):
    """Compressed sparse rows: the columns and values of row n stand from `start[n]` to `start[n + 1]`."""

    start: IntArray
    column: IntArray
    value: FloatArray


class Crowd(NamedTuple):
    """The guests that others are compared with, and the dishes.

    orders: decayed orders with each dish, of r guests. weight: their decayed orders, shape (r,). of_dish: for each dish the
    guests who had it, and how much of each guest (of length 1) it is. share: of all orders, the share with each dish;
    trend: how much more often it is ordered of late, each of shape (items,).
    """

    orders: Rows
    weight: FloatArray
    of_dish: Rows
    share: FloatArray
    trend: FloatArray


class Best(NamedTuple):
    """The best dishes of each guest, shape (n, k), item -1 where there are no more; alike: whether more of what is expected
    beyond their own orders comes from guests like them than from the crowd."""

    item: IntArray
    score: FloatArray
    alike: NDArray[np.bool_]


def best_dishes(
    own: Rows, weight: FloatArray, place: IntArray, crowd: Crowd, is_barred: NDArray[np.bool_],
    k: int, neighbours: int, prior: float, new_only: bool,
) -> Best:  # fmt: skip
    """The k dishes each guest most probably has next; of equals the first in order. Threads take some guests in turn.

    own: decayed orders of n guests with each dish. weight: their decayed orders, shape (n,). place: where each stands in the
    crowd, -1 if they do not, shape (n,). is_barred: shape (items,). prior: the m of the formula, in orders.
    """

    def of(first: int) -> Best:
        some = slice(first, first + _GUESTS)
        rows = Rows(own.start[first : first + _GUESTS + 1], own.column, own.value)
        return _best_dishes(rows, weight[some], place[some], crowd, is_barred, k, neighbours, prior, new_only)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = list(pool.map(of, range(0, max(weight.size, 1), _GUESTS)))
    return Best(*map(np.concatenate, zip(*parts, strict=True)))


@njit(nogil=True, cache=True)
def _best_dishes(
    own: Rows, weight: FloatArray, place: IntArray, crowd: Crowd, is_barred: NDArray[np.bool_],
    k: int, neighbours: int, prior: float, new_only: bool,
) -> Best:  # fmt: skip
    guests = weight.size
    found = Best(np.full((guests, k), -1, np.int64), np.zeros((guests, k)), np.zeros((guests, k), np.bool_))
    likeness, expected = np.empty(crowd.weight.size), np.empty(is_barred.size)
    for g in range(guests):
        mine = slice(own.start[g], own.start[g + 1])
        columns, values = own.column[mine], own.value[mine]
        _liken(likeness, columns, values, place[g], crowd.of_dish)
        _expect(expected, likeness, neighbours, prior, crowd)
        scores = prior * expected
        scores[columns] += values
        scores *= crowd.trend / (weight[g] + prior)
        scores[is_barred] = -1.0
        if new_only:
            scores[columns] = -1.0
        _pick(found.item[g], found.score[g], scores)
        total = prior + _total(likeness, crowd.weight)
        for rank in range(k):
            i = found.item[g, rank]
            found.alike[g, rank] = i >= 0 and expected[i] * total > 2 * prior * crowd.share[i]
    return found


@njit(nogil=True, cache=True)
def _liken(likeness: FloatArray, columns: IntArray, values: FloatArray, place: int, of_dish: Rows) -> None:
    """The cosine with each guest of the crowd but the one asked."""
    likeness[:] = 0.0
    length = np.sqrt((values**2).sum())
    if length > 0:
        for column, value in zip(columns, values):  # noqa: B905  (numba knows no strict)
            for at in range(of_dish.start[column], of_dish.start[column + 1]):
                likeness[of_dish.column[at]] += value / length * of_dish.value[at]
    if place >= 0:
        likeness[place] = 0.0


@njit(nogil=True, cache=True)
def _expect(expected: FloatArray, likeness: FloatArray, neighbours: int, prior: float, crowd: Crowd) -> None:
    """The share of their orders that has each dish, among their neighbours; the likeness of all others becomes 0."""
    if likeness.size > neighbours:
        least = np.partition(likeness, likeness.size - neighbours)[likeness.size - neighbours]
        likeness[likeness < least] = 0.0
    expected[:] = prior * crowd.share
    for r in range(likeness.size):
        if likeness[r] > 0:
            for at in range(crowd.orders.start[r], crowd.orders.start[r + 1]):
                expected[crowd.orders.column[at]] += likeness[r] * crowd.orders.value[at]
    expected /= prior + _total(likeness, crowd.weight)


@njit(nogil=True, cache=True)
def _total(likeness: FloatArray, weight: FloatArray) -> float:
    return float((likeness * weight).sum())


@njit(nogil=True, cache=True)
def _pick(items: IntArray, best: FloatArray, scores: FloatArray) -> None:
    """The highest scores that are not below 0, in order; k is small, so each is put into its place."""
    kept = 0
    for i in range(scores.size):
        if scores[i] < 0 or (kept == items.size and scores[i] <= best[kept - 1]):
            continue
        at = min(kept, items.size - 1)
        while at > 0 and best[at - 1] < scores[i]:
            best[at], items[at] = best[at - 1], items[at - 1]
            at -= 1
        best[at], items[at] = scores[i], i
        kept = min(kept + 1, items.size)
