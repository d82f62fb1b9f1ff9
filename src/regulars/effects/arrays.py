"""The arrays of this room, and means of rows that belong together."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


def cluster_totals(values: FloatArray, cluster: IntArray) -> FloatArray:
    """Sum the rows of `values` (n, ...) within each cluster; clusters are codes 0, 1, ... without a gap."""
    if len(cluster) == int(cluster.max(initial=-1)) + 1:  # every row is a cluster of its own
        totals = np.empty_like(values)
        totals[cluster] = values
        return totals
    order = np.argsort(cluster, kind="stable")
    starts = np.flatnonzero(np.diff(cluster[order], prepend=-1))
    return np.add.reduceat(values[order], starts, axis=0)


def cluster_mean(values: FloatArray, cluster: IntArray) -> tuple[FloatArray, FloatArray]:
    """Mean of the rows of `values` (n, ...) and its cluster-robust standard error, each of shape (...).

    Liang and Zeger (1986): the sandwich of the sample mean, with the C / (C - 1) correction for C clusters.
    One cluster alone cannot tell how clusters differ: its error is infinite.
    """
    mean = values.mean(axis=0)
    totals = cluster_totals(values - mean, cluster)
    clusters = len(totals)
    if clusters < 2:
        return mean, np.full_like(mean, np.inf)
    return mean, np.sqrt((totals**2).sum(axis=0) * clusters / (clusters - 1)) / len(values)


def as_codes(labels: npt.NDArray[np.generic]) -> IntArray:
    """Number labels 0, 1, ... in their sorted order."""
    codes: IntArray = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    return codes
