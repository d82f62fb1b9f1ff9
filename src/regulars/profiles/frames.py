"""What goes in comes out: one lazy form for every kind of frame a caller may bring."""

import copy
import functools
import threading
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar, cast

import narwhals as nw
import pyarrow as pa
from narwhals.typing import IntoFrame, IntoFrameT

from regulars.errors import DataError

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")
_one_at_a_time = threading.RLock()


def in_turn(work: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """Let threads that bring pandas or Arrow frames wait for each other: they share the one connection `opened` uses."""

    @functools.wraps(work)
    def waiting(*args: _Given.args, **options: _Given.kwargs) -> _Result:
        if not any(_is_handed_over(value) for value in (*args, *options.values())):
            return work(*args, **options)
        with _one_at_a_time:
            return work(*args, **options)

    return waiting


def _is_handed_over(value: Any) -> bool:
    known = nw.from_native(value, pass_through=True)
    return isinstance(known, nw.DataFrame) and not known.implementation.is_polars()


def checked(
    frame: IntoFrame, *, needs: tuple[str, ...], name: str = "profiles"
) -> nw.DataFrame[Any] | nw.LazyFrame[Any]:
    """The frame as narwhals knows it. Raises DataError if a column it needs is missing."""
    known = nw.from_native(frame)
    if missing := [column for column in needs if column not in known.collect_schema()]:
        raise DataError(f"{name}: no column {', '.join(missing)}; add it or rename the one that holds it")
    return known


def opened(frame: IntoFrame, *, needs: tuple[str, ...] = (), name: str = "frame") -> nw.LazyFrame[Any]:
    """The frame as a lazy one on an engine with exact medians and windows.

    DuckDB relations, Spark and Polars frames stay where they are. pandas and Arrow tables know neither windows over a
    partition nor an exact median of a group, so they are handed to the engine this package ships with; whoever calls
    this runs `in_turn`.
    Raises DataError if a column it needs is missing.
    """
    known = checked(frame, needs=needs, name=name)
    if isinstance(known, nw.LazyFrame):
        return known
    return known.lazy() if known.implementation.is_polars() else known.lazy("duckdb")


def handed_back(frame: nw.LazyFrame[Any], *, like: IntoFrameT) -> IntoFrameT:
    """A lazy result as the kind of frame the caller brought."""
    brought: IntoFrame = like
    known = nw.from_native(brought)
    result = frame if isinstance(known, nw.LazyFrame) else frame.collect(known.implementation)
    return result.to_native()  # type: ignore[no-any-return]


def settled(frame: nw.LazyFrame[Any], *, like: IntoFrame) -> nw.LazyFrame[Any]:
    """A small result that several steps need, worked out once where that is possible.

    A database of the caller's own takes back no table of ours, so there it stays a query.
    """
    known = nw.from_native(like)
    if known.implementation.is_polars():
        return frame.collect("polars").lazy()
    return frame if isinstance(known, nw.LazyFrame) else frame.collect("pyarrow").lazy("duckdb")


def of_all(frame: nw.LazyFrame[Any], value: nw.Expr) -> nw.Expr:
    """One number about all rows, beside each of them.

    Worked out at once on Spark, which would else draw all rows to one executor to put it there.
    """
    if not frame.implementation.is_spark_like():
        return value
    return nw.lit(frame.select(value).collect("pyarrow").item())


def arrow_of(frame: nw.DataFrame[Any] | nw.LazyFrame[Any]) -> pa.Table:
    """The rows of a frame as Arrow, fetched at once."""
    eager = frame.collect("pyarrow") if isinstance(frame, nw.LazyFrame) else frame
    return cast("pa.Table", eager.to_arrow())


def with_numbers(
    frame: IntoFrameT, work: Callable[[pa.Table], dict[str, pa.Array]], *, needs: tuple[str, ...]
) -> IntoFrameT:
    """The frame with float columns that `work` makes of its rows; of `needs` it looks at those there are.

    On Spark it runs on the executors, batch by batch, when the result is asked for; elsewhere at once, on all rows.
    """
    brought: IntoFrame = frame
    known = nw.from_native(brought)
    if isinstance(known, nw.LazyFrame) and known.implementation.is_spark_like():
        return cast("IntoFrameT", _on_executors(known.to_native(), work, needs))
    return returned(_with_columns(arrow_of(known), work), like=frame)


def returned(table: pa.Table, *, like: IntoFrameT) -> IntoFrameT:
    """Rows made in this process, as the kind of frame the caller brought."""
    brought: IntoFrame = like
    known = nw.from_native(brought)
    if isinstance(known, nw.DataFrame):
        return cast("IntoFrameT", nw.from_arrow(table, backend=known.implementation).to_native())
    if known.implementation.is_spark_like():
        native: Any = known.to_native()
        return cast("IntoFrameT", native.sparkSession.createDataFrame(table))
    if known.implementation.is_polars():
        return cast("IntoFrameT", nw.from_arrow(table, backend="polars").lazy().to_native())
    return cast("IntoFrameT", nw.from_native(table, eager_only=True).lazy("duckdb").to_native())


def _on_executors(native: Any, work: Callable[[pa.Table], dict[str, pa.Array]], needs: tuple[str, ...]) -> Any:
    def mapped(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return (part for batch in batches for part in _with_columns(pa.table(batch), work).to_batches())

    schema = copy.deepcopy(native.schema)  # `add` changes it in place
    for name in work(pa.table({name: pa.array([], pa.int64()) for name in needs})):
        schema = schema.add(name, "double")
    return native.mapInArrow(mapped, schema)


def _with_columns(table: pa.Table, work: Callable[[pa.Table], dict[str, pa.Array]]) -> pa.Table:
    for name, numbers in work(table).items():
        table = table.append_column(name, numbers)
    return table
