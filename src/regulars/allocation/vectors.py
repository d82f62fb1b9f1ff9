"""Vectors: the passes over guests, many guests at a time, where prices are simple.

Mostly they are: gain counts the same everywhere, what an offer takes is cost, priced by the cell of the guest, or pieces,
priced by the offer. The value of an offer is then

    slope * gain + price[cell] * cost + level[offer]

Gains and costs that lie guest after guest are valued in that order, a vector after the other; only the values are turned
into a vector for each offer, by k - 1 shuffles. Where each offer has an array of its own nothing needs to be turned. Compilers
do not find this in loops, so it is written in LLVM's instructions, which know vectors of any length: a processor without vectors of
512 bits takes several instructions for one.

What is picked is added up guest by guest, in float64: one row of gain, cost and one for each cell and offer. Values are as
precise as the gains are (see Passes.rounding). Guests too few for a vector, at the end, are left to `kernels`.
"""

from typing import Any, NamedTuple

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from regulars.allocation.intrinsics import BYTES, INT, LONG, Simd, Typed
from regulars.allocation.problem import COST, GAIN, ONE, Offered, Table

BLOCK = 32
ROW, MOST_ROWS = 4, 1 << 28
unsigned = np.uint64

in_llvm: Any = intrinsic


class Simple(NamedTuple):
    """Simple prices, in the type of the gains. price: shape (cells,); level: that of each offer, once for each guest in a vector."""

    slope: Any
    price: Any
    level: Any


def fits(offered: Offered, cells: int, offers: int) -> bool:
    """Whether numbers lie one after the other, each guest has one cell, and nothing but gain, cost and pieces is counted."""
    arrays = [array for part in offered[:2] for array in (part if isinstance(part, tuple) else (part,))]
    lies_well = all(array.flags.c_contiguous for array in arrays)
    return lies_well and offered.extra is None and offered.cells.ndim == 1 and cells * (offers + 1) < MOST_ROWS


def simplify(weights: Table, dtype: type[np.floating[Any]]) -> Simple | None:
    """The simple prices behind weights of shape (cells, k, 3), None where there are none.

    In single precision nothing may be paid for taking something: only then is a value wrong by no more than a part of the gain.
    """
    slope, price, level = weights[0, 0, GAIN], weights[:, 0, COST], weights[0, :, ONE]
    is_simple = (
        (weights[..., GAIN] == slope).all()
        and (weights[..., COST] == price[:, None]).all()
        and (weights[..., ONE] == level).all()
        and np.abs(weights).max() < np.finfo(dtype).max
        and (dtype == np.float64 or (slope >= 0 and (price <= 0).all() and (level <= 0).all()))
    )
    if not is_simple:
        return None
    return Simple(dtype(slope), price.astype(dtype), np.tile(level.astype(dtype), BYTES // np.dtype(dtype).itemsize))


class Block(NamedTuple):
    """What is kept of a block of guests between picking and adding up.

    price: of each guest. row: of the sums, where what they picked is to be added up; spare: the one that does not count.
    entry, won: what they picked: where it lies among the numbers of its vector, or its gain and cost.
    """

    price: Any
    row: Any
    entry: Any
    won: Any
    spare: Any


@numba.njit(cache=True, nogil=True)
def sweep(
    offered: Offered, simple: Simple, lanes: Any, aside: Any, start: int, stop: int, sums: Any
) -> tuple[int, int]:
    """As `kernels.choose`, or as `kernels.respond` where `aside` is None.

    Returns the first guest that is left over, and how many are listed as close.
    """
    width, spare = BYTES // simple.price.itemsize, sums.shape[0] * sums.shape[1]
    end, listed, rows = start + (stop - start) // width * width, 0, _aligned(spare + 1)
    block = Block(
        np.empty(BLOCK, simple.price.dtype), np.empty(BLOCK, np.int32), np.empty(BLOCK, np.int32),
        np.empty((2, BLOCK), simple.price.dtype), spare * ROW,
    )  # fmt: skip
    for first in range(start, end, BLOCK):
        last = min(first + BLOCK, end)
        for at in range(first, last):
            block.price[unsigned(at - first)] = simple.price[unsigned(offered.cells[unsigned(at)])]
        for at in range(first, last, width):
            bits = _pick(lanes, offered, simple, aside, block, at, at - first)
            if aside is not None:
                listed = _list(bits, at, aside.close, listed)
        for at in range(first, last, width):
            _add(lanes, offered, block, at, at - first, rows)
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


def _values_of_rows(
    simd: Simd, k: int, matrices: list[Typed], at: Any, slope: Any, price: Any, level: Typed
) -> list[Any]:
    """The values of each offer for a vector of guests, from gains that lie guest after guest."""
    gain, cost = matrices
    first, values = simd.build.mul(at, ir.Constant(at.type, k)), []
    for part in range(k):
        inside = ir.Constant(first.type, part * simd.length)
        here = simd.build.add(first, inside)
        costs, levels = simd.load(cost, here, simd.floats), simd.load(level, inside, simd.floats)
        less = simd.times_plus(simd.spread(price, k, part), costs, levels)
        values.append(simd.times_plus(slope, simd.load(gain, here, simd.floats), less))
    return simd.turned(values)


def _values_of_columns(
    simd: Simd, k: int, matrices: list[Typed], at: Any, slope: Any, price: Any, level: Typed
) -> list[Any]:
    """As `_values_of_rows`, where each offer has an array of its own."""
    values = []
    for j, gains, costs in zip(range(k), *map(simd.parts, matrices), strict=True):
        levels = simd.same(simd.load(level, ir.Constant(at.type, j), simd.floats.element))
        less = simd.times_plus(price, simd.load(costs, at, simd.floats), levels)
        values.append(simd.times_plus(slope, simd.load(gains, at, simd.floats), less))
    return values


def _best(simd: Simd, values: list[Any]) -> tuple[Any, Any, Any]:
    """The best of the offers' values and of nothing, the next, and which is best."""
    build = simd.build
    best, second = (ir.Constant(simd.floats, [start] * simd.length) for start in (0.0, -np.inf))
    pick = simd.whole(len(values))
    for j, value in enumerate(values):
        is_best = build.fcmp_ordered(">", value, best)
        lower = build.select(is_best, best, value)
        second = build.select(build.fcmp_ordered(">", lower, second), lower, second)
        best = build.select(is_best, value, best)
        pick = build.select(is_best, simd.whole(j), pick)
    return best, second, pick


def _keep(simd: Simd, k: int, matrices: list[Typed], at: Any, pick: Any, entry: Typed, won: Typed, place: Any) -> None:
    """Keep where what is picked lies among the numbers of these guests, or itself where each offer has an array of its own."""
    build = simd.build
    if _is_rows(matrices[GAIN]):
        read = build.select(build.icmp_signed("<", pick, simd.whole(k - 1)), pick, simd.whole(k - 1))
        simd.store(build.add(read, simd.whole(*range(0, k * simd.length, k))), entry, place)
        return
    for resource, matrix in enumerate(matrices):
        found, *others = [simd.load(column, at, simd.floats) for column in simd.parts(matrix)]
        for j, other in enumerate(others, start=1):
            found = build.select(build.icmp_signed("==", pick, simd.whole(j)), other, found)
        simd.store(found, won, build.add(place, ir.Constant(place.type, resource * BLOCK)))


def _kept(simd: Simd, matrices: list[Typed], first: Any, entry: Typed, won: Typed, place: Any) -> list[Any]:
    """Gain and cost of what one guest picked; first: where those of their vector begin."""
    build, one = simd.build, simd.floats.element
    if _is_rows(matrices[GAIN]):
        at = build.add(first, build.zext(simd.load(entry, place, INT), first.type))
        return [simd.load(matrix, at, one) for matrix in matrices]
    return [simd.load(won, build.add(place, ir.Constant(place.type, at * BLOCK)), one) for at in range(len(matrices))]


def _is_rows(matrix: Typed) -> bool:
    return isinstance(matrix[0], types.Array)


@in_llvm
def _pick(typing, lanes, offered, simple, aside, block, at, place):  # type: ignore[no-untyped-def]
    """Pick for the vector of guests from `at` on, and keep what for `_add`, from `place` on.

    Those who are to be set aside are to be added up in the spare row, and have a bit each in what is returned.
    """
    kinds, k = (lanes, offered, simple, aside, block, at, place), len(lanes)

    def generate(context, build, signature, values):  # type: ignore[no-untyped-def]
        simd = Simd(context, build, simple.types[1].dtype)
        _, given, prices, kept_back, kept, (_, here), (_, to) = zip(kinds, values, strict=True)
        *matrices, _, groups = simd.parts(given)
        slope, _, level = simd.parts(prices)
        paid, rows, entries, won, (_, spare) = simd.parts(kept)
        value = _values_of_rows if _is_rows(matrices[GAIN]) else _values_of_columns
        price = simd.load(paid, to, simd.floats)
        best, second, pick = _best(simd, value(simd, k, matrices, here, simd.same(slope[1]), price, level))
        _keep(simd, k, matrices, here, pick, entries, won, to)
        found = build.add(build.mul(simd.load(groups, here, simd.ints), simd.whole(k + 1)), pick)
        found, bits = build.mul(found, simd.whole(ROW)), ir.Constant(LONG, 0)
        if aside != types.none:
            (_, near), choices, _ = simd.parts(kept_back)
            is_close = build.fcmp_ordered("<=", build.fsub(best, second), simd.same(near))
            found = build.select(is_close, simd.same(build.trunc(spare, INT)), found)
            pick = build.select(is_close, simd.whole(k), pick)
            simd.store(build.trunc(pick, ir.VectorType(ir.IntType(16), simd.length)), choices, here)
            bits = build.zext(build.bitcast(is_close, ir.IntType(simd.length)), LONG)
        simd.store(found, rows, to)
        return bits

    return types.int64(*kinds), generate


@in_llvm
def _add(typing, lanes, offered, block, at, place, sums):  # type: ignore[no-untyped-def]
    """Add to its row of the sums what each guest of a vector picked: gain, cost and one."""
    kinds, k = (lanes, offered, block, at, place, sums), len(lanes)

    def generate(context, build, signature, values):  # type: ignore[no-untyped-def]
        simd = Simd(context, build, block.types[0].dtype)
        _, given, kept, (_, here), (_, of), totals = zip(kinds, values, strict=True)
        matrices, (_, rows, entries, won, _) = simd.parts(given)[:2], simd.parts(kept)
        one, four = simd.floats.element, ir.VectorType(ir.DoubleType(), ROW)
        first = build.mul(here, ir.Constant(here.type, k))
        for guest in range(simd.length):
            place = build.add(of, ir.Constant(of.type, guest))
            to = build.zext(simd.load(rows, place, INT), place.type)
            more = ir.Constant(ir.VectorType(one, ROW), [0.0, 0.0, 1.0, 0.0])
            for resource, value in enumerate(_kept(simd, matrices, first, entries, won, place)):
                more = build.insert_element(more, value, INT(resource))
            more = more if one == four.element else build.fpext(more, four)
            simd.store(build.fadd(simd.load(totals, to, four), more), totals, to)
        return context.get_dummy_value()

    return types.none(*kinds), generate
