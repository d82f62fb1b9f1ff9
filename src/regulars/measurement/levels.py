"""Levels: how often a single interval may miss, so that all of them together keep the promise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

_GRID: NDArray[np.float64] = np.linspace(-8.6, 8.6, 1721)
_TIGHTEST_AT = 1000.0
_WEIGHT: NDArray[np.float64] = np.exp(-(_GRID**2) / 2) / math.sqrt(2 * math.pi) * (_GRID[1] - _GRID[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What the intervals of one call hold together.

    alpha: the share of such calls in which any interval may miss.
    control_shares: one for each offer, see family_level.
    anytime: False for one look; True, or the number of units at which the intervals shall be tightest, for any number of looks.
    has_one_control: whether all are held against the same arm, whose luck they share; otherwise Bonferroni's part is all each has.
    """

    alpha: float
    control_shares: tuple[float, ...]
    anytime: bool | float = False
    has_one_control: bool = True

    @property
    def words(self) -> str:
        offers = len(self.control_shares)
        family = f", {offers} {'offers' if self.has_one_control else 'pairs'} at once" if offers > 1 else ""
        return family + (", any number of looks" if self.anytime else "")

    def level(self, n: float) -> float:
        """The level of each single interval over n units."""
        if not self.anytime:
            return family_level(self.alpha, self.control_shares) if self.has_one_control else self._each
        return sequential_level(self._each, n, self._tightest_at)

    def p_value(self, alone: float, n: float) -> float:
        """The p-value of one contrast, corrected from what it is alone."""
        if not self.anytime and not self.has_one_control:
            return min(1.0, alone * len(self.control_shares))
        if not self.anytime:
            return family_p_value(alone, self.control_shares)
        return min(1.0, sequential_p_value(alone, n, self._tightest_at, self._each) * len(self.control_shares))

    @property
    def _each(self) -> float:
        """Bonferroni's part: correlation between offers is of no use to a sequence."""
        return self.alpha / len(self.control_shares)

    @property
    def _tightest_at(self) -> float:
        return _TIGHTEST_AT if self.anytime is True else float(self.anytime)


@lru_cache(maxsize=64)
def family_level(alpha: float, control_shares: tuple[float, ...]) -> float:
    """The level of each interval when several offers are held against one control, so that all cover together.

    The offers share the control's luck, so this is Dunnett's problem (Dunnett 1955) with unequal variances: the greatest
    of |Z_i|, where Z_i and Z_j are correlated by sqrt(share_i * share_j).
    control_shares: for each offer, the part of its squared error that comes from the control.

    >>> round(family_level(0.05, (0.5,)), 6), round(family_level(0.05, (0.5, 0.5)), 4)
    (0.05, 0.027)
    """
    if len(control_shares) == 1:
        return alpha
    low, high = _z(alpha), _z(alpha / len(control_shares))
    found = optimize.brentq(lambda z: _chance_beyond(z, control_shares) - alpha, low, high + 1e-9, xtol=1e-12)
    return 2 * float(special.ndtr(-found))


def family_p_value(p_value: float, control_shares: Sequence[float]) -> float:
    """A p-value that has looked at all offers: the chance that the luckiest of them looks so good with no effect at all."""
    if len(control_shares) == 1:
        return p_value
    bound = min(1.0, p_value * len(control_shares))
    if bound < 1e-9:
        return bound
    return min(bound, max(p_value, _chance_beyond(_z(p_value), control_shares)))


def _z(level: float) -> float:
    return -float(special.ndtri(level / 2))


def _chance_beyond(z: float, control_shares: Sequence[float]) -> float:
    """P(max |Z_i| > z), by integrating over the control's luck."""
    share = np.clip(np.asarray(control_shares, dtype=np.float64), 0.0, 0.999)[:, None]
    rest = np.sqrt(1 - share)
    shift = np.sqrt(share) * _GRID
    within = special.ndtr((z - shift) / rest) - special.ndtr((-z - shift) / rest)
    return float(1 - _WEIGHT @ within.prod(axis=0))


def sequential_level(alpha: float, n: float, tightest_at: float) -> float:
    """The level of an interval that somebody may look at every day.

    The boundary is that of an asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024,
    theorem 2.2), which is also the mixture sequential test of Robbins: with m = n * rho^2,
    z^2 = (1 + 1/m) * (log(1 + m) + 2 log(1/alpha)).
    n: guests in the comparison now; tightest_at: the number for which rho makes the boundary narrowest.

    >>> round(sequential_level(0.05, 1000, 1000), 5)
    0.0024
    """
    mass = n * _best_mass(alpha) / tightest_at
    squared = (1 + 1 / mass) * (math.log1p(mass) - 2 * math.log(alpha))
    return 2 * float(special.ndtr(-math.sqrt(squared)))


def sequential_p_value(p_value: float, n: float, tightest_at: float, alpha: float) -> float:
    """The least level whose sequence would now exclude no effect; alpha only sets rho, as in sequential_level."""
    mass = n * _best_mass(alpha) / tightest_at
    squared = _z(p_value) ** 2 if p_value > 0 else math.inf
    return min(1.0, math.sqrt(1 + mass) * math.exp(-squared * mass / (1 + mass) / 2))


@lru_cache(maxsize=64)
def _best_mass(alpha: float) -> float:
    """The m at which the boundary is narrowest: m = log(1 + m) + 2 log(1/alpha)."""
    return float(optimize.brentq(lambda mass: mass - math.log1p(mass) + 2 * math.log(alpha), 1e-6, 1e4))
