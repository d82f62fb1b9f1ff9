"""The study: a trial with everything a learner may use."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from regulars.effects.arrays import IntArray, as_codes
from regulars.effects.boosting import Bins
from regulars.effects.nuisance import Nuisance, bin_design, estimate_nuisance
from regulars.effects.scores import Scores, score
from regulars.effects.trial import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A trial, its cross-fitted models, its doubly robust scores and its binned features.

    design: features and the arm as columns, binned.
    """

    trial: Trial
    nuisance: Nuisance
    scores: Scores
    bins: Bins
    design: Bins
    seed: int
    _made: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, trial: Trial, *, seed: int) -> Self:
        """Estimate what effects are measured against, and score every row."""
        design = bin_design(trial, seed=seed)
        nuisance = estimate_nuisance(trial, design, seed=seed)
        bins = Bins.of(trial.matrix, trial.columns.categorical, seed=seed)
        return cls(trial=trial, nuisance=nuisance, scores=score(trial, nuisance), bins=bins, design=design, seed=seed)

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """What `make` gives, made the first time that it is asked for by this key: learners share what they build on."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def sample(self, rows: int) -> Self:
        """The study of some of the guests, drawn so that they have about so many rows."""
        guests = int(self.trial.cluster.max()) + 1
        order = np.random.default_rng(self.seed).permutation(guests)[self.trial.cluster]
        kept = np.flatnonzero(order < guests * rows / self.trial.rows)
        trial, scores = _rows_of_trial(self.trial, kept), self.scores
        return replace(
            self,
            trial=trial,
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
            bins=Bins.of(trial.matrix, trial.columns.categorical, seed=self.seed),
            design=bin_design(trial, seed=self.seed),
            _made={},
        )


def _rows_of_trial(trial: Trial, kept: IntArray) -> Trial:
    return replace(
        trial,
        matrix=trial.matrix[kept],
        arm=trial.arm[kept],
        outcome=trial.outcome[kept],
        cost=None if trial.cost is None else trial.cost[kept],
        propensity=None if trial.propensity is None else trial.propensity[kept],
        cluster=as_codes(trial.cluster[kept]),
    )
