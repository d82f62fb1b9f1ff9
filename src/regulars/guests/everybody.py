"""Everybody: all guests in a few rows: by stage of life, by the margin they brought, by how often they come."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import pyarrow as pa

from regulars.charts.guests import life_cycle
from regulars.charts.theme import Chart
from regulars.errors import DataError
from regulars.profiles import Decile, GapBand, StageCount, concentration, stage_counts, visit_gaps
from regulars.tabular import Tabular, rows_table
from regulars.wording import Voice


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Everybody(Tabular):
    """All guests on a date. tenths: by the margin they brought, none where there is none to share. gap_days: the median of those
    who came back, None where nobody did."""

    stages: tuple[StageCount, ...]
    tenths: tuple[Decile, ...]
    gaps: tuple[GapBand, ...]
    gap_days: float | None

    @property
    def guests(self) -> int:
        return sum(stage.guests for stage in self.stages)

    def stage(self, name: str) -> StageCount:
        return next(stage for stage in self.stages if stage.stage == name)

    schema: ClassVar = {"stage": pa.string(), "guests": pa.int64(), "spend_minor": pa.int64()}

    def to_arrow(self) -> pa.Table:
        """The stages of life."""
        return rows_table(self.stages, self.schema)

    def plot(self, voice: Voice | None = None) -> Chart:
        """The stages of life: how many guests each has, and what they spent."""
        stages = [(stage.stage, stage.share, stage.spend_share) for stage in self.stages]
        return life_cycle(stages, voice or Voice())

    @classmethod
    def of(cls, profiles: pa.Table) -> Self:
        """profiles: of all guests."""
        gaps = profiles["gap_days"].drop_null().to_numpy()
        return cls(
            stages=stage_counts(profiles),
            tenths=_tenths(profiles),
            gaps=visit_gaps(profiles),
            gap_days=float(np.median(gaps)) if len(gaps) else None,
        )


def _tenths(profiles: pa.Table) -> tuple[Decile, ...]:
    try:
        return concentration(profiles)
    except DataError:
        return ()
