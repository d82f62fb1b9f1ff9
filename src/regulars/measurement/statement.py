"""The statement of a campaign: what it brought, what it cost, and what to do next."""

from __future__ import annotations

from typing import NamedTuple

from regulars.measurement.contrasts import holds
from regulars.wording import Sentence, Voice

INCREMENTAL = "incremental"
ANYWAY = "anyway"
PULLED_FORWARD = "pulled_forward"
MOVED = "moved"
UNEXPLAINED = "unexplained"

MinorInterval = tuple[int, int]


class Part(NamedTuple):
    """A part of the spend, in minor units. name: one of those above, in words `part_` and the name."""

    name: str
    amount_minor: int
    interval_minor: MinorInterval

    @property
    def sentence(self) -> Sentence:
        low, high = self.interval_minor
        return Sentence("statement_part", amount_minor=self.amount_minor, part=self.name, low=low, high=high)


class Return(NamedTuple):
    """Gain (margin, after the subsidy is paid) per unit of subsidy."""

    estimate: float
    interval: tuple[float, float]

    def sentence(self, code: str) -> Sentence:
        low, high = self.interval
        return Sentence(code, estimate=self.estimate, low=low, high=high)


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
    notes: tuple[Sentence, ...]

    @property
    def is_known(self) -> bool:
        """Whether the interval of the gain excludes zero."""
        return not holds(self.gain_interval_minor, 0.0)

    def part(self, name: str) -> Part:
        return next(part for part in self.parts if part.name == name)

    @property
    def advice(self) -> Sentence:
        """What to do next time."""
        if not self.is_known:
            if self.more_guests is None:
                return Sentence("advice_out_of_reach")
            return Sentence("advice_unknown", more_guests=self.more_guests, more_weeks=self.more_weeks)
        if self.gain_minor < 0:
            return Sentence("advice_stop")
        if self.next_unit is not None and self.next_unit.interval[1] < 0:
            return Sentence("advice_without_dearest")
        return Sentence("advice_again")

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """What was spent and how that splits, what it brought, what to do, and what must be known before believing it."""
        low, high = self.gain_interval_minor
        rates = (("statement_each_unit", self.return_on_subsidy), ("statement_next_unit", self.next_unit))
        return (
            Sentence("statement_spend", spend_minor=self.spend_minor),
            *(part.sentence for part in self.parts),
            Sentence(
                "statement_gain", gain_minor=self.gain_minor, low=low, high=high, subsidy_minor=self.subsidy_minor
            ),
            *(rate.sentence(code) for code, rate in rates if rate is not None),
            self.advice,
            *self.notes,
        )

    def words(self, voice: Voice | None = None) -> str:
        """The same in lines of text; a voice with a currency reads minor units as money."""
        return "\n".join((voice or Voice()).each(self.sentences))
