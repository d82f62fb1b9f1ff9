"""Leakage: features that can only have been computed after the exposure."""

import numpy as np

from regulars.effects.balance import standardised
from regulars.effects.trial import Trial

SUSPECT = 0.9
"""No single fact known beforehand explains nine tenths of what a guest will do."""


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
