"""Lift: a measured effect with its interval, and the sentence an operator reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from regulars.measurement.contrasts import Interval, holds
from regulars.measurement.moments import Label

Basis = Literal["randomised", "observational"]


def plain(amount: float) -> str:
    """An amount as a plain number of four significant digits; callers with a currency give their own."""
    return f"{amount:,.4g}" if abs(amount) < 1000 else f"{amount:,.0f}"


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
    notes: tuple[str, ...]

    @property
    def is_conclusive(self) -> bool:
        """Whether the interval excludes no effect."""
        return not holds(self.interval, 0.0)

    def stop_reason(self, worth: float = 0.0) -> str | None:
        """Why the campaign can be stopped, or None if it has to go on; under daily looks only for lifts made with `anytime`.

        worth: the smallest change per guest that would matter.

        >>> from regulars.measurement import compare
        >>> compare([9, 8, 9, 8, 1, 2, 1, 2], ["soup"] * 4 + ["control"] * 4)[0].stop_reason()
        'soup is better than control'
        """
        low, high = self.interval
        if low > 0:
            return f"{self.offer} is better than {self.control}"
        if high < 0:
            return f"{self.offer} is worse than {self.control}"
        if -worth < low and high < worth:
            return f"{self.offer} changes less than matters"
        return None

    def words(self, amount: Callable[[float], str] = plain) -> str:
        """One sentence; `amount` words a number, with its currency if it has one."""
        low, high = (amount(end) for end in self.interval)
        interval = f"{1 - self.level:.0%} interval {low} to {high}"
        guests = f"{self.n:,} guests against {self.n_control:,}"
        if not self.is_conclusive:
            verdict = f"{self.offer}: cannot know yet; the change per guest lies between {low} and {high} ({guests})."
        elif self.basis == "observational":
            verdict = (
                f"{self.offer}: {amount(self.estimate)} per guest apart from {self.control} ({interval}; {guests})."
            )
        else:
            verb = "brought" if self.estimate > 0 else "lost"
            near, far = sorted(abs(end) for end in self.interval)
            verdict = (
                f"{self.offer} {verb} {amount(abs(self.estimate))} per guest "
                f"({1 - self.level:.0%} interval {amount(near)} to {amount(far)}; {guests})."
            )
        caution = " Observed, not randomised: guests may have differed before." if self.basis == "observational" else ""
        return " ".join([verdict + caution, *(f"{note}." for note in self.notes)])
