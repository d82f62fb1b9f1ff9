"""Adjustment: the average of each arm, with the luck of the draw that the past can explain taken out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from regulars.measurement.metrics import Adjustment, Metric, covariance
from regulars.measurement.moments import FloatArray, Label, Moments, pooled


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
    """
    everybody = pooled(moments.values())
    past = _values(metric, everybody)
    common = _slope(metric, everybody) if adjustment == "cuped" else None
    spread = sum(
        (_past_covariance(metric, arm) * (arm.n - 1) for arm in moments.values()), np.zeros((len(past), len(past)))
    )
    return Adjusted(
        arms={label: _arm_average(metric, arm, past, common) for label, arm in moments.items()},
        spread=spread / max(everybody.n - len(moments), 1),
    )


def _arm_average(metric: Metric, arm: Moments, past: FloatArray, common: FloatArray | None) -> ArmAverage:
    slope = _slope(metric, arm) if common is None else common
    with_past = np.array([covariance(metric.average, other, arm) for other in metric.covariates])
    variance = (
        covariance(metric.average, metric.average, arm)
        - 2 * float(slope @ with_past)
        + float(slope @ _past_covariance(metric, arm) @ slope)
    )
    freedom = arm.n - 1 if common is not None else arm.n - 1 - len(slope)
    return ArmAverage(
        value=metric.average.value(arm) - float(slope @ (_values(metric, arm) - past)),
        variance=max(variance, 0.0) * (arm.n - 1) / max(freedom, 1),
        n=arm.n,
        freedom=max(freedom, 1),
        slope=slope,
    )


def _values(metric: Metric, moments: Moments) -> FloatArray:
    return np.array([average.value(moments) for average in metric.covariates], dtype=np.float64)


def _past_covariance(metric: Metric, moments: Moments) -> FloatArray:
    size = len(metric.covariates)
    cells = [covariance(left, right, moments) for left in metric.covariates for right in metric.covariates]
    return np.array(cells, dtype=np.float64).reshape(size, size)


def _slope(metric: Metric, moments: Moments) -> FloatArray:
    """Least-squares slopes, shape (p,); the shortest where covariates repeat each other or do not vary."""
    if not metric.covariates:
        return np.zeros(0)
    scatter = _past_covariance(metric, moments)
    scale = np.sqrt(np.where(np.diag(scatter) > 0, np.diag(scatter), 1.0))
    with_past = np.array([covariance(metric.average, other, moments) for other in metric.covariates])
    correlation = scatter / np.outer(scale, scale)
    answer: FloatArray = np.linalg.lstsq(correlation, with_past / scale, rcond=1e-12)[0] / scale
    return answer
