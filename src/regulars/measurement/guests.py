"""Guests: the rows of an experiment, refused where they cannot be judged."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.errors import DataError, DesignError
from regulars.measurement.moments import FloatArray, Label

LabelArray = NDArray[Any]
_BEYOND_ANY_BILL = 1e15


def as_amounts(values: ArrayLike, name: str, n: int | None = None) -> FloatArray:
    """Numbers, one a guest; shape (n,).

    Raises DataError if there are none, or one is missing, endless or beyond 1e15; ValueError if the shape is wrong.
    """
    amounts = np.asarray(values, dtype=np.float64)
    if amounts.ndim != 1 or (n is not None and len(amounts) != n):
        raise ValueError(
            f"{name} has shape {amounts.shape}; expected one value for each guest" + (f", ({n},)" if n else "")
        )
    if len(amounts) == 0:
        raise DataError(f"{name} is empty; give one value for each guest who was assigned")
    if not np.isfinite(amounts).all():
        row = int(np.argmin(np.isfinite(amounts)))
        raise DataError(f"{name}[{row}] is {amounts[row]}; give 0 to a guest who did not come, and leave nobody out")
    if np.abs(amounts).max() > _BEYOND_ANY_BILL:
        row = int(np.argmax(np.abs(amounts)))
        raise DataError(f"{name}[{row}] is {amounts[row]:g}, beyond any bill; mend it where it was loaded")
    return amounts


def as_labels(values: ArrayLike, name: str, n: int) -> LabelArray:
    """Labels, one a guest; shape (n,).

    Raises DataError if one is missing, ValueError if the shape is wrong.
    """
    labels = np.asarray(values)
    if labels.shape != (n,):
        raise ValueError(f"{name} has shape {labels.shape}; expected one label for each guest, ({n},)")
    missing = (
        np.array([label is None or label != label for label in labels], dtype=bool)
        if labels.dtype.kind in "Of"
        else None
    )
    if missing is not None and missing.any():
        raise DataError(
            f"{name}[{int(np.argmax(missing))}] is missing; every guest has a {name}, also one who got nothing"
        )
    return labels if labels.dtype.kind != "O" else labels.astype(str)


def check_arms(sizes: Mapping[Label, int], control: Label, unit: str = "guests") -> None:
    """Raise DesignError unless there are a control and an offer with at least two units each."""
    if not sizes:
        raise DesignError("there is no guest in any arm")
    if control not in sizes:
        near = difflib.get_close_matches(str(control), [str(arm) for arm in sizes], n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise DesignError(f"no guest is in the control arm {control!r}; the arms are {_listed(sizes)}{meant}")
    if len(sizes) == 1:
        raise DesignError(f"every guest is in arm {control!r}: with nobody else there is nothing to compare")
    for arm, size in sizes.items():
        if size < 2:
            raise DesignError(
                f"arm {arm!r} has {size} of the {unit}, which cannot be told from chance; give each arm at least 2"
                + (", better 10" if unit != "guests" else "")
            )


def check_each_guest_once(guest_id: ArrayLike, arm: LabelArray) -> None:
    """Raise DesignError if a guest is in two arms, DataError if he is there twice."""
    guests = as_labels(guest_id, "guest_id", len(arm))
    names, position, count = np.unique(guests, return_inverse=True, return_counts=True)
    if len(names) == len(guests):
        return
    if (moved := _first_straddler(position, arm)) is not None:
        raise DesignError(
            f"guest {names[moved]} is in two arms; the assignment was changed midway, use the first exposure"
        )
    twice = names[int(np.argmax(count > 1))]
    raise DataError(f"guest {twice} has {int(count.max())} rows; sum his outcomes to one row a guest")


def check_clusters(cluster: LabelArray, arm: LabelArray) -> None:
    """Raise DesignError if a cluster has guests in two arms, for then it was not the cluster that was assigned."""
    names, position = np.unique(cluster, return_inverse=True)
    if (moved := _first_straddler(position, arm)) is not None:
        raise DesignError(
            f"cluster {names[moved]} has guests in two arms, so guests were assigned and not clusters; leave `cluster` out"
        )


def _first_straddler(position: NDArray[np.intp], arm: LabelArray) -> int | None:
    """The first group whose members are in more than one arm."""
    _, arm_position = np.unique(arm, return_inverse=True)
    first = np.zeros(position.max() + 1, dtype=np.intp)
    first[position[::-1]] = arm_position[::-1]
    moved = arm_position != first[position]
    return int(position[np.argmax(moved)]) if moved.any() else None


def _listed(arms: Iterable[Label]) -> str:
    return ", ".join(repr(arm) for arm in arms)
