"""Adjustment: the average of each arm, with the luck of the draw that the past can explain taken out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from regulars.measurement.metrics import Adjustment, Metric, covariance
from regulars.measurement.moments import FloatArray, Label, Moments, pooled

_FLAT = 1e-9
"""A direction with less variance than this, of the greatest, is one in which guests do not differ."""
_GUESTS_FOR_EACH = 3
"""With fewer guests for each covariate an arm would explain its own luck."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArmAverage:
    """An arm's average after adjustment.

    variance: of one unit's residual contribution.
    slope: what the average moves with each covariate, shape (p,).
    freedom: degrees of freedom of the variance.
    """

    value: float
    variance: float
    n: int
    freedom: float
    slope: FloatArray

    @property
    def squared_error(self) -> float:
        return self.variance / self.n


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Adjusted:
    """All arms on the same footing; spread: covariance of the covariates within arms, shape (p, p)."""

    arms: Mapping[Label, ArmAverage]
    spread: FloatArray

    def slope_error(self, offer: Label, control: Label) -> float:
        """Squared error from not knowing the covariates' mean, which matters where slopes differ between arms.

        Negi and Wooldridge 2021, theorem 4.1: (b1 - b0)' Var(x) (b1 - b0) / N.
        """
        apart = self.arms[offer].slope - self.arms[control].slope
        return float(apart @ self.spread @ apart) / sum(arm.n for arm in self.arms.values())


def adjust(moments: Mapping[Label, Moments], metric: Metric, adjustment: Adjustment = "regression") -> Adjusted:
    """The average of each arm, as if all arms had had the same past.

    "regression" fits a slope in each arm (Lin 2013, the fully interacted regression), which never loses to no adjustment
    in large samples, whatever the shares of the arms. "cuped" fits one slope over all guests (Deng, Xu, Kohavi and Walker
    2013, equation 4), steadier where an arm has fewer than about 50 guests.

    Where an arm cannot know a slope, because a covariate does not vary in it or it has too few guests for so many, it takes the
    slope that all arms share; the answer is then the same however covariates are coded.
    """
    everybody = pooled(moments.values())
    past = _values(metric, everybody)
    within = Within.of(moments, metric)
    common = _slope(metric, everybody) if adjustment == "cuped" else None
    return Adjusted(
        arms={label: _arm_average(metric, arm, past, within, common) for label, arm in moments.items()},
        spread=within.spread,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Within:
    """How p covariates vary within arms, taken together.

    spread: their covariance, (p, p). with_outcome: their covariance with the outcome, (p,); outcome: its variance.
    axes: r directions in which guests of an arm differ, uncorrelated and of variance 1, (p, r). freedom: guests less arms.
    """

    spread: FloatArray
    with_outcome: FloatArray
    outcome: float
    axes: FloatArray
    freedom: int

    @classmethod
    def of(cls, moments: Mapping[Label, Moments], metric: Metric) -> Within:
        """The same for any coding of the covariates."""
        freedom = sum(arm.n - 1 for arm in moments.values())
        size = len(metric.covariates) + 1
        table = sum((_covariances(metric, arm) * (arm.n - 1) for arm in moments.values()), np.zeros((size, size)))
        table = table / max(freedom, 1)
        spread = table[1:, 1:]
        return cls(
            spread=spread, with_outcome=table[1:, 0], outcome=float(table[0, 0]), axes=_axes(spread), freedom=freedom
        )

    @property
    def has_enough(self) -> bool:
        """Whether there are guests enough for so many covariates."""
        return self.freedom >= _GUESTS_FOR_EACH * int(self.axes.shape[1])

    @property
    def slope(self) -> FloatArray:
        """What the outcome moves with each covariate within arms, (p,); 0 where there are too few guests for so many."""
        if not self.has_enough:
            return np.zeros(len(self.axes))
        slope: FloatArray = self.axes @ (self.axes.T @ self.with_outcome)
        return slope


def _axes(spread: FloatArray) -> FloatArray:
    scale = np.sqrt(np.where(np.diag(spread) > 0, np.diag(spread), 1.0))
    size, turned = np.linalg.eigh(spread / np.outer(scale, scale))
    kept = size > _FLAT * max(float(size.max(initial=0.0)), 1.0)
    axes: FloatArray = turned[:, kept] / np.sqrt(size[kept]) / scale[:, None]
    return axes


def _arm_average(
    metric: Metric, arm: Moments, past: FloatArray, within: Within, common: FloatArray | None
) -> ArmAverage:
    table = _covariances(metric, arm)
    spread, with_past = table[1:, 1:], table[1:, 0]
    slope, known = (common, 0) if common is not None else _own_slope(spread, with_past, within, arm.n)
    variance = float(table[0, 0] - 2 * slope @ with_past + slope @ spread @ slope)
    freedom = max(arm.n - 1 - known, 1)
    return ArmAverage(
        value=metric.average.value(arm) - float(slope @ (_values(metric, arm) - past)),
        variance=max(variance, 0.0) * (arm.n - 1) / freedom,
        n=arm.n,
        freedom=freedom,
        slope=slope,
    )


def _own_slope(spread: FloatArray, with_past: FloatArray, within: Within, n: int) -> tuple[FloatArray, int]:
    """Least-squares slopes of an arm, (p,), those that it cannot know being everybody's; and how many it knows.

    Worked out along the axes within arms, so that the directions it cannot know are the same in any coding.
    """
    shared, axes = within.slope, within.axes
    if n - 1 < _GUESTS_FOR_EACH * axes.shape[1]:
        return shared, 0
    own = axes.T @ spread @ axes
    size, turned = np.linalg.eigh(own)
    seen = turned[:, size > _FLAT] / np.sqrt(size[size > _FLAT])
    missing = axes.T @ (with_past - spread @ shared)
    return shared + axes @ (seen @ (seen.T @ missing)), seen.shape[1]


def _values(metric: Metric, moments: Moments) -> FloatArray:
    return np.array([average.value(moments) for average in metric.covariates], dtype=np.float64)


def _covariances(metric: Metric, moments: Moments) -> FloatArray:
    """Of the outcome and the covariates, (p + 1, p + 1)."""
    averages = (metric.average, *metric.covariates)
    cells = [covariance(left, right, moments) for left in averages for right in averages]
    return np.array(cells, dtype=np.float64).reshape(len(averages), len(averages))


def _slope(metric: Metric, moments: Moments) -> FloatArray:
    """Least-squares slopes over all guests, shape (p,)."""
    table = _covariances(metric, moments)
    axes = _axes(table[1:, 1:])
    slope: FloatArray = axes @ (axes.T @ table[1:, 0])
    return slope
