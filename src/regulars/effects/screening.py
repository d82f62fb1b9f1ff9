"""Screening: of very many columns, those that have to do with the outcome or with who was chosen."""

import numpy as np

from regulars.effects.arrays import BoolArray, FloatArray, IntArray

WIDEST = 500
"""More numeric columns than this are screened."""


def screen(matrix: FloatArray, targets: FloatArray, exempt: list[int]) -> IntArray:
    """Places of the columns to keep, in order: those exempt, and the 500 most correlated with any target.

    matrix: (n, p); targets: (n, t), the outcome and the arms. Double selection (Belloni, Chernozhukov and Hansen 2014):
    a column that tells only who was chosen is kept as well, otherwise it would confound unseen.
    """
    columns = matrix.shape[1]
    if columns - len(exempt) <= WIDEST:
        return np.arange(columns)
    association = np.abs(_standardised(targets).T @ _standardised(matrix)).max(axis=0)
    association[exempt] = np.inf
    return np.sort(np.argsort(-association, kind="stable")[: WIDEST + len(exempt)])


def _standardised(values: FloatArray) -> FloatArray:
    known: BoolArray = ~np.isnan(values)
    count = np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, values - np.where(known, values, 0).sum(axis=0) / count, 0.0)
    spread = np.sqrt((centred**2).sum(axis=0))
    standardised: FloatArray = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0)
    return standardised
