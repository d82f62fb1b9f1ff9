"""Validation: does a ranking of guests hold on exposures the model has not seen, and were assigned by lot?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from regulars.effects.arrays import FloatArray, IntArray, as_codes
from regulars.effects.averages import Interval, weighted_difference
from regulars.effects.heterogeneity import Heterogeneity, measure_heterogeneity
from regulars.effects.model import Effects
from regulars.effects.trial import as_action, as_cluster, as_finite, as_propensity
from regulars.errors import DataError, DesignError

DRAWS = 200
TENTHS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """How one offer's predicted gains did on held-out guests who got it or nothing by lot.

    share, gain: the uplift curve, (m,). gain[i] is what giving the offer to the share[i] of guests with the highest
        predicted gain brings, per guest of all, in the unit of the outcome: sum over them of outcome / propensity, given
        minus nothing, each divided by its sum of 1 / propensity over all.
    average: its end, the average effect.
    auuc: the area under the curve. qini: the area between the curve and the straight line to its end (Radcliffe 2007,
        divided by the number of guests given the offer); 0 for a ranking by chance.
    qini_interval, auuc_interval: 95 %, from 200 bootstrap draws of guests.
    predicted, measured, measured_se: (10,) mean predicted gain, and measured effect, of each tenth of guests, highest
        predictions first; NaN where a tenth lacks guests with or without the offer.
    heterogeneity: whether the predicted differences between guests are there.
    """

    offer: str
    share: FloatArray
    gain: FloatArray
    average: float
    auuc: float
    qini: float
    qini_interval: Interval
    auuc_interval: Interval
    predicted: FloatArray
    measured: FloatArray
    measured_se: FloatArray
    heterogeneity: Heterogeneity

    def profit(self, contact_cost: float = 0.0) -> FloatArray:
        """Profit per guest of all at each point of `share`, (m,), if reaching a guest costs so much beside the discount.

        The outcome has to be margin after the discount, and in the same unit.
        """
        return self.gain - contact_cost * self.share

    def __str__(self) -> str:
        low, high = self.qini_interval
        return (
            f"{self.heterogeneity}; Qini {self.qini:.5f} ({low:.5f} to {high:.5f}), average effect {self.average:.5f}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ranking:
    """Guests who got one offer or nothing, in blocks of equal prediction, best block first."""

    block: IntArray
    outcome: FloatArray
    given: FloatArray
    nothing: FloatArray

    def curve(self, count: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Uplift curve if row i is there count[i] times; within a block of equal predictions it is a straight line."""
        share = self._running(count)
        given, nothing = self.given * count, self.nothing * count
        with_offer = self._running(given * self.outcome) / given.sum()
        without = self._running(nothing * self.outcome) / nothing.sum()
        return share / share[-1], with_offer - without

    def _running(self, values: FloatArray) -> FloatArray:
        return np.concatenate([[0.0], np.cumsum(np.bincount(self.block, values))])


def validate(
    effects: Effects | ArrayLike,
    action: ArrayLike,
    outcome: ArrayLike,
    *,
    propensity: ArrayLike,
    cluster: ArrayLike | None = None,
    seed: int = 0,
) -> tuple[Validation, ...]:
    """Compare predicted gains with what a lottery shows, one Validation for each offer that was given.

    effects: predictions for these rows, or gains (n, k), by a model that has not seen these guests.
    action, outcome, propensity, cluster: as for `fit`. Propensities must be those of a lottery: a ranking cannot be
        proved on guests who were chosen, because those who come anyway look as if the offer had moved them.

    Raises DataError for values that cannot be used, DesignError if no offer has guests both with it and without.
    """
    gain = _as_gain(effects.gain if isinstance(effects, Effects) else effects)
    rows, offers = gain.shape
    names = effects.offers if isinstance(effects, Effects) else tuple(f"offer {number}" for number in range(offers))
    numbers = as_action(action, rows)
    if numbers.max() >= offers:
        raise DataError(f"action names offer {numbers.max()} and gains have {offers} columns, counted from 0")
    values = as_finite(outcome, rows, "outcome", "drop these rows")
    arm_propensity = as_propensity(propensity, numbers, offers)[np.arange(rows), numbers + 1]
    guests = as_cluster(cluster, rows)
    found = []
    for offer, name in enumerate(names):
        compared = np.isin(numbers, (-1, offer))
        if len(np.unique(numbers[compared])) == 2:
            codes = as_codes(guests[compared])
            inverse, given = 1 / arm_propensity[compared], numbers[compared] == offer
            found.append(_validate_offer(name, gain[compared, offer], values[compared], given, inverse, codes, seed))
    if not found:
        raise DesignError(
            "no offer has guests both with it and with nothing; validation needs a lottery with a control"
        )
    return tuple(found)


def _as_gain(gain: ArrayLike) -> FloatArray:
    """Gains of shape (n, k) without a gap; otherwise DataError with the first bad row."""
    try:
        table = np.asarray(gain, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"gains are not all numbers: {error}") from error
    if table.ndim != 2:
        raise DataError(f"gains have the shape {table.shape}; expected (n, k), one column for each offer")
    if (bad := ~np.isfinite(table).all(axis=1)).any():
        raise DataError(
            f"gains are missing or infinite in {bad.sum():,} rows, first in row {np.argmax(bad)}; predict them anew"
        )
    return table


def _validate_offer(
    offer: str,
    predicted: FloatArray,
    outcome: FloatArray,
    is_given: np.typing.NDArray[np.bool_],
    inverse: FloatArray,
    cluster: IntArray,
    seed: int,
) -> Validation:
    given, nothing = np.where(is_given, inverse, 0.0), np.where(is_given, 0.0, inverse)
    ranking = _Ranking(block=as_codes(-predicted), outcome=outcome, given=given, nothing=nothing)
    share, curve = ranking.curve(np.ones(len(outcome)))
    qini_interval, auuc_interval = _bootstrap(ranking, cluster, seed)
    centred = outcome - ((given + nothing) @ outcome) / (given + nothing).sum()
    score = (given / given.mean() - nothing / nothing.mean()) * centred
    tenths = np.array_split(np.argsort(-predicted, kind="stable"), TENTHS)
    measured = np.array([_measure(outcome, given, nothing, cluster, tenth) for tenth in tenths])
    return Validation(
        offer=offer,
        share=share,
        gain=curve,
        average=float(curve[-1]),
        auuc=_auuc(share, curve),
        qini=_qini(share, curve),
        qini_interval=qini_interval,
        auuc_interval=auuc_interval,
        predicted=np.array([predicted[tenth].mean() if len(tenth) else np.nan for tenth in tenths]),
        measured=measured[:, 0],
        measured_se=measured[:, 1],
        heterogeneity=measure_heterogeneity(offer, predicted, score, cluster),
    )


def _auuc(share: FloatArray, curve: FloatArray) -> float:
    return float(np.trapezoid(curve, share))


def _qini(share: FloatArray, curve: FloatArray) -> float:
    return _auuc(share, curve) - float(curve[-1]) / 2


def _bootstrap(ranking: _Ranking, cluster: IntArray, seed: int) -> tuple[Interval, Interval]:
    """Intervals of the Qini coefficient and of the area under the curve."""
    draw, guests = np.random.default_rng(seed), int(cluster.max()) + 1
    found = []
    for _ in range(DRAWS):
        count = np.bincount(draw.integers(guests, size=guests), minlength=guests)[cluster].astype(float)
        if count @ ranking.given > 0 and count @ ranking.nothing > 0:
            curve = ranking.curve(count)
            found.append((_qini(*curve), _auuc(*curve)))
    low, high = np.quantile(found, [0.025, 0.975], axis=0)
    return (float(low[0]), float(high[0])), (float(low[1]), float(high[1]))


def _measure(
    outcome: FloatArray, given: FloatArray, nothing: FloatArray, cluster: IntArray, rows: IntArray
) -> tuple[float, float]:
    if not (given[rows].any() and nothing[rows].any()):
        return np.nan, np.nan
    return weighted_difference(outcome[rows], given[rows], nothing[rows], as_codes(cluster[rows]))
