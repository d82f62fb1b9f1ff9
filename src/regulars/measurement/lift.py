"""Lift: a measured effect with its interval, and the sentences an operator reads."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, NamedTuple

import pyarrow as pa

from regulars.charts.results import Span, changes
from regulars.charts.theme import Chart
from regulars.measurement.contrasts import Interval, holds
from regulars.measurement.moments import Label
from regulars.tabular import Tabular, rows_table
from regulars.wording import Sentence, Voice

Basis = Literal["randomised", "observational"]


class Lift(NamedTuple):
    """What one offer changed against the control, per guest (per unit of the denominator, for a ratio).

    interval, p_value: hold for all offers of the call together, and under daily looks if those were asked for.
    relative, relative_interval: the change as a part of the control's mean; nan or endless where that mean is not positive.
    n, n_control: guests; units, units_control: what was drawn at random (clusters, else guests).
    level: the share of calls in which any interval may miss; single_level: the same for this interval alone.
    method: how the interval was made.
    notes: what a reader must know before believing it.
    """

    offer: Label
    control: Label
    estimate: float
    interval: Interval
    p_value: float
    mean: float
    control_mean: float
    relative: float
    relative_interval: Interval
    n: int
    n_control: int
    units: int
    units_control: int
    level: float
    single_level: float
    method: str
    basis: Basis
    notes: tuple[Sentence, ...]

    @property
    def low(self) -> float:
        return self.interval[0]

    @property
    def high(self) -> float:
        return self.interval[1]

    @property
    def is_conclusive(self) -> bool:
        """Whether the interval excludes no effect."""
        return not holds(self.interval, 0.0)

    def stop_reason(self, worth: float = 0.0) -> Sentence | None:
        """Why the campaign can be stopped, or None if it has to go on; under daily looks only for lifts made with `anytime`.

        worth: the smallest change per guest that would matter.

        >>> from regulars.measurement import compare
        >>> compare([9, 8, 9, 8, 1, 2, 1, 2], ["soup"] * 4 + ["control"] * 4)[0].stop_reason()
        Sentence('stop_better', offer='soup', control='control')
        """
        low, high = self.interval
        if low > 0:
            return Sentence("stop_better", offer=self.offer, control=self.control)
        if high < 0:
            return Sentence("stop_worse", offer=self.offer, control=self.control)
        if -worth < low and high < worth:
            return Sentence("stop_idle", offer=self.offer)
        return None

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The verdict, and what a reader must know before believing it."""
        caution = (Sentence("observed_only"),) if self.basis == "observational" else ()
        return (self._verdict, *caution, *self.notes)

    def words(self, voice: Voice | None = None) -> str:
        """The same in words; a voice with a currency reads the amounts as money."""
        return " ".join((voice or Voice()).each(self.sentences))

    @property
    def _verdict(self) -> Sentence:
        low, high = self.interval
        known: dict[str, Any] = {"offer": self.offer, "sides": self._sides}
        if not self.is_conclusive:
            return Sentence("lift_unknown", low=low, high=high, **known)
        known["level_share"] = 1 - self.level
        if self.basis == "observational":
            return Sentence("lift_apart", estimate=self.estimate, control=self.control, low=low, high=high, **known)
        near, far = sorted(abs(end) for end in self.interval)
        code = "lift_brought" if self.estimate > 0 else "lift_lost"
        return Sentence(code, size=abs(self.estimate), near=near, far=far, **known)

    @property
    def _sides(self) -> Sentence:
        guests = {"n": self.n, "n_control": self.n_control}
        if (self.units, self.units_control) == (self.n, self.n_control):
            return Sentence("lift_sides", **guests)
        return Sentence("lift_sides_clusters", units=self.units, units_control=self.units_control, **guests)


class Lifts(Tabular, list[Lift]):
    """The lifts of one call, which keep one promise together."""

    __slots__ = ()
    schema: ClassVar = {
        "offer": pa.string(), "control": pa.string(), "estimate": pa.float64(), "low": pa.float64(), "high": pa.float64(),
        "p_value": pa.float64(), "n": pa.int64(), "n_control": pa.int64(), "basis": pa.string(),
    }  # fmt: skip

    def to_arrow(self) -> pa.Table:
        named = [lift._replace(offer=str(lift.offer), control=str(lift.control)) for lift in self]
        return rows_table(named, self.schema)

    @property
    def headline(self) -> str:
        level = f", {1 - self[0].level:.0%} intervals" if self else ""
        return f"Lifts: {len(self)} against {', '.join({str(lift.control): None for lift in self}) or 'nobody'}{level}"

    def words(self, voice: Voice | None = None) -> str:
        """A line for each lift."""
        return "\n".join(lift.words(voice) for lift in self)

    def plot(self, voice: Voice | None = None) -> Chart:
        """Each lift with its interval, beside no change. Raises ValueError where there is none."""
        if not self:
            raise ValueError("there is no lift to draw")
        controls = {lift.control for lift in self}
        names = [str(lift.offer) if len(controls) == 1 else f"{lift.offer} - {lift.control}" for lift in self]
        spans = [Span(name, lift.estimate, *lift.interval) for name, lift in zip(names, self, strict=True)]
        return changes(spans, voice or Voice())
