"""The fitted model: what each offer changes in each guest, what it costs, and how much of that can be believed."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from regulars.charts.plans import Spread, spread
from regulars.charts.theme import Chart
from regulars.effects.arrays import BoolArray, FloatArray
from regulars.effects.averages import AverageEffect
from regulars.effects.balance import Balance
from regulars.effects.basis import Basis
from regulars.effects.columns import Columns
from regulars.effects.costs import CostModel
from regulars.effects.dose import Dose
from regulars.effects.heterogeneity import Heterogeneity
from regulars.effects.race import Contender
from regulars.effects.reasons import Reason, find_reasons
from regulars.effects.sentences import of_average, of_basis
from regulars.tabular import Tabular
from regulars.wording import Sentence, Voice


class Predictor(Protocol):
    """Whatever tells the effect of every offer on guests."""

    def predict(self, matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Gain and its variance, (n, k) each."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Effects(Tabular):
    """Effects on n guests of k offers, against nothing (whose gain and cost are 0).

    gain, gain_se: (n, k) unit of the outcome; cost: (n, k) expected subsidy, redemption: (n, k) its probability; both
    are NaN if the model was fitted without costs. is_extrapolated: (k,) offers given too rarely to have effects of their
    own, so that these come from other offers.
    """

    offers: tuple[str, ...]
    gain: FloatArray
    gain_se: FloatArray
    cost: FloatArray
    redemption: FloatArray
    basis: Basis
    is_extrapolated: BoolArray

    @property
    def basis_words(self) -> Sentence:
        """The basis as every page shows it."""
        return of_basis(self.basis)

    def to_arrow(self) -> pa.Table:
        """A row for each guest (by place) and offer: offer_id, gain, gain_se, cost and redemption, None where there are no costs."""
        return self._rows_of(len(self.gain))

    def _head(self, most: int) -> tuple[pa.Table, int]:
        return self._rows_of(min(most, len(self.gain))).slice(0, most), self.gain.size

    def _rows_of(self, guests: int) -> pa.Table:
        offers = pa.array(self.offers, pa.string()).take(pa.array(np.tile(np.arange(len(self.offers)), guests)))
        values = {
            name: pa.array(getattr(self, name)[:guests].ravel(), from_pandas=True)
            for name in ("gain", "gain_se", "cost", "redemption")
        }
        return pa.table({"guest": np.repeat(np.arange(guests), len(self.offers)), "offer_id": offers, **values})

    @property
    def headline(self) -> str:
        return f"Effects of {', '.join(self.offers)} on {len(self.gain):,} guests ({self.basis})"

    def plot(self, voice: Voice | None = None) -> Chart:
        """How the gain of each offer spreads over guests: the middle half as a bar, and what nine in ten have as a line."""
        parts = np.quantile(self.gain, (0.05, 0.25, 0.5, 0.75, 0.95), axis=0).T
        return spread(
            [Spread(offer, *row) for offer, row in zip(self.offers, parts.tolist(), strict=True)], voice or Voice()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectModel:
    """Effects learned from past exposures.

    basis: "randomised" if propensities were logged and hold, "adjusted" if they had to be estimated.
    learner: "pooled", "s", "t", "x" or "dr".
    pooling: whether guests are told apart one by one or in groups, and why.
    averages: one for each offer; balance: one for each offer that was given often enough.
    heterogeneity: whether guests differ in their response, for each offer that was given often enough.
    race: the learners that ran, best first; picked is the most preferred of those that are not clearly behind.
    warnings: what must be known before trusting this.
    left_out: features that were counted after the exposure.
    others: values other guests have for each feature, for `reasons`; no row of it is a guest.
    """

    offers: tuple[str, ...]
    basis: Basis
    learner: str
    pooling: Sentence
    averages: tuple[AverageEffect, ...]
    balance: tuple[Balance, ...]
    heterogeneity: tuple[Heterogeneity, ...]
    race: tuple[Contender, ...]
    warnings: tuple[Sentence, ...]
    left_out: tuple[str, ...]
    columns: Columns
    predictor: Predictor
    costs: CostModel | None
    dose: Dose | None
    others: FloatArray

    @property
    def basis_words(self) -> Sentence:
        """The basis as every page shows it."""
        return of_basis(self.basis)

    @property
    def report(self) -> str:
        """All of it in English, a line for each sentence."""
        averages = (of_average(effect, self.basis) for effect in self.averages)
        return "\n".join(Voice().each([*averages, self.pooling, *self.heterogeneity_sentences, *self.warnings]))

    @property
    def heterogeneity_sentences(self) -> tuple[Sentence, ...]:
        """Whether guests differ in their response, for each offer."""
        return tuple(found.sentence for found in self.heterogeneity)

    def predict(self, features: Any) -> Effects:
        """Effects on the guests of a frame or array that has the columns of the fit.

        Numpy and LightGBM only, so it can run on batches, in other processes too. Categories that were not there at the
        fit are treated like missing values. Raises DataError for missing columns and infinite values.
        """
        return self._predict(self.columns.matrix(features))

    def reasons(self, features: Any, offer: str, *, most: int = 3) -> tuple[tuple[Reason, ...], ...]:
        """For each guest of a small frame, why their gain from an offer is higher or lower than that of others.

        Each feature is compared with the values other guests have for it; changes of features that work together
        overlap, so they need not add up. Raises ValueError for an offer the model does not know.
        """
        if offer not in self.offers:
            raise ValueError(f"offer {offer!r} is none of {', '.join(self.offers)}")
        place = self.offers.index(offer)
        return tuple(
            find_reasons(guest, self.others, self.columns, lambda asked: self._predict(asked).gain[:, place], most)
            for guest in self.columns.matrix(features)
        )

    def _predict(self, matrix: FloatArray) -> Effects:
        gain, variance = self._lend(*self.predictor.predict(matrix))
        redemption, cost = np.full_like(gain, np.nan), np.full_like(gain, np.nan)
        if self.costs is not None:
            redemption = self.costs.predict(matrix)
            cost = redemption * self.costs.amount
        if self.dose is not None:
            gain, variance = settle_on_curve(self.dose, gain, variance, cost)
        least = np.array([effect.gain_se if effect.is_borrowed else 0.0 for effect in self.averages])
        return Effects(
            offers=self.offers,
            gain=gain,
            gain_se=np.maximum(np.sqrt(variance), least),
            cost=cost,
            redemption=redemption,
            basis=self.basis,
            is_extrapolated=self.is_borrowed,
        )

    @property
    def is_borrowed(self) -> BoolArray:
        """Which offers were given too rarely to have an effect of their own, (k,)."""
        return np.array([effect.is_borrowed for effect in self.averages])

    def _lend(self, gain: FloatArray, variance: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Give rarely given offers the mean effect of the others on this guest; the error is that of their average."""
        borrowed = self.is_borrowed
        if borrowed.any():
            gain[:, borrowed] = gain[:, ~borrowed].mean(axis=1, keepdims=True)
            variance[:, borrowed] = variance[:, ~borrowed].mean(axis=1, keepdims=True)
            variance[:, borrowed] += [effect.gain_se**2 for effect in self.averages if effect.is_borrowed]
        return gain, variance


def settle_on_curve(
    dose: Dose, gain: FloatArray, variance: FloatArray, cost: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Settle gains (n, k) on the curve of the response before the discount is paid, which is gain plus cost if known."""
    paid = np.nan_to_num(cost)
    response, variance = dose.settle(gain + paid, variance)
    return response - paid, variance
