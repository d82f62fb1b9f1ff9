"""Heterogeneity: do guests differ in their response at all, so that choosing among them can pay?"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from regulars.effects.arrays import FloatArray, IntArray, cluster_totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Heterogeneity:
    """The line from predicted to measured effects on guests the model had not seen, for one offer.

    slope, slope_se: 1 if predictions are right on average, 0 if they tell nothing; p_value: one-sided, of slope 0.
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

    def __str__(self) -> str:
        if self.is_found:
            return f"{self.offer}: guests differ in their response, and the predictions see it (p = {self.p_value:.2g})"
        return f"{self.offer}: these guests do not differ measurably in their response (p = {self.p_value:.2g})"


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
    p_value = float(ndtr(-slope / error)) if error > 0 else float(slope <= 0)
    return Heterogeneity(offer=offer, centre=centre, slope=slope, slope_se=error, p_value=p_value)
