"""Dispersion: how far what a guest brings strays from what was expected of them."""

from dataclasses import dataclass
from typing import Self

import lightgbm as lgb
import numpy as np

from regulars.effects.arrays import FloatArray
from regulars.effects.boosting import Pace, evaluate
from regulars.effects.study import Study

LEAST = 0.1
"""Nobody strays less than this share of what all do."""

ENOUGH = 20_000
"""It is learned from about so many rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispersion:
    """The standard deviation of what a guest brings, by a boosted model of distances (Davidian and Carroll 1987).

    scale: from a distance to a standard deviation; least: below which nobody's is put.
    """

    model: lgb.Booster
    scale: float
    least: float

    @classmethod
    def of(cls, study: Study) -> Self:
        """Learn from the distances between outcomes and what was expected of rows that were held out."""
        trial = study.trial
        distance = np.abs(trial.outcome - study.nuisance.expected[np.arange(trial.rows), trial.arm])
        rows = np.random.default_rng(study.seed).random(trial.rows) < ENOUGH / trial.rows
        pace = Pace(rounds=10, learning_rate=0.3, leaves=8, leaf_rows=max(20, int(rows.sum()) // 100))
        model = study.bins.fit(rows, distance, pace)
        overall, found = np.sqrt((distance**2).mean()), np.sqrt((evaluate(model, trial.matrix) ** 2).mean())
        least = max(LEAST * overall, np.finfo(np.float64).eps * np.abs(trial.outcome).max())
        return cls(model=model, least=float(least), scale=float(overall / found) if found > 0 else 0.0)

    def predict(self, matrix: FloatArray) -> FloatArray:
        """Standard deviations of guests with features (n, p), shape (n,); above 0."""
        found = self.scale * evaluate(self.model, matrix)
        return np.maximum(found, self.least)
