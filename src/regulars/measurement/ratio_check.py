"""Sample ratio: do the arms have the sizes they were meant to have? It comes before any verdict.

A campaign that loses guests from one arm only (bounced messages, a filter, a till that did not log) compares different people,
and no statistics mends that (Fabijan and others 2019).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from regulars.errors import DesignError
from regulars.measurement.guests import as_labels
from regulars.measurement.moments import Label
from regulars.wording import Sentence

_TOLERATED = 1e-3


class SampleRatio(NamedTuple):
    """What the arms were meant to hold and what they hold.

    p_value: of the chi-square test; below 0.001 something took guests away from an arm.
    """

    counts: Mapping[Label, int]
    expected: Mapping[Label, float]
    statistic: float
    p_value: float

    @property
    def is_ok(self) -> bool:
        return self.p_value >= _TOLERATED

    @property
    def sentence(self) -> Sentence:
        sizes = tuple(
            Sentence("arm_size", arm=arm, count=count, expected=self.expected[arm])
            for arm, count in self.counts.items()
        )
        if self.is_ok:
            return Sentence("arms_as_drawn", sizes=sizes)
        return Sentence("arms_not_as_drawn", sizes=sizes, once=1 / max(self.p_value, 1e-12))


def sample_ratio_check(counts: Mapping[Label, int] | ArrayLike, shares: Mapping[Label, float]) -> SampleRatio:
    """Hold the sizes of the arms against the shares they were assigned with.

    counts: guests in each arm, or the arm of each guest, shape (n,).
    shares: what each arm was meant to get; any unit, such as {"treated": 9, "control": 1}.

    Raises DesignError if an arm has guests but no share, ValueError if shares are not positive.

    >>> sample_ratio_check({"treated": 8_960, "control": 1_040}, {"treated": 0.9, "control": 0.1}).is_ok
    True
    """
    if not shares or min(shares.values()) <= 0:
        raise ValueError(f"shares must be positive, got {dict(shares)}")
    found = dict(counts) if isinstance(counts, Mapping) else _count(counts)
    if stray := [arm for arm in found if arm not in shares]:
        raise DesignError(f"arm {stray[0]!r} has {found[stray[0]]} guests but no share; the shares are {dict(shares)}")
    total = sum(found.values())
    if total == 0:
        raise DesignError("no guest is in any arm")
    whole = sum(shares.values())
    expected = {arm: total * share / whole for arm, share in shares.items()}
    held = {arm: int(found.get(arm, 0)) for arm in shares}
    statistic = sum((held[arm] - expected[arm]) ** 2 / expected[arm] for arm in shares)
    p_value = float(special.chdtrc(len(shares) - 1, statistic)) if len(shares) > 1 else 1.0
    return SampleRatio(counts=held, expected=expected, statistic=statistic, p_value=p_value)


def _count(arms: ArrayLike) -> dict[Label, int]:
    labels, counts = np.unique(as_labels(arms, "arm", len(np.asarray(arms))), return_counts=True)
    return dict(zip(labels.tolist(), counts.tolist(), strict=True))
