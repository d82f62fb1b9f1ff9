"""The crowd in a few rows: where the money is, how often guests come, how many are in each stage of life."""

from typing import NamedTuple

import narwhals as nw
import numpy as np
from narwhals.typing import IntoFrame
from numpy.typing import NDArray

from regulars.errors import DataError
from regulars.profiles.frames import checked
from regulars.profiles.lifecycle import STAGES

GAP_BANDS = (1, 2, 3, 7, 14, 30, 60, 90, 180)
"""Upper ends, in days, of the bands of `visit_gaps`; the last band is open."""


class Decile(NamedTuple):
    """A tenth of the guests, the best first. Shares are of the total over all guests."""

    decile: int
    guests: int
    value_minor: int
    share: float
    cumulative_share: float


class GapBand(NamedTuple):
    """Guests whose median gap between visits is over `above_days` and at most `until_days` (None: no end)."""

    above_days: float
    until_days: float | None
    guests: int
    share: float


class StageCount(NamedTuple):
    """Guests in one stage of the life cycle, with what they spent so far."""

    stage: str
    guests: int
    share: float
    spend_minor: int
    spend_share: float


def concentration(profiles: IntoFrame, value: str = "margin_minor") -> tuple[Decile, ...]:
    """How much of the total each tenth of the guests brings, best tenth first; guests without the value left out.

    Tenths differ by one guest at most; ties are cut anywhere. Raises DataError if nobody has the value or its total is
    not positive, for then a share says nothing.

    >>> import pyarrow as pa
    >>> guests = pa.table({"spend_minor": [100] * 9 + [900]})
    >>> concentration(guests, "spend_minor")[0]
    Decile(decile=1, guests=1, value_minor=900, share=0.5, cumulative_share=0.5)
    """
    amounts = np.sort(_numbers(profiles, value))[::-1]
    total = float(amounts.sum())
    if total <= 0:
        raise DataError(
            f"profiles, column {value}: the total over {amounts.size} guests is not positive; no shares of it"
        )
    tenths = np.array_split(amounts, 10)
    sums = np.array([tenth.sum() for tenth in tenths])
    running = np.cumsum(sums) / total
    return tuple(
        Decile(number, tenth.size, int(worth), float(worth / total), float(upto))
        for number, (tenth, worth, upto) in enumerate(zip(tenths, sums, running, strict=True), 1)
    )


def visit_gaps(profiles: IntoFrame) -> tuple[GapBand, ...]:
    """How many guests come how often, by `gap_days`; guests with a single visit have no gap and are left out.

    >>> import pyarrow as pa
    >>> [band.guests for band in visit_gaps(pa.table({"gap_days": [1.0, 6.5, 7.0, 400.0, None]}))]
    [1, 0, 0, 2, 0, 0, 0, 0, 0, 1]
    """
    gaps = _numbers(profiles, "gap_days")
    counts = np.bincount(np.searchsorted(GAP_BANDS, gaps, side="left"), minlength=len(GAP_BANDS) + 1)
    ends: tuple[float | None, ...] = (*GAP_BANDS, None)
    return tuple(
        GapBand(above, until, int(count), float(count / max(gaps.size, 1)))
        for above, until, count in zip((0, *GAP_BANDS), ends, counts, strict=True)
    )


def stage_counts(profiles: IntoFrame) -> tuple[StageCount, ...]:
    """Guests and spend in each stage, all five stages in the order of life; guests without a visit left out.

    >>> import pyarrow as pa
    >>> counts = stage_counts(pa.table({"stage": ["new", "lost", "new"], "spend_minor": [100, 100, 200]}))
    >>> counts[0]
    StageCount(stage='new', guests=2, share=0.6666666666666666, spend_minor=300, spend_share=0.75)
    """
    frame = checked(profiles, needs=("stage", "spend_minor"))
    known = frame.filter(~nw.col("stage").is_null()).group_by("stage")
    counted = known.agg(nw.len().alias("guests"), nw.col("spend_minor").sum()).lazy().collect("pyarrow")
    rows = {stage: (int(guests), int(worth or 0)) for stage, guests, worth in counted.rows()}
    everyone = sum(guests for guests, _ in rows.values())
    total = sum(worth for _, worth in rows.values())
    return tuple(
        StageCount(stage, guests, guests / max(everyone, 1), worth, worth / total if total else 0.0)
        for stage, (guests, worth) in ((stage, rows.get(stage, (0, 0))) for stage in STAGES)
    )


def _numbers(profiles: IntoFrame, column: str) -> NDArray[np.float64]:
    """The values a column has, in no order."""
    known = checked(profiles, needs=(column,)).select(column).filter(~nw.col(column).is_null())
    return np.asarray(known.lazy().collect("pyarrow").get_column(column).to_numpy(), dtype=np.float64)
