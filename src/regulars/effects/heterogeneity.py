"""Heterogeneity: do guests differ in their response at all, so that choosing among them can pay?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from scipy.special import ndtr

from regulars.effects.arrays import FloatArray, IntArray, cluster_totals
from regulars.effects.shrinking import shrink
from regulars.wording import Sentence

DRAW = 3
"""Drawn to half where z^2 is this."""
STEEPEST = 5.0
"""A ranking may be spread, but no more than fivefold."""
BOTH_WAYS = float(np.sqrt(2))
"""Guests who teach each other make errors larger by this at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heterogeneity:
    """The line from predicted to measured effects on guests the model had not seen, for one offer.

    slope, slope_se: 1 if predictions are right on average, 0 if they tell nothing; p_value: of slope 0 against a larger one.
    centre: mean of the predictions.
    """

    offer: str
    centre: float
    slope: float
    slope_se: float
    p_value: float

    @property
    def is_found(self) -> bool:
        """Whether predicted differences between guests are there in the data, at 5 %."""
        return self.p_value < 0.05

    def among_each_other(self) -> Self:
        """The same line where each part was predicted from the others, and so its guests taught those who taught them.

        Two guests of different parts then speak of each other twice, with the same noise, so the variance of the sum is up to twice
        that of guests who taught nobody (it is twice for every learner that averages its neighbours: (a + b)^2 <= 2 a^2 + 2 b^2).
        A learner also goes by what tells most in rows that the parts share; therefore the p-value is doubled, as that of
        repeated splits is (Chernozhukov, Demirer, Duflo and Fernandez-Val 2018, section 3.3).
        """
        error = BOTH_WAYS * self.slope_se
        p_value = min(2 * _one_sided(self.slope, error), 1.0)
        return replace(self, slope_se=error, p_value=p_value)

    @property
    def sentence(self) -> Sentence:
        code = "guests_differ" if self.is_found else "guests_do_not_differ"
        return Sentence(code, offer=self.offer, p_value=self.p_value)

    def __str__(self) -> str:
        return str(self.sentence)


def drawn_slopes(lines: Sequence[Heterogeneity]) -> tuple[FloatArray, FloatArray]:
    """The slope that the predictions for each offer are given, (k,): what was found, less what of it may be chance; and its error.

    Slopes of several offers are drawn towards each other as far as the data ask (`shrink`), and then towards 0 by
    z^2 / (z^2 + 3), z = slope / error: the ridge of Hoerl, Kennard and Baldwin (1975), with 3 for their 1 because the
    learner was picked, too. A slope taken as it is found promises differences where there are none, and whoever plans by
    the best of them gets less. Slopes stay within 0 and 5. The error is that of a normal posterior that is drawn as far.
    """
    slope, error = np.array([(line.slope, line.slope_se) for line in lines]).T
    if np.isfinite(error).sum() > 1:
        slope, variance = shrink(slope, error)
        error = np.where(np.isfinite(error), np.sqrt(variance), np.inf)
    variance_share = np.divide(error, slope, out=np.zeros_like(slope), where=(slope > 0) & (error > 0)) ** 2
    trust = np.where(slope > 0, 1 / (1 + DRAW * variance_share), 0.0)
    drawn: FloatArray = np.clip(trust * slope, 0.0, STEEPEST)
    return drawn, np.sqrt(trust) * np.where(drawn > 0, error, 0.0)


def measure_heterogeneity(offer: str, predicted: FloatArray, score: FloatArray, cluster: IntArray) -> Heterogeneity:
    """Regress unbiased scores (n,) on predictions (n,) made without them; the error is cluster-robust.

    The best linear predictor of Chernozhukov, Demirer, Duflo and Fernandez-Val (2018), equation (2.2).
    """
    if not len(predicted):
        return Heterogeneity(offer=offer, centre=0.0, slope=0.0, slope_se=np.inf, p_value=1.0)
    centre = float(predicted.mean())
    centred = predicted - centre
    spread = float(centred @ centred)
    if spread <= np.finfo(np.float64).eps * max(float(predicted @ predicted), 1.0):
        return Heterogeneity(offer=offer, centre=centre, slope=0.0, slope_se=np.inf, p_value=1.0)
    slope = float(centred @ score) / spread
    influence = centred * (score - score.mean() - slope * centred) / spread
    error = float(np.sqrt((cluster_totals(influence, cluster) ** 2).sum()))
    return Heterogeneity(offer=offer, centre=centre, slope=slope, slope_se=error, p_value=_one_sided(slope, error))


def _one_sided(slope: float, error: float) -> float:
    return float(ndtr(-slope / error)) if error > 0 else float(slope <= 0)
