"""The statement of a campaign: what it brought, what it cost, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple

import pyarrow as pa

from regulars.charts.results import Span, split
from regulars.charts.theme import Chart
from regulars.measurement.contrasts import holds
from regulars.tabular import Tabular, rows_table
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
    def low_minor(self) -> int:
        return self.interval_minor[0]

    @property
    def high_minor(self) -> int:
        return self.interval_minor[1]

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


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Statement(Tabular):
    """What a campaign brought; its rows are the parts of the spend.

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

    schema: ClassVar = {
        "name": pa.string(), "amount_minor": pa.int64(), "low_minor": pa.int64(), "high_minor": pa.int64(),
    }  # fmt: skip

    def to_arrow(self) -> pa.Table:
        return rows_table(self.parts, self.schema)

    def as_dict(self) -> dict[str, Any]:
        """For JSON, with the advice; sentences as they are."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)} | {"advice": self.advice}

    @property
    def headline(self) -> str:
        low, high = self.gain_interval_minor
        return (
            f"Statement of {self.guests:,} guests, minor units: spent {self.spend_minor:,}, subsidy {self.subsidy_minor:,}, "
            f"gain {self.gain_minor:,} ({low:,} to {high:,})"
        )

    def plot(self, voice: Voice | None = None) -> Chart:
        """How the spend on the campaign's checks splits."""
        voice = voice or Voice()
        names = {part.name: voice.say(f"part_{part.name}") for part in self.parts}
        spans = [Span(names[part.name], part.amount_minor, *part.interval_minor) for part in self.parts]
        return split(spans, voice.say("chart_split"), voice)

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


def _plain(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        return value._asdict()
    return [_plain(one) for one in value] if isinstance(value, tuple) else value
