"""Charting: the CUSUM of one stream of observations, its threshold for a stated rate of false alarms, and its delay.

The CUSUM of log-likelihood ratios is the quickest detector there is for a change from one known law to another, in the worst case
over what came before (Moustakides 1986, Annals of Statistics 14). How long it runs without a change (ARL0) and how long it takes
after one is worked out, not guessed: for shares by the Markov chain of Brook & Evans (1972, Biometrika 59), for means by Siegmund's
corrected diffusion (1985, Sequential Analysis, eq. 2.57).
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.optimize import brentq

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
_STATES = 320
_OVERSHOOT = 1.166  # 2 * 0.583, Siegmund's correction for an excess at both barriers


class Threshold(NamedTuple):
    """height: of the CUSUM at which it alarms. false_alarm_after: observations until a false alarm, on average. delay: until a true one."""

    height: float
    false_alarm_after: float
    delay: float


def share_ratio(value: FloatArray, before: float, after: float) -> FloatArray:
    """The log-likelihood ratio of each 0 or 1 for a share `after` against one of `before`."""
    return np.where(value > 0, math.log(after / before), math.log((1 - after) / (1 - before)))


def mean_ratio(value: FloatArray, before: float, spread: float, change: float) -> FloatArray:
    """The same for a normal mean that moved by `change`."""
    return np.asarray(change / spread**2 * (value - before - change / 2))


@lru_cache(maxsize=4096)
def share_threshold(before: float, after: float, observations: float) -> Threshold:
    """The threshold that alarms falsely once in so many observations, on average.

    >>> share_threshold(0.40, 0.35, 5_000).delay < 480
    True
    """

    def excess(height: float) -> float:
        return math.log(share_run_length(before, after, height, before)) - math.log(observations)

    top = 1.0
    while excess(top) < 0:
        top += 1.0
    height = float(brentq(excess, 1e-3, top, xtol=1e-3)) if excess(1e-3) < 0 else 1e-3
    return Threshold(
        height, share_run_length(before, after, height, before), share_run_length(before, after, height, after)
    )


def share_run_length(before: float, after: float, height: float, share: float) -> float:
    """How many observations with a true `share` pass on average until the CUSUM reaches `height`, from 0."""
    steps = np.array([math.log((1 - after) / (1 - before)), math.log(after / before)])
    width = height / _STATES
    moves = np.zeros((_STATES, _STATES))
    rows = np.arange(_STATES)
    for step, chance in zip(steps, (1 - share, share), strict=True):
        target = np.maximum((rows * width + step) / width, 0.0)
        low = np.floor(target).astype(np.int64)
        for place, part in ((low, 1 - (target - low)), (low + 1, target - low)):
            inside = place < _STATES
            np.add.at(moves, (rows[inside], place[inside]), chance * part[inside])
    return float(np.linalg.solve(np.eye(_STATES) - moves, np.ones(_STATES))[0])


def mean_threshold(change: float, spread: float, observations: float) -> Threshold:
    """The same for a mean that moves by `change`, with deviations of `spread`."""
    drift = abs(change) / spread / 2

    def run_length(height: float, towards: float) -> float:
        reach = 2 * towards * (height + _OVERSHOOT)
        return (math.exp(reach) - reach - 1) / (2 * towards**2)

    top = 1.0
    while run_length(top, drift) < observations:
        top *= 1.5
    height = (
        float(brentq(lambda h: run_length(h, drift) - observations, 1e-6, top))
        if run_length(1e-6, drift) < observations
        else 1e-6
    )
    return Threshold(height * 2 * drift, run_length(height, drift), run_length(height, -drift))


@njit(cache=True)
def first_alarms(ratio: FloatArray, start: IntArray, stop: IntArray, height: FloatArray) -> tuple[IntArray, IntArray]:
    """For each stream: the observation at which its CUSUM first reaches the height, and the first after its last zero.

    ratio: (n,) log-likelihood ratios, stream after stream. start, stop: (s,) of each. -1 where there is no alarm.
    """
    alarm = np.full(len(start), -1, dtype=np.int64)
    change = np.full(len(start), -1, dtype=np.int64)
    for stream in range(len(start)):
        total, since = 0.0, start[stream]
        for place in range(start[stream], stop[stream]):
            total += ratio[place]
            if total <= 0.0:
                total, since = 0.0, place + 1
            elif total >= height[stream]:
                alarm[stream], change[stream] = place, since
                break
    return alarm, change


def path(ratio: FloatArray) -> FloatArray:
    """The CUSUM at each observation of one stream, shape (n,): its sum above the lowest sum so far."""
    total = np.concatenate([[0.0], np.cumsum(ratio)])
    return np.asarray((total - np.minimum.accumulate(total))[1:])


def change_range(ratio: FloatArray, alarm: int, *, drop: float = 2.0) -> tuple[int, int]:
    """The first and last observation at which the change may have happened: those within `drop` of the best log-likelihood.

    A profile interval; 2 covers about 95 % (Siegmund 1988, Int. Statistical Review 56).
    """
    until = ratio[: alarm + 1]
    gain = until.sum() - np.concatenate([[0.0], np.cumsum(until)[:-1]])
    likely = np.flatnonzero(gain >= gain.max() - drop)
    return int(likely[0]), int(likely[-1])
