"""Columns: from the caller's own frame to a matrix, the same way at every call."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import narwhals as nw
import numpy as np
import pyarrow as pa

from regulars.effects.arrays import FloatArray
from regulars.errors import DataError

MOST_CATEGORIES = 100
"""Rarer categories than the 100 most frequent are treated like a missing value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The feature columns a model has learned, and the categories each of them had.

    A category becomes its place in `categories`; one that was not there becomes NaN, as a missing value does.
    """

    names: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]

    @classmethod
    def learn(cls, features: Any) -> Self:
        """Take names and categories from a frame (pandas, Polars, Arrow), a dict of columns or a 2-d array.

        Raises DataError for a column that is neither numbers nor categories, and when there is no column at all.
        """
        frame = as_frame(features)
        if not frame.columns:
            raise DataError("features have no column; give at least one, a constant will do")
        categories = {
            name: _categories(frame[name]) for name, kind in frame.schema.items() if not _is_number(name, kind)
        }
        return cls(names=tuple(frame.columns), categories=categories)

    @property
    def categorical(self) -> list[int]:
        """Places of the columns that hold categories."""
        return [place for place, name in enumerate(self.names) if name in self.categories]

    def matrix(self, features: Any) -> FloatArray:
        """The columns as floats, shape (n, p); NaN is missing.

        Raises DataError for a column that is missing or infinite.
        """
        frame = as_frame(features)
        present = set(frame.columns)
        if missing := [name for name in self.names if name not in present]:
            raise DataError(f"features lack the column {_quoted(missing)}; the model was fitted with it")
        matrix = np.empty((len(frame), len(self.names)), order="F")
        for place, name in enumerate(self.names):
            matrix[:, place] = self._column(frame[name])
        self._refuse_infinite(matrix)
        return matrix

    def only(self, places: Iterable[int]) -> Self:
        """The same, of some columns."""
        names = tuple(self.names[place] for place in places)
        return type(self)(
            names=names, categories={name: kinds for name, kinds in self.categories.items() if name in names}
        )

    def words(self, place: int, value: float) -> str:
        """A value of a column as a reader knows it."""
        if np.isnan(value):
            return "not known"
        if (known := self.categories.get(self.names[place])) is not None:
            return known[int(value)]
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"

    def _column(self, series: nw.Series[Any]) -> FloatArray:
        known = self.categories.get(series.name)
        if known is None:
            return np.asarray(series.cast(nw.Float64).to_numpy(), dtype=np.float64)
        if not known:
            return np.full(len(series), np.nan)
        places = [float(place) for place in range(len(known))]
        codes = series.cast(nw.String).replace_strict(known, places, default=None, return_dtype=nw.Float64)
        return np.asarray(codes.to_numpy(), dtype=np.float64)

    def _refuse_infinite(self, matrix: FloatArray) -> None:
        infinite = np.isinf(matrix).any(axis=0)
        if infinite.any():
            place = int(np.argmax(infinite))
            row = int(np.argmax(np.isinf(matrix[:, place])))
            raise DataError(f"features row {row}, column {self.names[place]!r}: infinite; leave it empty if unknown")


def as_frame(features: Any) -> nw.DataFrame[Any]:
    """Read any eager or lazy frame that narwhals knows, or a dict of columns; columns of a 2-d array are named x0, x1, ...

    Raises DataError for a repeated column name and for anything else that is no table.
    """
    if isinstance(features, np.ndarray | list | tuple):
        return _array_frame(np.asarray(features))
    if isinstance(features, Mapping):
        return _mapping_frame(features)
    if hasattr(features, "__arrow_c_array__"):
        features = pa.table(features)
    try:
        frame = nw.from_native(features)
    except TypeError as error:
        raise DataError(f"features are {type(features).__name__}; give a frame or an array (n, columns)") from error
    except nw.exceptions.DuplicateError as error:
        raise DataError(f"features have two columns of one name: {error}") from error
    return frame.collect() if isinstance(frame, nw.LazyFrame) else frame


def _mapping_frame(features: Mapping[str, Any]) -> nw.DataFrame[Any]:
    try:
        return nw.from_native(pa.table(dict(features)), eager_only=True)
    except pa.ArrowException as error:
        raise DataError(f"features are no table: {error}") from error


def _array_frame(array: np.ndarray[Any, Any]) -> nw.DataFrame[Any]:
    if array.ndim != 2:
        raise DataError(f"features have the shape {array.shape}; expected (n, columns)")
    try:
        numbers = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError("features are an array of mixed kinds; give a frame with named columns instead") from error
    table = pa.table({f"x{place}": column for place, column in enumerate(numbers.T)})
    return nw.from_native(table, eager_only=True)


def _is_number(name: str, kind: Any) -> bool:
    """Whether a column holds numbers; False for categories.

    Raises DataError for anything else, such as a date.
    """
    if kind.is_numeric() or kind == nw.Boolean:
        return True
    if kind in (nw.String, nw.Categorical, nw.Enum, nw.Object):
        return False
    raise DataError(f"features column {name!r} is {kind}; turn it into a number, such as days before the campaign")


def _categories(series: nw.Series[Any]) -> tuple[str, ...]:
    counted = series.cast(nw.String).drop_nulls().value_counts(sort=True, name="rows")
    pairs = zip(counted[series.name].to_list(), counted["rows"].to_list(), strict=True)
    ranked = sorted(pairs, key=lambda pair: (-pair[1], pair[0]))
    return tuple(category for category, _ in ranked[:MOST_CATEGORIES])


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)
