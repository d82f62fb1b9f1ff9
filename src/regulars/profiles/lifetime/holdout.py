"""The holdout check: what was predicted against what came."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from regulars.errors import DataError


class HoldoutTenth(NamedTuple):
    """A tenth of the guests by what was predicted of them, the highest first: mean visits predicted and made."""

    guests: int
    predicted: float
    actual: float


class HoldoutCheck(NamedTuple):
    """Totals over all guests, `ratio` of predicted to actual (infinite if nobody came), and the tenths."""

    predicted: float
    actual: float
    ratio: float
    tenths: tuple[HoldoutTenth, ...]


def holdout_check(predicted: ArrayLike, actual: ArrayLike) -> HoldoutCheck:
    """Compare the visits predicted of each guest, shape (n,), with those they made in the period held out, shape (n,).

    >>> holdout_check([2.0, 1.0], [3, 0]).ratio
    1.0
    """
    expected, came = np.asarray(predicted, dtype=np.float64), np.asarray(actual, dtype=np.float64)
    if expected.shape != came.shape or expected.ndim != 1 or not expected.size:
        raise DataError(f"predicted has shape {expected.shape}, actual {came.shape}; give one of each for every guest")
    order = np.argsort(-expected, kind="stable")
    tenths = tuple(
        HoldoutTenth(part.size, float(expected[part].mean()), float(came[part].mean()))
        for part in np.array_split(order, 10)
        if part.size
    )
    total, made = float(expected.sum()), float(came.sum())
    return HoldoutCheck(total, made, total / made if made else float("inf"), tenths)
