"""The trial: who was given what and what came of it, checked before anything is estimated."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from regulars.alignment import refuse_shuffled
from regulars.effects.arrays import BoolArray, FloatArray, IntArray, as_codes
from regulars.effects.columns import Columns
from regulars.effects.screening import screen
from regulars.errors import DataError, DesignError

NOTHING = -1
"""The action of a guest who was given nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Past exposures: n rows, k offers. Arm 0 is nothing and arm j + 1 is offer j.

    matrix: features (n, p), NaN where missing.
    arm: (n,); outcome: (n,) in the outcome's unit; cost: (n,) subsidy really deducted, or None.
    propensity: (n, k + 1), NaN where it was not logged, or None.
    cluster: (n,) codes of the guests the rows belong to.
    columns_seen: how many features there were before the most telling were chosen.
    """

    columns: Columns
    matrix: FloatArray
    arm: IntArray
    outcome: FloatArray
    cost: FloatArray | None
    propensity: FloatArray | None
    cluster: IntArray
    offers: tuple[str, ...]
    columns_seen: int

    @property
    def rows(self) -> int:
        return len(self.arm)

    @property
    def given(self) -> BoolArray:
        """Which arm each row is in, as indicators (n, k + 1)."""
        return np.equal(self.arm[:, None], np.arange(len(self.offers) + 1))

    def guests(self, arm: int) -> int:
        """How many different guests were ever in an arm."""
        return len(np.unique(self.cluster[self.arm == arm]))

    def names(self, places: Collection[int]) -> tuple[str, ...]:
        """The names of some features, in their order."""
        return tuple(self.columns.names[place] for place in sorted(places))

    def without(self, places: Collection[int]) -> Self:
        """The trial less some features; where none is left, one stays that is the same for everybody."""
        kept = [place for place in range(len(self.columns.names)) if place not in places]
        if not kept:
            return replace(self, columns=self.columns.only([0]), matrix=np.zeros((self.rows, 1), order="F"))
        return replace(self, columns=self.columns.only(kept), matrix=self.matrix[:, kept])


def read_trial(
    features: Any,
    action: ArrayLike,
    outcome: ArrayLike,
    *,
    cost: ArrayLike | None,
    propensity: ArrayLike | None,
    offers: Sequence[object] | None,
    cluster: ArrayLike | None,
) -> Trial:
    """Check what was given and put it into one shape.

    Raises DataError for values that cannot be used as they are, DesignError where no comparison is possible.
    """
    refuse_shuffled(
        features=features, action=action, outcome=outcome, cost=cost, propensity=propensity, cluster=cluster
    )
    columns = Columns.learn(features)
    matrix = columns.matrix(features)
    rows = len(matrix)
    numbers = as_action(action, rows)
    names = _as_offers(offers, numbers)
    _refuse_without_comparison(numbers)
    values = as_finite(outcome, rows, "outcome", "drop these rows, or give 0 to guests who did not come")
    if np.ptp(values) == 0:
        raise DesignError(f"outcome is {values[0]:g} in every row, so no effect can be seen; choose one that varies")
    kept = screen(matrix, np.column_stack([values, numbers[:, None] == np.arange(len(names))]), columns.categorical)
    return Trial(
        columns=columns.only(kept),
        matrix=matrix[:, kept],
        arm=numbers + 1,
        outcome=values,
        cost=None if cost is None else _as_cost(cost, rows),
        propensity=None if propensity is None else as_propensity(propensity, numbers, len(names)),
        cluster=as_cluster(cluster, rows),
        offers=names,
        columns_seen=matrix.shape[1],
    )


def as_finite(values: ArrayLike, rows: int, name: str, mend: str) -> FloatArray:
    """Numbers of shape (rows,) without a gap; otherwise DataError with the first bad row and the mend."""
    try:
        array = np.asarray(np.ma.filled(np.ma.asarray(values, dtype=np.float64), np.nan))
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"{name} is not all numbers: {error}") from error
    if array.shape != (rows,):
        raise DataError(f"{name} has the shape {array.shape} and there are {rows} rows; expected ({rows},)")
    bad = ~np.isfinite(array)
    if bad.any():
        raise DataError(f"{name} is missing or infinite in {bad.sum():,} rows, first in row {np.argmax(bad)}; {mend}")
    return array


def as_action(action: ArrayLike, rows: int) -> IntArray:
    """Numbers of offers, (rows,), -1 for nothing; otherwise DataError with the first bad row."""
    numbers = as_finite(action, rows, "action", f"give {NOTHING} to guests who were given nothing")
    if not rows:
        raise DesignError("there is no row; effects need past exposures")
    if (bad := (numbers != np.floor(numbers)) | (numbers < NOTHING)).any():
        row = int(np.argmax(bad))
        raise DataError(f"action row {row}: {numbers[row]:g} is no offer; expected {NOTHING} for nothing, or 0, 1, ...")
    return numbers.astype(np.int64)


def _as_offers(offers: Sequence[object] | None, action: IntArray) -> tuple[str, ...]:
    seen = int(action.max()) + 1
    names = tuple(f"offer {number}" for number in range(seen)) if offers is None else tuple(map(str, offers))
    if seen > len(names):
        raise DataError(f"action names offer {seen - 1} and offers has {len(names)} names, counted from 0")
    if len(set(names)) < len(names):
        raise DataError(f"offers repeat a name: {', '.join(names)}")
    return names


def _refuse_without_comparison(action: IntArray) -> None:
    zero = f"; if 0 means nothing in your data, give action - 1, for {NOTHING} is nothing and 0 the first offer"
    if not (action == NOTHING).any():
        raise DesignError(
            "every row was given an offer, so nothing says what guests do without one: this is response, not effect; "
            f"add guests who were given nothing (action {NOTHING}), or keep a holdout in the next campaign" + zero
        )
    if not (action != NOTHING).any():
        raise DesignError("no row was given an offer, so no effect can be seen; start with a randomised campaign")


def _as_cost(cost: ArrayLike, rows: int) -> FloatArray:
    amounts = as_finite(cost, rows, "cost", "give 0 where nothing was redeemed")
    if (amounts < 0).any():
        row = int(np.argmax(amounts < 0))
        raise DataError(f"cost row {row}: {amounts[row]:g} is negative; give the subsidy deducted as a positive number")
    return amounts


def as_cluster(cluster: ArrayLike | None, rows: int) -> IntArray:
    """Codes of the guests that rows belong to, (rows,), each row a guest of its own where none are named; otherwise DataError."""
    if cluster is None:
        return np.arange(rows)
    labels = np.asarray(cluster)
    if labels.shape != (rows,):
        raise DataError(f"cluster has the shape {labels.shape} and there are {rows} rows; expected ({rows},)")
    if labels.dtype == object:
        labels = labels.astype(str)
    return as_codes(labels)


def as_propensity(propensity: ArrayLike, action: IntArray, offers: int) -> FloatArray:
    """Logged propensities as (n, offers + 1), nothing first, NaN where only the taken action's was given.

    Raises DataError where they are missing or do not add up, DesignError where a row had no other choice.
    """
    given = np.asarray(propensity, dtype=np.float64)
    rows = len(action)
    if given.shape not in ((rows,), (rows, offers + 1)):
        raise DataError(f"propensity has the shape {given.shape}; expected ({rows},) or ({rows}, {offers + 1})")
    if (bad := ~np.isfinite(given).reshape(rows, -1).all(axis=1)).any():
        raise DataError(
            f"propensity is missing in {bad.sum():,} rows, first in row {np.argmax(bad)}; leave it out to estimate it"
        )
    if given.ndim == 1:
        taken, table = given, np.full((rows, offers + 1), np.nan)
        table[np.arange(rows), action + 1] = taken
    else:
        taken, table = given[np.arange(rows), action + 1], given
        if (bad := (np.abs(table.sum(axis=1) - 1) > 1e-6) | (table < 0).any(axis=1)).any():
            row = int(np.argmax(bad))
            raise DataError(f"propensity row {row} adds up to {table[row].sum():.6g}; expected parts of 1")
    _refuse_certain(taken)
    return table


def _refuse_certain(taken: FloatArray) -> None:
    if (bad := (taken <= 0) | (taken > 1)).any():
        row = int(np.argmax(bad))
        raise DataError(f"propensity row {row}: the action taken has {taken[row]:g}; expected more than 0, less than 1")
    if (taken == 1).any():
        row = int(np.argmax(taken == 1))
        raise DesignError(
            f"propensity row {row}: 1 means there was no other choice; drop rows that were not randomised"
        )
