"""Whales: one guest whose bill decides the verdict."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from regulars.measurement.adjustment import adjust
from regulars.measurement.columns import GUESTS
from regulars.measurement.contrasts import MeanContrast
from regulars.measurement.guests import LabelArray
from regulars.measurement.lift import Lift, plain
from regulars.measurement.metrics import Adjustment, Metric
from regulars.measurement.moments import FloatArray, Label, Moments


def whale_note(
    lift: Lift,
    columns: Mapping[str, FloatArray],
    arm: LabelArray,
    moments: Mapping[Label, Moments],
    metric: Metric,
    adjustment: Adjustment,
) -> tuple[str, ...]:
    """A note if the verdict hangs on the one unit that moves its arm most, in the offer's arm or in the control; else nothing.

    columns: the rows behind the moments, each of shape (n,); arm: shape (n,).
    """
    if metric.is_simple_share:
        return ()
    for label in (lift.offer, lift.control):
        if moments[label].n < 3:
            continue
        row, value = _heaviest(columns, arm, label, moments[label], metric)
        rest = {**moments, label: moments[label].without(row)}
        adjusted = adjust(rest, metric, adjustment)
        alone = MeanContrast(
            offer=adjusted.arms[lift.offer],
            control=adjusted.arms[lift.control],
            slope_error=adjusted.slope_error(lift.offer, lift.control) if metric.covariates else 0.0,
        )
        low, high = alone.interval(lift.single_level)
        if lift.is_conclusive == (not low <= 0 <= high) and lift.estimate * alone.estimate > 0:
            continue
        one = "One guest" if metric.average.denominator != GUESTS else "One cluster"
        return (
            f"{one} in arm {label} with {plain(value)} decides this: without it the change is {plain(alone.estimate)} "
            f"(from {plain(low)} to {plain(high)}); cap the outcome or wait for more guests",
        )
    return ()


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
