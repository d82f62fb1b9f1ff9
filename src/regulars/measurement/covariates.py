"""Covariates: were they known before the offer? Where guests were drawn by lot, one in which the arms differ was not.

To adjust for what the offer has moved takes away what the offer did, and leaves a short interval around the rest. So where a
covariate, or the adjustment made of all of them, is further apart between arms than a fair draw puts it, none is adjusted for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy import special

from regulars.measurement.adjustment import Within
from regulars.measurement.contrasts import pairs
from regulars.measurement.levels import Promise
from regulars.measurement.metrics import Metric
from regulars.measurement.moments import FloatArray, Label, Moments
from regulars.wording import Sentence

FALSE_ALARM = 1e-3
"""How often all looks of one call together may take covariates from before for late ones."""
SKEWNESS = 6.0
"""As skewed as spending is: a lognormal whose logarithm has a standard deviation of 1."""
SAME, ENOUGH = 0.99, 20
"""Covariates that explain so much of an outcome hold it; with fewer guests than that they may do so by chance."""
TOLD = 1e-6
"""Arms that differ by more standard deviations than this where guests do not differ at all are told by a code."""
AS_LIKELY = 2 * math.log(1000)
"""Of covariates that unmask each other, one whose squared distance is so much less is a thousand times less likely late."""


class Late(NamedTuple):
    """Covariates that are not believed; is_outcome: because they hold the outcome, and not because arms differ in them."""

    names: tuple[str, ...]
    is_outcome: bool = False

    @property
    def sentence(self) -> Sentence:
        return Sentence("covariate_holds_outcome" if self.is_outcome else "covariates_late", covariates=self.names)


def believed(
    moments: Mapping[Label, Moments],
    metric: Metric,
    control: Label | None,
    *,
    is_drawn: bool = True,
    anytime: bool | float = False,
) -> tuple[Metric, tuple[Sentence, ...]]:
    """The metric, without covariates where they cannot be from before the offer; and then a note.

    is_drawn: whether guests were given arms by lot, so that what was known before is alike in them.
    """
    within = Within.of(moments, metric)
    if not metric.covariates or not within.has_enough:
        return metric, ()
    late = _outcome_holder(metric, within)
    if late is None and is_drawn:
        late = _late_covariates(moments, metric, control, within, anytime)
    return (metric, ()) if late is None else (replace(metric, covariates=()), (late.sentence,))


def _outcome_holder(metric: Metric, within: Within) -> Late | None:
    """The covariate nearest to the outcome, if together they explain all of it."""
    if within.outcome <= 0 or within.freedom - within.axes.shape[1] < ENOUGH:
        return None
    if float(within.slope @ within.with_outcome) < SAME * within.outcome:
        return None
    variance = np.diag(within.spread)
    alone = np.divide(within.with_outcome**2, variance, out=np.zeros_like(variance), where=variance > 0)
    return Late((metric.covariates[int(np.argmax(alone))].numerator,), is_outcome=True)


def _late_covariates(
    moments: Mapping[Label, Moments], metric: Metric, control: Label | None, within: Within, anytime: bool | float
) -> Late | None:
    """The covariates that are further apart between an offer and the control than a fair draw puts them."""
    compared = pairs(moments, control)
    late: set[int] = set()
    for offer, base in compared:
        pair = _Pair.of(moments[offer], moments[base], metric, within)
        late |= pair.late(pair.reach(FALSE_ALARM / (len(compared) * pair.looks), anytime))
    return Late(tuple(metric.covariates[place].numerator for place in sorted(late))) if late else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Pair:
    """An offer and the control; apart: (p,) their difference in each covariate, n: guests or clusters of both."""

    apart: FloatArray
    within: Within
    n: tuple[int, int]

    @classmethod
    def of(cls, offer: Moments, control: Moments, metric: Metric, within: Within) -> _Pair:
        apart = [average.value(offer) - average.value(control) for average in metric.covariates]
        return cls(apart=np.array(apart, dtype=np.float64), within=within, n=(offer.n, control.n))

    @property
    def looks(self) -> int:
        """Each covariate by itself, each beside the others, and what all of them come to."""
        return 2 * len(self.apart) + 1

    def reach(self, chance: float, anytime: bool | float) -> float:
        """So many standard errors apart is too far, in skewed columns and arms of unlike size too (Cornish and Fisher 1938)."""
        total, product = sum(self.n), self.n[0] * self.n[1]
        level = Promise(alpha=chance, control_shares=(0.5,), anytime=anytime).level(total)
        quantile = -float(special.stdtrit(self.within.freedom, level / 2))
        skewness = SKEWNESS * abs(self.n[0] - self.n[1]) / math.sqrt(total * product)
        return quantile + skewness * (quantile**2 - 1) / 6

    def late(self, reach: float) -> set[int]:
        """Places of covariates further apart: that tell the arm, by themselves, given the others, or as they move the effect."""
        if codes := set(np.flatnonzero(self._unexplained > TOLD).tolist()):
            return codes
        if alone := set(np.flatnonzero(self._distances(np.eye(len(self.apart))) > reach).tolist()):
            return alone
        given_others = self._distances(self.within.axes @ self.within.axes.T)
        if (furthest := given_others.max(initial=0.0)) > reach:
            return set(np.flatnonzero((given_others > reach) & (given_others**2 > furthest**2 - AS_LIKELY)).tolist())
        if self._distances(self.within.slope[:, None]).max(initial=0.0) > reach:
            return {int(np.argmax(np.abs(self.within.slope * self.apart)))}
        return set()

    @property
    def _unexplained(self) -> FloatArray:
        """How far apart arms are where their guests do not differ at all, (p,), in standard deviations, else as parts of it."""
        spread, axes = self.within.spread, self.within.axes
        deviation = np.sqrt(np.diag(spread))
        scale = np.where(deviation > 0, deviation, np.maximum(np.abs(self.apart), 1e-300))
        unexplained: FloatArray = np.abs(self.apart - spread @ (axes @ (axes.T @ self.apart))) / scale
        return unexplained

    def _distances(self, recipes: FloatArray) -> FloatArray:
        """How far apart combinations of covariates are, recipes of shape (p, m), in standard errors, (m,)."""
        variance = np.einsum("im,ij,jm->m", recipes, self.within.spread, recipes) * (1 / self.n[0] + 1 / self.n[1])
        error = np.sqrt(np.maximum(variance, 0.0))
        apart = np.abs(recipes.T @ self.apart)
        distances: FloatArray = np.divide(apart, error, out=np.zeros_like(apart), where=error > 0)
        return distances
