"""Effects against peers: one run, one scorer, the same base models; and whether what is promised comes.

    python benchmarks/effects.py                       all parts (about half an hour on two cores)
    python benchmarks/effects.py --only hillstrom      one part: hillstrom, trial, offers, forest, calibration, scoring
    python benchmarks/effects.py --quick               a tenth of the rows and replications

econml and causalml are compared with if they are installed; their absence is printed. The Hillstrom experiment is found
through REGULARS_DATA or in ../shared/data. Prints a table and a last line of JSON.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.metadata
import json
import os
import resource
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from lightgbm import LGBMClassifier, LGBMRegressor
from numpy.typing import NDArray

from regulars import effects
from regulars.tables.engines import Engine, open_engine

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Ranker = Callable[[FloatArray, IntArray, FloatArray, FloatArray], FloatArray]
"""From features, action and outcome of the past, and features asked for, to gains (n, k)."""

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
BASE = {
    "n_estimators": 60,
    "learning_rate": 0.06,
    "num_leaves": 8,
    "min_child_samples": 200,
    "verbosity": -1,
    "n_jobs": 2,
}
HILLSTROM_FEATURES = ["recency", "history_segment", "history", "mens", "womens", "zip_code", "newbie", "channel"]
HILLSTROM_ARMS = ["No E-Mail", "Womens E-Mail", "Mens E-Mail"]


def version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def ours(learner: str) -> Ranker:
    def rank(features: FloatArray, action: IntArray, outcome: FloatArray, asked: FloatArray) -> FloatArray:
        shares = np.bincount(action + 1) / len(action)
        lot = np.tile(shares, (len(action), 1))
        return effects.fit(features, action, outcome, propensity=lot, learner=learner).predict(asked).gain

    return rank


def econml_dr(features: FloatArray, action: IntArray, outcome: FloatArray, asked: FloatArray) -> FloatArray:
    from econml.dr import DRLearner

    model = DRLearner(
        model_propensity=LGBMClassifier(**BASE),
        model_regression=LGBMRegressor(**BASE),
        model_final=LGBMRegressor(**BASE),
        cv=5,
        random_state=0,
    )
    model.fit(outcome, action + 1, X=features)
    return np.column_stack([model.effect(asked, T0=0, T1=arm) for arm in range(1, action.max() + 2)])


def causalml_meta(name: str) -> Ranker:
    def rank(features: FloatArray, action: IntArray, outcome: FloatArray, asked: FloatArray) -> FloatArray:
        from causalml.inference import meta

        model = getattr(meta, name)(learner=LGBMRegressor(**BASE), control_name=-1)
        known = {arm: np.full(len(action), (action == arm).mean()) for arm in range(action.max() + 1)}
        model.fit(features, action, outcome, p=known)
        asked_known = {arm: np.full(len(asked), known[arm][0]) for arm in known}
        return np.asarray(model.predict(asked, p=asked_known))

    return rank


def uplift_forest(trees: int) -> Ranker:
    def rank(features: FloatArray, action: IntArray, outcome: FloatArray, asked: FloatArray) -> FloatArray:
        from causalml.inference.tree import UpliftRandomForestClassifier

        model = UpliftRandomForestClassifier(n_estimators=trees, control_name="-1", random_state=0, n_jobs=CORES)
        model.fit(features, action.astype(str), outcome.astype(int))
        return np.asarray(model.predict(asked))

    return rank


def rankers() -> dict[str, Ranker]:
    found = {f"regulars {learner}": ours(learner) for learner in ("dr", "race")}
    if version("econml"):
        found["econml DRLearner"] = econml_dr
    if version("causalml"):
        found |= {"causalml X": causalml_meta("BaseXRegressor"), "causalml DR": causalml_meta("BaseDRRegressor")}
    return found


def ranked(gain: FloatArray, is_given: NDArray[np.bool_], outcome: FloatArray) -> Callable[[FloatArray], float]:
    """The Qini coefficient of a ranking as a function of how often each row counts: the area between the uplift curve and the
    straight line, per guest given the offer; ties in the order of the rows."""
    order = np.argsort(-gain, kind="stable")
    is_given, outcome = is_given[order], outcome[order]

    def qini(count: FloatArray) -> float:
        count = count[order]
        given, nothing = is_given * count, ~is_given * count
        curve = np.cumsum(given * outcome) / given.sum() - np.cumsum(nothing * outcome) / nothing.sum()
        share = np.cumsum(count) / count.sum()
        return float(np.trapezoid(np.append(0, curve), np.append(0, share)) - curve[-1] / 2)

    return qini


def true_qini(gain: FloatArray, truth: FloatArray) -> float:
    """The same area if the effect of every guest is known."""
    curve = np.cumsum(truth[np.argsort(-gain, kind="stable")]) / len(truth)
    return float(curve.mean() - curve[-1] / 2)


def hillstrom(scale: float) -> Iterator[tuple[str, Any]]:
    """Visits, out-of-fold gains of five folds; guests are dealt to folds five times, for one deal moves the Qini by a tenth."""
    root = Path(os.environ.get("REGULARS_DATA", Path(__file__).parents[2] / "shared" / "data"))
    with gzip.open(root / "hillstrom" / "hillstrom.csv.gz") as file:
        table = pl.read_csv(file.read(), infer_schema_length=None)
    action = np.array([HILLSTROM_ARMS.index(arm) - 1 for arm in table["segment"]])
    outcome = table["visit"].to_numpy().astype(float)
    features = table.select(HILLSTROM_FEATURES).to_dummies(pl.selectors.string()).to_numpy().astype(float)
    model = effects.fit(features, action, outcome, propensity=np.full(len(action), 1 / 3), learner="dr")
    for name, average in zip(("Womens", "Mens"), model.averages, strict=True):
        yield f"hillstrom {name}: naive effect, points", round(100 * average.naive, 2)
        yield f"hillstrom {name}: effect, points", [round(100 * x, 2) for x in (average.gain, *average.interval)]
    deals = max(int(5 * scale), 1)
    gains = {name: np.zeros((deals, len(action), 2)) for name in rankers()}
    for name, rank in rankers().items():
        start = time.perf_counter()
        for deal in range(deals):
            fold = np.random.default_rng(deal).integers(0, 5, len(action))
            for part in range(5):
                past = fold != part
                gains[name][deal, ~past] = rank(features[past], action[past], outcome[past], features[~past])
        yield f"hillstrom: seconds {name}, each deal", round((time.perf_counter() - start) / deals, 1)
    for offer, label in enumerate(("Womens", "Mens")):
        theirs = {name: gain[..., offer] for name, gain in gains.items()}
        yield from judge_pair(f"hillstrom {label}", theirs, action, offer, outcome, draws=int(500 * scale))


def judge_pair(
    title: str, gains: dict[str, FloatArray], action: IntArray, offer: int, outcome: FloatArray, draws: int
) -> Iterator[tuple[str, Any]]:
    """Qini of each ranker, its mean over deals (d, n); the paired bootstrap of our race less the peer's; do guests differ?"""
    compared = np.isin(action, (-1, offer))
    given, brought = action[compared] == offer, outcome[compared]
    draw = np.random.default_rng(1)
    counts = [np.ones(len(given)), *(draw.poisson(1, len(given)).astype(float) for _ in range(draws))]
    each = {}
    for name, deals in gains.items():
        rankings = [ranked(gain[compared], given, brought) for gain in deals]
        each[name] = np.array([np.mean([qini(count) for qini in rankings]) for count in counts])
        one_by_one = [round(qini(counts[0]), 5) for qini in rankings]
        yield f"{title}: Qini {name}, mean and each deal", [round(float(each[name][0]), 5), *one_by_one]
    for name in [name for name in gains if name != "regulars race"]:
        low, high = np.quantile((each["regulars race"] - each[name])[1:], [0.025, 0.975])
        yield f"{title}: race less {name}, 95 %", [round(float(low), 5), round(float(high), 5)]
    for name in ("regulars dr", "regulars race"):
        tests = [heterogeneity(gain[compared], given, brought) for gain in gains[name]]
        middle = sorted(tests, key=lambda test: test.p_value)[len(tests) // 2]
        yield f"{title}: {name}, the middle of the deals", str(middle).split(": ", 1)[1]


def heterogeneity(gain: FloatArray, given: NDArray[np.bool_], outcome: FloatArray) -> effects.Heterogeneity:
    lot = np.full(len(given), 0.5)
    [found] = effects.validate(gain[:, None], np.where(given, 0, -1), outcome, propensity=lot)
    return found.heterogeneity


def made_up(rows: int, offers: int, seed: int) -> tuple[FloatArray, IntArray, FloatArray, FloatArray]:
    """A trial with 20 features and a 0/1 outcome: base rate about 20 %, effects from -2 to 10 points."""
    draw = np.random.default_rng(seed)
    features = draw.normal(size=(rows, 20))
    base = 0.2 + 0.08 * np.tanh(features[:, 0]) + 0.05 * (features[:, 1] > 0.5) + 0.03 * features[:, 2].clip(-1, 1)
    truth = np.column_stack(
        [
            0.03 + 0.02 * np.tanh(features[:, 3 + j]) + 0.03 * (features[:, 4 + j] > 0) * (features[:, 0] < 0.5)
            for j in range(offers)
        ]
    )
    action = draw.integers(-1, offers, rows)
    chance = base + np.where(action >= 0, truth[np.arange(rows), action], 0)
    return features, action, (draw.random(rows) < chance).astype(float), truth


def trial(scale: float) -> Iterator[tuple[str, Any]]:
    yield from race_of_rankers("trial 100,000 x 20", rankers(), int(100_000 * scale), offers=1)
    yield from race_of_rankers("trial of money 100,000 x 20", rankers(), int(100_000 * scale), offers=1, make=other)


def offers(scale: float) -> Iterator[tuple[str, Any]]:
    chosen = {name: rank for name, rank in rankers().items() if name in ("regulars dr", "econml DRLearner")}
    yield from race_of_rankers("five offers 200,000 x 20", chosen, int(200_000 * scale), offers=5)


def other(rows: int, offers: int, seed: int) -> tuple[FloatArray, IntArray, FloatArray, FloatArray]:
    """Another response: money with many zeros, effects by interaction and threshold, of a family of seeds nothing was tuned on."""
    draw = np.random.default_rng([seed, 4711])
    features = np.column_stack([draw.gamma(1.5, 1, (rows, 10)), draw.integers(0, 5, (rows, 10))]).astype(float)
    spend = 400 * features[:, 0] + 150 * np.sqrt(features[:, 1] * features[:, 2])
    truth = np.column_stack(
        [
            60 * (features[:, 3 + j] > 1.2) * (features[:, 10 + j] < 3) + 25 * np.sin(features[:, 4 + j])
            for j in range(offers)
        ]
    )
    action = draw.integers(-1, offers, rows)
    comes = draw.random(rows) < 0.35
    changed = np.where(action >= 0, truth[np.arange(rows), action], 0)
    return features, action, comes * spend * draw.gamma(2, 0.5, rows) + changed * 2 * (draw.random(rows) < 0.5), truth


def calibration(scale: float) -> Iterator[tuple[str, Any]]:
    """Slope of the truth on predicted gains, and what the tenth with the most predicted brings for what was promised."""
    for make, title in ((made_up, "visits"), (other, "money")):
        for rows in (2_000, 10_000, 100_000):
            repeats = max(int(min(10, 200_000 / rows) * scale), 1)
            pairs = [promised_and_true(make, rows, seed) for seed in range(repeats)]
            gain, truth = (np.concatenate(side) for side in zip(*pairs, strict=True))
            top = np.argsort(-gain)[: len(gain) // 10]
            spread = float(gain @ gain)
            slope = round(float(gain @ truth) / spread, 2) if spread > 1e-12 else "nobody is told apart"
            yield f"calibration, {title}, {rows:,} rows x {repeats}: slope", slope
            yield f"calibration, {title}, {rows:,} rows x {repeats}: promised, true, of the best tenth", [
                round(float(gain[top].mean()), 4), round(float(truth[top].mean()), 4)
            ]  # fmt: skip


def promised_and_true(make: Callable[..., Any], rows: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Predicted and true gain of one offer on fresh guests, each less its mean."""
    features, action, outcome, _ = make(rows, 3, seed=seed)
    asked, _, _, truth = make(20_000, 3, seed=seed + 1_000)
    gain = effects.fit(features, action, outcome, propensity=np.full(rows, 0.25), seed=seed).predict(asked).gain
    return (gain - gain.mean(axis=0))[:, 0], (truth - truth.mean(axis=0))[:, 0]


def forest(scale: float) -> Iterator[tuple[str, Any]]:
    """The peer with the 10 trees of its default, and with the 100 of a usual forest."""
    chosen = {"regulars dr": ours("dr")}
    if version("causalml"):
        chosen |= {f"causalml UpliftRandomForest of {trees} trees": uplift_forest(trees) for trees in (10, 100)}
    yield from race_of_rankers("forest 100,000 x 20", chosen, int(100_000 * scale), offers=1)


def race_of_rankers(
    title: str, chosen: dict[str, Ranker], rows: int, offers: int, make: Callable[..., Any] = made_up
) -> Iterator[tuple[str, Any]]:
    features, action, outcome, _ = make(rows, offers, seed=0)
    asked, _, _, truth = make(50_000, offers, seed=1)
    yield f"{title}: Qini of the truth", round(float(np.mean([true_qini(t, t) for t in truth.T])), 5)
    ours("dr")(features[:2000], action[:2000], outcome[:2000], asked[:10])
    for name, rank in chosen.items():
        start = time.perf_counter()
        gain = rank(features, action, outcome, asked)
        yield f"{title}: seconds {name}", round(time.perf_counter() - start, 2)
        yield (
            f"{title}: Qini {name}",
            round(float(np.mean([true_qini(*pair) for pair in zip(gain.T, truth.T, strict=True)])), 5),
        )


def scoring(scale: float) -> Iterator[tuple[str, Any]]:
    """Guests x 5 offers from a file of Parquet, through `map_batches`, to a file of scores."""
    features, action, outcome, _ = made_up(50_000, 5, seed=0)
    model = effects.fit(features, action, outcome, propensity=np.full(len(action), 1 / 6), learner="dr")
    rows = int(10_000_000 * scale)
    with tempfile.TemporaryDirectory() as folder:
        frame, engine = guests_file(Path(folder), rows, len(features[0]))
        before = peak_gigabytes()
        start = time.perf_counter()
        scored = engine.stream(effects.score(model, frame, engine))
        counted = sum(batch.num_rows for batch in scored)
        seconds = time.perf_counter() - start
    assert counted == 5 * rows
    yield f"scoring {rows:,} guests x 5 offers: guests a second", round(rows / seconds)
    yield "scoring: peak memory before and after, GB", [before, peak_gigabytes()]


def guests_file(folder: Path, rows: int, columns: int, batch: int = 100_000) -> tuple[Any, Engine]:
    """A frame of guests with the features x0, x1, ..., and the engine that reads it."""
    names = [f"x{place}" for place in range(columns)]
    schema = pa.schema([("guest_id", pa.int64()), *((name, pa.float32()) for name in names)])
    draw = np.random.default_rng(2)
    with pq.ParquetWriter(folder / "guests.parquet", schema) as writer:
        for first in range(0, rows, batch):
            values = [draw.normal(size=batch).astype(np.float32) for _ in names]
            writer.write_batch(pa.record_batch([np.arange(first, first + batch), *values], schema=schema))
    engine = open_engine("duckdb", memory="1GB", scratch=folder)
    return engine.scan([str(folder / "guests.parquet")], schema), engine


def peak_gigabytes() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2)


PARTS = {part.__name__: part for part in (hillstrom, trial, offers, forest, calibration, scoring)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--quick", action="store_true")
    chosen = parser.parse_args()
    warnings.filterwarnings("ignore")
    found: dict[str, Any] = {}
    for package in ("regulars", "lightgbm", "scikit-learn", "econml", "causalml"):
        found[package] = version(package) or "not installed"
        print(f"{package:75} {found[package]}")
    for part in chosen.only or PARTS:
        for name, value in PARTS[part](0.1 if chosen.quick else 1.0):
            found[name] = value
            print(f"{name:75} {value}", flush=True)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
