"""Learners: ways from a trial to the effect of each offer on each guest, all on the same folds and bins.

s    one model of the outcome in which offers are columns; effect = difference of its predictions
t    one model of the outcome for each arm
x    models of the effect imputed from the other arm's model (Kunzel, Sekhon, Bickel and Yu 2019)
dr   a model of the doubly robust score (Kennedy 2023)
"""

from dataclasses import dataclass, replace

import lightgbm as lgb
import numpy as np

from regulars.effects.arrays import BoolArray, FloatArray
from regulars.effects.boosting import Pace, evaluate
from regulars.effects.study import Study
from regulars.effects.trial import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class OneModel:
    """The S-learner: a model of the outcome in which every offer is a column."""

    model: lgb.Booster
    offers: int

    def effects(self, matrix: FloatArray) -> FloatArray:
        asked = np.column_stack([matrix, np.zeros((len(matrix), self.offers))])
        nothing = evaluate(self.model, asked)
        found = np.empty((len(matrix), self.offers))
        for offer in range(self.offers):
            asked[:, matrix.shape[1] :] = np.arange(self.offers) == offer
            found[:, offer] = evaluate(self.model, asked) - nothing
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPerArm:
    """The T-learner: a model of the outcome for each arm, nothing first."""

    models: tuple[lgb.Booster, ...]

    def effects(self, matrix: FloatArray) -> FloatArray:
        nothing, *offers = (evaluate(model, matrix) for model in self.models)
        return np.column_stack([offer - nothing for offer in offers])


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPerOffer:
    """The DR-learner, and each half of the X-learner: a model of the effect of each offer."""

    models: tuple[lgb.Booster, ...]

    def effects(self, matrix: FloatArray) -> FloatArray:
        return np.column_stack([evaluate(model, matrix) for model in self.models])


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossModels:
    """The X-learner: two models of each effect, weighted by how many rows taught them; weight: (k,) of the first."""

    from_given: ModelPerOffer
    from_nothing: ModelPerOffer
    weight: FloatArray

    def effects(self, matrix: FloatArray) -> FloatArray:
        first, second = self.from_given.effects(matrix), self.from_nothing.effects(matrix)
        return self.weight * first + (1 - self.weight) * second


def learn_s(study: Study, rows: BoolArray) -> OneModel:
    """Boost one model of the outcome."""
    model = study.design.fit(rows, study.trial.outcome, _outcome_pace(rows))
    return OneModel(model=model, offers=len(study.trial.offers))


def learn_t(study: Study, rows: BoolArray) -> ModelPerArm:
    """Boost a model of the outcome for each arm."""
    arms = range(len(study.trial.offers) + 1)
    models = study.once(("t", rows.tobytes()), lambda: tuple(_arm_model(study, rows, arm) for arm in arms))
    return ModelPerArm(models=models)


def learn_x(study: Study, rows: BoolArray) -> CrossModels:
    """Impute each row's effect from the other arm's model, and boost models of it."""
    trial, bins = study.trial, study.bins
    without, *offered = learn_t(study, rows).models
    nothing = rows & (trial.arm == 0)
    from_given, from_nothing, weight = [], [], []
    for arm, model in enumerate(offered, start=1):
        given = rows & (trial.arm == arm)
        from_given.append(bins.fit(given, _less(trial, without, given), _effect_pace(given)))
        from_nothing.append(bins.fit(nothing, -_less(trial, model, nothing), _effect_pace(nothing)))
        weight.append(nothing.sum() / (nothing.sum() + given.sum()))
    return CrossModels(
        from_given=ModelPerOffer(models=tuple(from_given)),
        from_nothing=ModelPerOffer(models=tuple(from_nothing)),
        weight=1 - np.array(weight),
    )


def learn_dr(study: Study, rows: BoolArray) -> ModelPerOffer:
    """Boost a model of the doubly robust score of each offer, on rows that got it or nothing.

    Weighted by their inverse propensities these rows are a trial with an even lot, whose score is the expected difference
    and twice what the model of the outcome missed. Rows with other offers would add but that model to it.
    """
    trial, scores, expected = study.trial, study.scores, study.nuisance.expected
    missed = trial.outcome - expected[np.arange(trial.rows), trial.arm]
    models = []
    for offer in range(len(trial.offers)):
        weight = scores.offer_weight[:, offer] + scores.nothing_weight[:, offer]
        usable = rows & (weight > 0)
        sign = np.where(trial.arm == 0, -1.0, 1.0)
        target = expected[:, offer + 1] - expected[:, 0] + 2 * sign * missed
        models.append(study.bins.fit(usable, target, _score_pace(usable), weight=weight))
    return ModelPerOffer(models=tuple(models))


def _less(trial: Trial, model: lgb.Booster, rows: BoolArray) -> FloatArray:
    """Outcomes less what a model expects, (n,), for the rows in a mask; 0 for others."""
    found = np.zeros(trial.rows)
    found[rows] = trial.outcome[rows] - evaluate(model, trial.matrix[rows])
    return found


def _arm_model(study: Study, rows: BoolArray, arm: int) -> lgb.Booster:
    taught = rows & (study.trial.arm == arm)
    return study.bins.fit(taught, study.trial.outcome, _outcome_pace(taught))


def _outcome_pace(rows: BoolArray) -> Pace:
    return Pace(rounds=60, learning_rate=0.06, leaves=8, leaf_rows=int(np.clip(rows.sum() // 100, 10, 1000)))


def _effect_pace(rows: BoolArray) -> Pace:
    """Smaller trees: effects are faint beside the noise of their scores, and a calibration on held-out guests follows."""
    return Pace(rounds=60, learning_rate=0.06, leaves=4, leaf_rows=int(np.clip(rows.sum() // 300, 10, 1000)))


def _score_pace(rows: BoolArray) -> Pace:
    """The same in two thirds of the steps, each half as long again: scores are noisier than imputed effects."""
    return replace(_effect_pace(rows), rounds=40, learning_rate=0.09)
