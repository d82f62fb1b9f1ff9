"""Intrinsics: LLVM instructions on vectors of one type of float, for what compilers do not find in loops."""

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types

BYTES = 64
INT, LONG = ir.IntType(32), ir.IntType(64)

Typed = tuple[Any, Any]
"""A type of numba and a value of LLVM that has it."""

declare: Any = cgutils.get_or_insert_function


class Simd:
    """LLVM instructions on vectors of one type of float; arrays come with their types."""

    def __init__(self, context: Any, build: Any, dtype: Any) -> None:
        self.context, self.build = context, build
        self.size = dtype.bitwidth // 8
        self.length = BYTES // self.size
        self.floats = ir.VectorType(ir.FloatType() if dtype == types.float32 else ir.DoubleType(), self.length)
        self.ints = ir.VectorType(INT, self.length)

    def pointer(self, array: Typed, index: Any, of: Any) -> Any:
        """Where one value, or several, begin in an array."""
        kind, value = array
        data = self.context.make_array(kind)(self.context, self.build, value).data
        return self.build.bitcast(self.build.gep(data, [index]), of.as_pointer())

    def load(self, array: Typed, index: Any, of: Any) -> Any:
        loaded = self.build.load(self.pointer(array, index, of))
        loaded.align = array[0].dtype.bitwidth // 8
        return loaded

    def store(self, value: Any, array: Typed, index: Any) -> None:
        self.build.store(value, self.pointer(array, index, value.type)).align = array[0].dtype.bitwidth // 8

    def parts(self, whole: Typed) -> list[Typed]:
        """The parts of a tuple."""
        kind, value = whole
        return [(part, self.build.extract_value(value, at)) for at, part in enumerate(kind)]

    def whole(self, *values: int) -> Any:
        """A vector of whole numbers: of one, or of as many as it is long."""
        return ir.Constant(self.ints, list(values) * (1 if len(values) > 1 else self.length))

    def same(self, value: Any) -> Any:
        """A vector of one value."""
        empty = ir.Constant(ir.VectorType(value.type, self.length), ir.Undefined)
        one = self.build.insert_element(empty, value, INT(0))
        return self.shuffled(one, one, [0] * self.length)

    def shuffled(self, first: Any, second: Any, places: list[int]) -> Any:
        """The entries at these places of two vectors, one after the other."""
        return self.build.shuffle_vector(first, second, ir.Constant(ir.VectorType(INT, len(places)), places))

    def spread(self, vector: Any, k: int, part: int) -> Any:
        """Each entry k times: that part of it."""
        return self.shuffled(vector, vector, [(part * self.length + at) // k for at in range(self.length)])

    def turned(self, rows: list[Any]) -> list[Any]:
        """Columns of a table, from its rows, which lie one after the other in as many vectors as there are columns."""
        k, length = len(rows), self.length
        if k % 2 == 0:
            by_two = [rows[at : at + 2] for at in range(0, k, 2)]
            halves = [[self.shuffled(two[0], two[1], [*range(odd, 2 * length, 2)]) for two in by_two] for odd in (0, 1)]
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
        return self.build.call(declare(self.build.module, kind, name), (left, right, more))
