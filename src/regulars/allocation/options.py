"""Options: what is asked of an allocation beside its limits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Options:
    """What is asked beside limits on totals.

    most: offers a guest may get at most. exclusive: sets of offers of which a guest gets one at most.
    forced, forbidden: pairs of guest and offer, shape (p, 2), or true or false for each, shape (n, k).
    contact_price: what each offer sent is worth in attention, in the unit of gain.
    gain_se, caution: gain counts less by `caution` standard errors, shape (n, k).
    """

    most: int = 1
    exclusive: Sequence[Sequence[int]] = ()
    forced: ArrayLike | None = None
    forbidden: ArrayLike | None = None
    contact_price: float = 0.0
    gain_se: ArrayLike | None = None
    caution: float = 0.0

    def __post_init__(self) -> None:
        for what, value in (("contact_price", self.contact_price), ("caution", self.caution)):
            if not (np.isfinite(value) and value >= 0):
                raise ValueError(f"{what} is {value}; give a finite number of 0 or more")
        if self.caution and self.gain_se is None:
            raise ValueError(f"caution is {self.caution:g}, but there is no gain_se; give the standard errors of gain")
