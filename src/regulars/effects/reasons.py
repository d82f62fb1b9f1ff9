"""Reasons: why the predicted gain of one guest is higher or lower than that of others."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from regulars.effects.arrays import FloatArray
from regulars.effects.columns import Columns
from regulars.wording import Sentence

OTHERS = 40
"""With so many other values each feature is compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """What one feature does to a guest's predicted gain.

    change: the gain, less what it would be on average with the values other guests have for this feature.
    """

    feature: str
    value: str
    change: float

    @property
    def sentence(self) -> Sentence:
        code = "reason_raises" if self.change > 0 else "reason_lowers"
        return Sentence(code, feature=self.feature, value=self.value, change=abs(self.change))

    def __str__(self) -> str:
        return str(self.sentence)


def sample_values(matrix: FloatArray, *, seed: int) -> FloatArray:
    """Values of each feature as guests have them, (OTHERS, p); drawn feature by feature, so that no row is a guest."""
    draw = np.random.default_rng(seed)
    rows = draw.integers(len(matrix), size=(OTHERS, matrix.shape[1]))
    return np.take_along_axis(matrix, rows, axis=0)


def find_reasons(
    guest: FloatArray, others: FloatArray, columns: Columns, gain: Callable[[FloatArray], FloatArray], most: int
) -> tuple[Reason, ...]:
    """The `most` features that move a guest's gain furthest, largest first; features that move nothing are left out.

    guest: (p,); others: (m, p) from `sample_values`; gain: from a matrix (rows, p) to gains (rows,).
    """
    features, count = len(guest), len(others)
    asked = np.tile(guest, (features, count, 1))
    for place in range(features):
        asked[place, :, place] = others[:, place]
    otherwise = gain(asked.reshape(-1, features)).reshape(features, count).mean(axis=1)
    change = gain(guest[None, :])[0] - otherwise
    furthest = [int(place) for place in np.argsort(-np.abs(change), kind="stable")[:most] if change[place] != 0]
    return tuple(
        Reason(feature=columns.names[place], value=columns.words(place, guest[place]), change=float(change[place]))
        for place in furthest
    )
