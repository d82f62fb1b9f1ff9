"""Boosted trees: LightGBM with one set of bins for all models of a fit, and the same answer every time."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

import lightgbm as lgb
import numpy as np

from regulars.effects.arrays import BoolArray, FloatArray, IntArray

Item = TypeVar("Item")
Found = TypeVar("Found")

SMALL = 20_000
"""Below so many rows a second thread costs more than it brings."""
PATIENCE = 10
"""Trees in a row without gain before learning stops."""


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def side_by_side(function: Callable[[Item], Found], items: Iterable[Item], *, rows: int) -> list[Found]:
    """Call a function on each item, on every processor if there are enough rows.

    Each model is built by one thread. LightGBM's own threads wait for each other at every split of every tree, spinning, and
    come to a standstill where another process wants the processors as well.
    """
    if rows < SMALL:
        return [function(item) for item in items]
    with ThreadPoolExecutor(cores()) as pool:
        return list(pool.map(function, items))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast and how fine to learn: at most `rounds` trees of `leaves` leaves with at least `leaf_rows` rows each."""

    rounds: int
    learning_rate: float
    leaves: int
    leaf_rows: int

    @classmethod
    def one_tree(cls, *, leaves: int, leaf_rows: int) -> Self:
        """A single tree that divides the rows into groups."""
        return cls(rounds=1, learning_rate=1.0, leaves=leaves, leaf_rows=leaf_rows)

    @property
    def params(self) -> dict[str, Any]:
        return {"learning_rate": self.learning_rate, "num_leaves": self.leaves, "min_data_in_leaf": self.leaf_rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """A feature matrix, binned once; models are trained on its rows."""

    matrix: FloatArray
    dataset: lgb.Dataset
    params: dict[str, Any]

    @classmethod
    def of(cls, matrix: FloatArray, categorical: Sequence[int], *, seed: int) -> Self:
        """Bin a matrix (n, p)."""
        params = {
            "verbosity": -1,
            "num_threads": 1,
            "deterministic": True,
            "force_row_wise": True,
            "seed": seed,
            "max_bin": 63,
            "feature_pre_filter": False,
        }
        label = np.zeros(len(matrix))
        on_all = params | {"num_threads": cores()}  # each column is binned by itself, so no thread waits
        dataset = lgb.Dataset(matrix, label, categorical_feature=list(categorical), params=on_all).construct()
        dataset.params = params
        return cls(matrix=matrix, dataset=dataset, params=params)

    def fit(
        self,
        rows: BoolArray,
        target: FloatArray,
        pace: Pace,
        *,
        objective: str = "l2",
        classes: int = 1,
        weight: FloatArray | None = None,
        stop_on: BoolArray | None = None,
    ) -> lgb.Booster:
        """Boost on the rows marked in `rows` (n,) towards `target` (n,), until `stop_on` (n,) gains no more if given."""
        train = self._subset(rows, target)
        if weight is not None and np.ptp(weight[rows]) > 0:
            train.set_weight(weight[rows])
        valid = [] if stop_on is None else [self._subset(stop_on, target)]
        callbacks: list[Callable[..., Any]] = [lgb.early_stopping(PATIENCE, verbose=False)] if valid else []
        params = self.params | pace.params | {"objective": objective, "num_class": classes}
        return lgb.train(params, train, num_boost_round=pace.rounds, valid_sets=valid, callbacks=callbacks)

    def cross_fit(
        self, fold: IntArray, target: FloatArray, pace: Pace, *, objective: str = "l2", classes: int = 1
    ) -> list[tuple[BoolArray, lgb.Booster]]:
        """A model for each part of the rows, fitted on the others; the first part settles the number of trees."""
        first, *others = parts(fold)
        settling = self.fit(~first, target, pace, objective=objective, classes=classes, stop_on=first)
        settled = replace(pace, rounds=max(settling.best_iteration, 1))

        def fit_without(part: BoolArray) -> lgb.Booster:
            return self.fit(~part, target, settled, objective=objective, classes=classes)

        models = side_by_side(fit_without, others, rows=len(fold))
        return list(zip([first, *others], [settling, *models], strict=True))

    def _subset(self, rows: BoolArray, target: FloatArray) -> lgb.Dataset:
        places = np.flatnonzero(rows)
        return self.dataset.subset(places.tolist()).construct().set_label(target[places])


def parts(fold: IntArray) -> Iterator[BoolArray]:
    """Each part in turn, as a mask (n,) of the rows it holds."""
    for part in range(int(fold.max()) + 1):
        yield fold == part


def evaluate(model: lgb.Booster, matrix: FloatArray, **settings: Any) -> FloatArray:
    """Predictions of a booster for the rows of a matrix."""
    if not len(matrix):
        return np.empty(0)

    def predict(rows: FloatArray) -> FloatArray:
        return np.asarray(model.predict(rows, num_threads=1, **settings))

    shares = np.array_split(matrix, cores()) if len(matrix) >= SMALL else [matrix]
    return np.concatenate(side_by_side(predict, shares, rows=len(matrix)))
