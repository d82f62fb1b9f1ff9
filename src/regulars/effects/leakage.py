"""Leakage: features that can only have been computed after the exposure."""

import datetime as dt
from numbers import Number

import numpy as np
from numpy.typing import ArrayLike

from regulars.effects.arrays import FloatArray
from regulars.effects.balance import owners, standardised
from regulars.effects.trial import Trial
from regulars.errors import DataError
from regulars.wording import Sentence

SUSPECT = 0.9
"""No single fact known beforehand explains nine tenths of what a guest will do."""
SAME = 0.99
"""What explains so much of the outcome holds it, and is left out."""


def refuse_after_exposure(known_at: ArrayLike | None, exposed_at: ArrayLike | None, rows: int) -> None:
    """Raises DataError where a row's features hold what was not known before its exposure, or where one of the dates is missing.

    known_at, exposed_at: dates or instants, one for all rows or (rows,); both or none.
    """
    if known_at is None and exposed_at is None:
        return
    if known_at is None or exposed_at is None:
        given, missing = ("exposed_at", "known_at") if known_at is None else ("known_at", "exposed_at")
        raise DataError(f"{given} is given without {missing}, so nothing can be checked; give both, or neither")
    known, exposed = _as_instants(known_at, "known_at", rows), _as_instants(exposed_at, "exposed_at", rows)
    if (late := known > exposed).any():
        row = int(np.argmax(late))
        raise DataError(
            f"{late.sum():,} rows have features from after the exposure, first row {row}: known at {known[row]}, exposed at "
            f"{exposed[row]}; compute them as of the day before"
        )


def _as_instants(values: ArrayLike, name: str, rows: int) -> np.typing.NDArray[np.datetime64]:
    given = np.asarray(values)
    if given.dtype.kind in "biufcm" or (given.dtype == object and any(map(_is_number, given.flat))):
        raise DataError(
            f"{name} holds numbers, and of what day they count is not known; give dates or instants, such as 2026-05-08"
        )
    if given.dtype == object:
        given = np.array([_without_zone(value) for value in given.flat], dtype=object).reshape(given.shape)
    try:
        instants = np.broadcast_to(given.astype("datetime64[us]"), (rows,))
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} is no date, nor a date for each of {rows} rows: {error}") from error
    if np.isnat(instants).any():
        raise DataError(f"{name} is missing in row {int(np.argmax(np.isnat(instants)))}; drop this row")
    return instants


def _is_number(value: object) -> bool:
    return isinstance(value, Number | dt.timedelta) and value == value  # not a number is a gap


def _without_zone(value: object) -> object:
    """An instant in UTC, as numpy reads it; anything else as it is."""
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(dt.UTC).replace(tzinfo=None)
    return value


def repeats_outcome(trial: Trial) -> set[int]:
    """Places of features that by themselves explain the outcome whole: they are the outcome, or hold it."""
    _, explained = _explained(trial)
    return {owner for owner, share in zip(owners(trial), explained.tolist(), strict=True) if share > SAME}


def suspects(trial: Trial) -> list[Sentence]:
    """A warning for each feature that by itself explains more than nine tenths of the outcome's variance."""
    names, explained = _explained(trial)
    return [
        Sentence("feature_is_suspect", feature=names[place], explained_share=float(explained[place]))
        for place in np.flatnonzero(explained > SUSPECT)
    ]


def _explained(trial: Trial) -> tuple[tuple[str, ...], FloatArray]:
    """The features, a category being one column each, and the part of the outcome's variance that each explains alone."""
    names, values = standardised(trial)
    outcome = (trial.outcome - trial.outcome.mean()) / trial.outcome.std()
    return names, (outcome @ values / trial.rows) ** 2
