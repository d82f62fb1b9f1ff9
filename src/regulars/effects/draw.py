"""The draw: how often a lottery with logged chances brings what is seen, for facts it cannot have changed."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from regulars.effects.arrays import FloatArray, IntArray, cluster_totals
from regulars.effects.trial import Trial

LIGHT = 1e-3
"""Nearer to the middle than this, in standard errors, the saddlepoint divides by nothing."""
FARTHEST = 700.0
"""The exponential of more than this is no number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """A lottery over units, each a row, or a guest or store whose rows were all given the same.

    chance: (u, k + 1) of each arm, nothing first; arm: (u,) what was drawn; unit: (n,) the unit of each row.
    """

    chance: FloatArray
    arm: IntArray
    unit: IntArray

    @classmethod
    def of(cls, trial: Trial) -> Self | None:
        """The draw of a trial; None where the chances of the arms that were not drawn are unknown."""
        if trial.propensity is None or (chance := _all_chances(trial.propensity, trial.arm)) is None:
            return None
        unit = _units(trial, chance)
        first = np.unique(unit, return_index=True)[1]
        return cls(chance=chance[first], arm=trial.arm[first], unit=unit)

    @property
    def is_of_rows(self) -> bool:
        return len(self.unit) == len(self.arm)

    def inverse(self, arms: tuple[int, int]) -> FloatArray:
        """1 / chance of two arms, (u, 2), 0 where one of them was impossible."""
        chance = self.chance[:, list(arms)]
        possible = (chance > 0).all(axis=1, keepdims=True)
        inverse: FloatArray = np.divide(1.0, chance, out=np.zeros_like(chance), where=possible)
        return inverse

    def contrast(self, offer: int) -> tuple[FloatArray, FloatArray]:
        """Weights (u,) that compare an offer with nothing, of mean 0, and their variances."""
        arms = (offer + 1, 0)
        inverse = self.inverse(arms)
        weight = inverse * self._drew(arms)
        return weight[:, 0] - weight[:, 1], inverse.sum(axis=1)

    def totals(self, values: FloatArray) -> FloatArray:
        """Rows (n, ...) summed within units, (u, ...)."""
        return cluster_totals(values, self.unit)

    def distances(self, values: FloatArray, offer: int) -> FloatArray:
        """How far apart an offer and nothing are in values (u, m) of mean 0, in standard errors, (m,)."""
        weight, variance = self.contrast(offer)
        error = np.sqrt(variance @ values**2)
        apart: FloatArray = np.divide(weight @ values, error, out=np.zeros_like(error), where=error > 0)
        return apart

    def contrast_tail(self, values: FloatArray, offer: int) -> float:
        """How often an offer and nothing get so far apart in values (u,), two-sided."""
        arms = (offer + 1, 0)
        return self.tail(self.inverse(arms) * np.outer(values, (1.0, -1.0)), arms)

    def distance(self, values: FloatArray, arms: tuple[int, int]) -> float:
        """How far the sum of what units draw, values (u, 2) with these arms, is from what is expected, in standard errors."""
        expected, spread = self._moments(values, arms)
        return (float((values * self._drew(arms)).sum()) - expected) / spread if spread > 0 else 0.0

    def tail(self, values: FloatArray, arms: tuple[int, int]) -> float:
        """How often that sum gets so far from what is expected, two-sided.

        By the saddlepoint of Lugannani and Rice (1980), from the chances themselves: a standard error would call the luck of a
        rare arm, or of one huge bill, a difference.
        """
        _, spread = self._moments(values, arms)
        distance = self.distance(values, arms)
        if spread == 0:
            return 1.0
        toward = np.copysign(1.0, distance) * values / spread
        return min(2 * _upper_tail(toward, self.chance[:, list(arms)], abs(distance)), 1.0)

    def _drew(self, arms: tuple[int, int]) -> FloatArray:
        drew: FloatArray = np.equal(self.arm[:, None], np.array(arms)).astype(np.float64)
        return drew

    def _moments(self, values: FloatArray, arms: tuple[int, int]) -> tuple[float, float]:
        """Mean and standard deviation of the sum."""
        chance = self.chance[:, list(arms)]
        mean = (values * chance).sum(axis=1)
        return float(mean.sum()), float(np.sqrt(((values**2 * chance).sum(axis=1) - mean**2).sum()))


def _all_chances(propensity: FloatArray, arm: IntArray) -> FloatArray | None:
    """Chances (n, k + 1) without a gap: as logged, the rest to 1 where there are two arms, or constant in every arm."""
    if not np.isnan(propensity).any():
        return propensity
    taken = propensity[np.arange(len(arm)), arm]
    if propensity.shape[1] == 2:
        other = np.where(np.arange(2) == arm[:, None], taken[:, None], 1 - taken[:, None])
        return np.asarray(other, dtype=np.float64)
    each = [taken[arm == number] for number in range(propensity.shape[1])]
    if any(len(chances) and np.ptp(chances) > 0 for chances in each):
        return None
    constant = np.array([chances[0] if len(chances) else 0.0 for chances in each])
    return np.tile(constant, (len(arm), 1)) if abs(constant.sum() - 1) < 1e-6 else None


def _units(trial: Trial, chance: FloatArray) -> IntArray:
    """Guests or stores where each has one arm and one chance, otherwise rows."""
    rows = np.arange(trial.rows)
    first = np.unique(trial.cluster, return_index=True)[1][trial.cluster]
    is_whole = (trial.arm == trial.arm[first]).all() and (chance == chance[first]).all()
    return trial.cluster if is_whole else rows


def _upper_tail(values: FloatArray, chance: FloatArray, distance: float) -> float:
    """P(S >= distance) of a sum S of mean 0 and variance 1 in which a unit draws values[:, j] with chance[:, j], else nothing."""
    expected = float((values * chance).sum())

    def slope(tilt: float) -> float:
        return _tilted(values, chance, tilt)[1] - expected - distance

    end = FARTHEST / float(np.abs(values).max())
    if slope(end) < 0:
        return 0.0
    tilt = float(brentq(slope, 0.0, end, xtol=1e-8))
    level, _, curvature = _tilted(values, chance, tilt)
    rest = tilt * (distance + expected) - level
    root = np.sqrt(2 * max(rest, 0.0))
    stretched = tilt * np.sqrt(max(curvature, 0.0))
    if root < LIGHT or stretched < LIGHT:
        return float(ndtr(-distance))
    return float(max(ndtr(-root) + np.exp(-(root**2) / 2) / np.sqrt(2 * np.pi) * (1 / stretched - 1 / root), 0.0))


def _tilted(values: FloatArray, chance: FloatArray, tilt: float) -> tuple[float, float, float]:
    """The cumulant generating function of the sum at a tilt, with its first and second derivative."""
    weight = chance * np.exp(tilt * values)
    total = 1 - chance.sum(axis=1) + weight.sum(axis=1)
    first = (weight * values).sum(axis=1) / total
    second = (weight * values**2).sum(axis=1) / total
    return float(np.log(total).sum()), float(first.sum()), float((second - first**2).sum())
