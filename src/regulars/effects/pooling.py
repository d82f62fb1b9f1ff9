"""Pooling: with few data, effects of groups of guests, each drawn towards the average as far as the data ask."""

from dataclasses import dataclass
from typing import Self

import lightgbm as lgb
import numpy as np

from regulars.effects.arrays import BoolArray, FloatArray, IntArray, cluster_mean
from regulars.effects.boosting import Pace, evaluate
from regulars.effects.study import Study

DRAWS = 10
"""How often guests are split into halves; each split gives two trees."""
QUICK_DRAWS = 3
"""The same where a model is only asked how well it does on guests it has not seen."""
GROUPS = 8
FEWEST_IN_GROUP = 10
"""A group with fewer rows given the offer, or given nothing, has no say of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """A tree that puts guests into groups, with the shrunken effect of each group and its variance."""

    tree: lgb.Booster
    effect: FloatArray
    variance: FloatArray

    def predict(self, matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
        leaf = evaluate(self.tree, matrix, pred_leaf=True).astype(np.int64).reshape(len(matrix))
        return self.effect[leaf], self.variance[leaf]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """Effects from many honest groupings (Athey and Imbens 2016), partially pooled (empirical Bayes).

    One half of the guests draws the groups, the other half says what the offer did in them, and the other way round.
    groupings: for each offer, 2 * DRAWS of them; shift: (k,) what makes the predictions average to the average effect.
    """

    groupings: tuple[tuple[Grouping, ...], ...]
    shift: FloatArray

    @classmethod
    def fit(cls, study: Study, average: FloatArray) -> Self:
        """Pool the scores of each offer around its average effect; average: (k,)."""
        raw = learn_pooled(study, np.ones(study.trial.rows, dtype=bool), draws=DRAWS)
        gain, overlap = raw.effects(study.trial.matrix), study.scores.has_overlap
        mean = (gain * overlap).sum(axis=0) / np.maximum(overlap.sum(axis=0), 1)
        return cls(groupings=raw.groupings, shift=average - mean)

    def effects(self, matrix: FloatArray) -> FloatArray:
        """Effects of every offer, (n, k)."""
        return self.predict(matrix)[0]

    def predict(self, matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Gain and its variance, (n, k) each; groupings count as equally likely."""
        gain = np.zeros((len(matrix), len(self.groupings)))
        variance = np.zeros_like(gain)
        for offer, groupings in enumerate(self.groupings):
            if not groupings:
                continue
            effects, variances = zip(*(grouping.predict(matrix) for grouping in groupings), strict=True)
            gain[:, offer] = np.mean(effects, axis=0) + self.shift[offer]
            variance[:, offer] = np.mean(variances, axis=0) + np.var(effects, axis=0)
        return gain, variance


def learn_pooled(study: Study, rows: BoolArray, *, draws: int = QUICK_DRAWS) -> Pooled:
    """Pool the scores of the rows marked in a mask (n,)."""
    offers = range(len(study.trial.offers))
    groupings = tuple(_groupings(study, offer, rows & study.scores.has_overlap[:, offer], draws) for offer in offers)
    return Pooled(groupings=groupings, shift=np.zeros(len(groupings)))


def _groupings(study: Study, offer: int, rows: BoolArray, draws: int) -> tuple[Grouping, ...]:
    if not (rows & (study.trial.arm == offer + 1)).any():
        return ()
    draw = np.random.default_rng([study.seed, offer])
    guests = int(study.trial.cluster.max()) + 1
    found = []
    for _ in range(draws):
        half = draw.permutation(guests)[study.trial.cluster] < guests // 2
        found += [_grouping(study, offer, rows & divides, rows & ~divides) for divides in (half, ~half)]
    return tuple(found)


def _grouping(study: Study, offer: int, divides: BoolArray, says: BoolArray) -> Grouping:
    """Let the rows in `divides` split the guests into groups, and the rows in `says` tell the effect in each."""
    trial, value = study.trial, study.scores.value[:, offer]
    fewest = max(FEWEST_IN_GROUP, int(divides.sum()) // (2 * GROUPS))
    tree = study.bins.fit(divides, value, Pace.one_tree(leaves=GROUPS, leaf_rows=fewest))
    leaf = evaluate(tree, trial.matrix[says], pred_leaf=True).astype(np.int64).reshape(-1)
    arm, cluster = trial.arm[says], trial.cluster[says]
    estimate, error = np.zeros(GROUPS), np.full(GROUPS, np.inf)
    for group in range(GROUPS):
        rows = leaf == group
        if min((arm[rows] == offer + 1).sum(), (arm[rows] == 0).sum()) >= FEWEST_IN_GROUP:
            codes: IntArray = np.unique(cluster[rows], return_inverse=True)[1]
            estimate[group], error[group] = cluster_mean(value[says][rows], codes)
    if not np.isfinite(error).any():
        estimate[0], error[0] = cluster_mean(value[says], np.unique(cluster, return_inverse=True)[1])
    effect, variance = shrink(estimate, error)
    return Grouping(tree=tree, effect=effect, variance=variance)


def shrink(estimate: FloatArray, error: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Posterior mean and variance of effects that vary normally around a common one, as far as the data say.

    estimate, error: (groups,) with standard errors, infinite where a group has no say; at least one is finite.
    Gelman et al. (2013), section 5.4: flat priors on the common effect and on the spread, summed over a grid of spreads.
    """
    precise = np.isfinite(error)
    error = np.maximum(error, np.finfo(np.float64).eps * max(np.abs(estimate).max(), 1.0))
    widest = 2 * np.ptp(estimate[precise]) + 4 * error[precise].min()
    spread = np.linspace(0, widest, 101)[:, None]
    weight = np.where(precise, 1 / (error**2 + spread**2), 0.0)
    common_variance = 1 / weight.sum(axis=1, keepdims=True)
    common = common_variance * (weight * estimate).sum(axis=1, keepdims=True)
    log_weight = np.log(weight, out=np.zeros_like(weight), where=precise)
    log_posterior = 0.5 * (np.log(common_variance[:, 0]) + (log_weight - weight * (estimate - common) ** 2).sum(axis=1))
    posterior = np.exp(log_posterior - log_posterior.max())[:, None]
    posterior /= posterior.sum()
    trust = np.where(precise, spread**2 / (error**2 + spread**2), 0.0)
    mean = common + trust * (estimate - common)
    within = (1 - trust) * spread**2 + (1 - trust) ** 2 * common_variance
    overall = (posterior * mean).sum(axis=0)
    return overall, (posterior * (within + (mean - overall) ** 2)).sum(axis=0)
