"""Columns: a caller's arrays as named columns, with the metric that reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import narwhals as nw
import numpy as np
from narwhals.typing import IntoFrame
from numpy.typing import ArrayLike

from regulars.measurement.guests import LabelArray, as_amounts
from regulars.measurement.metrics import Average, Metric
from regulars.measurement.moments import FloatArray

OUTCOME, DENOMINATOR, GUESTS, STRADDLES = "outcome", "denominator", "guests", "straddles"
_FIRST, _LAST = "first arm", "last arm"


def as_columns(
    outcome: FloatArray, covariate: ArrayLike | None, denominator: ArrayLike | None
) -> tuple[dict[str, FloatArray], Metric]:
    """Columns of shape (n,) and the metric over them; outcomes that are only 0 and 1 are a share.

    covariate: shape (n,) or (n, p), or a frame, whose names they keep.
    """
    columns = {OUTCOME: outcome}
    before: list[str] = []
    if covariate is not None:
        for name, values in _named(covariate).items():
            before.append(name)
            columns[name] = as_amounts(values, name, len(outcome))
    metric = Metric.mean(OUTCOME, *before)
    if denominator is None:
        return columns, replace(metric, is_share=bool(np.isin(outcome, (0.0, 1.0)).all()))
    columns[DENOMINATOR] = as_amounts(denominator, DENOMINATOR, len(outcome))
    return columns, replace(metric, average=Average(numerator=OUTCOME, denominator=DENOMINATOR))


def _named(covariate: Any) -> dict[str, ArrayLike]:
    """Covariates by the names of their frame; numbered where they are arrays."""
    if isinstance(covariate, Mapping):
        return {f"covariate {name}": values for name, values in covariate.items()}
    if hasattr(covariate, "columns") or hasattr(covariate, "column_names"):
        frame = nw.from_native(covariate, eager_only=True)
        return {f"covariate {name}": frame[name].to_numpy() for name in frame.columns}
    known = covariate if np.ma.isMaskedArray(covariate) else np.asarray(covariate)
    return {f"covariate {place}": values for place, values in enumerate(known.T if known.ndim == 2 else [covariate])}


def cluster_sums(columns: Mapping[str, FloatArray], cluster: LabelArray) -> dict[str, FloatArray]:
    """One row for each cluster, in the order of their names: sums, and its number of guests, which goes below every line."""
    _, position = np.unique(cluster, return_inverse=True)
    sums = {name: np.bincount(position, weights=values).astype(np.float64) for name, values in columns.items()}
    return sums | {GUESTS: np.bincount(position).astype(np.float64)}


def first_in_each(cluster: LabelArray, labels: LabelArray) -> LabelArray:
    """The label of each cluster, in the order of their names."""
    _, first = np.unique(cluster, return_index=True)
    return labels[first]


def cluster_rows(frame: IntoFrame, cluster: str, columns: Sequence[str], arm: str) -> Any:
    """The same for a frame: one row for each cluster, with its sums, its guests, and whether it straddles two arms.

    Nothing is computed yet; the caller's kind of frame comes back.
    """
    label = nw.col(arm)
    rows = (
        nw.from_native(frame)
        .lazy()
        .group_by(cluster)
        .agg(
            *(nw.col(name).sum() for name in columns),
            nw.len().alias(GUESTS),
            label.min().alias(_FIRST),
            label.max().alias(_LAST),
        )
        .with_columns(nw.col(_FIRST).alias(arm), (nw.col(_FIRST) != nw.col(_LAST)).cast(nw.Float64).alias(STRADDLES))
    )
    return rows.to_native()
