"""Costs: how likely a guest is to redeem an offer, and what a redemption really costs us."""

from dataclasses import dataclass, replace
from typing import Self

import lightgbm as lgb
import numpy as np

from regulars.effects.arrays import FloatArray, IntArray
from regulars.effects.boosting import Bins, Pace, evaluate, parts
from regulars.effects.dose import Dose
from regulars.effects.trial import Trial

FEWEST_REDEMPTIONS = 50
"""With fewer redemptions than this every guest gets the rate of the offer."""
REDEMPTION_PACE = Pace(rounds=200, learning_rate=0.05, leaves=6, leaf_rows=30)
FAMILIAR = 20
"""An offer's own rate and amount count half when it has so many exposures, or redemptions; the rest is from all offers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CostModel:
    """Expected subsidy = probability of redemption, for this guest and offer, times the mean amount of the offer.

    A guest who would have come anyway and redeems is a cost like any other: costs are of all who redeem.
    rate, amount: (k,) drawn towards those of all offers where an offer was given or redeemed rarely.
    """

    rate: FloatArray
    amount: FloatArray
    model: lgb.Booster | None

    @classmethod
    def fit(cls, trial: Trial, fold: IntArray, *, seed: int) -> Self:
        """Learn from the rows that were given an offer."""
        assert trial.cost is not None
        exposed = trial.arm > 0
        redeemed = exposed & (trial.cost > 0)
        given = trial.given[:, 1:]
        exposures, redemptions = given.sum(axis=0), (given & redeemed[:, None]).sum(axis=0)
        paid = (given * trial.cost[:, None]).sum(axis=0)
        rate = (redemptions + FAMILIAR * redeemed.sum() / exposed.sum()) / (exposures + FAMILIAR)
        amount = (paid + FAMILIAR * paid.sum() / max(redeemed.sum(), 1)) / (redemptions + FAMILIAR)
        is_telling = min(redeemed.sum(), exposed.sum() - redeemed.sum()) >= FEWEST_REDEMPTIONS
        model = _redemption_model(trial, fold, rate, seed=seed) if is_telling else None
        return cls(rate=rate, amount=amount, model=model)

    def on_curve(self, dose: Dose) -> Self:
        """The same, where untried offers take the rate, and the amount per face value, of the values around them."""
        per_value = dose.read_curve(self.amount / dose.value)
        amount = np.where(dose.is_extrapolated, per_value * dose.value, self.amount)
        return replace(self, rate=dose.read_curve(self.rate), amount=amount)

    def predict(self, matrix: FloatArray) -> FloatArray:
        """Probability of redemption, (n, k)."""
        redemption = np.tile(self.rate, (len(matrix), 1))
        if self.model is not None:
            for offer, log_odds in enumerate(_log_odds(self.rate)):
                asked = np.column_stack([matrix, np.full(len(matrix), log_odds)])
                redemption[:, offer] = evaluate(self.model, asked)
        return redemption


def _redemption_model(trial: Trial, fold: IntArray, rate: FloatArray, *, seed: int) -> lgb.Booster:
    """Boosted probability of redemption; an offer enters by the log-odds of its rate, so that a rare one has a place.

    Shallow and slow; the number of trees is the one that served guests it had not seen best.
    """
    exposed = trial.arm > 0
    design = np.column_stack([trial.matrix, _log_odds(rate)[trial.arm - 1]])[exposed]
    assert trial.cost is not None
    redeemed = (trial.cost[exposed] > 0).astype(np.float64)
    bins = Bins.of(design, trial.columns.categorical, seed=seed)
    found = [
        bins.fit(~part, redeemed, REDEMPTION_PACE, objective="binary", stop_on=part).best_iteration
        for part in parts(fold[exposed])
        if part.any()
    ]
    pace = replace(REDEMPTION_PACE, rounds=max(int(np.median(found)), 1))
    return bins.fit(np.ones(len(design), dtype=bool), redeemed, pace, objective="binary")


def _log_odds(rate: FloatArray) -> FloatArray:
    inside = np.clip(rate, 1e-6, 1 - 1e-6)
    return np.log(inside / (1 - inside))
