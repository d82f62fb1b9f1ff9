"""Quantiles: what an offer changed in the middle, or near the top, of the bills."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from regulars.alignment import refuse_shuffled
from regulars.errors import DesignError
from regulars.measurement.adjustment import ArmAverage
from regulars.measurement.contrasts import MeanContrast, pairs
from regulars.measurement.guests import as_amounts, as_labels, check_arms, match_control
from regulars.measurement.lift import Basis, Lifts
from regulars.measurement.moments import FloatArray, Label
from regulars.measurement.multiplicity import lifts_of
from regulars.measurement.ratio_check import sample_ratio_check
from regulars.wording import Voice

_WIDTH = -float(special.ndtri(0.025))


def compare_quantile(
    outcome: ArrayLike,
    arm: ArrayLike,
    quantile: float = 0.5,
    control: Label | None = "control",
    *,
    alpha: float = 0.05,
    shares: Mapping[Label, float] | None = None,
    basis: Basis = "randomised",
) -> Lifts:
    """What each offer changed in a quantile of the outcome, such as the median bill; one Lift for each offer.

    outcome: shape (n,); arm: shape (n,). control: None for every pair of arms.
    It is the difference of two quantiles, not the change of a typical guest.
    The error of a quantile is read from the order statistics that enclose it (Woodruff 1952), so no density is guessed.

    Raises DesignError where there is nothing to judge: as `compare` does, where an arm is too small to enclose the quantile,
    and where so many outcomes are equal that the quantile cannot move.

    >>> lift, = compare_quantile([*range(100), *range(50, 150)], ["control"] * 100 + ["soup"] * 100)
    >>> lift.estimate, lift.is_conclusive
    (50.0, True)
    """
    if not 0 < quantile < 1:
        raise ValueError(f"quantile must lie between 0 and 1, got {quantile}")
    refuse_shuffled(outcome=outcome, arm=arm)
    amounts = as_amounts(outcome, "outcome")
    labels = as_labels(arm, "arm", len(amounts))
    if shares is not None and not (ratio := sample_ratio_check(labels, shares)).is_ok:
        raise DesignError(Voice().say(ratio.sentence))
    names, counts = np.unique(labels, return_counts=True)
    sizes: dict[Label, int] = dict(zip(names.tolist(), counts.tolist(), strict=True))
    control = None if control is None else match_control(control, sizes)
    check_arms(sizes, control)
    arms = {label: _arm_quantile(amounts[labels == label], quantile, label) for label in sizes}
    if all(found.variance == 0 for found in arms.values()):
        raise DesignError(f"around the quantile {quantile} all outcomes are equal; compare the mean or a share instead")
    return lifts_of(
        {(offer, base): MeanContrast(offer=arms[offer], control=arms[base]) for offer, base in pairs(sizes, control)},
        sizes,
        anytime=False,
        alpha=alpha,
        method=f"quantile {quantile:g}, order statistics",
        basis=basis,
    )


def _arm_quantile(outcome: FloatArray, quantile: float, label: Label) -> ArmAverage:
    n = len(outcome)
    reach = _WIDTH * math.sqrt(quantile * (1 - quantile) / n)
    if quantile - reach <= 0 or quantile + reach >= 1:
        raise DesignError(
            f"arm {label!r} has {n} guests, too few to enclose its quantile {quantile}; take one nearer the middle"
        )
    low, value, high = np.quantile(outcome, [quantile - reach, quantile, quantile + reach])
    error = float(high - low) / 2 / _WIDTH
    return ArmAverage(value=float(value), variance=error**2 * n, n=n, freedom=n - 1, slope=np.zeros(0))
