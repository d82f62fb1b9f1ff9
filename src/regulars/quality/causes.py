"""Causes: which of what changed with a dish explains most of how it got worse.

Before the change every observation has an expectation from its store and shift. A cause (a cook, a batch, a store, ...) is a guess
that only what it touched departs from that expectation. Guesses are ranked by the log-likelihood they gain: one that is too
wide dilutes the change, one that is too narrow misses part of it. It is a ranking of what goes together, not a proof.
"""

from typing import NamedTuple

import numpy as np

from regulars.quality.names import Names
from regulars.quality.servings import Coded, FloatArray, IntArray
from regulars.wording import Sentence

WHOLE = "whole"
_YEAR, _AROUND = 365, 21
_LEAST = 10
_SHRINK = 20.0
_WHOLE_WEIGHS = 0.9  # a cause that touched everything, such as a price, explains as much as "everything", and says more


class Cause(NamedTuple):
    """share: how much of the change lies in what it touched, 0 to 1. gain: log-likelihood. touched: observations since the change.

    factor: store, shift, batch, cook, rush, price, season, or "whole" where everything got worse alike.
    """

    factor: str
    level: str
    share: float
    gain: float
    touched: int

    def sentence(self, names: Names) -> Sentence:
        level = names.level(self.factor, self.level)
        return Sentence("cause_share", level=level, factor=Sentence(f"factor_{self.factor}"), cause_share=self.share)


def causes(
    value: FloatArray, factors: dict[str, Coded], day: IntArray, since: int, *, is_share: bool
) -> tuple[Cause, ...]:
    """The best guess of each factor, the likeliest first. value, day: (n,) of one chart in time order. since: where it changed."""
    expected, variance = _expected(value, factors, since, is_share)
    excess = value[since:] - expected[since:]
    noise = variance[since:]
    total = excess.sum()
    found = [Cause(WHOLE, WHOLE, 1.0, _gain(total, noise.sum()), len(excess))]
    for name, coded in factors.items():
        if name != "item" and (best := _best(name, coded, excess, noise, since, total)) is not None:
            found.append(best)
    if (season := _season(value, day, since, excess, noise)) is not None:
        found.append(season)
    return tuple(
        sorted(found, key=lambda cause: (-cause.gain * (_WHOLE_WEIGHS if cause.factor == WHOLE else 1), cause.factor))
    )


def _gain(excess: float, variance: float) -> float:
    """What the likeliest departure gains, in the quadratic approximation of the log-likelihood."""
    return float(excess**2 / (2 * variance)) if variance > 0 else 0.0


def _expected(
    value: FloatArray, factors: dict[str, Coded], since: int, is_share: bool
) -> tuple[FloatArray, FloatArray]:
    """What each observation was to be by its store and shift before the change, and the variance around it, both (n,)."""
    cell = np.zeros(len(value), dtype=np.int64)
    for name in ("store", "shift"):
        if name in factors:
            cell = cell * (len(factors[name].names) + 1) + factors[name].code + 1
    _, cell = np.unique(cell, return_inverse=True)
    early = value[:since]
    mean = early.mean() if since else value.mean()
    count = np.bincount(cell[:since], minlength=cell.max() + 1)
    own = (np.bincount(cell[:since], weights=early, minlength=cell.max() + 1) + _SHRINK * mean) / (count + _SHRINK)
    expected = own[cell]
    if is_share:
        expected = np.clip(expected, 1e-3, 1 - 1e-3)
        return expected, expected * (1 - expected)
    spread = np.var(early - expected[:since]) if since > 1 else np.var(value)
    return expected, np.full(len(value), max(float(spread), 1e-9))


def _best(name: str, coded: Coded, excess: FloatArray, noise: FloatArray, since: int, total: float) -> Cause | None:
    """The level of a factor that gains most, among those that go the way of the change."""
    code = coded.code[since:]
    known = code >= 0
    size = len(coded.names)
    if not known.any() or len(np.unique(coded.code[coded.code >= 0])) < 2:
        return None
    sums, spread = (np.bincount(code[known], weights=v[known], minlength=size) for v in (excess, noise))
    count = np.bincount(code[known], minlength=size)
    gains = np.where((sums * total > 0) & (count >= _LEAST), sums**2 / np.maximum(2 * spread, 1e-12), 0.0)
    place = int(gains.argmax())
    if gains[place] <= 0:
        return None
    share = float(np.clip(sums[place] / total, 0, 1))
    return Cause(name, str(coded.names[place]), share, float(gains[place]), int(count[place]))


def _season(value: FloatArray, day: IntArray, since: int, excess: FloatArray, noise: FloatArray) -> Cause | None:
    """Whether the same weeks a year ago departed from the rest of their time alike; unknown without a year before."""
    first, last = day[since] - _YEAR - _AROUND, day[-1] - _YEAR + _AROUND
    then = (day[:since] >= first) & (day[:since] <= last)
    rest = ~then
    if day[since] - day[0] < _YEAR or then.sum() < _LEAST or rest.sum() < _LEAST:
        return None
    shift = value[:since][then].mean() - value[:since][rest].mean()
    if shift * excess.sum() <= 0:
        return None
    gain = (shift * excess.sum() - shift**2 * len(excess) / 2) / noise.mean()
    share = float(np.clip(shift * len(excess) / excess.sum(), 0, 1))
    return Cause("season", "year_ago", share, float(max(gain, 0.0)), len(excess))
