"""The statement of a campaign: what it brought, what it cost, and what to do next."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from regulars.measurement.contrasts import holds
from regulars.measurement.lift import plain

INCREMENTAL = "incremental"
ANYWAY = "would have come anyway"
PULLED_FORWARD = "pulled forward from the following weeks"
MOVED = "moved from a sister store"
UNEXPLAINED = "unexplained"

MinorInterval = tuple[int, int]


class Part(NamedTuple):
    """A part of the spend, in minor units."""

    name: str
    amount_minor: int
    interval_minor: MinorInterval


class Return(NamedTuple):
    """Gain (margin, after the subsidy is paid) per unit of subsidy."""

    estimate: float
    interval: tuple[float, float]


class Statement(NamedTuple):
    """What a campaign brought.

    spend_minor: what guests spent on its checks; parts add up to it exactly.
    gain_minor: margin brought after the subsidy, by all contacted guests together.
    next_unit: gain per unit of subsidy when going from the second dearest arm to the dearest; None if one offer.
    more_guests, more_weeks: what would tell where it cannot be known yet; None where it is known, or out of reach.
    """

    spend_minor: int
    parts: tuple[Part, ...]
    subsidy_minor: int
    gain_minor: int
    gain_interval_minor: MinorInterval
    return_on_subsidy: Return | None
    next_unit: Return | None
    guests: int
    more_guests: int | None
    more_weeks: int | None
    level: float
    notes: tuple[str, ...]

    @property
    def is_known(self) -> bool:
        """Whether the interval of the gain excludes zero."""
        return not holds(self.gain_interval_minor, 0.0)

    def part(self, name: str) -> Part:
        return next(part for part in self.parts if part.name == name)

    @property
    def advice(self) -> str:
        """What to do next time, in one sentence."""
        if not self.is_known:
            return f"Cannot know yet: {self._what_would_tell}"
        if self.gain_minor < 0:
            return "Stop it: the campaign cost more margin than it brought."
        if self.next_unit is not None and self.next_unit.interval[1] < 0:
            return "Run it again without its dearest offer, whose last unit of subsidy lost money."
        return "Run it again, with a holdout as now."

    @property
    def _what_would_tell(self) -> str:
        if self.more_guests is None:
            return "so small a change could not be told from chance with a hundred times the guests; try another offer."
        weeks = "" if self.more_weeks is None else f" or {self.more_weeks:,} more weeks"
        return f"needs about {self.more_guests:,} more guests{weeks}."

    def words(self, amount: Callable[[float], str] = plain) -> str:
        """The statement as lines of text; `amount` words minor units."""
        lines = [f"Guests spent {amount(self.spend_minor)} on this campaign's checks:"]
        for part in self.parts:
            low, high = (amount(end) for end in part.interval_minor)
            lines.append(f"  {amount(part.amount_minor)} {part.name} ({low} to {high})")
        low, high = (amount(end) for end in self.gain_interval_minor)
        lines.append(
            f"It brought {amount(self.gain_minor)} of margin ({low} to {high}) and cost {amount(self.subsidy_minor)} of subsidy."
        )
        for title, rate in (("Each unit", self.return_on_subsidy), ("The last unit", self.next_unit)):
            if rate is not None:
                low, high = (f"{end:.2f}" for end in rate.interval)
                lines.append(f"{title} of subsidy brought {rate.estimate:.2f} ({low} to {high}).")
        return "\n".join([*lines, self.advice, *(f"{note}." for note in self.notes)])
