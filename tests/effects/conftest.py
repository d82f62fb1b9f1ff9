"""Past exposures with known truth."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """Made-up exposures: `fit` and `predict` take the first three, `truth` is the effect of each offer, (n, k)."""

    features: dict[str, Any]
    action: npt.NDArray[np.int64]
    outcome: npt.NDArray[np.float64]
    propensity: npt.NDArray[np.float64]
    guest: npt.NDArray[np.int64]
    truth: npt.NDArray[np.float64]

    @property
    def data(self) -> tuple[Any, ...]:
        return self.features, self.action, self.outcome


def make_past(rows: int, *, seed: int, targeted: float = 0.0, guests: int | None = None) -> Past:
    """Three offers: "half" moves habitual guests, "none" changes nothing, "some" brings 1 to the half that is near.

    targeted: how strongly offers went to guests who spend much anyway. guests: rows are of so many guests, who repeat.
    """
    draw = np.random.default_rng(seed)
    count = guests or rows
    guest = draw.integers(0, count, rows) if guests else np.arange(rows)
    person = draw.normal(size=(count, 4))
    habit, distance, spend, zone = person[guest].T
    truth = np.column_stack([0.5 + 0.5 * habit, np.zeros(rows), np.where(distance < 0, 1.0, 0.0)])
    odds = np.exp(np.column_stack([0 * spend, -1 + targeted * spend, -1 + targeted * spend, -1 + targeted * zone]))
    propensity = odds / odds.sum(axis=1, keepdims=True)
    action = (draw.random((rows, 1)) > propensity.cumsum(axis=1)).sum(axis=1) - 1
    shock = 0.5 * draw.normal(size=count)[guest] + draw.normal(size=rows)
    changed = np.where(action >= 0, truth[np.arange(rows), action], 0.0)
    return Past(
        features={"habit": habit, "distance": distance, "spend": spend, "zone": zone},
        action=action,
        outcome=2 * spend + zone + shock + changed,
        propensity=propensity,
        guest=guest,
        truth=truth,
    )


@pytest.fixture(scope="session")
def lottery() -> Past:
    return make_past(3000, seed=1)


@pytest.fixture(scope="session")
def targeted() -> Past:
    return make_past(6000, seed=2, targeted=0.8)
