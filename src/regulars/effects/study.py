"""The study: a trial with everything a learner may use."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from regulars.effects.arrays import as_codes
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

    def sample(self, rows: int) -> Self:
        """The study of some of the guests, drawn so that they have about so many rows."""
        guests = int(self.trial.cluster.max()) + 1
        order = np.random.default_rng(self.seed).permutation(guests)[self.trial.cluster]
        kept = np.flatnonzero(order < guests * rows / self.trial.rows)
        trial, scores = self.trial, self.scores
        cost = None if trial.cost is None else trial.cost[kept]
        propensity = None if trial.propensity is None else trial.propensity[kept]
        matrix = trial.matrix[kept]
        return replace(
            self,
            trial=replace(
                trial,
                matrix=matrix,
                arm=trial.arm[kept],
                outcome=trial.outcome[kept],
                cost=cost,
                propensity=propensity,
                cluster=as_codes(trial.cluster[kept]),
            ),
            nuisance=replace(
                self.nuisance,
                expected=self.nuisance.expected[kept],
                propensity=self.nuisance.propensity[kept],
                fold=self.nuisance.fold[kept],
            ),
            scores=replace(
                scores,
                value=scores.value[kept],
                has_overlap=scores.has_overlap[kept],
                offer_weight=scores.offer_weight[kept],
                nothing_weight=scores.nothing_weight[kept],
            ),
            bins=Bins.of(matrix, trial.columns.categorical, seed=self.seed),
        )
