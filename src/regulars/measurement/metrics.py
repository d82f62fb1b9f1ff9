"""Metrics: what is compared, as a value that knows which columns it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from regulars.measurement.moments import FloatArray, Moments, Needs

Adjustment = Literal["regression", "cuped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Average:
    """The sum of one column over the sum of another; over the number of rows if there is no other.

    Both kinds, and the mean of guests drawn in clusters (sum over size), have the same delta-method variance
    (Deng, Knoblich and Lu 2018, section 3), so that nothing further down has to tell them apart.
    """

    numerator: str
    denominator: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.numerator,) if self.denominator is None else (self.numerator, self.denominator)

    def value(self, moments: Moments) -> float:
        top = float(moments.mean[moments.place(self.numerator)])
        return top if self.denominator is None else top / float(moments.mean[moments.place(self.denominator)])

    def gradient(self, moments: Moments) -> FloatArray:
        """How the value moves with each column mean, shape (2,) for a ratio and (1,) for a mean."""
        if self.denominator is None:
            return np.ones(1)
        bottom = float(moments.mean[moments.place(self.denominator)])
        return np.array([1.0, -self.value(moments)]) / bottom


def covariance(left: Average, right: Average, moments: Moments) -> float:
    """Covariance of one unit's contributions to two averages, to first order."""
    rows = [moments.place(name) for name in left.columns]
    cells = [moments.place(name) for name in right.columns]
    block = moments.covariance[np.ix_(rows, cells)]
    return float(left.gradient(moments) @ block @ right.gradient(moments))


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """An average to be compared, and the averages from before the campaign that make it quieter.

    is_share: the numerator is 0 or 1 for each guest; without covariates such a share gets a score interval.
    """

    average: Average
    covariates: tuple[Average, ...] = ()
    is_share: bool = False

    @classmethod
    def mean(cls, column: str, *covariates: str) -> Metric:
        """The mean of a column, adjusted for columns known before the campaign.

        >>> Metric.mean("margin", "margin_before").needs.columns
        ('margin', 'margin_before')
        """
        return cls(average=Average(numerator=column), covariates=tuple(Average(numerator=name) for name in covariates))

    @classmethod
    def share(cls, column: str) -> Metric:
        """The share of guests whose column is 1."""
        return cls(average=Average(numerator=column), is_share=True)

    @classmethod
    def ratio(cls, numerator: str, denominator: str, before: tuple[str, str] | None = None) -> Metric:
        """The sum of one column over the sum of another, such as amount over orders (the average order).

        before: the same two columns from before the campaign, for adjustment.
        """
        return cls(
            average=Average(numerator=numerator, denominator=denominator),
            covariates=() if before is None else (Average(numerator=before[0], denominator=before[1]),),
        )

    @property
    def needs(self) -> Needs:
        return Needs.of(*(name for average in (self.average, *self.covariates) for name in average.columns))

    @property
    def is_simple_share(self) -> bool:
        """Whether counts alone tell everything."""
        return self.is_share and not self.covariates and self.average.denominator is None

    def over(self, size: str) -> Metric:
        """The same metric where each row is a cluster's sums and `size` its number of guests."""
        averages = [
            average if average.denominator is not None else Average(numerator=average.numerator, denominator=size)
            for average in (self.average, *self.covariates)
        ]
        return Metric(average=averages[0], covariates=tuple(averages[1:]))
