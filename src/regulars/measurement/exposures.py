"""Exposures: was the campaign run as it was drawn, and is it over?"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from regulars.errors import DataError, DesignError
from regulars.measurement.guests import as_labels

_SURELY_CHANGED = 1e-4
_PERIODS = 10


def check_windows_over(exposed_at: ArrayLike, *, days: int, as_of: datetime) -> None:
    """Raise DesignError while the outcome window of any guest is still open.

    exposed_at: when each guest was assigned, UTC, shape (n,). days: the length of the window. as_of: now, UTC.
    An open window counts late guests for less than they will bring, and they are not the same share of every arm for ever.

    >>> check_windows_over(["2026-03-01"], days=14, as_of=datetime(2026, 3, 16))
    """
    over = _instants(exposed_at) + np.timedelta64(days, "D")
    now = _without_zone(as_of)
    waiting = int((over > now).sum())
    if waiting:
        left = int(np.ceil((over.max() - now) / np.timedelta64(1, "D")))
        raise DesignError(
            f"cannot know yet: the {days} days of {waiting:,} of {len(over):,} guests are not over at {as_of:%Y-%m-%d %H:%M}; "
            f"look again in {left} days, or leave these guests out of every arm"
        )


def check_shares_steady(arm: ArrayLike, exposed_at: ArrayLike) -> None:
    """Raise DesignError if the shares of the arms changed while guests were assigned.

    Then guests of different times weigh differently in each arm, and a busy week looks like an effect.
    arm, exposed_at: shape (n,). The time of assignment is cut into ten parts of equal numbers; chi-square test of homogeneity.
    """
    times = _instants(exposed_at)
    labels = as_labels(arm, "arm", len(times))
    names, position = np.unique(labels, return_inverse=True)
    _, order = np.unique(times, return_inverse=True)
    earlier = np.searchsorted(np.sort(order), order)
    _, period = np.unique(earlier * _PERIODS // len(times), return_inverse=True)
    table = np.zeros((period.max() + 1, len(names)))
    np.add.at(table, (period, position), 1)
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / len(times)
    freedom = (table.shape[0] - 1) * (len(names) - 1)
    if freedom and special.chdtrc(freedom, ((table - expected) ** 2 / expected).sum()) < _SURELY_CHANGED:
        worst = int(np.argmax(np.abs(table - expected).max(axis=1)))
        now = ", ".join(
            f"{name} {share:.0%}" for name, share in zip(names, table[worst] / table[worst].sum(), strict=True)
        )
        since = times[period == worst].min().astype("datetime64[D]")
        raise DesignError(
            f"the assignment was changed midway: from {since} on it was {now}; compare the time before and the time after apart"
        )


def _instants(exposed_at: ArrayLike) -> NDArray[np.datetime64]:
    given = np.asarray(exposed_at)
    if given.dtype == object:
        given = np.array([_without_zone(instant) for instant in given])
    times = given.astype("datetime64[us]")
    if times.ndim != 1 or len(times) == 0:
        raise ValueError(f"exposed_at has shape {times.shape}; expected one instant for each guest")
    if np.isnat(times).any():
        raise DataError(f"exposed_at[{int(np.argmax(np.isnat(times)))}] is missing; every exposure has its time")
    return times


def _without_zone(instant: datetime | None) -> np.datetime64:
    if instant is None:
        return np.datetime64("NaT")
    return np.datetime64(instant if instant.tzinfo is None else instant.astimezone(UTC).replace(tzinfo=None))
