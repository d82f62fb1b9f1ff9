"""Pooling: with few data, effects of groups of guests, each drawn towards the average as far as the data ask."""

from dataclasses import dataclass

import lightgbm as lgb
import numpy as np

from regulars.effects.arrays import BoolArray, FloatArray, IntArray, cluster_mean
from regulars.effects.boosting import Pace, evaluate
from regulars.effects.shrinking import shrink
from regulars.effects.study import Study

DRAWS = 3
"""How often guests are split into halves; each split gives two trees, and each part left out its own splits of the rest."""
GROUPS = 8
FEWEST_IN_GROUP = 10
"""A group with fewer rows given the offer, or given nothing, has no say of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """A tree that puts guests into groups, with the shrunken effect of each group."""

    tree: lgb.Booster
    effect: FloatArray

    def predict(self, matrix: FloatArray) -> FloatArray:
        return self.effect[find_groups(self.tree, matrix)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """Effects from many honest groupings (Athey and Imbens 2016), partially pooled (empirical Bayes).

    One half of the guests draws the groups, the other half says what the offer did in them, and the other way round.
    groupings: for each offer, 2 * DRAWS of them, or none if it was never given; they count alike.
    """

    groupings: tuple[tuple[Grouping, ...], ...]

    def effects(self, matrix: FloatArray) -> FloatArray:
        """Effects of every offer, (n, k)."""
        gain = np.zeros((len(matrix), len(self.groupings)))
        for offer, groupings in enumerate(self.groupings):
            if groupings:
                gain[:, offer] = np.mean([grouping.predict(matrix) for grouping in groupings], axis=0)
        return gain


def find_groups(tree: lgb.Booster, matrix: FloatArray) -> IntArray:
    """The leaf of a single tree that each row (n, p) falls in, (n,)."""
    return evaluate(tree, matrix, pred_leaf=True).astype(np.int64).reshape(len(matrix))


def learn_pooled(study: Study, rows: BoolArray) -> Pooled:
    """Pool the scores of the rows marked in a mask (n,)."""
    offers = range(len(study.trial.offers))
    return Pooled(
        groupings=tuple(_groupings(study, offer, rows & study.scores.has_overlap[:, offer]) for offer in offers)
    )


def _groupings(study: Study, offer: int, rows: BoolArray) -> tuple[Grouping, ...]:
    if not (rows & (study.trial.arm == offer + 1)).any():
        return ()
    draw = np.random.default_rng([study.seed, offer])
    guests = int(study.trial.cluster.max()) + 1
    found = []
    for _ in range(DRAWS):
        half = draw.permutation(guests)[study.trial.cluster] < guests // 2
        found += [_grouping(study, offer, rows & divides, rows & ~divides) for divides in (half, ~half)]
    return tuple(found)


def _grouping(study: Study, offer: int, divides: BoolArray, says: BoolArray) -> Grouping:
    """Let the rows in `divides` split the guests into groups, and the rows in `says` tell the effect in each."""
    trial, value = study.trial, study.scores.value[:, offer]
    fewest = max(FEWEST_IN_GROUP, int(divides.sum()) // (2 * GROUPS))
    tree = study.bins.fit(divides, value, Pace.one_tree(leaves=GROUPS, leaf_rows=fewest))
    leaf = find_groups(tree, trial.matrix[says])
    arm, cluster = trial.arm[says], trial.cluster[says]
    estimate, error = np.zeros(GROUPS), np.full(GROUPS, np.inf)
    for group in range(GROUPS):
        rows = leaf == group
        if min((arm[rows] == offer + 1).sum(), (arm[rows] == 0).sum()) >= FEWEST_IN_GROUP:
            codes: IntArray = np.unique(cluster[rows], return_inverse=True)[1]
            estimate[group], error[group] = cluster_mean(value[says][rows], codes)
    if not np.isfinite(error).any():
        estimate[0], error[0] = cluster_mean(value[says], np.unique(cluster, return_inverse=True)[1])
    return Grouping(tree=tree, effect=shrink(estimate, error)[0])
