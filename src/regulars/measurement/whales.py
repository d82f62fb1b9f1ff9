"""Whales: one guest whose bill decides the verdict."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from regulars.measurement.columns import GUESTS
from regulars.measurement.contrasts import contrasts
from regulars.measurement.guests import LabelArray
from regulars.measurement.lift import Lift
from regulars.measurement.metrics import Adjustment, Metric
from regulars.measurement.moments import FloatArray, Label, Moments
from regulars.wording import Sentence

_HEAVY = 1 / 8


def whale_note(
    lift: Lift,
    columns: Mapping[str, FloatArray],
    arm: LabelArray,
    moments: Mapping[Label, Moments],
    metric: Metric,
    adjustment: Adjustment,
    is_watched: bool,
) -> tuple[Sentence, ...]:
    """A note if the verdict hangs on the one unit that moves its arm most, in the offer's arm or in the control; else nothing.

    It hangs on it if it is another without it, and the estimate moves by more than an eighth of the interval's length.

    columns: the rows behind the moments, each of shape (n,); arm: shape (n,).
    """
    if metric.is_simple_share:
        return ()
    for label in (lift.offer, lift.control):
        if moments[label].n < 3:
            continue
        row, value = _heaviest(columns, arm, label, moments[label], metric)
        rest = {**moments, label: moments[label].without(row)}
        alone = contrasts(rest, metric, lift.control, adjustment=adjustment, is_watched=is_watched)[
            lift.offer, lift.control
        ]
        low, high = alone.interval(lift.single_level)
        is_heavy = abs(alone.estimate - lift.estimate) > _HEAVY * (lift.interval[1] - lift.interval[0])
        if not is_heavy or _sign(low, high) == _sign(*lift.interval):
            continue
        code = "guest_decides" if metric.average.denominator != GUESTS else "cluster_decides"
        return (Sentence(code, arm=label, value=value, estimate=alone.estimate, low=low, high=high),)
    return ()


def _sign(low: float, high: float) -> int:
    """1 or -1 if an interval knows the sign, else 0."""
    return int(low > 0) - int(high < 0)


def _heaviest(
    columns: Mapping[str, FloatArray], arm: LabelArray, label: Label, moments: Moments, metric: Metric
) -> tuple[FloatArray, float]:
    """The row of an arm that moves its average most, and its outcome."""
    inside = np.flatnonzero(arm == label)
    pull = np.zeros(len(inside))
    for weight, name in zip(metric.average.gradient(moments), metric.average.columns, strict=True):
        pull += weight * (columns[name][inside] - moments.mean[moments.place(name)])
    heaviest = inside[int(np.argmax(np.abs(pull)))]
    row = np.array([columns[name][heaviest] for name in moments.columns])
    return row, float(columns[metric.average.numerator][heaviest])
