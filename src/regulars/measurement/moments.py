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

    A covariance comes out of variances, cov(x, y) = (var(x + y) - var(x) - var(y)) / 2, because every engine has a stable
    one-pass variance and not every engine has a covariance.
    frame: one row a guest (or a cluster); arm: the column with the label.

    Raises DataError if a needed column has missing values.
    """
    values = {f"x{place}": nw.col(name).cast(nw.Float64) for place, name in enumerate(needs.columns)}
    for left, right in sorted(needs.pairs):
        places = needs.columns.index(left), needs.columns.index(right)
        values["x{}x{}".format(*places)] = nw.col(left).cast(nw.Float64) + nw.col(right).cast(nw.Float64)
    statistics = [nw.len().alias(_ROWS), *(nw.col(name).var().alias(f"var_{name}") for name in values)]
    for place in range(len(needs.columns)):
        statistics += [
            nw.col(f"x{place}").mean().alias(f"mean_x{place}"),
            nw.col(f"x{place}").count().alias(f"count_x{place}"),
        ]
    rows = nw.from_native(frame).lazy().select(nw.col(arm).alias(_ARM), **values)
    answer = rows.group_by(_ARM).agg(*statistics).collect()
    return {row[_ARM]: _from_row(row, needs) for row in answer.rows(named=True)}


def _from_row(row: Mapping[str, float], needs: Needs) -> Moments:
    n, size = int(row[_ROWS]), len(needs.columns)
    covariance = np.full((size, size), np.nan)
    for place, name in enumerate(needs.columns):
        if (missing := n - int(row[f"count_x{place}"])) > 0:
            raise DataError(
                f"arm {row[_ARM]!r}, column {name}: {missing} of {n} rows have no value; give 0 to a guest who did not come"
            )
        covariance[place, place] = row[f"var_x{place}"] if n > 1 else np.nan
    for pair in needs.pairs:
        left, right = (needs.columns.index(name) for name in pair)
        both = row[f"var_x{left}x{right}"] if n > 1 else np.nan
        covariance[left, right] = covariance[right, left] = (
            both - covariance[left, left] - covariance[right, right]
        ) / 2
    return Moments(
        columns=needs.columns,
        n=n,
        mean=np.array([row[f"mean_x{place}"] for place in range(size)], dtype=np.float64),
        scatter=covariance * (n - 1),
    )
