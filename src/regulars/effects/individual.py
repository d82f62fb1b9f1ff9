"""Individual effects: a learner's ranking, drawn to what held-out guests support, with the error it showed on them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from regulars.effects.arrays import BoolArray, FloatArray, IntArray
from regulars.effects.averages import Centre
from regulars.effects.boosting import parts, side_by_side
from regulars.effects.dispersion import Dispersion
from regulars.effects.heterogeneity import Heterogeneity, drawn_slopes, measure_heterogeneity
from regulars.effects.learners import learn_dr, learn_s, learn_t, learn_x
from regulars.effects.missed import missed_share
from regulars.effects.pooling import learn_pooled
from regulars.effects.study import Study


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
class Lessons:
    """What a learner found on all parts but one in turn.

    learned: for each deal of rows to parts, a model for each part left out. centre: (k,) mean of the predictions.
    held_out: (n, k) what was predicted of each row when its part was left out, less the mean in that part.
    """

    learned: tuple[tuple[Learned, ...], ...]
    held_out: FloatArray
    centre: FloatArray

    @classmethod
    def of(cls, learner: str, study: Study, fold: IntArray) -> Self:
        """Fit a learner once for each part that rows were dealt to; fold: (n,)."""
        left_out = list(parts(fold))
        learned = side_by_side(lambda part: LEARNERS[learner](study, ~part), left_out, rows=study.trial.rows)
        held_out = np.zeros_like(study.scores.value)
        for part, model in zip(left_out, learned, strict=True):
            held_out[part] = model.effects(study.trial.matrix[part])
        centre = held_out.mean(axis=0)
        return cls(learned=(tuple(learned),), held_out=_centred(held_out, left_out), centre=centre)

    @classmethod
    def together(cls, lessons: Sequence[Self]) -> Self:
        """The average over several deals of rows to parts."""
        return cls(
            learned=tuple(models for lesson in lessons for models in lesson.learned),
            held_out=np.mean([lesson.held_out for lesson in lessons], axis=0),
            centre=np.mean([lesson.centre for lesson in lessons], axis=0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Individual:
    """Effects from a learner, fitted once for each part left out in each deal; the average of these models is the prediction.

    gain = average + slope * (learned - centre), the best linear predictor of the effect on guests the model had not
    seen (Chernozhukov, Demirer, Duflo and Fernandez-Val 2018, section 2.1), its slope drawn to 0 as far as it may be
    chance: of guests who were predicted much, as much is to come.
    average: with its error; centre, slope, slope_se: (k,); missed: (k,) what the prediction does not find of an effect,
    in standard deviations of what a guest brings, which `dispersion` tells.
    heterogeneity: of each offer, whether the ranking was borne out.
    explained: (k,) variance of each effect that the ranking explains on guests it had not seen, squared unit of the outcome.
    """

    learned: tuple[tuple[Learned, ...], ...]
    average: Centre
    centre: FloatArray
    slope: FloatArray
    slope_se: FloatArray
    missed: FloatArray
    dispersion: Dispersion
    heterogeneity: tuple[Heterogeneity, ...]
    explained: FloatArray

    @classmethod
    def of(cls, study: Study, average: Centre, lessons: Lessons) -> tuple[Self, FloatArray]:
        """Calibrate what was learned on the parts left out.

        With it comes what it then predicts of each row when its part was left out, (n, k).
        """
        heterogeneity = _calibration(study, lessons.held_out)
        slope, slope_se = drawn_slopes(heterogeneity)
        held_out = average.gain + slope * lessons.held_out
        dispersion = study.once(Dispersion, lambda: Dispersion.of(study))
        strays = dispersion.predict(study.trial.matrix)
        missed = [missed_share(study, held_out, strays, offer) for offer in range(len(slope))]
        fitted = cls(
            learned=lessons.learned,
            average=average,
            centre=lessons.centre,
            slope=slope,
            slope_se=slope_se,
            missed=np.array(missed),
            dispersion=dispersion,
            heterogeneity=heterogeneity,
            explained=held_out.var(axis=0),
        )
        return fitted, held_out

    def predict(self, matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Gain and its variance, (n, k) each.

        Four errors add up: that of the average; that of the slope, the larger the farther a prediction is from the average; that of
        what was learned, by the delete-a-group jackknife between the models of a deal; and what was missed of guests held
        out, in proportion to how much what such a guest brings strays. What is counted twice by this errs on the side of doubt.
        """
        each = [np.stack([model.effects(matrix) for model in models]) for models in self.learned]
        apart = np.mean([found.mean(axis=0) for found in each], axis=0) - self.centre
        between = np.mean([(len(found) - 1) * found.var(axis=0) for found in each], axis=0)
        missed = self.missed * self.dispersion.predict(matrix)[:, None]
        variance = self.average.variance + (self.slope_se * apart) ** 2 + self.slope**2 * between + missed**2
        return self.average.gain + self.slope * apart, variance


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
        line = measure_heterogeneity(name, held_out[rows, offer], study.scores.value[rows, offer], cluster)
        found.append(line.among_each_other())
    return tuple(found)
