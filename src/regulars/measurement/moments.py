"""Moments: all that a comparison of averages ever needs to know about its rows.

An arm is reduced to its size, the means of some columns and the scatter about them. After that no row is seen again, and
two days, two stores or two machines are put together with `+`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import narwhals as nw
import numpy as np
from narwhals.typing import IntoFrame
from numpy.typing import ArrayLike, NDArray

from regulars.errors import DataError

FloatArray = NDArray[np.float64]
Label = str | int | bool

_ARM, _ROWS = "arm", "rows"
_TOO_FLAT = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Columns whose mean and variance, and pairs whose covariance, have to be read; needs merge with `|`.

    >>> (Needs.of("spend", "before") | Needs.of("spend", "orders")).columns
    ('before', 'orders', 'spend')
    """

    columns: tuple[str, ...]
    pairs: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, *columns: str) -> Needs:
        """Every column, and every pair of them."""
        names = tuple(sorted(set(columns)))
        return cls(columns=names, pairs=frozenset((a, b) for a in names for b in names if a < b))

    def __or__(self, other: Needs) -> Needs:
        return Needs(
            columns=tuple(sorted({*self.columns, *other.columns})),
            pairs=self.pairs | other.pairs,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moments:
    """Size, means and scatter of some columns.

    columns: their names, c of them.
    n: rows.
    mean: shape (c,).
    scatter: sums of products about the mean, shape (c, c); nan where a pair was not read.
    """

    columns: tuple[str, ...]
    n: int
    mean: FloatArray
    scatter: FloatArray

    @classmethod
    def of(cls, columns: Mapping[str, ArrayLike]) -> Moments:
        """The moments of arrays of one length.

        >>> Moments.of({"spend": [1, 2, 6]}).mean
        array([3.])
        """
        table = np.column_stack([np.asarray(values, dtype=np.float64) for values in columns.values()])
        mean = table.mean(axis=0)
        centred = table - mean
        return cls(columns=tuple(columns), n=len(table), mean=mean, scatter=centred.T @ centred)

    def __add__(self, other: Moments) -> Moments:
        """The moments of both samples together (Chan, Golub and LeVeque 1983, equation 2.1)."""
        if self.columns != other.columns:
            raise ValueError(f"moments of {self.columns} and of {other.columns} cannot be added")
        n = self.n + other.n
        apart = other.mean - self.mean
        return Moments(
            columns=self.columns,
            n=n,
            mean=self.mean + apart * other.n / n,
            scatter=self.scatter + other.scatter + np.outer(apart, apart) * self.n * other.n / n,
        )

    def without(self, row: FloatArray) -> Moments:
        """The moments after one row, shape (c,), has left."""
        apart = row - self.mean
        rest = self.n - 1
        return Moments(
            columns=self.columns,
            n=rest,
            mean=self.mean - apart / rest,
            scatter=self.scatter - np.outer(apart, apart) * self.n / rest,
        )

    def with_sum(self, name: str, parts: Sequence[str]) -> Moments:
        """One column more: the sum of some, as if it had been there when the rows were read."""
        recipe = np.vstack([np.eye(len(self.columns)), [float(column in parts) for column in self.columns]])
        return Moments(
            columns=(*self.columns, name),
            n=self.n,
            mean=recipe @ self.mean,
            scatter=recipe @ self.scatter @ recipe.T,
        )

    def total(self, column: str) -> float:
        """The sum of a column over all rows."""
        return float(self.mean[self.place(column)]) * self.n

    @property
    def covariance(self) -> FloatArray:
        """Sample covariances, shape (c, c)."""
        return self.scatter / (self.n - 1)

    @property
    def lost_digits(self) -> bool:
        """Whether a column's spread is so small beside its mean that sums about 0 cannot hold it."""
        return bool((np.diag(self.scatter) < _TOO_FLAT * self.n * self.mean**2).any())

    def place(self, column: str) -> int:
        return self.columns.index(column)


def pooled(moments: Iterable[Moments]) -> Moments:
    """All of them as one sample."""
    return reduce(Moments.__add__, moments)


def moments_by_arm(columns: Mapping[str, ArrayLike], arm: ArrayLike) -> dict[Label, Moments]:
    """The moments of each arm; `arm` is the label of each row, shape (n,)."""
    labels, position = np.unique(np.asarray(arm), return_inverse=True)
    order = np.argsort(position, kind="stable")
    ends = np.cumsum(np.bincount(position, minlength=len(labels)))
    arrays = {name: np.asarray(values, dtype=np.float64)[order] for name, values in columns.items()}
    return {
        label: Moments.of({name: values[start:end] for name, values in arrays.items()})
        for label, start, end in zip(labels.tolist(), [0, *ends[:-1]], ends, strict=True)
    }


def read_moments(frame: IntoFrame, needs: Needs, *, arm: str = "arm") -> dict[Label, Moments]:
    """The moments of each arm in one query, whatever the frame is (DuckDB, Spark, Polars, pandas, Arrow).

    Plain sums of products are by far the fastest an engine can do. Where they lose digits, because a column lies far from 0 for
    its spread, a second query sums about the means that the first one found.
    frame: one row a guest (or a cluster); arm: the column with the label.

    Raises DataError if a needed column is not there, or has missing or endless values.
    """
    moments = _read_about(np.zeros(len(needs.columns)), frame, needs, arm)
    if any(part.lost_digits for part in moments.values()):
        moments = _read_about(pooled(moments.values()).mean, frame, needs, arm)
    return moments


def _read_about(centre: FloatArray, frame: IntoFrame, needs: Needs, arm: str) -> dict[Label, Moments]:
    source = nw.from_native(frame).lazy()
    there = source.collect_schema().names()
    if absent := [name for name in (arm, *needs.columns) if name not in there]:
        raise DataError(f"the frame has no column {absent[0]!r}; it has {', '.join(there)}")
    columns = [nw.col(name).cast(nw.Float64) for name in needs.columns]
    if centre.any():
        columns = [column - about for column, about in zip(columns, centre.tolist(), strict=True)]
    values = {f"x{place}": column for place, column in enumerate(columns)}
    for left, right in _places(needs):
        values[f"x{left}x{right}"] = columns[left] * columns[right]
    statistics = [nw.len().alias(_ROWS), *(nw.col(name).sum().alias(f"sum_{name}") for name in values)]
    statistics += [nw.col(f"x{place}").count().alias(f"count_x{place}") for place in range(len(columns))]
    rows = source.select(nw.col(arm).alias(_ARM), **values)
    answer = rows.group_by(_ARM).agg(*statistics).collect()
    return {row[_ARM]: _from_sums(row, needs, centre) for row in answer.rows(named=True)}


def _from_sums(row: Mapping[str, float], needs: Needs, centre: FloatArray) -> Moments:
    n, size = int(row[_ROWS]), len(needs.columns)
    for place, name in enumerate(needs.columns):
        missing = n - int(row[f"count_x{place}"])
        if missing or not np.isfinite(row[f"sum_x{place}"]):
            what = f"{missing} of {n} rows have no value" if missing else "a value is nan or endless"
            raise DataError(f"arm {row[_ARM]!r}, column {name}: {what}; give 0 to a guest who did not come")
    apart = np.array([row[f"sum_x{place}"] for place in range(size)], dtype=np.float64) / n
    scatter = np.full((size, size), np.nan)
    for left, right in _places(needs):
        scatter[left, right] = scatter[right, left] = row[f"sum_x{left}x{right}"] - n * apart[left] * apart[right]
    np.fill_diagonal(scatter, np.maximum(np.diag(scatter), 0.0))
    return Moments(columns=needs.columns, n=n, mean=centre + apart, scatter=scatter)


def _places(needs: Needs) -> list[tuple[int, int]]:
    """Every column with itself, and the pairs."""
    place = {name: number for number, name in enumerate(needs.columns)}
    return [(number, number) for number in place.values()] + sorted((place[a], place[b]) for a, b in needs.pairs)
