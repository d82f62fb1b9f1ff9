"""Days: how busy each day is. Weekdays, weather, holidays and the season; a usual day is 1.

The week is that of a restaurant, fullest on Saturday. Rain falls on a quarter of the days and keeps one guest in eight at home.
"""

import datetime as dt

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

WEEK = (0.80, 0.85, 0.90, 1.00, 1.20, 1.30, 0.95)
_RAIN, _WET, _DRY = 0.25, 0.88, 1.04
_FEAST, _SEASON, _WARMEST = 1.25, 0.06, 172
_HOLIDAYS = frozenset({(1, 1), (2, 14), (7, 4), (10, 31), (12, 24), (12, 31)})


def busyness(first: dt.date, days: int, seed: int) -> FloatArray:
    """The factor on everybody's visits on each of `days` days from `first`, shape (days,), about 1 on average.

    The same date and seed always have the same weather.

    >>> busyness(dt.date(2026, 7, 3), 2, seed=0).round(2).tolist()
    [1.32, 1.51]
    """
    return np.array([_factor(first + dt.timedelta(days=day), seed) for day in range(days)])


def _factor(day: dt.date, seed: int) -> float:
    weather = _WET if np.random.default_rng([seed, day.toordinal(), 1]).random() < _RAIN else _DRY
    feast = _FEAST if (day.month, day.day) in _HOLIDAYS else 1.0
    turn = 2 * np.pi * (day.timetuple().tm_yday - _WARMEST) / 365.25
    return float(WEEK[day.weekday()] * weather * feast * (1.0 + _SEASON * np.cos(turn)))
