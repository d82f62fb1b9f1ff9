"""Baseline: what guests bring if they are given nothing, and how likely each is to redeem an offer.

Both are plain regressions on a handful of facts of a profile (how often, how lately, how much, at what discount), with their squares
and products: few enough to be steady on the few thousand rows of a first campaign.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
from sklearn.linear_model import LogisticRegression, PoissonRegressor

from regulars.planning.history import History

FACTS = (
    "visits", "orders", "recency_days", "tenure_days", "rhythm_days", "silence_probability", "spend_minor", "discount_minor",
)  # fmt: skip
"""The columns of a profile that this rests on."""
FAMILIAR = 1.4
"""A guest's own average order counts half after so many orders; the rest is what is usual (as the checks of CDNOW customers ask)."""
_DISCOUNT = 0.1
"""A usual discount, as a part of a usual order: whoever redeemed before is likelier to redeem again."""
_UNUSUAL = 4.0
_OFFER = 3.0
_LEAST = 1e-3
_USUAL_RHYTHM = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What is known of n guests, each of shape (n,). worth: what an order of theirs is expected to bring, over the mean."""

    visits: np.ndarray
    silence_of_rhythm: np.ndarray
    worth: np.ndarray
    design: np.ndarray

    @classmethod
    def of(cls, profiles: pa.Table) -> Self:
        column = {name: profiles[name].combine_chunks().to_numpy(zero_copy_only=False).astype(float) for name in FACTS}
        column["rhythm_days"] = _rhythm(column)
        column = {name: np.where(np.isfinite(values), values, 0.0) for name, values in column.items()}
        spent, orders = np.maximum(column["spend_minor"], 0.0), np.maximum(column["orders"], 0.0)
        usual = max(spent.sum(), 1.0) / max(orders.sum(), 1.0)
        worth = np.maximum((spent / usual + FAMILIAR) / (orders + FAMILIAR), _LEAST)
        visits = np.maximum(column["visits"], 1.0)
        silence = np.log1p(column["recency_days"] / (column["rhythm_days"] + 1.0))
        design = [
            np.log1p(visits), np.log1p(column["recency_days"]), np.log1p(column["rhythm_days"]), column["silence_probability"],
            np.log(worth), np.log1p(column["tenure_days"]), silence, np.log1p(column["discount_minor"] / (_DISCOUNT * usual)),
        ]  # fmt: skip
        return cls(visits=visits, silence_of_rhythm=silence, worth=worth, design=np.column_stack(design))


def _rhythm(column: dict[str, np.ndarray]) -> np.ndarray:
    """Days between visits; for who came once what is usual in the crowd, which the rhythms of the others begin from."""
    shown, visits = column["tenure_days"] - column["recency_days"], column["visits"]
    usual = column["rhythm_days"] * visits - shown
    known = np.isfinite(usual)
    return np.where(
        (visits == 1) & ~known, np.median(usual[known]) if known.any() else _USUAL_RHYTHM, column["rhythm_days"]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What n guests do, k offers, in minor units. brings: (n,) without an offer. comes: (n,) the chance that they come without one.
    redeems: (n, k) the chance that they redeem. order: (n,) what one of their orders brings; usual: what one brings on average."""

    brings: np.ndarray
    comes: np.ndarray
    redeems: np.ndarray
    order: np.ndarray
    usual: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Baseline:
    """The fitted regressions. centre, spread: (p,) of the habits. unit: what a guest brings on average. order: what an order
    brings on average, minor units. amount: (k,) what a redemption costs."""

    centre: np.ndarray
    spread: np.ndarray
    brings: PoissonRegressor
    comes: LogisticRegression
    redeems: LogisticRegression
    unit: float
    order: float
    amount: np.ndarray

    @classmethod
    def fit(cls, habits: Habits, history: History, outcome: np.ndarray) -> Self:
        """outcome: (n,) before the subsidy, minor units. The history has guests who came and who did not, with and without offers."""
        centre, spread = habits.design.mean(axis=0), habits.design.std(axis=0) + 1e-9
        terms, nothing = _terms(habits.design, centre, spread), history.action < 0
        unit = max(float(outcome[nothing].mean()), 1.0)
        given = ~nothing
        asked = _with_offer(terms[given], history.action[given], len(history.offers))
        return cls(
            centre=centre,
            spread=spread,
            brings=PoissonRegressor(alpha=1e-3, solver="newton-cholesky").fit(terms[nothing], np.maximum(outcome[nothing], 0) / unit),
            comes=LogisticRegression(C=1.0, solver="newton-cholesky").fit(terms[nothing], history.orders[nothing] > 0),
            redeems=LogisticRegression(C=0.3, solver="newton-cholesky").fit(asked, history.redeemed[given]),
            unit=unit,
            order=max(float(outcome.sum()), 1.0) / max(float(history.orders.sum()), 1.0),
            amount=_amounts(history),
        )  # fmt: skip

    def expect(self, habits: Habits) -> Expected:
        terms = _terms(habits.design, self.centre, self.spread)
        offers = range(len(self.amount))
        asked = (_with_offer(terms, np.full(len(terms), offer), len(self.amount)) for offer in offers)
        return Expected(
            brings=self.brings.predict(terms) * self.unit,
            comes=self.comes.predict_proba(terms)[:, 1],
            redeems=np.column_stack([self.redeems.predict_proba(one)[:, 1] for one in asked]),
            order=habits.worth * self.order,
            usual=self.order,
        )


def can_fit(history: History, outcome: np.ndarray, *, fewest: int) -> bool:
    """Whether there are the facts, and `fewest` guests who redeemed, who did not, who came and who did not."""
    given = history.action >= 0
    came = history.orders[~given] > 0
    counts = [history.redeemed[given].sum(), (~history.redeemed[given]).sum(), came.sum(), (~came).sum()]
    has_facts = all(name in history.features.column_names for name in FACTS)
    return has_facts and min(counts) >= fewest and bool(outcome.sum() > 0)


def _terms(design: np.ndarray, centre: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """The facts in standard deviations, with their squares and products, shape (n, p + p (p + 1) / 2)."""
    standard = np.clip((design - centre) / spread, -_UNUSUAL, _UNUSUAL)
    first, second = np.triu_indices(standard.shape[1])
    return np.column_stack([standard, standard[:, first] * standard[:, second]])


def _with_offer(terms: np.ndarray, action: np.ndarray, offers: int) -> np.ndarray:
    return np.column_stack([terms, _OFFER * (action[:, None] == np.arange(offers))])


def _amounts(history: History) -> np.ndarray:
    """Mean cost of a redemption of each offer, drawn to that of all offers where it was redeemed rarely, shape (k,)."""
    used = history.redeemed & (history.action >= 0)
    per_offer: Sequence[np.ndarray] = [used & (history.action == offer) for offer in range(len(history.offers))]
    count = np.array([rows.sum() for rows in per_offer])
    paid = np.array([history.cost[rows].sum() for rows in per_offer])
    amounts: np.ndarray = (paid + 5.0 * paid.sum() / max(count.sum(), 1)) / (count + 5.0)
    return amounts
