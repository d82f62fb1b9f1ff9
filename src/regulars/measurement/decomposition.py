"""Decomposition: how the spend of a campaign is split, from differences to the control.

With S the spend on the campaign's checks, and the changes of contacted guests against the control at the campaign's stores in
the window (here), anywhere in the following weeks (later) and at sister stores (away):

    incremental = here + later + away      pulled forward = -later      moved = -away      would have come anyway = S - here

which add up to S. Of pulled forward and moved, only what is more than chance gets its name; the rest is unexplained, as is what
leaves the bounds of the possible (nobody can have come anyway for less than nothing, or for more than S).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from regulars.alignment import refuse_shuffled
from regulars.errors import DesignError
from regulars.measurement.columns import GUESTS, cluster_sums, first_in_each
from regulars.measurement.compare import compare, compare_moments
from regulars.measurement.contrasts import holds
from regulars.measurement.guests import LabelArray, as_amounts, as_labels, check_clusters
from regulars.measurement.metrics import Metric
from regulars.measurement.moments import FloatArray, Label, Moments, moments_by_arm, pooled
from regulars.measurement.ratio_check import sample_ratio_check
from regulars.measurement.statement import (
    ANYWAY,
    INCREMENTAL,
    MOVED,
    PULLED_FORWARD,
    UNEXPLAINED,
    Part,
    Return,
    Statement,
)
from regulars.wording import Sentence, Voice

SALES, REDEEMED, SUBSIDY, MARGIN = "sales_minor", "redeemed_minor", "subsidy_minor", "margin_minor"
LATER, SISTER = "later_minor", "sister_minor"
_CONTACTED = "contacted"
_POWER, _OUT_OF_REACH = 0.8, 100.0


def statement_of(
    arm: ArrayLike,
    *,
    sales_minor: ArrayLike,
    margin_minor: ArrayLike,
    subsidy_minor: ArrayLike,
    redeemed_minor: ArrayLike | None = None,
    later_minor: ArrayLike | None = None,
    sister_minor: ArrayLike | None = None,
    covariate: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    control: Label = "holdout",
    shares: Mapping[Label, float] | None = None,
    guests_per_week: float | None = None,
    alpha: float = 0.05,
) -> Statement:
    """The statement of a campaign from what each assigned guest did; every array has shape (n,), amounts in minor units.

    arm: the offer, or `control`. sales_minor: spent at the campaign's stores in its window.
    margin_minor: earned on the guest after the subsidy, over the window, the following weeks and all stores.
    subsidy_minor: what their redemptions cost us. redeemed_minor: sales on checks with a voucher; without it, all sales.
    later_minor: spent anywhere in the following weeks. sister_minor: spent at other stores of ours in the window.
    covariate: sales before the campaign. cluster: what was drawn if not the guest, such as the store; errors are then those of
    clusters. guests_per_week: how fast new guests can be assigned.

    Raises DesignError and DataError as `compare` does.

    >>> brought = statement_of(["soup", "soup", "holdout", "holdout"], sales_minor=[900, 1100, 400, 600],
    ...     margin_minor=[300, 310, 100, 110], subsidy_minor=[100, 100, 0, 0])
    >>> [part.amount_minor for part in brought.parts], brought.gain_minor
    ([1000, 1000, 0, 0, 0], 400)
    """
    refuse_shuffled(arm=arm, sales_minor=sales_minor, margin_minor=margin_minor, subsidy_minor=subsidy_minor)
    labels = as_labels(arm, "arm", len(np.asarray(sales_minor)))
    given = {
        SALES: sales_minor,
        MARGIN: margin_minor,
        SUBSIDY: subsidy_minor,
        REDEEMED: redeemed_minor,
        LATER: later_minor,
        SISTER: sister_minor,
        "covariate": covariate,
    }
    columns = {name: as_amounts(values, name, len(labels)) for name, values in given.items() if values is not None}
    made = statement_of_moments(
        _moments(columns, labels, cluster),
        control,
        before=() if covariate is None else ("covariate",),
        size=None if cluster is None else GUESTS,
        shares=shares,
        guests_per_week=guests_per_week,
        alpha=alpha,
    )
    together = np.where(labels == control, labels, _CONTACTED)
    (lift,) = compare(columns[MARGIN], together, control, columns.get("covariate"), cluster, alpha=alpha)
    return replace(made, notes=made.notes + lift.notes)


def _moments(columns: Mapping[str, FloatArray], labels: LabelArray, cluster: ArrayLike | None) -> dict[Label, Moments]:
    """The moments of each arm over guests, or over the sums of clusters."""
    if cluster is None:
        return moments_by_arm(columns, labels)
    clusters = as_labels(cluster, "cluster", len(labels))
    check_clusters(clusters, labels)
    return moments_by_arm(cluster_sums(columns, clusters), first_in_each(clusters, labels))


def statement_of_moments(
    moments: Mapping[Label, Moments],
    control: Label = "holdout",
    *,
    before: tuple[str, ...] = (),
    size: str | None = None,
    shares: Mapping[Label, float] | None = None,
    guests_per_week: float | None = None,
    alpha: float = 0.05,
) -> Statement:
    """The same from the moments of each arm (see read_moments), with columns named like the arguments of `statement_of`.

    before: names of the columns known before the campaign. size: the column with the guests of each row, where rows are the sums
    of clusters; shares are then those of clusters.
    """
    if (
        shares is not None
        and not (ratio := sample_ratio_check({arm: part.n for arm, part in moments.items()}, shares)).is_ok
    ):
        raise DesignError(Voice().say(ratio.sentence))
    trial = _Trial(arms=moments, control=control, before=before, size=size, alpha=alpha)
    gain, subsidy = trial.change(MARGIN), trial.total(SUBSIDY)
    spend = trial.total(REDEEMED if trial.has(REDEEMED) else SALES)
    more = _more_guests(trial, gain)
    return Statement(
        spend_minor=spend,
        parts=_parts(trial, spend),
        subsidy_minor=subsidy,
        gain_minor=round(gain.amount),
        gain_interval_minor=gain.interval_minor,
        return_on_subsidy=_per_unit(gain, subsidy),
        next_unit=_next_unit(trial),
        guests=trial.guests,
        more_guests=more,
        more_weeks=math.ceil(more / guests_per_week) if more is not None and guests_per_week else None,
        level=alpha,
        notes=_notes(trial),
    )


class _Change(NamedTuple):
    """What a change comes to over all contacted guests, minor units."""

    amount: float = 0.0
    low: float = 0.0
    high: float = 0.0

    @property
    def is_conclusive(self) -> bool:
        return not holds((self.low, self.high), 0.0)

    @property
    def interval_minor(self) -> tuple[int, int]:
        return math.floor(self.low), math.ceil(self.high)

    def taken_from(self, whole: float) -> _Change:
        return _Change(whole - self.amount, whole - self.high, whole - self.low)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """All contacted guests, whatever they got, against the control."""

    arms: Mapping[Label, Moments]
    control: Label
    before: tuple[str, ...]
    size: str | None
    alpha: float

    @property
    def guests(self) -> int:
        return sum(map(self.guests_of, self.arms.values()))

    def guests_of(self, part: Moments) -> int:
        return part.n if self.size is None else round(part.total(self.size))

    @property
    def contacted(self) -> Moments:
        parts = [part for arm, part in self.arms.items() if arm != self.control]
        if not parts:
            raise DesignError(
                f"every guest is in arm {self.control!r}: nobody was contacted, there is nothing to state"
            )
        return pooled(parts)

    def has(self, column: str) -> bool:
        return column in self.contacted.columns

    def total(self, column: str) -> int:
        return round(self.contacted.total(column))

    def change(self, *columns: str) -> _Change:
        """The change of a sum of columns; those that were not given, or are 0 for everybody, do not change."""
        known = tuple(column for column in columns if self.has(column))
        together = " + ".join(known)
        arms: dict[Label, Moments] = {_CONTACTED: self.contacted}
        arms |= {arm: part for arm, part in self.arms.items() if arm == self.control}
        if len(known) > 1:
            arms = {arm: part.with_sum(together, known) for arm, part in arms.items()}
        if columns != (MARGIN,) and not any(part.total(column) for part in arms.values() for column in known):
            return _Change()
        metric = Metric.mean(together, *self.before)
        metric = metric if self.size is None else metric.over(self.size)
        (lift,) = compare_moments(arms, metric, self.control, alpha=self.alpha)
        guests = self.guests_of(self.contacted)
        return _Change(lift.estimate * guests, lift.interval[0] * guests, lift.interval[1] * guests)


def _parts(trial: _Trial, spend: int) -> tuple[Part, ...]:
    incremental = trial.change(SALES, LATER, SISTER)
    anyway = trial.change(SALES).taken_from(spend)
    held = _Change(*(min(max(amount, 0.0), max(spend, 0.0)) for amount in anyway))
    parts = [_part(INCREMENTAL, incremental), _part(ANYWAY, held)]
    unsure = []
    for name, column in ((PULLED_FORWARD, LATER), (MOVED, SISTER)):
        lost = trial.change(column).taken_from(0.0)
        if lost.low > 0:
            parts.append(_part(name, lost))
        else:
            unsure.append(column)
            parts.append(Part(name, 0, (0, max(0, math.ceil(lost.high)))))
    rest = trial.change(*unsure).taken_from(0.0)
    beyond = _Change(*(amount - kept for amount, kept in zip(anyway, held, strict=True)))
    left = spend - sum(part.amount_minor for part in parts)
    ends = math.floor(rest.low + beyond.low), math.ceil(rest.high + beyond.high)
    return (*parts, Part(UNEXPLAINED, left, (min(left, ends[0]), max(left, ends[1]))))


def _part(name: str, change: _Change) -> Part:
    return Part(name, round(change.amount), change.interval_minor)


def _more_guests(trial: _Trial, gain: _Change) -> int | None:
    """Guests to be assigned on top, in the same shares, so that a gain as estimated would be found four times in five."""
    if gain.is_conclusive or gain.amount == 0:
        return None
    limit = -float(special.ndtri(trial.alpha / 2))
    error = (gain.high - gain.low) / 2 / limit
    times = ((limit + float(special.ndtri(_POWER))) * error / gain.amount) ** 2
    return None if times > _OUT_OF_REACH else max(1, math.ceil(trial.guests * (times - 1)))


def _per_unit(gain: _Change, subsidy: float) -> Return | None:
    if subsidy <= 0:
        return None
    return Return(gain.amount / subsidy, (gain.low / subsidy, gain.high / subsidy))


def _next_unit(trial: _Trial) -> Return | None:
    """From the second dearest arm to the dearest; None if there is but one offer."""
    if len(trial.arms) < 3:
        return None
    each = {arm: part.total(SUBSIDY) / trial.guests_of(part) for arm, part in trial.arms.items()}
    cheap, dear = sorted(each, key=lambda arm: each[arm])[-2:]
    step = replace(trial, arms={arm: trial.arms[arm] for arm in (cheap, dear)}, control=cheap)
    extra = (each[dear] - each[cheap]) * trial.guests_of(trial.arms[dear])
    return _per_unit(step.change(MARGIN), extra)


def _notes(trial: _Trial) -> tuple[Sentence, ...]:
    notes = []
    if not trial.has(LATER):
        notes.append(Sentence("later_not_looked_at"))
    if not trial.has(SISTER):
        notes.append(Sentence("sisters_not_looked_at"))
    if not trial.has(REDEEMED):
        notes.append(Sentence("checks_not_told_apart"))
    return tuple(notes)
