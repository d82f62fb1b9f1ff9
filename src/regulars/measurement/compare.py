"""Compare: what each offer changed, by assignment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np
from narwhals.typing import IntoFrame
from numpy.typing import ArrayLike

from regulars.alignment import refuse_shuffled
from regulars.errors import DesignError
from regulars.measurement.columns import GUESTS, STRADDLES, as_columns, cluster_rows, cluster_sums, first_in_each
from regulars.measurement.contrasts import contrasts, is_lopsided
from regulars.measurement.covariates import believed
from regulars.measurement.guests import (
    LabelArray,
    as_amounts,
    as_labels,
    check_arms,
    check_clusters,
    check_each_guest_once,
    match_control,
)
from regulars.measurement.lift import Basis, Lift, Lifts
from regulars.measurement.metrics import Adjustment, Metric
from regulars.measurement.moments import FloatArray, Label, Moments, Needs, moments_by_arm, read_moments
from regulars.measurement.multiplicity import lifts_of
from regulars.measurement.ratio_check import sample_ratio_check
from regulars.measurement.whales import whale_note
from regulars.wording import Sentence, Voice


def compare(
    outcome: ArrayLike,
    arm: ArrayLike,
    control: Label | None = "control",
    covariate: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    anytime: bool | float = False,
    alpha: float = 0.05,
    *,
    denominator: ArrayLike | None = None,
    adjustment: Adjustment = "regression",
    cap: float | None = None,
    shares: Mapping[Label, float] | None = None,
    guest_id: ArrayLike | None = None,
    basis: Basis = "randomised",
) -> Lifts:
    """What each arm's offer changed against the control, per guest; one Lift for each offer, by assignment.

    outcome: of every guest who was assigned, also of those who did not come (0), shape (n,).
    arm: the label of each guest, shape (n,), text or whole numbers. control: the label of those given nothing; None for every
        pair of arms, which then share one promise.
    covariate: known before the campaign, such as earlier spend, shape (n,) or (n, p), or a frame; makes intervals shorter, moves
        nothing. Where arms drawn by lot differ in it, it was counted later: the plain difference is kept, and a note names it.
    cluster: what was drawn at random if not the guest, such as the store, shape (n,); errors are then those of clusters.
    anytime: intervals hold however often somebody looks; a number says at how many guests they shall be tightest (1,000).
    denominator: makes it a ratio, sum of outcome over sum of denominator, such as amount over orders; shape (n,).
    cap: outcomes above count as cap (see winsor_cap), and the notes say so.
    shares: what each arm was meant to get; checked before anything else.
    guest_id: makes sure that nobody is there twice or in two arms, shape (n,).

    Outcomes that are only 0 and 1 are shares and get score intervals unless adjusted or clustered. All else gets Welch's t over
    linearised contributions; an arm below 200 beside one three times as large borrows its variance (see contrasts). Several
    offers share one promise: all intervals of the call cover together with 1 - alpha.

    Raises DesignError where there is nothing to judge: no control, everybody treated, guests lost from an arm, a guest in two
    arms, one cluster in an arm, no outcome at all. Raises DataError for missing or endless values.

    >>> lift, = compare([3, 5, 4, 1, 2, 0], ["soup", "soup", "soup", "control", "control", "control"])
    >>> lift.estimate
    3.0
    """
    refuse_shuffled(
        outcome=outcome, arm=arm, covariate=covariate, cluster=cluster, denominator=denominator, guest_id=guest_id
    )
    amounts = as_amounts(outcome, "outcome")
    labels = as_labels(arm, "arm", len(amounts))
    if guest_id is not None:
        check_each_guest_once(guest_id, labels)
    _check_sizes(labels, shares)
    capped, notes = _capped(amounts, cap)
    columns, metric = as_columns(capped, covariate, denominator)
    columns, metric, units = _drawn(columns, metric, labels, cluster)
    moments = moments_by_arm(columns, units)
    control = None if control is None else match_control(control, moments)
    _check_comparable(moments, metric, control)
    metric, late = believed(moments, metric, control, is_drawn=basis == "randomised", anytime=anytime)
    promise: Any = {"anytime": anytime, "alpha": alpha, "adjustment": adjustment, "basis": basis}
    lifts = compare_moments(moments, metric, control, notes=notes + late, **promise)
    sizes = Counter(labels.tolist())
    whales = [whale_note(lift, columns, units, moments, metric, adjustment, bool(anytime)) for lift in lifts]
    return Lifts(
        lift._replace(n=sizes[lift.offer], n_control=sizes[lift.control], notes=lift.notes + whale)
        for lift, whale in zip(lifts, whales, strict=True)
    )


def measure(
    frame: IntoFrame,
    metrics: Mapping[str, Metric],
    control: Label | None = "control",
    *,
    arm: str = "arm",
    cluster: str | None = None,
    anytime: bool | float = False,
    alpha: float = 0.05,
    adjustment: Adjustment = "regression",
    shares: Mapping[Label, float] | None = None,
    basis: Basis = "randomised",
) -> dict[str, Lifts]:
    """Compare many metrics over any frame after one query; the same answers as `compare` on its rows.

    frame: one row a guest. arm: the column with the label; cluster: the column with what was drawn, if not the guest.
    The promise of alpha is kept for all offers within a metric, not across metrics.

    Raises as compare does.
    """
    if not metrics:
        raise ValueError("no metric was asked for")
    needs = reduce(Needs.__or__, (metric.needs for metric in metrics.values()))
    if cluster is None:
        moments = read_moments(frame, needs, arm=arm)
    else:
        rows = cluster_rows(frame, cluster, needs.columns, arm)
        metrics = {name: metric.over(GUESTS) for name, metric in metrics.items()}
        needs = reduce(Needs.__or__, (metric.needs for metric in metrics.values()), Needs.of(STRADDLES))
        moments = read_moments(rows, needs, arm=arm)
    _check_labels(moments, arm, cluster)
    _check_sizes({arm: part.n for arm, part in moments.items()}, shares)
    answers = {
        name: compare_moments(
            moments, metric, control, anytime=anytime, alpha=alpha, adjustment=adjustment, basis=basis
        )
        for name, metric in metrics.items()
    }
    if cluster is None:
        return answers
    guests = {label: round(part.total(GUESTS)) for label, part in moments.items()}
    return {
        name: Lifts(lift._replace(n=guests[lift.offer], n_control=guests[lift.control]) for lift in lifts)
        for name, lifts in answers.items()
    }


def _drawn(
    columns: dict[str, FloatArray], metric: Metric, labels: LabelArray, cluster: ArrayLike | None
) -> tuple[dict[str, FloatArray], Metric, LabelArray]:
    """Columns, metric and arms of what was drawn: guests, or clusters with their sums."""
    if cluster is None:
        return columns, metric, labels
    clusters = as_labels(cluster, "cluster", len(labels))
    check_clusters(clusters, labels)
    return cluster_sums(columns, clusters), metric.over(GUESTS), first_in_each(clusters, labels)


def _check_sizes(arms: ArrayLike | Mapping[Label, int], shares: Mapping[Label, float] | None) -> None:
    """Raise DesignError where the arms do not have the sizes they were meant to get."""
    if shares is not None and not (ratio := sample_ratio_check(arms, shares)).is_ok:
        raise DesignError(Voice().say(ratio.sentence))


def _check_labels(moments: Mapping[Label, Moments], arm: str, cluster: str | None) -> None:
    if None in moments:
        raise DesignError(f"{moments[None].n} rows have no {arm}; every guest has an arm, also one who got nothing")  # type: ignore[index]
    astray = 0 if cluster is None else round(sum(part.total(STRADDLES) for part in moments.values()))
    if astray:
        raise DesignError(
            f"{astray} {cluster} have guests in two arms, so guests were assigned and not clusters; leave `cluster` out"
        )


def compare_moments(
    moments: Mapping[Label, Moments],
    metric: Metric,
    control: Label | None = "control",
    *,
    anytime: bool | float = False,
    alpha: float = 0.05,
    adjustment: Adjustment = "regression",
    basis: Basis = "randomised",
    notes: tuple[Sentence, ...] = (),
) -> Lifts:
    """The same from the moments of each arm, where rows are already gone.

    Raises DesignError where there is nothing to judge.
    """
    _check_comparable(moments, metric, control)
    metric, late = believed(moments, metric, control, is_drawn=basis == "randomised", anytime=anytime)
    pairs = contrasts(moments, metric, control, adjustment=adjustment, is_watched=bool(anytime))
    sizes = {label: part.n for label, part in moments.items()}
    method = _method(metric, adjustment)
    lifts = lifts_of(pairs, sizes, anytime=anytime, alpha=alpha, method=method, basis=basis)
    is_borrowing = not anytime and not metric.is_simple_share
    notes += late
    return Lifts(lift._replace(notes=notes + (_lopsided_note(lift) if is_borrowing else ())) for lift in lifts)


def winsor_cap(outcome: ArrayLike, quantile: float = 0.99) -> float:
    """The cap for `compare`: a quantile of the outcomes that are not 0, over all arms together.

    It is blind to the arms, so it cannot make a difference where there is none; it changes the question from what was brought
    to what was brought below the cap.

    Raises DesignError if no outcome is above 0.
    """
    amounts = as_amounts(outcome, "outcome")
    positive = amounts[amounts > 0]
    if len(positive) == 0:
        raise DesignError("no outcome is above 0, so there is nothing to cap")
    return float(np.quantile(positive, quantile))


def _lopsided_note(lift: Lift) -> tuple[Sentence, ...]:
    if not is_lopsided(lift.units, lift.units_control):
        return ()
    small, n = min((lift.offer, lift.units), (lift.control, lift.units_control), key=lambda arm: arm[1])
    return (Sentence("arm_borrows_spread", arm=small, n=n),)


def _method(metric: Metric, adjustment: Adjustment) -> str:
    if metric.is_simple_share:
        return "score interval of two shares"
    base = "Welch's t" if metric.average.denominator is None else "delta method"
    if not metric.covariates:
        return base
    return f"{base}, adjusted by " + ("regression in each arm" if adjustment == "regression" else "CUPED")


def _check_comparable(moments: Mapping[Label, Moments], metric: Metric, control: Label | None) -> None:
    """Raise DesignError if there are not two arms of two, all outcomes are 0, or a ratio has nothing below the line."""
    check_arms({label: part.n for label, part in moments.items()}, control, unit="units")
    top, bottom = metric.average.numerator, metric.average.denominator
    for label, part in moments.items():
        if bottom is not None and part.mean[part.place(bottom)] == 0:
            raise DesignError(f"arm {label!r} has no {bottom}, so its ratio does not exist; compare the mean per guest")
    if metric.is_simple_share:
        return
    if not any(
        part.mean[part.place(top)] or part.scatter[part.place(top), part.place(top)] for part in moments.values()
    ):
        raise DesignError(f"the {top} of every guest is 0: cannot know yet; look again when somebody came")


def _capped(amounts: FloatArray, cap: float | None) -> tuple[FloatArray, tuple[Sentence, ...]]:
    if cap is None:
        return amounts, ()
    over = int((amounts > cap).sum())
    return np.minimum(amounts, cap), (Sentence("outcomes_capped", cap=cap, over=over, guests=len(amounts)),)
