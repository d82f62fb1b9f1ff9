"""Guests: the rows of an experiment, refused where they cannot be judged."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from numbers import Number
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.errors import DataError, DesignError
from regulars.measurement.moments import FloatArray, Label

LabelArray = NDArray[Any]
_BEYOND_ANY_BILL = 1e15
_MOST_WHOLE = 2.0**53


def as_amounts(values: ArrayLike, name: str, n: int | None = None) -> FloatArray:
    """Numbers, one a guest; shape (n,). A masked value is a missing one.

    Raises DataError if there are none, or one is missing, no number, endless or beyond 1e15; ValueError if the shape is wrong.
    """
    amounts = _as_floats(values, name)
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


def _as_floats(values: ArrayLike, name: str) -> FloatArray:
    if np.ma.isMaskedArray(values):
        return np.ma.asarray(values, dtype=np.float64).filled(np.nan)
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        for row, value in enumerate(np.asarray(values, dtype=object).tolist()):
            if not _is_number(value):
                raise DataError(
                    f"{name}[{row}] is {str(value)[:40]!r}, which is no number an outcome can be"
                ) from error
        raise


def _is_number(value: object) -> bool:
    try:
        float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def as_labels(values: ArrayLike, name: str, n: int) -> LabelArray:
    """Labels, one a guest; shape (n,): whole numbers as such however they were written, anything mixed as text.

    Raises DataError if one is missing or masked, ValueError if the shape is wrong.
    """
    labels = np.asarray(values)
    if isinstance(values, list | tuple) and labels.dtype.kind == "U" and set(map(type, values)) != {str}:
        labels = np.asarray(values, dtype=object)  # numpy makes '7.0' of a number beside text
    if labels.shape != (n,):
        raise ValueError(f"{name} has shape {labels.shape}; expected one label for each guest, ({n},)")
    if (missing := _missing(values, labels)).any():
        raise DataError(
            f"{name}[{int(np.argmax(missing))}] is missing; every guest has a {name}, also one who got nothing"
        )
    return _whole(labels if labels.dtype.kind != "O" else _plain(labels))


def _missing(values: ArrayLike, labels: LabelArray) -> NDArray[np.bool_]:
    """Which labels are masked, None, not a number, or whatever else stands for nothing."""
    missing = np.zeros(len(labels), dtype=bool)
    if np.ma.isMaskedArray(values):
        missing |= np.ma.getmaskarray(values)
    if labels.dtype.kind == "f":
        missing |= np.isnan(labels)
    elif labels.dtype.kind == "O":
        try:
            missing |= np.array([label is None or label != label for label in labels.tolist()], dtype=bool)
        except TypeError:  # pandas' NA does not even know whether it equals itself
            missing |= np.array([_is_nothing(label) for label in labels.tolist()], dtype=bool)
    return missing


def _is_nothing(label: object) -> bool:
    try:
        return label is None or bool(label != label)
    except TypeError:
        return True


def _plain(labels: LabelArray) -> LabelArray:
    """Labels of any kind as truths, as numbers, or as text, in which 7.0 is 7."""
    kinds = set(map(type, labels.tolist()))
    if kinds == {str}:
        return labels.astype(str)
    if kinds <= {bool, np.bool_}:
        return labels.astype(bool)
    if all(issubclass(kind, Number) for kind in kinds) and all(abs(label) < _MOST_WHOLE for label in labels):
        return labels.astype(np.float64)
    return np.array([_as_text(label) for label in labels.tolist()], dtype=str)


def _as_text(label: object) -> str:
    return str(int(label)) if isinstance(label, float | Decimal) and label % 1 == 0 else str(label)


def _whole(labels: LabelArray) -> LabelArray:
    """Whole numbers as such, also where one missing elsewhere had made floats of them."""
    if labels.dtype.kind != "f" or (labels % 1).any() or np.abs(labels).max(initial=0.0) >= _MOST_WHOLE:
        return labels
    return labels.astype(np.int64)


def match_control(control: Label, labels: Iterable[Label]) -> Label:
    """The label that is meant by the control: "0" is 0, and 0 is "0"."""
    known = list(dict.fromkeys(labels))
    if control in known:
        return control
    same = [label for label in known if _as_text(label) == _as_text(control)]
    return same[0] if len(same) == 1 else control


def check_arms(sizes: Mapping[Label, int], control: Label | None, unit: str = "guests") -> None:
    """Raise DesignError unless there are a control (any arm, if None) and an offer with at least two units each."""
    if not sizes:
        raise DesignError("there is no guest in any arm")
    if control is not None and control not in sizes:
        near = difflib.get_close_matches(str(control), [str(arm) for arm in sizes], n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        if set(sizes) == {0, 1}:
            meant = "; say which of them was given nothing, as in control=0"
        raise DesignError(f"no guest is in the control arm {control!r}; the arms are {_listed(sizes)}{meant}")
    if len(sizes) == 1:
        raise DesignError(f"every guest is in arm {next(iter(sizes))!r}: with nobody else there is nothing to compare")
    for arm, size in sizes.items():
        if size < 2:
            raise DesignError(
                f"arm {arm!r} has {size} of the {unit}, which cannot be told from chance; give each arm at least 2"
                + (", better 10" if unit != "guests" else "")
            )


def check_each_guest_once(guest_id: ArrayLike, arm: LabelArray) -> None:
    """Raise DesignError if a guest is in two arms, DataError if one is there twice."""
    guests = as_labels(guest_id, "guest_id", len(arm))
    names, position, count = np.unique(guests, return_inverse=True, return_counts=True)
    if len(names) == len(guests):
        return
    if (moved := _first_straddler(position, arm)) is not None:
        raise DesignError(
            f"guest {names[moved]} is in two arms; the assignment was changed midway, use the first exposure"
        )
    twice = names[int(np.argmax(count > 1))]
    raise DataError(f"guest {twice} has {int(count.max())} rows; sum their outcomes to one row a guest")


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
