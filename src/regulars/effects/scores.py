"""Doubly robust scores: one noisy, unbiased effect per row and offer, from which everything else is averaged."""

from dataclasses import dataclass

import numpy as np

from regulars.effects.arrays import BoolArray, FloatArray
from regulars.effects.nuisance import Nuisance
from regulars.effects.trial import Trial

REACH = 20
"""A row has overlap for an arm if it was at least 1 / 20 as likely to get it as the average row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Scores of n rows and k offers against nothing.

    value: (n, k), unit of the outcome; 0 where there is no overlap.
    has_overlap: (n, k) whether both the offer and nothing were possible for the row.
    offer_weight, nothing_weight: (n, k) inverse propensities of rows in the arm, 0 for others; mean 1 over rows with overlap.
    """

    value: FloatArray
    has_overlap: BoolArray
    offer_weight: FloatArray
    nothing_weight: FloatArray


def score(trial: Trial, nuisance: Nuisance) -> Scores:
    """Augmented inverse propensity scores (Robins, Rotnitzky and Zhao 1994) for every offer against nothing.

    With estimated propensities rows without overlap are set aside (Crump, Hotz, Imbens and Mitnik 2009); with logged
    ones only those for which one of the two arms was impossible.
    """
    possible = _possible(trial, nuisance.propensity)
    has_overlap = possible[:, 1:] & possible[:, :1]
    inverse = np.divide(1.0, nuisance.propensity, out=np.zeros_like(nuisance.propensity), where=trial.given & possible)
    offer_weight = _normalised(inverse[:, 1:], has_overlap)
    nothing_weight = _normalised(inverse[:, :1], has_overlap)
    residual = trial.outcome[:, None] - nuisance.expected
    value = nuisance.expected[:, 1:] - nuisance.expected[:, :1]
    value += offer_weight * residual[:, 1:] - nothing_weight * residual[:, :1]
    return Scores(
        value=np.where(has_overlap, value, 0.0),
        has_overlap=has_overlap,
        offer_weight=offer_weight,
        nothing_weight=nothing_weight,
    )


def _possible(trial: Trial, propensity: FloatArray) -> BoolArray:
    if trial.propensity is not None:
        return np.isnan(propensity) | (propensity > 0)
    least: FloatArray = trial.given.mean(axis=0) / REACH
    return np.greater_equal(propensity, least)


def _normalised(inverse: FloatArray, has_overlap: BoolArray) -> FloatArray:
    """Weights with mean 1 over rows with overlap (Hajek), which spares the variance of the sum of weights."""
    weight = np.where(has_overlap, inverse, 0.0)
    total = weight.sum(axis=0)
    scale = np.divide(has_overlap.sum(axis=0), total, out=np.zeros_like(total), where=total > 0)
    normalised: FloatArray = weight * scale
    return normalised
