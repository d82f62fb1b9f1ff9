"""What goes in comes out: one lazy form for every kind of frame a caller may bring."""

import functools
import threading
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import narwhals as nw
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
