"""Passes over the guests: cut into fixed chunks, shared among threads, added up in order.

Chunks depend on the problem alone, so neither the number of threads nor their timing changes a sum. Only tables go in and come out.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from regulars.allocation import kernels
from regulars.allocation.problem import Offered

CHUNK = 1 << 16
SERIAL = 1 << 17
TABLE_ENTRIES = 1 << 24

Result = TypeVar("Result")


class Inspection(NamedTuple):
    """What one look at all gains and costs found; a bad guest is -1 where there is none."""

    bad_gain: int
    bad_cost: int
    free_gain: float
    is_gain_whole: bool
    is_cost_whole: bool


class Chosen(NamedTuple):
    """Each guest's best offer and the totals, without the guests for whom it is a close call: they have -1 and are listed."""

    choice: NDArray[np.int16]
    close: NDArray[np.int64]
    sums: NDArray[np.float64]


class Passes:
    """All guests of a problem, read once per call."""

    def __init__(self, offered: Offered, table_shape: tuple[int, int, int], *, threads: int | None = None) -> None:
        self.offered = offered
        self.table_shape = table_shape
        self.guests = len(offered.gain)
        self.threads = 1 if self.guests <= SERIAL else threads or os.cpu_count() or 1
        most = max(2, TABLE_ENTRIES // max(1, int(np.prod(table_shape))))
        self.chunk = max(CHUNK, -(-self.guests // most))

    @property
    def chain(self) -> int:
        """The most terms that any sum of a pass ran over."""
        return min(self.guests, self.chunk) + -(-self.guests // self.chunk)

    def inspect(self) -> Inspection:
        parts = list(self._each(lambda start, stop: Inspection(*kernels.inspect(self.offered, start, stop))))
        return Inspection(
            max((part.bad_gain for part in parts), default=-1),
            max((part.bad_cost for part in parts), default=-1),
            float(sum(part.free_gain for part in parts)),
            all(part.is_gain_whole for part in parts),
            all(part.is_cost_whole for part in parts),
        )

    def respond(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Totals over the guests' best offers at the prices in `weights`."""

        def one(start: int, stop: int) -> NDArray[np.float64]:
            sums = np.zeros(self.table_shape)
            kernels.respond(self.offered, weights, start, stop, sums)
            return sums

        return self._sum(self._each(one))

    def respond_softly(self, weights: NDArray[np.float64], soft: float) -> tuple[NDArray[np.float64], float]:
        """As `respond` with close calls shared between the best two, and the value that this adds."""

        def one(start: int, stop: int) -> tuple[NDArray[np.float64], float]:
            sums = np.zeros(self.table_shape)
            return sums, kernels.respond_softly(self.offered, weights, soft, start, stop, sums)

        parts = list(self._each(one))
        return self._sum(sums for sums, _ in parts), float(sum(added for _, added in parts))

    def choose(self, weights: NDArray[np.float64], near: float) -> Chosen:
        """The guests' best offers, setting aside those whose best beats their next by less than `near`."""
        choice = np.empty(self.guests, np.int16)

        def one(start: int, stop: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
            close, sums = np.empty(stop - start, np.int64), np.zeros(self.table_shape)
            listed = kernels.choose(self.offered, weights, start, stop, near, choice, close, sums)
            return close[:listed].copy(), sums

        parts = list(self._each(one))
        close = np.concatenate([np.empty(0, np.int64), *(part for part, _ in parts)])
        return Chosen(choice, close, self._sum(sums for _, sums in parts))

    def add_up(self, choice: NDArray[np.int16]) -> NDArray[np.float64]:
        """Totals over the chosen offers."""

        def one(start: int, stop: int) -> NDArray[np.float64]:
            sums = np.zeros(self.table_shape)
            kernels.add_up(self.offered, choice, start, stop, sums)
            return sums

        return self._sum(self._each(one))

    def _sum(self, tables: Iterator[NDArray[np.float64]]) -> NDArray[np.float64]:
        total = np.zeros(self.table_shape)
        for table in tables:
            total += table
        return total

    def _each(self, work: Callable[[int, int], Result]) -> Iterator[Result]:
        starts = range(0, self.guests, self.chunk)
        stops = [min(start + self.chunk, self.guests) for start in starts]
        if self.threads == 1:
            yield from map(work, starts, stops)
            return
        with ThreadPoolExecutor(self.threads) as pool:
            yield from pool.map(work, starts, stops)
