"""Leakage: features that can only have been computed after the exposure."""

import numpy as np
from numpy.typing import ArrayLike

from regulars.effects.balance import standardised
from regulars.effects.trial import Trial
from regulars.errors import DataError

SUSPECT = 0.9
"""No single fact known beforehand explains nine tenths of what a guest will do."""


def refuse_after_exposure(known_at: ArrayLike, exposed_at: ArrayLike, rows: int) -> None:
    """Raises DataError where a row's features hold what was not known before its exposure.

    known_at, exposed_at: dates or instants, one for all rows or (rows,).
    """
    known, exposed = _as_instants(known_at, "known_at", rows), _as_instants(exposed_at, "exposed_at", rows)
    if (late := known > exposed).any():
        row = int(np.argmax(late))
        raise DataError(
            f"{late.sum():,} rows have features from after the exposure, first row {row}: known at {known[row]}, exposed at "
            f"{exposed[row]}; compute them as of the day before"
        )


def _as_instants(values: ArrayLike, name: str, rows: int) -> np.typing.NDArray[np.datetime64]:
    try:
        instants = np.asarray(values, dtype="datetime64[us]")
        instants = np.broadcast_to(instants, (rows,))
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} is no date, nor a date for each of {rows} rows: {error}") from error
    if np.isnat(instants).any():
        raise DataError(f"{name} is missing in row {int(np.argmax(np.isnat(instants)))}; drop this row")
    return instants


def suspects(trial: Trial) -> list[str]:
    """A warning for each feature that by itself explains more than nine tenths of the outcome's variance."""
    names, values = standardised(trial)
    outcome = (trial.outcome - trial.outcome.mean()) / trial.outcome.std()
    explained = (values * outcome[:, None]).mean(axis=0) ** 2
    return [
        f"{names[place]} explains {explained[place]:.0%} of the outcome by itself: it looks as if it was computed after the "
        "exposure; take its value from before"
        for place in np.flatnonzero(explained > SUSPECT)
    ]
