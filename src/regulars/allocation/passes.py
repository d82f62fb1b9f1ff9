"""Passes over the guests: cut into fixed chunks, shared among threads, added up in order.

Chunks depend on the problem alone, so neither the number of threads nor their timing changes a sum. Only tables go in and come out.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from regulars.allocation import kernels, vectors
from regulars.allocation.matrices import dtype_of
from regulars.allocation.problem import GAIN, ONE, Choice, Guests, Offered, Problem, Rows, Table

CHUNK, CHUNKS, CHUNK_STEP = 1 << 17, 256, 1 << 10
SERIAL = 1 << 18
UNROLL_FROM = 1 << 14
TABLE_ENTRIES = 1 << 24
UNROLLED = 16

Result = TypeVar("Result")


class Inspection(NamedTuple):
    """What one look at all gains and costs found."""

    is_good: bool
    is_whole: bool
    is_cost_whole: bool
    free_worth: float


class Chosen(NamedTuple):
    """Each guest's best action and the totals, without the guests for whom it is a close call: they have nothing and are listed."""

    choice: Choice
    close: Guests
    sums: Table


class Passes:
    """All guests of a problem, read once per call."""

    def __init__(self, problem: Problem, *, threads: int | None = None) -> None:
        self.problem = problem
        self.offered = _trimmed(problem.offered)
        self.actions = None if problem.is_single else problem.rules.actions
        self.lanes = lanes(problem.offers, problem.guests)
        cells, offers, resources = problem.table_shape
        self.shape = (cells, offers + 1, resources)
        is_open = self.actions is None and not problem.rules.bars.any() and isinstance(self.lanes, tuple)
        self.in_vectors = is_open and vectors.fits(self.offered, cells, offers)
        self.chunks = Chunks(problem.guests, threads, most=TABLE_ENTRIES // max(1, int(np.prod(self.shape))))

    def rounding(self, prices: Rows, *, chain: int = 0) -> float:
        """More than rounding can have lost in the dual at these prices; chain: where sums go on being added up."""
        precision = float(np.finfo(dtype_of(self.offered.gain)).eps) if self.in_vectors else 0.0
        return self.problem.rounding(prices, max(chain, self.chunks.chain), precision)

    def respond(self, prices: Rows) -> Table:
        """Totals over the guests' best actions at these prices."""
        offered, valuation = self.offered, self._valuation(prices)
        simple = self._simple(valuation)

        def one(start: int, stop: int) -> Table:
            sums = np.zeros(self.shape)
            if simple is not None:
                start, _ = vectors.sweep(offered, simple, self.lanes, None, start, stop, sums)
            kernels.respond(offered, valuation, start, stop, sums)
            return sums

        return self._sum(self.chunks.each(one))

    def choose(self, prices: Rows, near: float) -> Chosen:
        """The guests' best actions, setting aside those whose best beats their next by at most `near`."""
        offered, valuation = self.offered, self._valuation(prices)
        choice, simple = np.empty(self.problem.guests, np.int16), self._simple(valuation)

        def one(start: int, stop: int) -> tuple[Guests, Table]:
            close, sums, listed = np.empty(stop - start, np.int64), np.zeros(self.shape), 0
            if simple is not None:
                aside = kernels.Aside(type(simple.slope)(near), choice, close)
                start, listed = vectors.sweep(offered, simple, self.lanes, aside, start, stop, sums)
            listed += kernels.choose(offered, valuation, kernels.Aside(near, choice, close[listed:]), start, stop, sums)
            return close[:listed].copy(), sums

        parts = list(self.chunks.each(one))
        close = np.concatenate([np.empty(0, np.int64), *(part for part, _ in parts)])
        return Chosen(choice, close, self._sum(sums for _, sums in parts))

    def margins(self, prices: Rows) -> NDArray[np.float64]:
        """By how much each guest's best action beats their next, shape (n,)."""
        valuation, found = self._valuation(prices), np.empty(self.problem.guests)
        list(self.chunks.each(lambda start, stop: kernels.margins(self.offered, valuation, start, stop, found)))
        return found

    def add_up(self, choice: Choice) -> Table:
        """Totals over the chosen actions."""

        def one(start: int, stop: int) -> Table:
            sums = np.zeros(self.shape)
            kernels.add_up(self.offered, self.actions, self.lanes, choice, start, stop, sums)
            return sums

        return self._sum(self.chunks.each(one))

    def offers_of(self, choice: Choice) -> Choice:
        """Actions as offers, -1 for nothing; see Problem.offers_of."""
        if self.actions is not None:
            return self.problem.offers_of(choice)
        list(self.chunks.each(lambda start, stop: kernels.name_nothing(choice, self.problem.nothing, start, stop)))
        return choice

    def _valuation(self, prices: Rows) -> kernels.Valuation:
        """What bars an offer is part of its weights where actions are offers."""
        weights, bars = self.problem.weights(prices), self.problem.rules.bars
        if self.actions is None:
            weights[..., ONE] += bars[:, :-1]
        return kernels.Valuation(weights, bars, self.actions, self.lanes)

    def _simple(self, valuation: kernels.Valuation) -> vectors.Simple | None:
        return vectors.simplify(valuation.weights, dtype_of(self.offered.gain).type) if self.in_vectors else None

    def _sum(self, tables: Iterable[Table]) -> Table:
        total = np.zeros(self.shape)
        for table in tables:
            total += table
        return total[:, :-1]


class Chunks:
    """Equal stretches of guests, worked on by as many threads as are worth while."""

    def __init__(self, guests: int, threads: int | None, *, most: int = CHUNKS) -> None:
        self.guests = guests
        size = max(CHUNK, -(-max(guests, 1) // max(2, min(CHUNKS, most))))
        self.size = -(-size // CHUNK_STEP) * CHUNK_STEP
        self.threads = 1 if guests <= SERIAL else threads or os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self.threads) if self.threads > 1 else None

    @property
    def chain(self) -> int:
        return min(self.guests, self.size) + -(-self.guests // self.size)

    def each(self, work: Callable[[int, int], Result]) -> Iterator[Result]:
        """The results of one stretch after the other."""
        starts = range(0, self.guests, self.size)
        stops = [min(start + self.size, self.guests) for start in starts]
        return (map if self._pool is None else self._pool.map)(work, starts, stops)


def _trimmed(offered: Offered) -> Offered:
    """As the kernels take it: see there."""
    extra, cells = offered.extra, offered.cells
    return offered._replace(
        extra=extra if extra.shape[2] else None, cells=cells[:, 0] if cells.shape[1] == 1 else cells
    )


def lanes(offers: int, guests: int) -> Any:
    """A tuple, for which loops over offers are compiled anew and unrolled, where that pays."""
    return (0,) * offers if guests > UNROLL_FROM and offers <= UNROLLED else np.zeros(offers, np.int8)


def inspect(
    gain: Any, cost: Any, aim: NDArray[np.float64], *, guests: int, offers: int, threads: int | None
) -> Inspection:
    """Look once at all gains and costs for what cannot be right."""
    entries, dtype = lanes(offers, guests), dtype_of(gain).type
    slope, level = dtype(aim[GAIN]), dtype(aim[ONE])

    def one(start: int, stop: int) -> Inspection:
        return Inspection(*kernels.inspect(gain, cost, slope, level, entries, start, stop))

    parts = list(Chunks(guests, threads).each(one))
    return Inspection(
        all(part.is_good for part in parts),
        all(part.is_whole for part in parts),
        all(part.is_cost_whole for part in parts),
        float(sum(part.free_worth for part in parts)),
    )
