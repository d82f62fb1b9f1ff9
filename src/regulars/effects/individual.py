"""Individual effects: a learner's ranking, drawn to what held-out guests support, with the error it showed on them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from regulars.effects.arrays import BoolArray, FloatArray, IntArray, as_codes, cluster_totals
from regulars.effects.boosting import Pace, parts, side_by_side
from regulars.effects.heterogeneity import Heterogeneity, drawn_slopes, measure_heterogeneity
from regulars.effects.learners import learn_dr, learn_s, learn_t, learn_x
from regulars.effects.pooling import find_groups, learn_pooled
from regulars.effects.study import Study

NEIGHBOURHOODS = 16
"""Guests are compared within so many groups to see what a model missed."""
DOUBT = 2.0
"""So many standard errors are added to what is seen of a squared error that is small beside its noise."""


class Learned(Protocol):
    """What a learner found."""

    def effects(self, matrix: FloatArray) -> FloatArray:
        """Effects of every offer, (n, k)."""
        ...


Learner = Callable[[Study, BoolArray], Learned]
"""Learn from the rows of a study that are marked in a mask (n,)."""

LEARNERS: dict[str, Learner] = {"x": learn_x, "dr": learn_dr, "t": learn_t, "s": learn_s, "pooled": learn_pooled}
"""In the order in which they are preferred where they do alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Individual:
    """Effects from a learner, fitted once for each part left out; the average of these models is the prediction.

    gain = average + slope * (learned - centre), the best linear predictor of the effect on guests the model had not
    seen (Chernozhukov, Demirer, Duflo and Fernandez-Val 2018, section 2.1), its slope drawn to 0 as far as it may be
    chance: of guests who were predicted much, as much is to come.
    average, centre, slope: (k,); missed: (k,) variance of the effect that the prediction did not find.
    heterogeneity: of each offer, whether the ranking was borne out.
    explained: (k,) variance of each effect that the ranking explains on guests it had not seen, squared unit of the outcome.
    """

    learned: tuple[Learned, ...]
    average: FloatArray
    centre: FloatArray
    slope: FloatArray
    missed: FloatArray
    heterogeneity: tuple[Heterogeneity, ...]
    explained: FloatArray

    @classmethod
    def fit(cls, learner: str, study: Study, average: FloatArray) -> tuple[Self, FloatArray]:
        """Fit a learner on all parts but one in turn, and calibrate it on the part left out; average: (k,).

        With it comes what it predicted of each row when its part was left out, (n, k).
        """
        held_out = np.zeros_like(study.scores.value)
        left_out = list(parts(study.nuisance.fold))
        learned = side_by_side(lambda part: LEARNERS[learner](study, ~part), left_out, rows=study.trial.rows)
        for part, model in zip(left_out, learned, strict=True):
            held_out[part] = model.effects(study.trial.matrix[part])
        centre = held_out.mean(axis=0)
        held_out = _centred(held_out, left_out)
        heterogeneity = _calibration(study, held_out)
        slope = drawn_slopes(heterogeneity)
        held_out = average + slope * held_out
        offers = range(len(average))
        missed = side_by_side(lambda offer: squared_error(study, held_out, offer), offers, rows=study.trial.rows)
        fitted = cls(
            learned=tuple(learned),
            average=average,
            centre=centre,
            slope=slope,
            missed=np.array(missed),
            heterogeneity=heterogeneity,
            explained=held_out.var(axis=0),
        )
        return fitted, held_out

    def predict(self, matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Gain and its variance, (n, k) each.

        The variance is that between the models, by the delete-a-group jackknife, plus the squared error that shows
        between groups of guests held out; what is counted twice by this errs on the side of doubt.
        """
        each = np.stack([model.effects(matrix) for model in self.learned])
        gain = self.average + self.slope * (each.mean(axis=0) - self.centre)
        variance = (len(each) - 1) * each.var(axis=0) * self.slope**2
        return gain, variance + self.missed


def _centred(held_out: FloatArray, left_out: list[BoolArray]) -> FloatArray:
    """Predictions (n, k) less their mean in each part left out.

    A part that did well by luck leaves the others worse than all, so the level predicted for it is too low: between
    parts, predictions go against what happened, and would hide differences between guests.
    """
    centred = np.empty_like(held_out)
    for part in left_out:
        centred[part] = held_out[part] - held_out[part].mean(axis=0)
    return centred


def _calibration(study: Study, held_out: FloatArray) -> tuple[Heterogeneity, ...]:
    """The line from predictions to scores on rows with overlap, for each offer."""
    found = []
    for offer, name in enumerate(study.trial.offers):
        rows = study.scores.has_overlap[:, offer]
        cluster = np.unique(study.trial.cluster[rows], return_inverse=True)[1]
        found.append(measure_heterogeneity(name, held_out[rows, offer], study.scores.value[rows, offer], cluster))
    return tuple(found)


def squared_error(study: Study, held_out: FloatArray, offer: int) -> float:
    """Mean squared error of held-out predictions of an effect that is itself never seen, rather too large than too small.

    Two different guests who are alike have scores with independent noise, so the product of their residuals is the
    squared error they share. Who is alike is said by a tree drawn on the residuals of one half of the guests, and the
    products are taken in the other half.
    """
    residual = study.scores.value[:, offer] - held_out[:, offer]
    usable = study.scores.has_overlap[:, offer]
    guests = int(study.trial.cluster.max()) + 1
    half = np.random.default_rng([study.seed, offer]).permutation(guests)[study.trial.cluster] < guests // 2
    found = [_shared_error(study, residual, usable & divides, usable & ~divides) for divides in (half, ~half)]
    shared = np.mean([error for error, _ in found])
    doubt = DOUBT * np.sqrt(sum(variance for _, variance in found)) / 2
    return max(float(shared + doubt), 0.0)


def _shared_error(study: Study, residual: FloatArray, divides: BoolArray, says: BoolArray) -> tuple[float, float]:
    """Squared error shared by guests who are alike, and the variance of that figure."""
    fewest = max(20, int(divides.sum()) // (4 * NEIGHBOURHOODS))
    tree = study.bins.fit(divides, residual, Pace.one_tree(leaves=NEIGHBOURHOODS, leaf_rows=fewest))
    leaf = find_groups(tree, study.trial.matrix[says])
    cluster, error, variance = study.trial.cluster[says], 0.0, 0.0
    for group in range(NEIGHBOURHOODS):
        rows = leaf == group
        if not rows.any():
            continue
        share = rows.mean()
        product, doubt = _product_between_guests(residual[says][rows], cluster[rows])
        error += share * product
        variance += share**2 * doubt
    return error, variance


def _product_between_guests(residual: FloatArray, cluster: IntArray) -> tuple[float, float]:
    """Mean product of residuals of two different guests, and its variance if the residuals are but noise."""
    totals = cluster_totals(np.column_stack([residual, np.ones(len(residual))]), as_codes(cluster))
    squares = (totals**2).sum(axis=0)
    products, pairs = totals.sum(axis=0) ** 2 - squares
    return (float(products / pairs), float(2 * (squares[0] / pairs) ** 2)) if pairs else (0.0, 0.0)
