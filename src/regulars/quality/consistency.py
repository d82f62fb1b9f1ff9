"""Consistency: how much one dish varies between stores, cooks and shifts, and which stores hold the standard.

A mixed model with a random effect for each store, cook and shift (crossed), fitted by restricted maximum likelihood (Patterson &
Thompson 1971, Biometrika 58) on Henderson's mixed model equations. Only sums by store, cook and shift go in, so the fit costs the
same for a thousand and for a hundred million servings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from scipy.optimize import minimize
from scipy.special import ndtr

from regulars.charts import quality as pictures
from regulars.charts.quality import Departure, Evenness
from regulars.charts.theme import Chart
from regulars.errors import DesignError
from regulars.quality.control_charts import MEASURES, Measure, Stream
from regulars.quality.names import NOBODY, Names
from regulars.quality.servings import Coded, FloatArray
from regulars.tabular import Tabular, rows_table
from regulars.wording import Sentence, Voice

_FLOOR, _LEAST_LEVELS = 1e-10, 2
_Z = 1.645
_SURELY = 0.9


class Component(NamedTuple):
    """How much of the spread of single servings one factor makes. deviation: standard deviation of its effects, in the measure's unit.

    low, high: 90 %, from the curvature of the log-likelihood. share: of the whole variance.
    """

    factor: str
    levels: int
    deviation: float
    low: float
    high: float
    share: float


class Standing(NamedTuple):
    """A store's own departure from the dish's mean, better where positive. low, high: 90 %.

    holds: probability that it is no more than the tolerance below the mean.
    """

    store: str
    servings: int
    effect: float
    low: float
    high: float
    holds: float


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Consistency(Tabular):
    """measure of one dish. mean: over all. tolerance: what still counts as the standard, in the measure's unit."""

    item: str
    measure: str
    servings: int
    mean: float
    tolerance: float
    components: tuple[Component, ...]
    stores: tuple[Standing, ...]

    @property
    def headline(self) -> str:
        parts = ", ".join(f"{component.factor} {component.share:.1%}" for component in self.components)
        return f"Consistency: {self.measure} of {self.item}, {self.servings:,} servings; spread by {parts}"

    def to_arrow(self) -> pa.Table:
        return rows_table(self.stores, _COLUMNS)

    def sentence(self) -> Sentence:
        """What the spread is made of."""
        parts = [
            Sentence("quality_spread_part", factor=Sentence(f"factor_{c.factor}"), part=c.share)
            for c in self.components
        ]
        return Sentence("quality_spread", parts=parts)

    def plot(self, voice: Voice = Voice(), names: Names = NOBODY) -> Chart:  # noqa: B008
        measure = MEASURES[self.measure]
        stores = [Departure(names.store(s.store), s.effect, s.low, s.high, s.holds >= _SURELY) for s in self.stores]
        dish = Evenness(names.dish(self.item), measure.called, measure.unit, self.tolerance, stores)
        return pictures.evenness(dish, voice)


_COLUMNS = {
    "store": pa.string(), "servings": pa.int64(), "effect": pa.float64(), "low": pa.float64(), "high": pa.float64(),
    "holds": pa.float64(),
}  # fmt: skip


def consistency(
    stream: Stream, item: str, *, factors: Sequence[str] = ("store", "cook", "shift"), tolerance: float | None = None
) -> Consistency:
    """The spread of one dish. factors: those with fewer than two known levels are left out. tolerance: None takes the measure's change.

    Raises DesignError for a dish without servings, or one made in a single place by a single hand, where nothing can be compared.
    """
    named = np.flatnonzero(stream.factors["item"].names == item)
    rows = np.flatnonzero(stream.factors["item"].code == named[0]) if len(named) else np.empty(0, np.int64)
    dish = stream.only(rows)
    used = {name: dish.factors[name] for name in factors if _levels(dish.factors[name]) >= _LEAST_LEVELS}
    if len(dish) <= 1 + len(used) or not used:
        raise DesignError(
            f"{item}: {len(dish)} servings with a known {stream.measure.name}, and nothing to compare; it needs two stores, cooks or shifts"
        )
    model = _Model.of(dish.value, used)
    ratios, spread = model.fitted()
    variance = model.residual(ratios)
    limit = abs(stream.measure.change) if tolerance is None else tolerance
    return Consistency(
        item=item, measure=stream.measure.name, servings=len(dish), mean=model.mean(ratios), tolerance=limit,
        components=_components(model, ratios, spread, variance),
        stores=_standings(model, ratios, variance, stream.measure, limit),
    )  # fmt: skip


def _levels(coded: Coded) -> int:
    return len(np.unique(coded.code[coded.code >= 0]))


class _Model(NamedTuple):
    """The sums that the fit needs. cross: X'X with X = [1, stores, cooks, ...]. right: X'y. square: y'y. sizes: levels of each factor."""

    names: tuple[str, ...]
    labels: tuple[np.ndarray, ...]
    sizes: tuple[int, ...]
    cross: FloatArray
    right: FloatArray
    square: float
    n: int

    @classmethod
    def of(cls, value: FloatArray, factors: dict[str, Coded]) -> "_Model":
        """Observations whose level of a factor is unknown have no effect of it."""
        codes, labels = [], []
        for coded in factors.values():
            known, code = np.unique(coded.code, return_inverse=True)
            is_gap = int(known[0] < 0)
            codes.append(code - is_gap)
            labels.append(coded.names[known[is_gap:]])
        sizes = tuple(len(label) for label in labels)
        starts = np.concatenate([[1], 1 + np.cumsum(sizes)])
        columns = [np.zeros(len(value), dtype=np.int64)]
        columns += [np.where(code >= 0, code + start, -1) for code, start in zip(codes, starts[:-1], strict=True)]
        width = int(starts[-1])
        cross = np.zeros((width, width))
        right = np.zeros(width)
        for one in columns:
            right += np.bincount(one[one >= 0], weights=value[one >= 0], minlength=width)
            for other in columns:
                both = (one >= 0) & (other >= 0)
                cross += np.bincount(one[both] * width + other[both], minlength=width * width).reshape(width, width)
        return cls(tuple(factors), tuple(labels), sizes, cross, right, float(value @ value), len(value))

    def _penalty(self, ratios: FloatArray) -> FloatArray:
        return np.concatenate([[0.0], np.repeat(1 / ratios, self.sizes)])

    def _inverse(self, ratios: FloatArray) -> FloatArray:
        return np.asarray(np.linalg.inv(self.cross + np.diag(self._penalty(ratios))))

    def effects(self, ratios: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean and effects, and their prediction error variance in units of the residual's."""
        inverse = self._inverse(ratios)
        return inverse @ self.right, np.diag(inverse)

    def mean(self, ratios: FloatArray) -> float:
        return float(self.effects(ratios)[0][0])

    def residual(self, ratios: FloatArray) -> float:
        """The variance of single servings around their effects."""
        left = self.square - float(self.effects(ratios)[0] @ self.right)
        return max(left / (self.n - 1), _FLOOR)

    def deviance(self, logs: FloatArray) -> float:
        """-2 times the restricted log-likelihood, with the residual variance profiled out."""
        ratios = np.exp(logs)
        _, logdet = np.linalg.slogdet(self.cross + np.diag(self._penalty(ratios)))
        return float((self.n - 1) * np.log(self.residual(ratios)) + logdet + np.repeat(logs, self.sizes).sum())

    def fitted(self) -> tuple[FloatArray, FloatArray]:
        """Variances of the factors over the residual's, and the standard errors of their logarithms."""
        start = np.full(len(self.sizes), -4.0)
        bounds = [(-14.0, 4.0)] * len(start)
        best = minimize(self.deviance, start, method="L-BFGS-B", bounds=bounds)
        return np.exp(best.x), _errors(self.deviance, best.x)


def _errors(deviance: object, at: FloatArray, step: float = 0.1) -> FloatArray:
    """Standard errors from the curvature of a deviance, by differences; wide where it is flat."""
    assert callable(deviance)
    middle = deviance(at)
    bends = np.array([deviance(at + e) - 2 * middle + deviance(at - e) for e in step * np.eye(len(at))]) / step**2
    return np.asarray(np.sqrt(2 / np.maximum(bends, 0.05)))


def _components(model: _Model, ratios: FloatArray, spread: FloatArray, variance: float) -> tuple[Component, ...]:
    whole = variance * (1 + ratios.sum())
    parts = [
        Component(
            name, size, float(np.sqrt(variance * ratio)), float(np.sqrt(variance * ratio * np.exp(-_Z * error))),
            float(np.sqrt(variance * ratio * np.exp(_Z * error))), float(variance * ratio / whole),
        )
        for name, size, ratio, error in zip(model.names, model.sizes, ratios, spread, strict=True)
    ]  # fmt: skip
    reach = np.exp(_Z * np.sqrt(2 / model.n) / 2)
    single = float(np.sqrt(variance))
    return (*parts, Component("single", model.n, single, single / reach, single * reach, variance / whole))


def _standings(
    model: _Model, ratios: FloatArray, variance: float, measure: Measure, tolerance: float
) -> tuple[Standing, ...]:
    if "store" not in model.names:
        return ()
    place = model.names.index("store")
    begin = 1 + sum(model.sizes[:place])
    effects, errors = model.effects(ratios)
    better = -np.sign(measure.change)
    found = []
    for offset, label in enumerate(model.labels[place]):
        effect, error = better * effects[begin + offset], float(np.sqrt(variance * errors[begin + offset]))
        holds = float(ndtr((effect + tolerance) / error))
        served = int(model.cross[begin + offset, begin + offset])
        found.append(Standing(str(label), served, float(effect), effect - _Z * error, effect + _Z * error, holds))
    return tuple(sorted(found, key=lambda standing: -standing.effect))
