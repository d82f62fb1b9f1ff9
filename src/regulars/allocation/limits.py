"""Limits: what an allocation may not exceed, and what it must reach."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.errors import BudgetError
from regulars.wording import Sentence

FloatArray = NDArray[np.floating]
IntArray = NDArray[np.integer]
BoolArray = NDArray[np.bool_]

Kind = Literal["most", "least", "returns"]

EVERYBODY: IntArray = np.zeros((1, 1), np.int32)


class Details(TypedDict, total=False):
    """What may be said of every limit beside its amounts; see Limit."""

    consumption: ArrayLike | None
    scope: ArrayLike | None
    name: str
    labels: Sequence[str] | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Limit:
    """A linear limit on what the chosen offers consume.

    amounts: of each group, shape (groups,), in the unit of the cost or of `consumption`; of `returns`, gain per cost.
    group: the group of each guest, shape (n,), or of each guest and offer, broadcasting to (n, k).
    consumption: what each choice takes, broadcasting to (n, k); None takes the cost.
    scope: guests who count, shape (n,); None counts everybody.
    kind: whether no more than the amounts may be consumed, no less, or whether cost must bring at least so much gain.
    name, labels: how reports call the limit and its groups.

    >>> limit = Limit.per_group([0, 1, 1], [500, 800], name="store")
    >>> limit.label(1)
    'store 1'
    """

    amounts: NDArray[np.float64]
    group: IntArray
    consumption: FloatArray | None = None
    scope: BoolArray | None = None
    kind: Kind = "most"
    name: str
    labels: tuple[str, ...] | None = None

    @classmethod
    def total(cls, amount: float, **details: Unpack[Details]) -> Self:
        """One budget over all guests, or over those in scope."""
        return cls._checked("most", [amount], EVERYBODY, **_called("total", details))

    @classmethod
    def per_group(cls, group: ArrayLike, amounts: ArrayLike, **details: Unpack[Details]) -> Self:
        """One budget for each group, such as a store.

        group: integers 0 .. groups - 1, of each guest, shape (n,), or of each guest and offer, shape (n, k).

        Raises BudgetError if a group has guests but no amount.
        """
        return cls._checked("most", amounts, group, **_called("group", details))

    @classmethod
    def per_offer(cls, stock: ArrayLike, **details: Unpack[Details]) -> Self:
        """A stock for each offer, shape (k,); each choice takes one piece unless `consumption` says otherwise."""
        group = np.arange(np.size(stock), dtype=np.int32)[None, :]
        if details.get("consumption") is None:
            details["consumption"] = 1.0
        return cls._checked("most", stock, group, **_called("offer", details))

    @classmethod
    def at_least(cls, amounts: ArrayLike, *, group: ArrayLike = EVERYBODY, **details: Unpack[Details]) -> Self:
        """What must be consumed at least, such as a tenth of the budget by new guests.

        >>> is_new = [False, True]
        >>> Limit.at_least(50, scope=is_new, name="new guests").label(0)
        'new guests'
        """
        return cls._checked("least", amounts, group, **_called("least", details))

    @classmethod
    def returns(cls, floors: ArrayLike, *, group: ArrayLike = EVERYBODY, **details: Unpack[Details]) -> Self:
        """The least gain for each unit of cost, of all guests or of each group, such as a store."""
        return cls._checked("returns", floors, group, **_called("return", details))

    @classmethod
    def _checked(
        cls,
        kind: Kind,
        amounts: ArrayLike,
        group: ArrayLike,
        *,
        name: str,
        consumption: ArrayLike | None = None,
        scope: ArrayLike | None = None,
        labels: Sequence[str] | None = None,
    ) -> Self:
        if kind == "returns" and consumption is not None:
            raise TypeError(f"limit {name!r}: a return is of gain and cost; leave consumption out")
        checked = _as_amounts(amounts, name, is_bound=kind == "most")
        return cls(
            amounts=checked,
            group=_as_groups(group, len(checked), name),
            consumption=_as_consumption(consumption, name),
            scope=_as_scope(scope, name),
            kind=kind,
            name=name,
            labels=_as_labels(labels, len(checked), name),
        )

    @property
    def is_total_budget(self) -> bool:
        """Whether it limits the cost of everybody's offers as one amount."""
        is_one = self.group.shape == (1, 1) and len(self.amounts) == 1
        return is_one and self.kind == "most" and self.consumption is None and self.scope is None

    def told(self, group: int, *, used: float, price: float) -> Sentence:
        """How far one group of this limit is used, and what its next unit is worth."""
        amount, label = float(self.amounts[group]), self.label(group)
        if self.kind == "returns" and math.isinf(used):
            return Sentence("allocation_nothing_spent", limit=label, amount=amount)
        if self.kind == "returns":
            return Sentence("allocation_returned", limit=label, used=used, amount=amount)
        unit = "allocation_number" if self.consumption is not None else "allocation_money"
        reached, worth = Sentence(unit, value=used), price if price > 0 else None
        if math.isinf(amount):
            return Sentence("allocation_without_end", limit=label, used=reached)
        code = "allocation_used" if self.kind == "most" else "allocation_reached"
        return Sentence(code, limit=label, used=reached, amount=Sentence(unit, value=amount), price=worth)

    def label(self, group: int) -> str:
        """What a report calls one group of this limit."""
        if self.labels is not None:
            return f"{self.name} {self.labels[group]}"
        return self.name if len(self.amounts) == 1 else f"{self.name} {group}"


def _called(name: str, details: Details) -> Details:
    """The details, with a name where they have none."""
    return {"name": name, **details}


def _as_amounts(amounts: ArrayLike, name: str, *, is_bound: bool) -> NDArray[np.float64]:
    array = np.atleast_1d(np.asarray(amounts, dtype=np.float64))
    if array.ndim != 1:
        raise ValueError(f"limit {name!r}: amounts have shape {array.shape}; give one amount for each group")
    if (bad := np.isnan(array)).any():
        mend = "use inf for no limit" if is_bound else "use 0 where nothing is asked"
        raise ValueError(f"limit {name!r}: amounts[{int(np.argmax(bad))}] is not a number; {mend}")
    if (bad := (array < 0) | (np.isinf(array) & (not is_bound))).any():
        worst = int(np.argmax(bad))
        what = "a budget is 0 or more" if is_bound else "what must be reached is finite and 0 or more"
        raise BudgetError(f"limit {name!r}: amounts[{worst}] is {array[worst]:g}; {what}")
    return array


def _as_groups(group: ArrayLike, groups: int, name: str) -> IntArray:
    array = np.asarray(group)
    if array.ndim not in (1, 2) or (array.size and not np.issubdtype(array.dtype, np.integer)):
        raise ValueError(
            f"limit {name!r}: group is {array.dtype} of shape {array.shape}; give integers 0 to {groups - 1}, shape (n,) or (n, k)"
        )
    lowest, highest = (int(array.min()), int(array.max())) if array.size else (0, -1)
    if lowest < 0:
        row = int(np.argwhere(array == lowest)[0][0])
        raise ValueError(
            f"limit {name!r}: guest {row} has group {lowest}; groups count from 0 (leave guests out by scope)"
        )
    if highest >= groups:
        raise BudgetError(
            f"limit {name!r}: group {highest} has guests but no budget; give amounts[{highest}], 0 if it may spend nothing"
        )
    return array.astype(np.int32, copy=False)


def _as_consumption(consumption: ArrayLike | None, name: str) -> FloatArray | None:
    if consumption is None:
        return None
    array: NDArray[Any] = np.asarray(consumption)
    if not np.issubdtype(array.dtype, np.floating):
        array = array.astype(np.float64)
    if array.ndim > 2:
        raise ValueError(f"limit {name!r}: consumption has shape {array.shape}; give one that broadcasts to (n, k)")
    if not np.isfinite(array).all() or (array < 0).any():
        bad = int(np.argwhere(~(np.isfinite(array) & (array >= 0)))[0][0]) if array.ndim else 0
        raise ValueError(
            f"limit {name!r}: consumption holds a negative, infinite or missing number, first in row {bad}; "
            "a choice takes 0 or more"
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
