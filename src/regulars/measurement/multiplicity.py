"""Multiplicity: contrasts of several offers with one control, made into lifts that keep one promise together."""

from __future__ import annotations

import math
from collections.abc import Mapping

from regulars.measurement.contrasts import Contrast, Pair
from regulars.measurement.levels import Promise
from regulars.measurement.lift import Basis, Lift, Lifts
from regulars.measurement.moments import Label


def lifts_of(
    contrasts: Mapping[Pair, Contrast],
    units: Mapping[Label, int],
    *,
    anytime: bool | float,
    alpha: float,
    method: str,
    basis: Basis,
) -> Lifts:
    """One Lift for each contrast of an offer with a control, in their order; units: what was drawn at random in each arm.

    Raises ValueError unless 0 < alpha < 1.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1, got {alpha}")
    shares = tuple(contrast.control_share for contrast in contrasts.values())
    has_one_control = len({control for _, control in contrasts}) == 1
    promise = Promise(alpha=alpha, control_shares=shares, anytime=anytime, has_one_control=has_one_control)
    return Lifts(
        _lift(contrast, promise, units[offer], units[control])._replace(
            offer=offer, control=control, method=method + promise.words, basis=basis
        )
        for (offer, control), contrast in contrasts.items()
    )


def _lift(contrast: Contrast, promise: Promise, n: int, n_control: int) -> Lift:
    level = promise.level(n + n_control)
    return Lift(
        offer="",
        control="",
        estimate=contrast.estimate,
        interval=contrast.interval(level),
        p_value=promise.p_value(contrast.p_value, n + n_control),
        mean=contrast.offer_mean,
        control_mean=contrast.control_mean,
        relative=contrast.estimate / contrast.control_mean if contrast.control_mean > 0 else math.nan,
        relative_interval=contrast.relative_interval(level),
        n=n,
        n_control=n_control,
        units=n,
        units_control=n_control,
        level=promise.alpha,
        single_level=level,
        method="",
        basis="randomised",
        notes=(),
    )
