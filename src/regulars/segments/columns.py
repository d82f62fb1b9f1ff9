"""Columns: the facts of frames of every kind, as expressions that mean the same on each of them.

Frames differ in what is nothing (NaN or null), in what becomes of a sum beyond 63 bits, and in what they compare. Here NaN is a
missing fact, arithmetic is done in double precision, and columns of plain Python objects are given the type of what they hold.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import narwhals as nw
import pyarrow as pa
from narwhals.typing import IntoFrame, IntoFrameT

from regulars.errors import DataError
from regulars.profiles import BIRTHDAY, COLUMNS

Known = IntoFrame | nw.DataFrame[Any] | nw.LazyFrame[Any] | Mapping[str, str] | Collection[str]
"""What facts there are: a profile frame, kinds by name, or bare names (whose kinds are then not checked)."""

_PLAIN = {"integer": "number"}
_HALF = 2**32


class Columns:
    """Facts as narwhals expressions. schema: of the frame they are of; None where it is not known yet.

    is_careful: the frame may refuse to cast whole numbers beyond 53 bits, as Arrow does.
    """

    def __init__(self, schema: Mapping[str, nw.dtypes.DType] | None = None, *, is_careful: bool = False) -> None:
        self._schema, self._is_careful = schema or {}, is_careful

    def is_whole(self, name: str) -> bool | None:
        return self._schema[name].is_integer() if name in self._schema else None

    def fact(self, name: str) -> nw.Expr:
        column, kind = nw.col(name), self._schema.get(name)
        if kind is None:
            return column
        if kind in (nw.Categorical, nw.Enum):
            return column.cast(nw.String)
        if kind.is_numeric() and not kind.is_integer():
            return self.known(column.cast(nw.Float64))
        return column

    def double(self, name: str) -> nw.Expr:
        """A number as arithmetic takes it; put together of two halves where it cannot be cast at once."""
        column = nw.col(name)
        if not (self._is_careful and self._schema.get(name) in (nw.Int64, nw.UInt64)):
            return column.cast(nw.Float64)
        high = column // _HALF
        return high.cast(nw.Float64) * float(_HALF) + (column - high * _HALF).cast(nw.Float64)

    def known(self, number: nw.Expr) -> nw.Expr:
        return nw.when(~number.is_nan()).then(number)

    def every(self, conditions: Sequence[nw.Expr]) -> nw.Expr:
        return nw.all_horizontal(*conditions, ignore_nulls=False)

    def either(self, conditions: Sequence[nw.Expr]) -> nw.Expr:
        return nw.any_horizontal(*conditions, ignore_nulls=False)

    def unless_zero(self, value: nw.Expr) -> nw.Expr:
        return nw.when(value != 0).then(value)


def columns_of(known: Known | None) -> tuple[Columns, dict[str, str], bool]:
    """The facts there are, the kind of each ("" if it cannot be told), and whether these are all."""
    if known is None:
        return Columns(), {column.name: _PLAIN.get(column.kind, column.kind) for column in (*COLUMNS, BIRTHDAY)}, False
    if isinstance(known, Mapping):
        return Columns(), {name: _PLAIN.get(kind, kind) for name, kind in known.items()}, True
    if isinstance(known, (list, tuple, set, frozenset)):
        return Columns(), dict.fromkeys(known, ""), True
    frame = frame_of(known)
    schema = frame.collect_schema()
    kinds = {name: _kind_of_column(dtype) for name, dtype in schema.items()}
    is_careful = frame.implementation.is_pyarrow() or frame.implementation.is_pandas_like()
    return Columns(schema, is_careful=is_careful), kinds, True


def frame_of(frame: Any) -> nw.DataFrame[Any] | nw.LazyFrame[Any]:
    """Any frame, a narwhals one included, as a narwhals frame."""
    return nw.from_native(frame)  # type: ignore[no-any-return]


def typed(frame: Any, names: Collection[str]) -> nw.DataFrame[Any] | nw.LazyFrame[Any]:
    """The same rows, whose columns of Python objects among `names` have the type of what they hold.

    Raises DataError for a column that holds things of several kinds.
    """
    known = frame_of(frame)
    if not known.implementation.is_pandas_like():
        return known
    pandas, native = nw.get_native_namespace(known), nw.to_native(known).copy(deep=False)
    for name in sorted(set(names) & set(known.columns)):
        if native[name].dtype != object or (known[name].dtype == nw.String and not native[name].isna().all()):
            continue
        values = _alike(native[name], name)
        native[name] = pandas.Series(pandas.array(values, dtype=pandas.ArrowDtype(values.type)), index=native.index)
    return frame_of(native)


def rows_where(frame: Any, known: nw.DataFrame[Any] | nw.LazyFrame[Any], condition: nw.Expr) -> Any:
    """The rows of a frame, as they were brought, that meet a condition on the same rows `typed`."""
    brought = frame_of(frame)
    if isinstance(known, nw.LazyFrame) or known.schema == brought.collect_schema():
        return brought.filter(condition)
    return brought.filter(known.select(met=condition)["met"].to_list())


def as_brought(frame: nw.DataFrame[Any] | nw.LazyFrame[Any], *, like: IntoFrameT) -> IntoFrameT:
    """A result as the kind of frame the caller brought."""
    if isinstance(like, (nw.DataFrame, nw.LazyFrame)):
        return frame  # type: ignore[return-value]
    return frame.to_native()  # type: ignore[no-any-return]


def _alike(values: Any, name: str) -> pa.Array:
    try:
        return pa.array(values, from_pandas=True)
    except pa.ArrowInvalid as error:
        raise DataError(f"column {name} holds things of several kinds: {error}; give it one kind") from None


def _kind_of_column(dtype: nw.dtypes.DType) -> str:
    if dtype.is_numeric():
        return "number"
    if isinstance(dtype, nw.Datetime):
        return "time" if dtype.time_zone is None else "zoned time"
    if dtype == nw.Date:
        return "date"
    if dtype == nw.Boolean:
        return "boolean"
    return "text" if dtype in (nw.String, nw.Categorical, nw.Enum) else ""
