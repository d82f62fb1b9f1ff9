"""Average effects: what each offer changed over all guests it could have gone to, and what a naive reading would say."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np
from scipy.special import stdtrit

from regulars.effects.arrays import FloatArray, IntArray, cluster_mean, cluster_totals
from regulars.effects.nuisance import Nuisance
from regulars.effects.scores import Scores
from regulars.effects.shrinking import shrink
from regulars.effects.study import Study
from regulars.effects.trial import Trial

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class AverageEffect:
    """The average effect of one offer against nothing, in the outcome's unit.

    exposures, guests: rows and different guests that were given the offer.
    gain, gain_se, interval: doubly robust, cluster-robust, 95 %, over rows with overlap.
    naive, naive_interval: plain difference of means between those given the offer and those given nothing.
    overlap: share of all rows for which both the offer and nothing were possible.
    robustness: how much of what is left unexplained, in the outcome and in who was chosen alike, a hidden cause would
        have to explain to bring the effect to 0 (Chernozhukov, Cinelli, Newey, Sharma and Syrgkanis 2022); 0 to 1.
    rests_on: "exposures"; or, for an offer given too rarely to tell, "other offers" or "curve" of the face value.
    robustness_of_interval: the same for the end of the interval that is nearer to 0; 0 if the interval holds 0.
    """

    offer: str
    exposures: int
    guests: int
    gain: float
    gain_se: float
    interval: Interval
    naive: float
    naive_interval: Interval
    overlap: float
    robustness: float
    robustness_of_interval: float
    rests_on: Literal["exposures", "other offers", "curve"] = "exposures"

    @property
    def is_borrowed(self) -> bool:
        """Whether the offer was given too rarely to have an effect of its own."""
        return self.rests_on != "exposures"

    def on_curve(self, gain: float, gain_se: float) -> Self:
        """The same offer, its effect read from the curve of other face values."""
        interval = (gain - 1.96 * gain_se, gain + 1.96 * gain_se)
        return replace(self, gain=gain, gain_se=gain_se, interval=interval, rests_on="curve")

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.interval[0] > 0 or self.interval[1] < 0


def average_effect(trial: Trial, nuisance: Nuisance, scores: Scores, offer: int) -> AverageEffect:
    """Average effect of an offer that was given to some, and kept from others, who had overlap."""
    rows = scores.has_overlap[:, offer]
    cluster = np.unique(trial.cluster[rows], return_inverse=True)[1]
    gain, gain_se = map(float, cluster_mean(scores.value[rows, offer], cluster))
    reach = float(stdtrit(max(min(trial.guests(0), trial.guests(offer + 1)) - 1, 1), 0.975))
    interval = (gain - reach * gain_se, gain + reach * gain_se)
    naive, naive_se = _naive_difference(trial, offer)
    noise = _confounding_scale(trial, nuisance, scores, offer)
    return AverageEffect(
        offer=trial.offers[offer],
        exposures=int(trial.given[:, offer + 1].sum()),
        guests=trial.guests(offer + 1),
        gain=gain,
        gain_se=gain_se,
        interval=interval,
        naive=naive,
        naive_interval=(naive - reach * naive_se, naive + reach * naive_se),
        overlap=float(rows.mean()),
        robustness=_robustness(gain, noise),
        robustness_of_interval=_robustness(max(interval[0], -interval[1], 0.0), noise),
    )


def borrowed_effect(trial: Trial, offer: int, others: list[AverageEffect]) -> AverageEffect:
    """Average effect of an offer that was given too rarely to tell: that of another offer, whichever it may be like.

    Its error is the spread between the other offers and their own errors; with a single one, the size of its effect.
    """
    gains, errors = np.array([other.gain for other in others]), np.array([other.gain_se for other in others])
    gain = float(gains.mean())
    between = gains.var(ddof=1) if len(others) > 1 else gain**2
    gain_se = float(np.sqrt(between + (errors**2).mean()))
    is_given = trial.guests(offer + 1) > 0
    naive, naive_se = _naive_difference(trial, offer) if is_given else (np.nan, np.nan)
    return AverageEffect(
        offer=trial.offers[offer],
        exposures=int(trial.given[:, offer + 1].sum()),
        guests=trial.guests(offer + 1),
        gain=gain,
        gain_se=gain_se,
        interval=(gain - 1.96 * gain_se, gain + 1.96 * gain_se),
        naive=naive,
        naive_interval=(naive - 1.96 * naive_se, naive + 1.96 * naive_se),
        overlap=0.0,
        robustness=0.0,
        robustness_of_interval=0.0,
        rests_on="other offers",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Centre:
    """The average effect of each offer that predictions go by, and its variance, (k,) each."""

    gain: FloatArray
    variance: FloatArray


def as_measured(averages: Sequence[AverageEffect]) -> Centre:
    """Each average effect as it was measured."""
    return Centre(
        gain=np.array([effect.gain for effect in averages]),
        variance=np.array([effect.gain_se for effect in averages]) ** 2,
    )


def drawn_together(study: Study, averages: Sequence[AverageEffect]) -> Centre:
    """Average effects of the offers drawn towards each other as far as the data ask, for predictions.

    The best of several noisy averages is too high: whoever plans by them gets less than they promise. Guests given nothing
    are in every average alike, so their part of the error does not tell offers apart and is left out of the drawing. Offers
    that were given too rarely keep the average of the others.
    """
    measured = as_measured(averages)
    own = [offer for offer, effect in enumerate(averages) if not effect.is_borrowed]
    if len(own) < 2:
        return measured
    gain, variance = measured.gain.copy(), measured.variance.copy()
    overlap, value = study.scores.has_overlap[:, own], study.scores.value[:, own]
    influence = np.where(overlap, value - gain[own], 0.0) / overlap.sum(axis=0)
    totals = cluster_totals(influence, study.trial.cluster)
    covariance = totals.T @ totals
    shared = max(float(covariance[~np.eye(len(own), dtype=bool)].mean()), 0.0)
    error = np.sqrt(np.maximum(np.diag(covariance) - shared, 0.0))
    gain[own], apart = shrink(gain[own], error)
    variance[own] = apart + shared
    return Centre(gain=gain, variance=variance)


def _naive_difference(trial: Trial, offer: int) -> tuple[float, float]:
    given, nothing = trial.given[:, offer + 1].astype(float), trial.given[:, 0].astype(float)
    return weighted_difference(trial.outcome, given, nothing, trial.cluster)


def weighted_difference(
    outcome: FloatArray, first: FloatArray, second: FloatArray, cluster: IntArray
) -> tuple[float, float]:
    """Difference of two weighted means of an outcome, and its cluster-robust error; weights (n,) are 0 for other rows."""
    parts = [(weight / weight.mean(), float(weight @ outcome / weight.sum())) for weight in (first, second)]
    (first, first_mean), (second, second_mean) = parts
    _, error = cluster_mean(first * (outcome - first_mean) - second * (outcome - second_mean), cluster)
    return first_mean - second_mean, float(error)


def _confounding_scale(trial: Trial, nuisance: Nuisance, scores: Scores, offer: int) -> float:
    """S of the bias bound |bias| <= S C_Y C_D, equation (10) of Chernozhukov et al. (2022), among the two arms compared."""
    rows = scores.has_overlap[:, offer]
    weight: FloatArray = scores.offer_weight[:, offer] + scores.nothing_weight[:, offer]
    compared = rows & np.isin(trial.arm, (0, offer + 1))
    residual = trial.outcome[compared] - nuisance.expected[compared, trial.arm[compared]]
    share = compared.sum() / rows.sum()
    return float(np.sqrt((residual**2).mean() * share * (weight[rows] ** 2).mean()))


def _robustness(effect: float, scale: float) -> float:
    """The r with r / sqrt(1 - r) = |effect| / scale: both confounding strengths equal (Cinelli and Hazlett 2020, eq. 13)."""
    if scale == 0:
        return float(effect != 0)
    squared = (effect / scale) ** 2
    return float((np.sqrt(squared**2 + 4 * squared) - squared) / 2)
