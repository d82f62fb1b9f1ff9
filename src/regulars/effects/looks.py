"""Looks: ways in which a feature can differ between those given an offer and those given nothing, each held against the draw."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from regulars.effects.arrays import FloatArray, IntArray
from regulars.effects.balance import owners, standardised
from regulars.effects.draw import Draw
from regulars.effects.trial import Trial

BINS = 16
SAMPLED = 4_000
"""The bins of a feature are drawn on so many rows."""
WIDEST = 100
"""Of more columns than this none is looked at beside what the others tell of it."""
CLOSER = 10.0
"""Worked out exactly is what by its standard error happens up to ten times as often as may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A column and an offer whose arms are apart in it; values: (n,) what was compared, chance: how often it may be so by luck."""

    column: int
    offer: int
    values: FloatArray
    chance: float

    def is_beyond(self, draw: Draw) -> bool:
        """Whether the draw lets it happen more rarely than that."""
        return draw.contrast_tail(self._totals(draw), self.offer) < self.chance

    def distance(self, draw: Draw) -> float:
        """How far apart the arms are in it, in standard errors."""
        return abs(float(draw.distances(self._totals(draw)[:, None], self.offer)[0]))

    def _totals(self, draw: Draw) -> FloatArray:
        return draw.totals(self.values - self.values.mean())


def value_looks(trial: Trial, draw: Draw, chance: float) -> Iterator[Look]:
    """Numbers by their mean; only looks whose standard error leaves a doubt. chance: of all of them together."""
    places = [place for place, name in enumerate(trial.columns.names) if name not in trial.columns.categories]
    values = _centred(trial.matrix[:, places])
    for place, offer in _apart(draw, values, chance / _looks_seen(trial)):
        yield Look(column=places[place], offer=offer, values=values[:, place], chance=chance / _looks_seen(trial))


def shape_looks(trial: Trial, draw: Draw, chance: float) -> Iterator[Look]:
    """Every feature by its parts: each category, or sixteenth of the numbers, what is missing, their order and their spread."""
    for place, name in enumerate(trial.columns.names):
        column = trial.matrix[:, place]
        is_category = name in trial.columns.categories
        code = _as_category(column) if is_category else _as_bins(column, seed=place)
        parts = np.eye(int(code.max()) + 1) if is_category else _ordered_parts(code, column)
        each = chance / _looks_seen(trial) / parts.shape[1]
        for part, offer in _parts_apart(draw, code, parts, each):
            yield Look(column=place, offer=offer, values=parts[code, part], chance=each)


def rest_looks(trial: Trial, draw: Draw, chance: float) -> Iterator[Look]:
    """What the other features do not tell of one, as in spend of the whole period given spend of the past."""
    names, values = standardised(trial)
    if len(names) > WIDEST:
        return
    owner, each = owners(trial), chance / _looks_seen(trial) * len(trial.columns.names) / len(names)
    rest = np.linalg.pinv(values.T @ values / trial.rows, rcond=1e-8, hermitian=True).astype(np.float64)
    totals = draw.totals(values)
    for offer in range(len(trial.offers)):
        for place in np.flatnonzero(np.abs(_rest_distances(draw, totals, rest, offer)) > reach(each)):
            yield Look(column=owner[place], offer=offer, values=values @ rest[:, place], chance=each)


def _rest_distances(draw: Draw, totals: FloatArray, rest: FloatArray, offer: int) -> FloatArray:
    """How far apart the arms are in totals (u, m) @ rest (m, m), in standard errors, (m,), without making that table."""
    weight, variance = draw.contrast(offer)
    spread = totals.T @ (variance[:, None] * totals)
    error = np.sqrt(np.maximum(np.einsum("im,ij,jm->m", rest, spread, rest, optimize=True), 0.0))
    apart: FloatArray = np.divide(weight @ totals @ rest, error, out=np.zeros_like(error), where=error > 0)
    return apart


def _looks_seen(trial: Trial) -> int:
    return trial.columns_seen * len(trial.offers)


def _apart(draw: Draw, values: FloatArray, chance: float) -> Iterator[tuple[int, int]]:
    """Places in values (n, m) of mean 0, and offers, that are apart by their standard error."""
    totals = draw.totals(values)
    for offer in range(draw.chance.shape[1] - 1):
        for place in np.flatnonzero(np.abs(draw.distances(totals, offer)) > reach(chance)):
            yield int(place), offer


def _parts_apart(draw: Draw, code: IntArray, parts: FloatArray, chance: float) -> Iterator[tuple[int, int]]:
    """The same for parts (bins, m) of a coded column (n,)."""
    share = np.bincount(code, minlength=len(parts)) / len(code)
    parts = parts - share @ parts
    if not draw.is_of_rows:
        yield from _apart(draw, parts[code], chance)
        return
    for offer in range(draw.chance.shape[1] - 1):
        weight, variance = (np.bincount(code, each, minlength=len(parts)) for each in draw.contrast(offer))
        error = np.sqrt(variance @ parts**2)
        for part in np.flatnonzero(np.abs(weight @ parts) > reach(chance) * error):
            yield int(part), offer


def reach(chance: float) -> float:
    """So many standard errors at least must the arms be apart to be looked at exactly."""
    return float(-ndtri(min(chance * CLOSER, 0.5) / 2))


def _centred(matrix: FloatArray) -> FloatArray:
    """Numbers (n, p) of mean 0 and greatest size 1, a missing one at the mean."""
    known = ~np.isnan(matrix)
    mean = np.where(known, matrix, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, matrix - mean, 0.0)
    scaled: FloatArray = centred / np.maximum(np.abs(centred).max(axis=0, initial=0.0), np.finfo(np.float64).tiny)
    return scaled


def _as_category(column: FloatArray) -> IntArray:
    """Codes of categories, missing last."""
    last = 0 if np.isnan(column).all() else int(np.nanmax(column)) + 1
    return np.where(np.isnan(column), last, column).astype(np.int64)


def _as_bins(column: FloatArray, *, seed: int) -> IntArray:
    """Codes of up to 16 bins in the order of the numbers, a value that is frequent by itself in one, missing last."""
    known = column[~np.isnan(column)]
    if not len(known):
        return np.zeros(len(column), dtype=np.int64)
    if len(known) > SAMPLED:
        known = np.random.default_rng(seed).choice(known, SAMPLED)
    ends, count = np.unique(np.quantile(known, np.arange(1, BINS) / BINS, method="lower"), return_counts=True)
    edges = np.unique(np.concatenate([ends, np.nextafter(ends[count > 1], -np.inf)]))
    return np.where(np.isnan(column), len(edges) + 1, np.searchsorted(edges, column)).astype(np.int64)


def _ordered_parts(code: IntArray, column: FloatArray) -> FloatArray:
    """What is compared of binned numbers, (bins, m): each bin for itself, and the order and spread of what is not missing."""
    count = np.bincount(code)
    if (is_missing := np.isnan(column)).any():
        count[code[int(np.argmax(is_missing))]] = 0
    middle = int(np.searchsorted(count.cumsum(), count.sum() / 2))
    order = np.where(count > 0, np.arange(len(count)), middle).astype(np.float64)
    return np.column_stack([np.eye(len(order)), order - middle, np.abs(order - middle)])
