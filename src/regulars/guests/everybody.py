"""Everybody: all guests in a few rows: by stage of life, by the margin they brought, by how often they come."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa

from regulars.errors import DataError
from regulars.profiles import Decile, GapBand, StageCount, concentration, stage_counts, visit_gaps


@dataclass(frozen=True, slots=True, kw_only=True)
class Everybody:
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
