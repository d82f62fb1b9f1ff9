"""Vectors: the passes over guests, many guests at a time, where prices are simple.

Mostly they are: gain counts the same everywhere, what an offer takes is cost, priced by the cell of the guest, or pieces,
priced by the offer. The value of an offer is then

    slope * gain + price[cell] * cost + level[offer]

Gains and costs that lie guest after guest are valued in that order, a vector after the other; only the values are turned
into a vector for each offer, by k - 1 shuffles. Compilers do not find this in loops, so it is put in LLVM's own words, which
know vectors of any length: a processor without vectors of 512 bits takes several instructions for one.

What is picked is added up guest by guest, in float64: one row of gain, cost and one for each cell and offer. Values are as
precise as the gains are (see Passes.rounding). Guests too few for a vector, at the end, are left to `kernels`.
"""

from typing import Any, NamedTuple

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from regulars.allocation.problem import COST, GAIN, ONE, Offered, Table

BYTES, BLOCK = 64, 128
ROW, MOST_ROWS = 4, 1 << 28
unsigned = np.uint64

_INT = ir.IntType(32)


class Simple(NamedTuple):
    """Simple prices, in the type of the gains. price: shape (cells,); level: that of each offer, once for each guest in a vector."""

    slope: Any
    price: Any
    level: Any


def are_rows(offered: Offered, cells: int, offers: int) -> bool:
    """Whether gains and costs lie guest after guest, each guest has one cell, and nothing else is counted."""
    is_row_after_row = all(
        isinstance(matrix, np.ndarray) and matrix.flags.c_contiguous for matrix in (offered.gain, offered.cost)
    )
    return is_row_after_row and offered.extra is None and offered.cells.ndim == 1 and cells * (offers + 1) < MOST_ROWS


def simplify(weights: Table, dtype: type[np.floating[Any]]) -> Simple | None:
    """The simple prices behind weights of shape (cells, k, 3), None where there are none.

    In single precision nothing may be paid for taking something: only then is a value wrong by no more than a part of the gain.
    """
    slope, price, level = weights[0, 0, GAIN], weights[:, 0, COST], weights[0, :, ONE]
    is_simple = (
        (weights[..., GAIN] == slope).all()
        and (weights[..., COST] == price[:, None]).all()
        and (weights[..., ONE] == level).all()
        and (dtype == np.float64 or (slope >= 0 and (price <= 0).all() and (level <= 0).all()))
    )
    if not is_simple:
        return None
    return Simple(dtype(slope), price.astype(dtype), np.tile(level.astype(dtype), BYTES // np.dtype(dtype).itemsize))


@numba.njit(cache=True, nogil=True)
def sweep(
    offered: Offered, simple: Simple, lanes: Any, near: Any, start: int, stop: int, choice: Any, close: Any, sums: Any
) -> tuple[int, int]:
    """As `kernels.choose`, or as `kernels.respond` where near, choice and close are None.

    Returns the first guest that is left over, and how many are listed in `close`.
    """
    gain, cost, _, cells = offered
    width, spare = BYTES // gain.itemsize, sums.shape[0] * sums.shape[1]
    end, listed, rows = start + (stop - start) // width * width, 0, _aligned(spare + 1)
    price, row, entry = np.empty(BLOCK, gain.dtype), np.empty(BLOCK, np.int32), np.empty(BLOCK, np.int32)
    for first in range(start, end, BLOCK):
        last = min(first + BLOCK, end)
        for at in range(first, last):
            price[unsigned(at - first)] = simple.price[unsigned(cells[unsigned(at)])]
        for at in range(first, last, width):
            bits = _pick(
                lanes, gain, cost, cells, price, simple.slope, simple.level, near, choice, row, entry, at, at - first,
                spare * ROW,
            )  # fmt: skip
            if close is not None:
                listed = _list(bits, at, close, listed)
        for at in range(first, last, width):
            _add(lanes, gain, cost, row, entry, at, at - first, rows)
    for c in range(sums.shape[0]):
        for j in range(sums.shape[1]):
            sums[c, j] += rows[c * sums.shape[1] + j, : ROW - 1]
    return end, listed


@numba.njit(cache=True, nogil=True)
def _aligned(rows: int) -> Any:
    """Rows of zeros, none of which lies across two lines of the cache; the last is for what is not to be counted."""
    room = np.zeros(rows * ROW + BYTES // 8)
    skip = -(room.ctypes.data // 8) % (BYTES // 8)
    return room[skip : skip + rows * ROW].reshape((rows, ROW))


@numba.njit(cache=True, nogil=True)
def _list(bits: Any, first: int, close: Any, listed: int) -> int:
    """List the guests from `first` on whose bit is set."""
    while bits:
        if bits & 1:
            close[listed] = first
            listed += 1
        first += 1
        bits >>= 1
    return listed


class _Words:
    """LLVM's words for vectors of one type of float."""

    def __init__(self, context: Any, builder: Any, dtype: Any) -> None:
        self.context, self.builder = context, builder
        self.size = dtype.bitwidth // 8
        self.length = BYTES // self.size
        self.floats = ir.VectorType(ir.FloatType() if dtype == types.float32 else ir.DoubleType(), self.length)
        self.ints = ir.VectorType(_INT, self.length)

    def pointer(self, array: tuple[Any, Any], index: Any, of: Any) -> Any:
        """Where `index`, one number or several, is in an array, which comes with its type."""
        kind, value = array
        data = self.context.make_array(kind)(self.context, self.builder, value).data
        return self.builder.bitcast(self.builder.gep(data, [index]), of.as_pointer())

    def load(self, array: tuple[Any, Any], index: Any, of: Any) -> Any:
        loaded = self.builder.load(self.pointer(array, index, of))
        loaded.align = array[0].dtype.bitwidth // 8
        return loaded

    def store(self, value: Any, array: tuple[Any, Any], index: Any) -> None:
        self.builder.store(value, self.pointer(array, index, value.type)).align = array[0].dtype.bitwidth // 8

    def whole(self, *values: int) -> Any:
        """A vector of whole numbers: of one, or of as many as it is long."""
        return ir.Constant(self.ints, list(values) * (1 if len(values) > 1 else self.length))

    def same(self, value: Any) -> Any:
        """A vector of one value."""
        empty = ir.Constant(ir.VectorType(value.type, self.length), ir.Undefined)
        one = self.builder.insert_element(empty, value, _INT(0))
        return self.shuffled(one, one, [0] * self.length)

    def shuffled(self, first: Any, second: Any, places: list[int]) -> Any:
        """The entries at these places of two vectors, one after the other."""
        return self.builder.shuffle_vector(first, second, ir.Constant(ir.VectorType(_INT, len(places)), places))

    def spread(self, vector: Any, k: int, part: int) -> Any:
        """Each entry k times: that part of it."""
        return self.shuffled(vector, vector, [(part * self.length + at) // k for at in range(self.length)])

    def turned(self, rows: list[Any]) -> list[Any]:
        """Columns of a table, from its rows, which lie one after the other in as many vectors as there are columns."""
        k, length = len(rows), self.length
        if k % 2 == 0:
            halves = [[self.shuffled(*rows[at : at + 2], [*range(odd, 2 * length, 2)]) for at in range(0, k, 2)] for odd in (0, 1)]
            return [column for pair in zip(*map(self.turned, halves), strict=True) for column in pair]
        columns = []
        for j in range(k):
            places = [row * k + j for row in range(length)]
            column = self.shuffled(rows[0], rows[0], [place % length for place in places])
            for part in range(1, k):
                new = {at: length + place % length for at, place in enumerate(places) if place // length == part}
                column = self.shuffled(column, rows[part], [new.get(at, at) for at in range(length)])
            columns.append(column)
        return columns

    def times_plus(self, left: Any, right: Any, more: Any) -> Any:
        """left * right + more, rounded once where the processor can."""
        kind = ir.FunctionType(self.floats, [self.floats] * 3)
        name = f"llvm.fmuladd.v{self.length}f{8 * self.size}"
        return self.builder.call(cgutils.get_or_insert_function(self.builder.module, kind, name), (left, right, more))


def _best(words: _Words, values: list[Any]) -> tuple[Any, Any, Any]:
    """The best of the offers' values and of nothing, the next, and which is best."""
    k, build = len(values), words.builder
    best, second = (ir.Constant(words.floats, [start] * words.length) for start in (0.0, -np.inf))
    pick = ir.Constant(words.ints, [k] * words.length)
    for j, value in enumerate(words.turned(values)):
        is_best = build.fcmp_ordered(">", value, best)
        lower = build.select(is_best, best, value)
        second = build.select(build.fcmp_ordered(">", lower, second), lower, second)
        best = build.select(is_best, value, best)
        pick = build.select(is_best, ir.Constant(words.ints, [j] * words.length), pick)
    return best, second, pick


def _values(words: _Words, k: int, first: Any, slope: Any, prices: Any, level: Any, gain: Any, cost: Any) -> list[Any]:
    """The values of the offers of a vector of guests, guest after guest, in k vectors; first: where his gains begin."""
    values = []
    for part in range(k):
        inside = ir.Constant(first.type, part * words.length)
        here = words.builder.add(first, inside)
        costs, levels = words.load(cost, here, words.floats), words.load(level, inside, words.floats)
        less = words.times_plus(words.spread(prices, k, part), costs, levels)
        values.append(words.times_plus(slope, words.load(gain, here, words.floats), less))
    return values


@intrinsic  # type: ignore[untyped-decorator]
def _pick(typing, lanes, gain, cost, cells, price, slope, level, near, choice, row, entry, at, place, spare):  # type: ignore[no-untyped-def]
    """Pick for the vector of guests from `at` on.

    To `row` and `entry`, from `place` on, goes where each is added up and which of the vector's gains he picked. Those whose
    best beats the next by at most `near` are added up in row `spare` instead, and have a bit each in what is returned.
    """
    kinds, k = (lanes, gain, cost, cells, price, slope, level, near, choice, row, entry, at, place, spare), len(lanes)

    def generate(context, build, signature, values):  # type: ignore[no-untyped-def]
        words = _Words(context, build, gain.dtype)
        _, *arrays, at, place, spare = zip(kinds, values, strict=True)
        gains, costs, groups, prices, (_, slope), levels, (_, near), choices, rows, entries = arrays
        (_, at), (_, place), (_, spare) = at, place, spare
        paid = words.load(prices, place, words.floats)
        first = build.mul(at, ir.Constant(at.type, k))
        offers = _values(words, k, first, words.same(slope), paid, levels, gains, costs)
        best, second, pick = _best(words, offers)
        read = build.select(build.icmp_signed("<", pick, words.whole(k - 1)), pick, words.whole(k - 1))
        words.store(build.add(read, words.whole(*range(0, k * words.length, k))), entries, place)
        found = build.mul(words.load(groups, at, words.ints), words.whole(k + 1))
        found, bits = build.mul(build.add(found, pick), words.whole(ROW)), ir.Constant(ir.IntType(64), 0)
        if kinds[7] != types.none:
            is_close = build.fcmp_ordered("<=", build.fsub(best, second), words.same(near))
            found = build.select(is_close, words.same(build.trunc(spare, _INT)), found)
            pick = build.select(is_close, words.whole(k), pick)
            words.store(build.trunc(pick, ir.VectorType(ir.IntType(16), words.length)), choices, at)
            bits = build.zext(build.bitcast(is_close, ir.IntType(words.length)), ir.IntType(64))
        words.store(found, rows, place)
        return bits

    return types.int64(*kinds), generate


@intrinsic  # type: ignore[untyped-decorator]
def _add(typing, lanes, gain, cost, row, entry, at, place, sums):  # type: ignore[no-untyped-def]
    """Add to its row of the sums what each guest of a vector picked: gain, cost and one."""
    kinds, k = (lanes, gain, cost, row, entry, at, place, sums), len(lanes)

    def generate(context, build, signature, values):  # type: ignore[no-untyped-def]
        words = _Words(context, build, gain.dtype)
        _, gains, costs, rows, entries, (_, at), (_, place), totals = zip(kinds, values, strict=True)
        element, four = words.floats.element, ir.VectorType(ir.DoubleType(), ROW)
        first = build.mul(at, ir.Constant(at.type, k))
        for guest in range(words.length):
            here = build.add(place, ir.Constant(place.type, guest))
            to, which = (build.zext(words.load(array, here, _INT), at.type) for array in (rows, entries))
            picked = build.add(first, which)
            more = ir.Constant(ir.VectorType(element, ROW), [0.0, 0.0, 1.0, 0.0])
            for resource, array in ((GAIN, gains), (COST, costs)):
                more = build.insert_element(more, words.load(array, picked, element), _INT(resource))
            more = more if element == four.element else build.fpext(more, four)
            words.store(build.fadd(words.load(totals, to, four), more), totals, to)
        return context.get_dummy_value()

    return types.none(*kinds), generate
