"""Control charts: whether a dish, a store or a shift got worse, since when, and what probably caused it.

Each dish is watched as a whole and in each store and shift. The rate of false alarms is stated for the dish: with so many a year
in all, over all its charts. A chart's first part is its baseline; where that is too short, it is not charted, and is counted.
"""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from regulars.charts import quality as pictures
from regulars.charts.quality import Point, Shift, Unit
from regulars.charts.theme import Chart
from regulars.errors import DesignError
from regulars.quality import cusum
from regulars.quality.causes import Cause, causes
from regulars.quality.names import NOBODY, Names
from regulars.quality.servings import Coded, FloatArray, IntArray, Servings
from regulars.quality.shrinkage import pooled_shares
from regulars.tabular import Tabular, rows_table
from regulars.wording import Sentence, Voice

LEAST_BASELINE = 50
_YEAR = 365.25
_LEAST_SHARE, _MOST_SHARE = 0.002, 0.998
_ROUNDING = 200
_PARTS, _NINE_IN_TEN = 40, 1.645


class Measure(NamedTuple):
    """change: for the worse, the smallest that matters. unit: in which people read it.

    A share is of 0 and 1, the others are means; seconds are kept as their logarithms.
    """

    name: str
    change: float
    unit: Unit

    @property
    def is_share(self) -> bool:
        return self.unit == "share"

    def shown(self, value: float) -> float:
        """A value in the unit that people read: logarithms as seconds."""
        return math.exp(value) if self.unit == "seconds" else value

    def value(self, value: float) -> Sentence:
        """A value as people read it: 41.2%, 4.31 or 489 s."""
        return Sentence(f"value_{self.unit}", value=self.shown(value))

    @property
    def called(self) -> Sentence:
        return Sentence(f"measure_{self.name}")


MEASURES = {
    measure.name: measure
    for measure in (
        Measure("reorder_rate", -0.05, "share"),
        Measure("refunds_and_voids", 0.02, "share"),
        Measure("positive", -0.10, "share"),
        Measure("rating", -0.30, "stars"),
        Measure("prep_seconds", 0.15, "seconds"),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """n observations of one measure in the order of `day`.

    value: (n,). day: (n,). factors: name -> what each observation had, coded; `item`, `store` and `shift` among them.
    """

    measure: Measure
    value: FloatArray
    day: IntArray
    factors: dict[str, Coded]

    def __len__(self) -> int:
        return len(self.value)

    def only(self, rows: IntArray) -> "Stream":
        factors = {name: coded.only(rows) for name, coded in self.factors.items()}
        return Stream(measure=self.measure, value=self.value[rows], day=self.day[rows], factors=factors)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A chart that alarmed.

    by: the unit, such as {"item": "D1", "store": "S1"}. changed_on: the likeliest day, from `changed_from` to `changed_until` with
    about 95 %. alarmed_on: when the chart said so. before, after: the measure, `low` and `high` of the latter with 90 %.
    false_alarm_after: observations until a false alarm of this chart, on average. delay: how many pass on average until a change
    of the smallest size that matters is seen. causes: the likeliest first. points: the measure over time, in equal parts, as people
    read it.
    """

    measure: str
    by: dict[str, str]
    changed_on: dt.date
    changed_from: dt.date
    changed_until: dt.date
    alarmed_on: dt.date
    observations: int
    before: float
    after: float
    low: float
    high: float
    false_alarm_after: float
    delay: float
    causes: tuple[Cause, ...]
    points: tuple[Point, ...]

    @property
    def unit(self) -> str:
        return " · ".join(self.by.values())

    def sentence(self, names: Names = NOBODY) -> Sentence:
        """What changed, when, and why probably."""
        measure = MEASURES[self.measure]
        before, after, low, high = map(measure.value, (self.before, self.after, self.low, self.high))
        return Sentence(
            "quality_changed", unit=names.unit(self.by), measure=measure.called, before=before, after=after, low=low, high=high,
            day=self.changed_on, early=self.changed_from, late=self.changed_until, alarmed=self.alarmed_on,
            causes=[cause.sentence(names) for cause in self.causes[:2]] or None,
        )  # fmt: skip

    def plot(self, voice: Voice = Voice(), names: Names = NOBODY) -> Chart:  # noqa: B008
        measure = MEASURES[self.measure]
        shift = Shift(
            names.unit(self.by), measure.called, measure.unit, measure.shown(self.before), measure.shown(self.after),
            self.changed_on, self.changed_from, self.changed_until, self.alarmed_on,
        )  # fmt: skip
        return pictures.control_chart(self.points, shift, voice)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Watch(Tabular):
    """charts: how many were drawn. too_few: units with less than a baseline. changes: those that alarmed, the surest first."""

    charts: int
    too_few: int
    changes: tuple[Change, ...]

    @property
    def headline(self) -> str:
        return f"Watch: {len(self.changes):,} of {self.charts:,} charts alarmed; {self.too_few:,} units with too few observations"

    def to_arrow(self) -> pa.Table:
        return rows_table(self.changes, _COLUMNS)

    def plot(self, voice: Voice = Voice(), names: Names = NOBODY) -> Chart | None:  # noqa: B008
        """The surest change; None where nothing alarmed."""
        return self.changes[0].plot(voice, names) if self.changes else None


_COLUMNS = {
    "unit": pa.string(), "measure": pa.string(), "changed_on": pa.date32(), "changed_from": pa.date32(),
    "changed_until": pa.date32(), "alarmed_on": pa.date32(), "before": pa.float64(), "after": pa.float64(),
    "low": pa.float64(), "high": pa.float64(),
}  # fmt: skip


def watch(
    stream: Stream,
    *,
    baseline_until: dt.date,
    levels: Sequence[tuple[str, ...]] = (("item",), ("item", "store", "shift")),
    false_alarms_per_year: float = 1.0,
    change: float | None = None,
) -> Watch:
    """Chart a measure of every unit of every level, and explain what alarms.

    baseline_until: the last day of the baseline; charts begin after it. false_alarms_per_year: per dish (or whatever the first level
    is by), over all levels together. change: the smallest that matters, None takes that of the measure.
    Raises DesignError without observations on both sides of the baseline's end.
    """
    until = baseline_until.toordinal()
    if not len(stream) or stream.day[0] > until or stream.day[-1] <= until:
        raise DesignError(
            f"{stream.measure.name}: charts need observations until {baseline_until} and after it; choose another day within them"
        )
    drawn, too_few, changes = 0, 0, []
    yearly = _yearly(stream, levels[0]) / false_alarms_per_year * len(levels)
    for by in levels:
        charts = _Charts.of(stream, by, until, yearly, change)
        drawn, too_few = drawn + len(charts.start), too_few + charts.too_few
        changes += charts.changes()
    changes.sort(key=lambda found: (-abs(found.after - found.before) * np.sqrt(found.observations), str(found.by)))
    return Watch(charts=drawn, too_few=too_few, changes=tuple(changes))


def _yearly(stream: Stream, by: tuple[str, ...]) -> FloatArray:
    """Observations a year of the unit of the first level that each observation is of, shape (n,)."""
    key = _key(stream, by)
    years = max((stream.day[-1] - stream.day[0] + 1) / _YEAR, 1 / _YEAR)
    known = key >= 0
    counts = np.bincount(key[known], minlength=int(key.max(initial=0)) + 1)
    return np.asarray(np.where(known, counts[np.maximum(key, 0)], 1) / years, dtype=np.float64)


def _key(stream: Stream, by: tuple[str, ...]) -> IntArray:
    """The unit of each observation as one number from 0, -1 where a part of it is not known."""
    key = np.zeros(len(stream), dtype=np.int64)
    is_known = np.ones(len(stream), dtype=bool)
    for name in by:
        coded = stream.factors[name]
        is_known &= coded.code >= 0
        key = key * len(coded.names) + coded.code
    key[is_known] = np.unique(key[is_known], return_inverse=True)[1]
    return np.where(is_known, key, -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Charts:
    """The charts of one level, s of them; `rows` holds the places of their observations in the stream, chart after chart."""

    stream: Stream
    by: tuple[str, ...]
    too_few: int
    rows: IntArray
    first: IntArray
    start: IntArray
    stop: IntArray
    ratio: FloatArray
    before: FloatArray
    thresholds: list[cusum.Threshold]

    @classmethod
    def of(cls, stream: Stream, by: tuple[str, ...], until: int, yearly: FloatArray, change: float | None) -> "_Charts":
        key = _key(stream, by)
        rows = np.flatnonzero(key >= 0)
        rows = rows[np.argsort(key[rows], kind="stable")]
        edges = np.flatnonzero(np.diff(key[rows], prepend=-1, append=-1))
        first, stop = edges[:-1], edges[1:]
        counts = np.add.reduceat((stream.day[rows] <= until).astype(np.int64), first) if len(first) else first
        start = first + counts
        is_long = (counts >= LEAST_BASELINE) & (stop > start)
        too_few = int((~is_long).sum())
        first, start, stop = first[is_long], start[is_long], stop[is_long]
        base = _baselines(stream, rows, first, start)
        ratio = np.zeros(len(rows))
        thresholds = []
        size = stream.measure.change if change is None else change
        for place, (begin, end) in enumerate(zip(start, stop, strict=True)):
            often = float(f"{yearly[rows[begin]]:.2g}")
            value = stream.value[rows[begin:end]]
            ratio[begin:end], threshold = _ratios(stream.measure, value, base[0][place], base[1][place], size, often)
            thresholds.append(threshold)
        return cls(
            stream=stream, by=by, too_few=too_few, rows=rows, first=first, start=start, stop=stop, ratio=ratio,
            before=base[0], thresholds=thresholds,
        )  # fmt: skip

    def changes(self) -> list[Change]:
        heights = np.array([threshold.height for threshold in self.thresholds])
        alarm, since = cusum.first_alarms(self.ratio, self.start, self.stop, heights)
        return [self._change(int(place), int(alarm[place]), int(since[place])) for place in np.flatnonzero(alarm >= 0)]

    def _change(self, place: int, alarm: int, since: int) -> Change:
        begin, rows = int(self.start[place]), self.rows
        early, late = cusum.change_range(self.ratio[begin : alarm + 1], alarm - begin)
        later = self.stream.value[rows[since : self.stop[place]]]
        low, high = _interval(later, self.stream.measure.is_share)
        unit = {
            name: str(self.stream.factors[name].names[self.stream.factors[name].code[rows[begin]]]) for name in self.by
        }
        chart = self.stream.only(rows[self.first[place] : self.stop[place]])
        day = [
            dt.date.fromordinal(int(self.stream.day[rows[spot]]))
            for spot in (since, begin + early, begin + late, alarm)
        ]
        threshold = self.thresholds[place]
        return Change(
            measure=self.stream.measure.name, by=unit, changed_on=day[0], changed_from=day[1], changed_until=day[2],
            alarmed_on=day[3], observations=int(alarm - begin + 1), before=float(self.before[place]), after=float(later.mean()),
            low=low, high=high, false_alarm_after=threshold.false_alarm_after, delay=threshold.delay,
            causes=causes(chart.value, chart.factors, chart.day, int(since - self.first[place]), is_share=self.stream.measure.is_share),
            points=_points(chart),
        )  # fmt: skip


def _baselines(stream: Stream, rows: IntArray, first: IntArray, start: IntArray) -> tuple[FloatArray, FloatArray]:
    """What each chart had before: a share that leans on the other charts of its level, or mean and spread."""
    if not len(first):
        return np.empty(0), np.empty(0)
    value = stream.value[rows]
    total = np.concatenate([[0.0], np.cumsum(value)])
    squares = np.concatenate([[0.0], np.cumsum(value**2)])
    count = (start - first).astype(np.float64)
    mean = (total[start] - total[first]) / count
    if stream.measure.is_share:
        shares = pooled_shares(mean * count, count, np.zeros(len(first), dtype=np.int64)).estimate
        return np.clip(shares, _LEAST_SHARE, _MOST_SHARE), np.zeros(len(first))
    spread = np.sqrt(np.maximum((squares[start] - squares[first]) / count - mean**2, 1e-6))
    return mean, spread


def _ratios(
    measure: Measure, value: FloatArray, before: float, spread: float, change: float, often: float
) -> tuple[FloatArray, cusum.Threshold]:
    if not measure.is_share:
        threshold = cusum.mean_threshold(change, spread, often)
        return cusum.mean_ratio(value, before, spread, change), threshold
    before = round(before * _ROUNDING) / _ROUNDING if 0.05 < before < 0.95 else float(f"{before:.2g}")
    after = float(np.clip(before + change, before / 2 if change < 0 else _LEAST_SHARE, _MOST_SHARE))
    return cusum.share_ratio(value, before, after), cusum.share_threshold(before, after, often)


def _interval(value: FloatArray, is_share: bool) -> tuple[float, float]:
    """90 % for the measure since the change."""
    if is_share:
        share = (value.sum() + 1.35) / (len(value) + 2.7)  # Agresti & Coull 1998
        reach = _NINE_IN_TEN * np.sqrt(share * (1 - share) / (len(value) + 2.7))
        return float(max(share - reach, 0)), float(min(share + reach, 1))
    reach = _NINE_IN_TEN * value.std() / np.sqrt(len(value))
    return float(value.mean() - reach), float(value.mean() + reach)


def _points(chart: Stream) -> tuple[Point, ...]:
    """The chart in equal parts of at least 20 observations."""
    parts = np.array_split(np.arange(len(chart)), min(_PARTS, max(len(chart) // 20, 1)))
    return tuple(_point(chart, part) for part in parts if len(part))


def _point(chart: Stream, part: IntArray) -> Point:
    value, shown = chart.value[part], chart.measure.shown
    middle = float(value.mean())
    variance = middle * (1 - middle) if chart.measure.is_share else float(value.var())
    reach = _NINE_IN_TEN * math.sqrt(variance / len(value))
    day = dt.date.fromordinal(int(chart.day[part].mean()))
    return Point(day, shown(middle), shown(middle - reach), shown(middle + reach))


def of_servings(servings: Servings, measure: str) -> Stream:
    """reorder_rate, refunds_and_voids or prep_seconds as a stream, with all that may explain a change."""
    values = {
        "reorder_rate": servings.reordered,
        "refunds_and_voids": servings.is_bad.astype(np.float64),
        "prep_seconds": np.log(np.maximum(servings.prep_seconds, 1.0)),
    }
    if measure not in values:
        raise ValueError(f"servings have no measure '{measure}'; they have {', '.join(values)}")
    kept = servings.only(np.flatnonzero(~np.isnan(values[measure])))
    factors = {
        "item": kept.item, "store": kept.store, "shift": kept.shift, "cook": kept.cook, "batch": kept.batch,
        "rush": Coded(np.array(["quiet_hour", "rush"], dtype=object), kept.is_rush.astype(np.int64)),
        "price": _prices(kept),
    }  # fmt: skip
    value = values[measure][~np.isnan(values[measure])]
    return Stream(measure=MEASURES[measure], value=value, day=kept.day, factors=factors)


def _prices(servings: Servings) -> Coded:
    """Whether each serving cost less, as much, or more than the dish did first (2 % apart)."""
    is_priced = ~np.isnan(servings.price)
    item, place = np.unique(servings.item.code[is_priced], return_index=True)
    usual = np.full(len(servings.item.names), np.nan)
    usual[item] = servings.price[is_priced][place]
    ratio = servings.price / usual[servings.item.code]
    code = np.where(ratio < 0.98, 0, np.where(ratio > 1.02, 2, 1))
    return Coded(
        np.array(["lower_price", "same_price", "higher_price"], dtype=object), np.where(np.isnan(ratio), -1, code)
    )
