"""Limits: what an allocation may not exceed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.errors import BudgetError

FloatArray = NDArray[np.floating]
IntArray = NDArray[np.integer]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Limit:
    """A linear limit on what the chosen offers consume.

    amounts: most that each group may consume, shape (groups,), in the unit of the cost or of `consumption`.
    group: the group of each guest, shape (n,), or of each guest and offer, broadcasting to (n, k).
    consumption: what each choice takes, broadcasting to (n, k); None takes the cost.
    scope: guests who count, shape (n,); None counts everybody.
    name, labels: how reports call the limit and its groups.

    >>> limit = Limit.per_group([0, 1, 1], [500, 800], name="store")
    >>> limit.label(1)
    'store 1'
    """

    amounts: NDArray[np.float64]
    group: IntArray
    consumption: FloatArray | None = None
    scope: BoolArray | None = None
    name: str
    labels: tuple[str, ...] | None = None

    @classmethod
    def total(
        cls,
        amount: float,
        *,
        consumption: ArrayLike | None = None,
        scope: ArrayLike | None = None,
        name: str = "total",
    ) -> Self:
        """One budget over all guests, or over those in scope."""
        return cls(
            amounts=_as_amounts([amount], name),
            group=np.zeros((1, 1), np.int32),
            consumption=_as_consumption(consumption, name),
            scope=_as_scope(scope, name),
            name=name,
        )

    @classmethod
    def per_group(
        cls,
        group: ArrayLike,
        amounts: ArrayLike,
        *,
        consumption: ArrayLike | None = None,
        scope: ArrayLike | None = None,
        name: str = "group",
        labels: Sequence[str] | None = None,
    ) -> Self:
        """One budget for each group, such as a store.

        group: integers 0 .. groups - 1, of each guest, shape (n,), or of each guest and offer, shape (n, k).

        Raises BudgetError if a group has guests but no amount.
        """
        checked = _as_amounts(amounts, name)
        return cls(
            amounts=checked,
            group=_as_groups(group, len(checked), name),
            consumption=_as_consumption(consumption, name),
            scope=_as_scope(scope, name),
            name=name,
            labels=_as_labels(labels, len(checked), name),
        )

    @classmethod
    def per_offer(
        cls,
        stock: ArrayLike,
        *,
        consumption: ArrayLike | None = None,
        scope: ArrayLike | None = None,
        name: str = "offer",
        labels: Sequence[str] | None = None,
    ) -> Self:
        """A stock for each offer, shape (k,); each choice takes one piece unless `consumption` says otherwise."""
        checked = _as_amounts(stock, name)
        return cls(
            amounts=checked,
            group=np.arange(len(checked), dtype=np.int32)[None, :],
            consumption=_as_consumption(1.0 if consumption is None else consumption, name),
            scope=_as_scope(scope, name),
            name=name,
            labels=_as_labels(labels, len(checked), name),
        )

    @property
    def is_total_budget(self) -> bool:
        """Whether it limits the cost of everybody's offers as one amount."""
        return len(self.amounts) == 1 and self.group.shape == (1, 1) and self.consumption is None and self.scope is None

    def label(self, group: int) -> str:
        """What a report calls one group of this limit."""
        if self.labels is not None:
            return f"{self.name} {self.labels[group]}"
        return self.name if len(self.amounts) == 1 else f"{self.name} {group}"


def _as_amounts(amounts: ArrayLike, name: str) -> NDArray[np.float64]:
    array = np.atleast_1d(np.asarray(amounts, dtype=np.float64))
    if array.ndim != 1:
        raise ValueError(f"limit {name!r}: amounts have shape {array.shape}; give one amount for each group")
    if np.isnan(array).any():
        raise ValueError(
            f"limit {name!r}: amounts[{int(np.argmax(np.isnan(array)))}] is not a number; use inf for no limit"
        )
    if (array < 0).any():
        worst = int(np.argmax(array < 0))
        raise BudgetError(f"limit {name!r}: amounts[{worst}] is {array[worst]:g}; a budget is 0 or more")
    return array


def _as_groups(group: ArrayLike, groups: int, name: str) -> IntArray:
    array = np.asarray(group)
    if array.ndim not in (1, 2) or (array.size and not np.issubdtype(array.dtype, np.integer)):
        raise ValueError(
            f"limit {name!r}: group is {array.dtype} of shape {array.shape}; give integers 0 to {groups - 1}, shape (n,) or (n, k)"
        )
    array = array.astype(np.int32, copy=False) if array.size else np.zeros(array.shape, np.int32)
    if array.size and (lowest := int(array.min())) < 0:
        row = int(np.argwhere(array == lowest)[0][0])
        raise ValueError(
            f"limit {name!r}: guest {row} has group {lowest}; groups count from 0 (leave guests out by scope)"
        )
    if array.size and (highest := int(array.max())) >= groups:
        raise BudgetError(
            f"limit {name!r}: group {highest} has guests but no budget; give amounts[{highest}], 0 if it may spend nothing"
        )
    return array


def _as_consumption(consumption: ArrayLike | None, name: str) -> FloatArray | None:
    if consumption is None:
        return None
    array = np.asarray(consumption)
    if not np.issubdtype(array.dtype, np.floating):
        array = array.astype(np.float64)
    if array.ndim > 2:
        raise ValueError(f"limit {name!r}: consumption has shape {array.shape}; give one that broadcasts to (n, k)")
    if not np.isfinite(array).all() or (array < 0).any():
        raise ValueError(
            f"limit {name!r}: consumption holds a negative, infinite or missing number; a choice takes 0 or more"
        )
    return array


def _as_scope(scope: ArrayLike | None, name: str) -> BoolArray | None:
    if scope is None:
        return None
    array = np.asarray(scope)
    if array.ndim != 1 or array.dtype != np.bool_:
        raise ValueError(
            f"limit {name!r}: scope is {array.dtype} of shape {array.shape}; give true or false for each guest"
        )
    return array


def _as_labels(labels: Sequence[str] | None, groups: int, name: str) -> tuple[str, ...] | None:
    if labels is None:
        return None
    if len(labels) != groups:
        raise ValueError(f"limit {name!r}: {len(labels)} labels for {groups} amounts; give one label for each")
    return tuple(str(label) for label in labels)
