"""Dose: offers that differ only in face value share one response, which rises with the value, and ever more slowly."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Self

import numpy as np

from regulars.effects.arrays import BoolArray, FloatArray
from regulars.effects.averages import AverageEffect
from regulars.errors import DesignError

MOST_VALUES = 8
"""A family has at most so many tried face values: the fit looks at every set of kinks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """A family of offers on one curve from value 0, where nothing changes.

    value: (k,) face values, NaN for offers outside the family; is_tried: (k,) whether an offer has an effect of its own.
    precision: (k,) weight of each tried offer in the curve.

    The curve is the weighted least-squares fit among sums of b * min(value, kink) with b >= 0 and kinks at the values
    tried: all that are piecewise linear, rise, and rise ever more slowly. It is of the response before the discount is
    paid, because what is left after paying need not rise.
    """

    value: FloatArray
    is_tried: BoolArray
    precision: FloatArray

    @classmethod
    def of(cls, values: Sequence[float | None], averages: Sequence[AverageEffect]) -> Self:
        """A family from face values, None for offers outside it, and the average effect of each offer.

        Raises ValueError for values that are not above 0 or too many, DesignError if none of them was tried.
        """
        is_tried = np.array([not effect.is_borrowed for effect in averages])
        error = np.array([effect.gain_se for effect in averages])
        value = np.array([np.nan if amount is None else amount for amount in values], dtype=np.float64)
        if value.shape != is_tried.shape:
            raise ValueError(f"values has {len(value)} entries for {len(is_tried)} offers")
        if (value <= 0).any():
            raise ValueError(
                f"values has {np.nanmin(value):g}; a face value is above 0, None for an offer outside the family"
            )
        tried = is_tried & ~np.isnan(value)
        if not tried.any():
            raise DesignError("no offer of the family has been tried often enough, so its curve cannot be seen")
        if len(np.unique(value[tried])) > MOST_VALUES:
            raise ValueError(f"values has more than {MOST_VALUES} that were tried; leave out those close to each other")
        return cls(value=value, is_tried=tried, precision=1 / error**2)

    @property
    def is_in_family(self) -> BoolArray:
        return ~np.isnan(self.value)

    @property
    def is_extrapolated(self) -> BoolArray:
        """Offers of the family that were never tried: read from the curve, (k,)."""
        return self.is_in_family & ~self.is_tried

    def settle(self, response: FloatArray, variance: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Put responses (n, k) of the family on the curve; variances (n, k) of tried offers stay as they are.

        An untried value takes the variance of the next tried one above. Beyond the largest the curve is flat, and what it
        could still have risen at its last slope, were the truth straight, is added to the error.
        """
        kinks = np.unique(self.value[self.is_tried])
        rise = self._fit(response, kinks)
        family = np.flatnonzero(self.is_in_family)
        response, variance = response.copy(), variance.copy()
        response[:, family] = rise @ np.minimum(kinks[:, None], self.value[family])
        spread = np.column_stack([variance[:, self._offers_at(kink)].max(axis=1) for kink in kinks])
        for offer in np.flatnonzero(self.is_extrapolated):
            above = min(int(np.searchsorted(kinks, self.value[offer])), len(kinks) - 1)
            beyond = max(self.value[offer] - kinks[-1], 0.0) * rise[:, -1]
            variance[:, offer] = spread[:, above] + beyond**2
        return response, variance

    def _offers_at(self, kink: float) -> BoolArray:
        offers: BoolArray = self.is_tried & (self.value == kink)
        return offers

    def _fit(self, response: FloatArray, kinks: FloatArray) -> FloatArray:
        """The rises b (n, kinks) of each row's curve: of all sets of kinks with rises above 0, the one nearest."""
        root = np.sqrt(self.precision[self.is_tried])
        basis = np.minimum(self.value[self.is_tried][:, None], kinks) * root[:, None]
        target = response[:, self.is_tried] * root
        best = np.zeros((len(response), len(kinks)))
        distance = (target**2).sum(axis=1)
        for chosen in _subsets(len(kinks)):
            rise = target @ np.linalg.pinv(basis[:, chosen]).T
            found = ((target - rise @ basis[:, chosen].T) ** 2).sum(axis=1)
            better = (rise >= 0).all(axis=1) & (found < distance)
            best[better] = 0.0
            best[np.ix_(better, chosen)] = rise[better]
            distance = np.where(better, found, distance)
        return best

    def read_curve(self, tried: FloatArray) -> FloatArray:
        """What untried offers have by interpolation in the value, other offers as given; tried: (k,)."""
        order = np.argsort(self.value[self.is_tried])
        known, at = tried[self.is_tried][order], self.value[self.is_tried][order]
        return np.where(self.is_extrapolated, np.interp(np.nan_to_num(self.value), at, known), tried)


def _subsets(size: int) -> Iterator[list[int]]:
    for count in range(1, size + 1):
        yield from map(list, combinations(range(size), count))
