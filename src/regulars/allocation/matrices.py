"""Matrices: gains and costs of every guest and offer, taken as they are wherever that is possible.

One array of shape (n, k), memory-mapped or not, in either order; or one array for each offer: a tuple of arrays, a mapping
of offers to arrays, an Arrow table. float32 and float64 are read where they lie, all else is copied.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.floating] | tuple[NDArray[np.floating], ...]


def as_matrices(gain: Any, cost: Any) -> tuple[Matrix, Matrix]:
    """Both as matrices of one float type and the same shape: arrays in C order, or tuples of one array for each offer.

    Raises ValueError where shapes do not fit together.
    """
    gains, costs = _as_matrix(gain, "gain"), _as_matrix(cost, "cost")
    if shape_of(gains) != shape_of(costs) or len(shape_of(gains)) != 2:
        raise ValueError(f"gain has shape {shape_of(gains)} and cost {shape_of(costs)}; both are (guests, offers)")
    if not shape_of(gains)[1]:
        raise ValueError("there are no offers; give at least one column of gain and cost")
    if not (_is_by_guest(gains) and _is_by_guest(costs)):
        gains, costs = as_columns(gains), as_columns(costs)
    common = np.result_type(*_parts(gains), *_parts(costs))
    return _as_type(gains, common), _as_type(costs, common)


def shape_of(matrix: Matrix) -> tuple[int, ...]:
    """(n, k)"""
    return (len(matrix[0]), len(matrix)) if isinstance(matrix, tuple) else matrix.shape


def dtype_of(matrix: Matrix) -> np.dtype[np.floating]:
    """The type of float of all its numbers."""
    return _parts(matrix)[0].dtype


def as_columns(matrix: Matrix) -> tuple[NDArray[np.floating], ...]:
    """One view for each offer."""
    return matrix if isinstance(matrix, tuple) else tuple(matrix[:, j] for j in range(matrix.shape[1]))


def as_array(matrix: Matrix) -> NDArray[np.floating]:
    """One array of shape (n, k); a copy where each offer has its own."""
    return np.stack(matrix, axis=1) if isinstance(matrix, tuple) else matrix


def kinds_of(rows: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Which rows are alike: the kind of each, shape (n,), and a row of each kind, shape (kinds, columns)."""
    if not rows.size:
        return np.zeros(len(rows), np.int64), np.ones((1, rows.shape[1]), np.bool_)
    packed = np.packbits(rows, axis=1)
    words = np.pad(packed, ((0, 0), (0, -packed.shape[1] % 8))).view(np.uint64)
    axis = None if words.shape[1] == 1 else 0  # numbers are sorted much faster than rows of them
    _, first, kind = np.unique(words, axis=axis, return_index=True, return_inverse=True)
    return kind.reshape(-1), rows[first]


def _as_matrix(values: Any, what: str) -> Matrix:
    if isinstance(values, Mapping):
        values = tuple(values.values())
    elif hasattr(values, "column_names") and hasattr(values, "columns"):
        values = tuple(values.columns)
    if not (isinstance(values, tuple) and values and all(_is_array(column) for column in values)):
        return _as_floats(np.asarray(values))
    columns = tuple(_as_floats(_from_arrow(column)) for column in values)
    if bad := [at for at, column in enumerate(columns) if column.shape != columns[0].shape or column.ndim != 1]:
        raise ValueError(f"{what} of offer {bad[0]} has shape {columns[bad[0]].shape}, of offer 0 {columns[0].shape}")
    common = np.result_type(*columns)
    return tuple(np.ascontiguousarray(column, dtype=common) for column in columns)


def _is_array(column: Any) -> bool:
    return getattr(column, "ndim", 1) == 1 and (hasattr(column, "dtype") or hasattr(column, "to_numpy"))


def _from_arrow(column: Any) -> Any:
    """An Arrow column of one chunk without copying it; missing values become nan, which is refused later by name."""
    if getattr(column, "num_chunks", 0) == 1:
        column = column.chunk(0)
    return np.asarray(column)


def _as_floats(array: NDArray[Any]) -> NDArray[np.floating]:
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    return array if array.flags.c_contiguous or array.flags.f_contiguous else np.ascontiguousarray(array)


def _is_by_guest(matrix: Matrix) -> bool:
    return not isinstance(matrix, tuple) and matrix.flags.c_contiguous


def _parts(matrix: Matrix) -> tuple[NDArray[np.floating], ...]:
    return matrix if isinstance(matrix, tuple) else (matrix,)


def _as_type(matrix: Matrix, dtype: Any) -> Matrix:
    if isinstance(matrix, tuple):
        return tuple(column.astype(dtype, copy=False) for column in matrix)
    return matrix.astype(dtype, copy=False)
