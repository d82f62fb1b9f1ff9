"""What an effect is measured against: expected outcomes and propensities, each row's from models that never saw its guest."""

from dataclasses import dataclass

import numpy as np
from sklearn.isotonic import IsotonicRegression

from regulars.effects.arrays import FloatArray, IntArray
from regulars.effects.boosting import Bins, Pace, evaluate
from regulars.effects.trial import Trial

FOLDS = 5
OUTCOME_PACE = Pace(rounds=100, learning_rate=0.2, leaves=15, leaf_rows=20)
PROPENSITY_PACE = Pace(rounds=200, learning_rate=0.1, leaves=8, leaf_rows=50)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nuisance:
    """Cross-fitted models of a trial (Chernozhukov et al. 2018, section 3.1).

    expected: the outcome expected under each arm, (n, k + 1).
    propensity: the probability of each arm, (n, k + 1); NaN where it was logged for the arm taken only.
    fold: (n,) the part each row was predicted in; a guest is in one part.
    """

    expected: FloatArray
    propensity: FloatArray
    fold: IntArray


def deal_folds(trial: Trial, *, seed: int) -> IntArray:
    """Deal guests into parts at random, so that each part has its share of every arm."""
    guests = int(trial.cluster.max()) + 1
    rarest = np.argsort(np.argsort(-trial.given.sum(axis=0)))
    kind = np.zeros(guests, dtype=np.int64)
    np.maximum.at(kind, trial.cluster, rarest[trial.arm])
    order = np.lexsort((np.random.default_rng(seed).random(guests), kind))
    fold = np.empty(guests, dtype=np.int64)
    fold[order] = np.arange(guests) % min(FOLDS, guests)
    return fold[trial.cluster]


def bin_design(trial: Trial, *, seed: int) -> Bins:
    """The features of a trial and, as a column each, its offers, binned: for models of all arms at once."""
    return Bins.of(np.column_stack([trial.matrix, trial.given[:, 1:]]), trial.columns.categorical, seed=seed)


def estimate_nuisance(trial: Trial, design: Bins, *, seed: int) -> Nuisance:
    """Cross-fit the outcome, and the propensities unless they were logged; design: as `bin_design` makes it."""
    fold = deal_folds(trial, seed=seed)
    propensity = trial.propensity
    if propensity is None:
        propensity = estimate_propensity(trial, fold, seed=seed)
    return Nuisance(expected=_expected_outcome(trial, design, fold), propensity=propensity, fold=fold)


def _expected_outcome(trial: Trial, design: Bins, fold: IntArray) -> FloatArray:
    """One model for all arms, which are columns of it, so that an offer seen rarely leans on the others."""
    arms = len(trial.offers) + 1
    expected = np.empty((trial.rows, arms))
    for part, model in design.cross_fit(fold, trial.outcome, OUTCOME_PACE):
        asked = design.matrix[part]
        for arm in range(arms):
            asked[:, trial.matrix.shape[1] :] = np.arange(1, arms) == arm
            expected[part, arm] = evaluate(model, asked)
    return expected


def estimate_propensity(trial: Trial, fold: IntArray, *, seed: int) -> FloatArray:
    """Probability of each arm given the features, cross-fitted and calibrated, shape (n, k + 1).

    The calibration is isotonic, arm by arm (van der Laan, Lin, Carone and Luedtke 2024): where nobody like this was
    ever given the arm it says 0, so that the row counts as without overlap instead of getting an extreme weight.
    """
    arms = len(trial.offers) + 1
    bins = Bins.of(trial.matrix, trial.columns.categorical, seed=seed)
    raw = np.empty((trial.rows, arms))
    target = trial.arm.astype(np.float64)
    for part, model in bins.cross_fit(fold, target, PROPENSITY_PACE, objective="multiclass", classes=arms):
        raw[part] = evaluate(model, trial.matrix[part])
    isotonic = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip")
    return np.column_stack([isotonic.fit_transform(raw[:, arm], trial.given[:, arm]) for arm in range(arms)])
