"""Actions: which offers a guest may get together, and which they must or must not get.

An action is a set of offers: at most so many, and none that exclude each other. Forced and forbidden pairs bar actions of
single guests; guests barred alike share a pattern, so that bars are a small table too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.allocation.limits import IntArray
from regulars.allocation.matrices import kinds_of
from regulars.allocation.problem import held
from regulars.errors import BudgetError

MOST_TOGETHER, MOST_ACTIONS = 3, 4096


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Patterns:
    """What is barred. index: the pattern of each guest, shape (n,); bars: shape (patterns, actions + 1), 0 or -inf."""

    index: IntArray
    bars: NDArray[np.float64]


def possible_actions(offers: int, most: int, exclusive: Sequence[Sequence[int]]) -> NDArray[np.int16]:
    """Every set of 1 to `most` offers of which no two are in the same exclusive set, shape (actions, most), -1 for no offer."""
    if not 1 <= most <= MOST_TOGETHER:
        raise ValueError(f"most is {most}; a guest gets at most 1 to {MOST_TOGETHER} offers")
    if bad := [offer for some in exclusive for offer in some if not 0 <= offer < offers]:
        raise ValueError(f"exclusive names offer {bad[0]}; offers count from 0 to {offers - 1}")
    apart = {frozenset(pair) for some in exclusive for pair in combinations(some, 2)}
    sets = [
        some
        for size in range(1, min(most, offers) + 1)
        for some in combinations(range(offers), size)
        if not any(frozenset(pair) in apart for pair in combinations(some, 2))
    ]
    if len(sets) > MOST_ACTIONS and most > 1:
        raise ValueError(
            f"{offers} offers make {len(sets)} sets of at most {most}, more than {MOST_ACTIONS}; exclude some from each other"
        )
    if len(sets) >= np.iinfo(np.int16).max:
        raise ValueError(f"{offers} offers are more than a choice can name; at most {np.iinfo(np.int16).max - 1}")
    actions = np.full((len(sets), most), -1, np.int16)
    for row, some in zip(actions, sets, strict=True):
        row[: len(some)] = some
    return actions


def patterns_of(
    actions: NDArray[np.int16], guests: int, offers: int, *, forced: ArrayLike | None, forbidden: ArrayLike | None
) -> Patterns:
    """The bars that these pairs of guest and offer put up.

    forced, forbidden: pairs, shape (p, 2), or true or false for each guest and offer, shape (n, k).

    Raises BudgetError naming a guest whose forced offers cannot go together or are forbidden.
    """
    if forced is None and forbidden is None:
        return Patterns(index=np.zeros(guests, np.int32), bars=np.zeros((1, len(actions) + 1)))
    both = np.concatenate(
        [_marks("forced", forced, guests, offers), _marks("forbidden", forbidden, guests, offers)], axis=1
    )
    index, kinds = kinds_of(both)
    needs, shuns = kinds[:, :offers], kinds[:, offers:]
    holds = np.concatenate([held(actions, offers), np.zeros((1, offers), np.bool_)])
    is_barred = (shuns @ holds.T) | (needs @ ~holds.T)
    if (dead := is_barred.all(axis=1)).any():
        guest = int(np.argmax(dead[index]))
        names = ", ".join(str(offer) for offer in np.flatnonzero(needs[index[guest]]))
        raise BudgetError(
            f"guest {guest} must get offer {names}, which is forbidden, excluded or more than they may get; force or forbid less"
        )
    return Patterns(index=index.astype(np.int32), bars=np.where(is_barred, -np.inf, 0.0))


def _marks(what: str, pairs: ArrayLike | None, guests: int, offers: int) -> NDArray[np.bool_]:
    """Which offers are marked at each guest, shape (n, k)."""
    array = np.zeros((0, 2), np.int64) if pairs is None else np.asarray(pairs)
    if array.dtype == np.bool_:
        if array.shape != (guests, offers):
            raise ValueError(f"{what} has shape {array.shape}; give true or false for {(guests, offers)}, or pairs")
        return np.asarray(array, np.bool_)
    marks = np.zeros((guests, offers), np.bool_)
    if array.size == 0:
        return marks
    if array.ndim != 2 or array.shape[1] != 2 or not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{what} is {array.dtype} of shape {array.shape}; give pairs of guest and offer, shape (p, 2)")
    if (bad := (array < 0) | (array >= np.array([guests, offers]))).any():
        row = int(np.argmax(bad.any(axis=1)))
        raise ValueError(
            f"{what}[{row}] is guest {array[row, 0]}, offer {array[row, 1]}; there are {guests} guests and {offers} offers"
        )
    marks[array[:, 0], array[:, 1]] = True
    return marks
