"""Balance: did the draw happen to give one arm the better guests?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from regulars.errors import DesignError
from regulars.measurement.guests import as_amounts, as_labels
from regulars.measurement.moments import FloatArray, Label, Moments, moments_by_arm, pooled
from regulars.wording import Sentence

_UNFAIR = 1e-3


class Balance(NamedTuple):
    """How far apart the arms were before the campaign.

    p_value: how often a fair draw puts them so far apart; apart: for each arm and column, the arm's mean less that of all
    guests, in standard deviations.
    """

    p_value: float
    apart: Mapping[Label, Mapping[str, float]]

    @property
    def sentence(self) -> Sentence:
        arm, column, far = max(
            ((arm, column, far) for arm, columns in self.apart.items() for column, far in columns.items()),
            key=lambda found: abs(found[2]),
        )
        worst = Sentence("arm_above" if far > 0 else "arm_below", arm=arm, far=abs(far), column=column)
        if self.p_value < _UNFAIR:
            return Sentence("arms_unlike", once=1 / max(self.p_value, 1e-12), worst=worst)
        return Sentence("arms_alike", worst=worst)


def balance_check(arm: ArrayLike, before: Mapping[str, ArrayLike]) -> Balance:
    """Hold the arms against each other on what was known before, all columns at once.

    arm: shape (n,). before: columns such as earlier spend and visits, each of shape (n,).
    Mahalanobis distance between arms (Morgan and Rubin 2012, section 2.2, here for any number of arms), chi-square in large
    samples. To have better balance, draw within strata or adjust; drawing again until the p-value is fine needs its own
    propensities.

    >>> balance_check(["a", "b"] * 50, {"visits": range(100)}).p_value > 0.5
    True
    """
    labels = as_labels(arm, "arm", len(np.asarray(arm)))
    if not before:
        raise ValueError("no column from before the campaign was given")
    moments = moments_by_arm({name: as_amounts(values, name, len(labels)) for name, values in before.items()}, labels)
    everybody = pooled(moments.values())
    if len(moments) < 2 or everybody.n < 3:
        raise DesignError(f"balance needs at least two arms and three guests, got {len(moments)} and {everybody.n}")
    deviation = np.sqrt(np.diag(everybody.covariance))
    scale = np.where(deviation > 0, deviation, 1.0)
    apart = {label: (part.mean - everybody.mean) / scale for label, part in moments.items()}
    return Balance(
        p_value=_p_value(moments, everybody, apart, scale),
        apart={label: dict(zip(everybody.columns, far.tolist(), strict=True)) for label, far in apart.items()},
    )


def _p_value(
    moments: Mapping[Label, Moments], everybody: Moments, apart: Mapping[Label, FloatArray], scale: FloatArray
) -> float:
    correlation = everybody.covariance / np.outer(scale, scale)
    inverse = np.linalg.pinv(correlation, rcond=1e-10, hermitian=True)
    distance = sum(part.n * float(apart[label] @ inverse @ apart[label]) for label, part in moments.items())
    freedom = int(np.linalg.matrix_rank(correlation, hermitian=True)) * (len(moments) - 1)
    return float(special.chdtrc(freedom, distance)) if freedom else 1.0
