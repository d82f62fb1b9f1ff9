"""The study: a trial with everything a learner may use."""

from dataclasses import dataclass
from typing import Self

from regulars.effects.boosting import Bins
from regulars.effects.nuisance import Nuisance, estimate_nuisance
from regulars.effects.scores import Scores, score
from regulars.effects.trial import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A trial, its cross-fitted models, its doubly robust scores and its binned features."""

    trial: Trial
    nuisance: Nuisance
    scores: Scores
    bins: Bins
    seed: int

    @classmethod
    def of(cls, trial: Trial, *, seed: int) -> Self:
        """Estimate what effects are measured against, and score every row."""
        nuisance = estimate_nuisance(trial, seed=seed)
        bins = Bins.of(trial.matrix, trial.columns.categorical, seed=seed)
        return cls(trial=trial, nuisance=nuisance, scores=score(trial, nuisance), bins=bins, seed=seed)
