"""Contrasts: an offer's arm against the control, for one look at one metric.

Each contrast answers for any level, so that several offers and daily looks only have to choose the level.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Protocol

from scipy import optimize, special

from regulars.measurement.adjustment import Adjusted, ArmAverage, adjust
from regulars.measurement.metrics import Adjustment, Metric
from regulars.measurement.moments import Label, Moments

Interval = tuple[float, float]
Pair = tuple[Label, Label]
"""An offer, and the arm it is held against."""
_EVERYTHING: Interval = (-math.inf, math.inf)
_ENDLESS = 100.0
_SMALL, _LOPSIDED = 200, 3


def holds(interval: tuple[float, float], value: float) -> bool:
    """Whether a value lies within an interval, its ends included.

    >>> holds((1.0, 3.0), 3.0)
    True
    """
    return interval[0] <= value <= interval[1]


class Contrast(Protocol):
    """What every kind of contrast answers; `level` is the share of intervals that may miss."""

    @property
    def offer_mean(self) -> float: ...
    @property
    def control_mean(self) -> float: ...
    @property
    def estimate(self) -> float: ...
    @property
    def p_value(self) -> float: ...
    @property
    def control_share(self) -> float:
        """Part of the squared error that comes from the control arm."""
        ...

    def interval(self, level: float) -> Interval: ...
    def relative_interval(self, level: float) -> Interval: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanContrast:
    """A difference of averages by Welch's t (Welch 1947), exact enough from about 20 guests an arm.

    slope_error: squared error shared by both arms, from regression adjustment.
    """

    offer: ArmAverage
    control: ArmAverage
    slope_error: float = 0.0

    @property
    def offer_mean(self) -> float:
        return self.offer.value

    @property
    def control_mean(self) -> float:
        return self.control.value

    @property
    def estimate(self) -> float:
        return self.offer.value - self.control.value

    @property
    def squared_error(self) -> float:
        return self.offer.squared_error + self.control.squared_error + self.slope_error

    @property
    def control_share(self) -> float:
        return self.control.squared_error / self.squared_error if self.squared_error > 0 else 0.5

    @property
    def p_value(self) -> float:
        if self.squared_error == 0:
            return 1.0 if self.estimate == 0 else 0.0
        freedom = _welch(self.offer, self.control)
        return 2 * float(special.stdtr(freedom, -abs(self.estimate) / math.sqrt(self.squared_error)))

    def interval(self, level: float) -> Interval:
        half = _t_quantile(_welch(self.offer, self.control), level) * math.sqrt(self.squared_error)
        return self.estimate - half, self.estimate + half

    def relative_interval(self, level: float) -> Interval:
        """Of the relative change, on the log scale; everything if a mean is not positive."""
        if self.offer.value <= 0 or self.control.value <= 0:
            return _EVERYTHING
        scaled = [arm.squared_error / arm.value**2 for arm in (self.offer, self.control)]
        freedom = _welch(self.offer, self.control, (self.offer.value, self.control.value))
        spread = math.sqrt(sum(scaled) + self.slope_error / self.control.value**2)
        return _around(self.offer.value / self.control.value, _t_quantile(freedom, level) * spread)


def contrasts(
    moments: Mapping[Label, Moments],
    metric: Metric,
    control: Label | None,
    *,
    adjustment: Adjustment = "regression",
    is_watched: bool = False,
) -> dict[Pair, Contrast]:
    """Every arm against the control, in the order of their names, or every arm against those before it where there is none.

    is_watched: somebody looks more than once.
    """
    adjusted = adjust(moments, metric, adjustment)
    return {
        (offer, base): _contrast(moments, metric, adjusted, offer, base, is_watched=is_watched)
        for offer, base in pairs(moments, control)
    }


def pairs(labels: Iterable[Label], control: Label | None) -> list[Pair]:
    """The offers, each with the arm it is held against."""
    ordered = sorted(labels, key=str)
    if control is not None:
        return [(offer, control) for offer in ordered if offer != control]
    return [(offer, base) for base, offer in combinations(ordered, 2)]


def _contrast(
    moments: Mapping[Label, Moments],
    metric: Metric,
    adjusted: Adjusted,
    offer: Label,
    control: Label,
    *,
    is_watched: bool,
) -> Contrast:
    arms = moments[offer], moments[control]
    if metric.is_simple_share:
        hits = [round(metric.average.value(arm) * arm.n) for arm in arms]
        return ShareContrast(hits=(hits[0], hits[1]), n=(arms[0].n, arms[1].n))
    pair = adjusted.arms[offer], adjusted.arms[control]
    alike = _made_alike(*pair)
    if is_watched:
        pair = max(pair, alike, key=lambda averages: averages[0].squared_error + averages[1].squared_error)
    elif is_lopsided(arms[0].n, arms[1].n):
        pair = alike
    slope_error = adjusted.slope_error(offer, control) if metric.covariates else 0.0
    return MeanContrast(offer=pair[0], control=pair[1], slope_error=slope_error)


def is_lopsided(n: int, n_control: int) -> bool:
    """Whether one arm is so small beside the other that it borrows its variance."""
    small, large = sorted((n, n_control))
    return small < _SMALL and large > _LOPSIDED * small


def _made_alike(offer: ArmAverage, control: ArmAverage) -> tuple[ArmAverage, ArmAverage]:
    """Both arms with their pooled variance.

    A small control of skewed bills has too small a variance just when its mean is low: Welch's t then misses in 8 of 100
    campaigns instead of 5, and daily looks, which begin with almost nobody, crown chance in 16. The large arm knows better how
    bills vary. For one look pooling keeps the promise while an offer changes how bills vary by no more than a tenth or so; for
    many looks, the greater of both errors does.
    """
    pooled = (offer.variance * offer.freedom + control.variance * control.freedom) / (offer.freedom + control.freedom)
    return replace(offer, variance=pooled), replace(control, variance=pooled)


def _welch(offer: ArmAverage, control: ArmAverage, scale: tuple[float, float] = (1.0, 1.0)) -> float:
    """Satterthwaite's degrees of freedom."""
    errors = [arm.squared_error / unit**2 for arm, unit in zip((offer, control), scale, strict=True)]
    if sum(errors) == 0:
        return min(offer.freedom, control.freedom)
    return sum(errors) ** 2 / (errors[0] ** 2 / offer.freedom + errors[1] ** 2 / control.freedom)


def _t_quantile(freedom: float, level: float) -> float:
    return -float(special.stdtrit(freedom, level / 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareContrast:
    """A difference of two shares by the score method of Miettinen and Nurminen (1985), good for rare events.

    hits: guests with a 1, of n, in the offer's arm and in the control.
    """

    hits: tuple[float, float]
    n: tuple[int, int]

    @property
    def offer_mean(self) -> float:
        return self.hits[0] / self.n[0]

    @property
    def control_mean(self) -> float:
        return self.hits[1] / self.n[1]

    @property
    def estimate(self) -> float:
        return self.offer_mean - self.control_mean

    @property
    def control_share(self) -> float:
        return self.n[0] / sum(self.n)

    @property
    def p_value(self) -> float:
        return 2 * float(special.ndtr(-abs(self._score(0.0))))

    def _score(self, difference: float) -> float:
        """The score statistic for a true difference; nan-free, 0 where both arms are all or nothing."""
        first, second = self._constrained(difference)
        total = sum(self.n)
        variance = (first * (1 - first) / self.n[0] + second * (1 - second) / self.n[1]) * total / (total - 1)
        apart = self.estimate - difference
        return apart / math.sqrt(variance) if variance > 1e-300 else math.copysign(math.inf, apart) if apart else 0.0

    def _constrained(self, difference: float) -> tuple[float, float]:
        """Both shares at maximum likelihood under a difference (Miettinen and Nurminen 1985, appendix I)."""
        (n1, n0), (x1, x0) = self.n, self.hits
        total, hits = n1 + n0, x1 + x0
        square = ((n1 + 2 * n0) * difference - total - hits) / (3 * total)
        linear = ((n0 * difference - total - 2 * x0) * difference + hits) / (3 * total)
        constant = x0 * difference * (1 - difference) / (2 * total)
        turn = square**3 - 1.5 * linear * square + constant
        radius = math.copysign(math.sqrt(max(square**2 - linear, 0.0)), turn)
        cosine = turn / radius**3 if radius else 0.0
        angle = (math.pi + math.acos(max(-1.0, min(1.0, cosine)))) / 3
        control = min(1.0, max(0.0, 2 * radius * math.cos(angle) - square))
        return min(1.0, max(0.0, control + difference)), control

    def interval(self, level: float) -> Interval:
        """Differences that the score test does not reject."""
        limit = -float(special.ndtri(level / 2))
        return (
            _crossing(lambda difference: self._score(difference) - limit, self.estimate, -1.0),
            _crossing(lambda difference: self._score(difference) + limit, self.estimate, 1.0),
        )

    def relative_interval(self, level: float) -> Interval:
        """Of the relative change, on the log scale (Katz and others 1978); everything if nobody came in an arm."""
        if min(self.hits) == 0:
            return _EVERYTHING
        spread = math.sqrt(sum(1 / hits - 1 / n for hits, n in zip(self.hits, self.n, strict=True)))
        return _around(self.offer_mean / self.control_mean, -float(special.ndtri(level / 2)) * spread)


def _around(ratio: float, half: float) -> Interval:
    """The relative change from a ratio and half the length of the interval of its logarithm."""
    if half > _ENDLESS:
        return -1.0, math.inf
    return ratio * math.exp(-half) - 1, ratio * math.exp(half) - 1


def _crossing(score: Callable[[float], float], inside: float, edge: float) -> float:
    """Where the score leaves its limit between the estimate and the edge; the edge if it never does."""
    if inside == edge or score(inside) * score(edge) > 0:
        return edge
    return float(optimize.brentq(score, inside, edge, xtol=1e-14, rtol=1e-14))
