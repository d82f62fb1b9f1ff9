"""Allocation beside HiGHS: seconds, certified gap and reading speed, all in one run.

    python benchmarks/allocation.py            # 1e5 (with HiGHS), 1e6 and 1e7 guests x 5 offers
    python benchmarks/allocation.py 1e5 1e8    # other sizes; HiGHS runs at 1e5 and below

A total and 20 store budgets, with and without a stock for each offer. Prints a table, and a last line of JSON. Medians of several
runs; kernels are warm. `read` is one streaming read of the same input by all threads, measured in between.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from regulars.allocation import Limit, solve
from regulars.allocation.passes import Passes
from regulars.allocation.posing import pose

OFFERS, STORES = 5, 20
HIGHS_UP_TO = 100_000
BLOCK = 1 << 20


class Case(NamedTuple):
    """Values gamma x sqrt(cost) x noise - .3, costs .5 to 5, budgets 15 to 75 % of the free spend."""

    gain: np.ndarray
    cost: np.ndarray
    store: np.ndarray
    limits: list[Limit]


def make(guests: int, *, has_stock: bool) -> Case:
    """One problem, drawn block by block so that making it needs little more memory than it."""
    gain, cost = np.empty((guests, OFFERS), np.float32), np.empty((guests, OFFERS), np.float32)
    store = np.empty(guests, np.int32)
    free, picked = np.zeros(STORES), np.zeros(OFFERS)
    for start in range(0, guests, BLOCK):
        rng, here = np.random.default_rng(start), slice(start, min(start + BLOCK, guests))
        rows = here.stop - here.start
        cost[here] = rng.uniform(0.5, 5, (rows, OFFERS))
        gain[here] = rng.gamma(2, 0.5, (rows, 1)) * np.sqrt(cost[here]) * rng.uniform(0.5, 1.5, (rows, OFFERS)) - 0.3
        store[here] = rng.integers(0, STORES, rows)
        best = gain[here].argmax(axis=1)
        wins = gain[here].max(axis=1) > 0
        spent = np.take_along_axis(cost[here], best[:, None], axis=1)[:, 0]
        free += np.bincount(store[here], np.where(wins, spent, 0), STORES)
        picked += np.bincount(best[wins], minlength=OFFERS)
    rng = np.random.default_rng(1)
    budgets = free * rng.uniform(0.15, 0.75, STORES)
    stock = np.floor(picked * rng.uniform(0.2, 0.6, OFFERS))
    limits = [Limit.total(0.9 * budgets.sum()), Limit.per_group(store, budgets, name="store")]
    return Case(gain, cost, store, [*limits, Limit.per_offer(stock)] if has_stock else limits)


def median_seconds(work: Callable[[], object], runs: int) -> float:
    """The median time of several runs."""
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def read(case: Case) -> None:
    """One streaming read of gain and cost by as many threads as there are cores."""
    parts = [part for matrix in (case.gain, case.cost) for part in np.array_split(matrix.reshape(-1), 16)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(np.max, parts))


def highs(case: Case, method: str) -> tuple[float, float]:
    """Seconds and optimum of the relaxed problem by HiGHS, model building not counted."""
    import highspy
    from scipy import sparse

    guests, pairs = len(case.gain), case.gain.size
    guest, pair = np.repeat(np.arange(guests), OFFERS), np.arange(pairs)
    cost = case.cost.ravel().astype(np.float64)
    rows = [sparse.csr_matrix((np.ones(pairs), (guest, pair))), sparse.csr_matrix(cost[None, :])]
    rows.append(sparse.csr_matrix((cost, (case.store[guest], pair)), shape=(STORES, pairs)))
    if len(case.limits) > 2:
        rows.append(sparse.csr_matrix((np.ones(pairs), (np.tile(np.arange(OFFERS), guests), pair))))
    matrix = sparse.vstack(rows).tocsc()
    model = highspy.HighsLp()
    model.num_col_, model.num_row_, model.sense_ = pairs, matrix.shape[0], highspy.ObjSense.kMaximize
    model.col_cost_, model.col_lower_, model.col_upper_ = (
        case.gain.ravel().astype(float),
        np.zeros(pairs),
        np.ones(pairs),
    )
    model.row_lower_ = np.full(matrix.shape[0], -highspy.kHighsInf)
    model.row_upper_ = np.concatenate([np.ones(guests), *(limit.amounts for limit in case.limits)])
    model.a_matrix_.start_, model.a_matrix_.index_, model.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("solver", method)
    solver.passModel(model)
    start = time.perf_counter()
    solver.run()
    return time.perf_counter() - start, solver.getInfo().objective_function_value


def measure(guests: int, *, has_stock: bool) -> dict[str, object]:
    """One line of the table."""
    case = make(guests, has_stock=has_stock)
    runs = 5 if guests <= 1_000_000 else 3 if guests <= 10_000_000 else 1
    solve(case.gain[:200_000], case.cost[:200_000])
    allocation = solve(case.gain, case.cost, case.limits)
    reading = median_seconds(lambda: read(case), 5)
    solving = median_seconds(lambda: solve(case.gain, case.cost, case.limits), runs)
    problem = pose(case.gain, case.cost, case.limits, min_roi=None, threads=None)
    passes = Passes(problem.offered, problem.table_shape)
    weights = problem.weights(np.concatenate(list(allocation.prices.values())))
    dual = median_seconds(lambda: passes.respond(weights), 5)
    used = all((allocation.used[limit.name] <= limit.amounts).all() for limit in case.limits)
    line: dict[str, object] = {
        "guests": guests,
        "stock": has_stock,
        "seconds": solving,
        "gap": allocation.gap,
        "kept": used,
        "reads": solving / reading,
        "read_GB_s": (case.gain.nbytes + case.cost.nbytes) / reading / 1e9,
        "dual_GB_s": (case.gain.nbytes + case.cost.nbytes) / dual / 1e9,
    }
    if guests <= HIGHS_UP_TO:
        peers = {method: highs(case, method) for method in ("ipm",)}
        line |= {f"{method}_seconds": seconds for method, (seconds, _) in peers.items()}
        line["times_highs"] = min(seconds for seconds, _ in peers.values()) / solving
        line["bound_over_optimum"] = allocation.bound / max(optimum for _, optimum in peers.values()) - 1
    return line


def main(sizes: list[int]) -> None:
    """Measure and print."""
    lines = [measure(guests, has_stock=has_stock) for guests in sizes for has_stock in (False, True)]
    columns = (
        "guests",
        "stock",
        "seconds",
        "gap",
        "kept",
        "reads",
        "read_GB_s",
        "dual_GB_s",
        "times_highs",
        "bound_over_optimum",
    )
    print("  ".join(f"{column:>12}" for column in columns))
    for line in lines:
        cells = [line.get(column, "") for column in columns]
        print("  ".join(f"{cell:>12.3g}" if isinstance(cell, float) else f"{cell!s:>12}" for cell in cells))
    print(json.dumps({"benchmark": "allocation", "cores": os.cpu_count(), "lines": lines}))


if __name__ == "__main__":
    main([int(float(size)) for size in sys.argv[1:]] or [100_000, 1_000_000, 10_000_000])
