"""Allocation beside HiGHS and PDLP: seconds, certified gap, reads of the input and memory, all in one run.

    python benchmarks/allocation.py                  # 1e5 (with peers), 1e6 and 1e7 guests x 5 offers, without and with stocks
    python benchmarks/allocation.py 1e8x5 1e8x10s    # other sizes; s: with a stock for each offer; peers run at 1e5 and below

A total and 20 store budgets, and a stock for each offer. Prints a table, and a last line of JSON. Medians of several runs; kernels
are warm. `read` is one streaming read of the same input by all threads, in turn with the solves and the passes. PDLP takes part
where OR-tools is installed. `memory` is the most the process ever held, the making of the problem included, as a multiple of the
input.
"""

import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np
from scipy import sparse

from regulars.allocation import Limit, solve
from regulars.allocation.formulation import formulate
from regulars.allocation.options import Options
from regulars.allocation.passes import Passes

STORES = 20
PEERS_UP_TO, SIMPLEX_UP_TO = 100_000, 5_000
BLOCK = 1 << 20
PDLP_PRECISION = 1e-4


class Case(NamedTuple):
    """Values gamma x sqrt(cost) x noise - .3, costs .5 to 5, budgets 15 to 75 % of the free spend."""

    gain: np.ndarray
    cost: np.ndarray
    store: np.ndarray
    limits: list[Limit]

    @property
    def nbytes(self) -> int:
        return self.gain.nbytes + self.cost.nbytes + self.store.nbytes


def make(guests: int, *, has_stock: bool, offers: int = 5) -> Case:
    """One problem, drawn block by block so that making it needs little more memory than it."""
    gain, cost = np.empty((guests, offers), np.float32), np.empty((guests, offers), np.float32)
    store = np.empty(guests, np.int32)
    free, picked = np.zeros(STORES), np.zeros(offers)
    for start in range(0, guests, BLOCK):
        rng, here = np.random.default_rng(start), slice(start, min(start + BLOCK, guests))
        rows = here.stop - here.start
        cost[here] = rng.random((rows, offers), np.float32) * np.float32(4.5) + np.float32(0.5)
        noise = rng.random((rows, offers), np.float32) + np.float32(0.5)
        gain[here] = rng.standard_gamma(2, (rows, 1), np.float32) * np.float32(0.5) * np.sqrt(cost[here]) * noise - 0.3
        store[here] = rng.integers(0, STORES, rows)
        best = gain[here].argmax(axis=1)
        wins = gain[here].max(axis=1) > 0
        spent = np.take_along_axis(cost[here], best[:, None], axis=1)[:, 0]
        free += np.bincount(store[here], np.where(wins, spent, 0), STORES)
        picked += np.bincount(best[wins], minlength=offers)
    rng = np.random.default_rng(1)
    budgets = free * rng.uniform(0.15, 0.75, STORES)
    stock = np.floor(picked * rng.uniform(0.2, 0.6, offers))
    limits = [Limit.total(0.9 * budgets.sum()), Limit.per_group(store, budgets, name="store")]
    return Case(gain, cost, store, [*limits, Limit.per_offer(stock)] if has_stock else limits)


def median_seconds(runs: int, *works: Callable[[], object]) -> list[float]:
    """The median time of each of these, done in turn so that a machine that slows down does so for all."""
    taken = [[seconds(work) for work in works] for _ in range(runs)]
    return [statistics.median(of_one) for of_one in zip(*taken, strict=True)]


def seconds(work: Callable[[], object]) -> float:
    """What it takes once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def read(case: Case) -> None:
    """One streaming read of gain and cost by as many threads as there are cores."""
    parts = [part for matrix in (case.gain, case.cost) for part in np.array_split(matrix.reshape(-1), 16)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(np.max, parts))


def rows_of(case: Case) -> tuple[sparse.csc_matrix, np.ndarray]:
    """The relaxed problem as rows and what each may take."""
    guests, offers = case.gain.shape
    guest, pair = np.repeat(np.arange(guests), offers), np.arange(case.gain.size)
    cost = case.cost.ravel().astype(np.float64)
    rows = [sparse.csr_matrix((np.ones(pair.size), (guest, pair))), sparse.csr_matrix(cost[None, :])]
    rows.append(sparse.csr_matrix((cost, (case.store[guest], pair)), shape=(STORES, pair.size)))
    if len(case.limits) > 2:
        rows.append(sparse.csr_matrix((np.ones(pair.size), (np.tile(np.arange(offers), guests), pair))))
    return sparse.vstack(rows).tocsc(), np.concatenate([np.ones(guests), *(limit.amounts for limit in case.limits)])


def highs(case: Case, method: str) -> tuple[float, float]:
    """Seconds and optimum of the relaxed problem by HiGHS, model building not counted."""
    import highspy

    matrix, upper = rows_of(case)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_, model.sense_ = matrix.shape[1], matrix.shape[0], highspy.ObjSense.kMaximize
    model.col_cost_, model.col_lower_ = case.gain.ravel().astype(float), np.zeros(matrix.shape[1])
    model.col_upper_, model.row_upper_ = np.ones(matrix.shape[1]), upper
    model.row_lower_ = np.full(matrix.shape[0], -highspy.kHighsInf)
    model.a_matrix_.start_, model.a_matrix_.index_, model.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("solver", method)
    solver.passModel(model)
    start = time.perf_counter()
    solver.run()
    return time.perf_counter() - start, solver.getInfo().objective_function_value


def pdlp(case: Case) -> tuple[float, float] | None:
    """Seconds and value of PDLP at its precision; None where OR-tools is not installed."""
    try:
        from ortools.pdlp import solvers_pb2
        from ortools.pdlp.python import pdlp as module
    except ImportError:
        return None
    matrix, upper = rows_of(case)
    programme = module.QuadraticProgram()
    programme.objective_vector = -case.gain.ravel().astype(float)
    programme.constraint_matrix = matrix
    programme.constraint_lower_bounds = np.full(len(upper), -np.inf)
    programme.constraint_upper_bounds = upper
    programme.variable_lower_bounds, programme.variable_upper_bounds = np.zeros(case.gain.size), np.ones(case.gain.size)
    wanted = solvers_pb2.PrimalDualHybridGradientParams()
    wanted.num_threads = os.cpu_count() or 1
    simple = wanted.termination_criteria.simple_optimality_criteria
    simple.eps_optimal_relative = simple.eps_optimal_absolute = PDLP_PRECISION
    start = time.perf_counter()
    found = module.primal_dual_hybrid_gradient(programme, wanted)
    return time.perf_counter() - start, float(case.gain.ravel() @ found.primal_solution)


def peers(case: Case) -> dict[str, object]:
    """Seconds of each peer, and what the fastest takes."""
    methods = ["ipm", *(["simplex"] if len(case.gain) <= SIMPLEX_UP_TO else [])]
    found = {method: highs(case, method) for method in methods}
    optimum = found["ipm"][1]
    with ProcessPoolExecutor(
        1, get_context("spawn")
    ) as apart:  # OR-tools brings a HiGHS of its own, which is in the way of ours
        if (other := apart.submit(pdlp, case).result()) is not None:
            found["pdlp"] = other
    return {f"{name}_seconds": seconds for name, (seconds, _) in found.items()} | {"optimum": optimum}


def measure(guests: int, offers: int, *, has_stock: bool) -> dict[str, object]:
    """One line of the table."""
    case = make(guests, has_stock=has_stock, offers=offers)
    allocation = solve(case.gain, case.cost, case.limits)
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    passes = Passes(formulate(case.gain, case.cost, case.limits, Options(), threads=None))
    prices = np.concatenate(list(allocation.prices.values()))
    reading, solving, dual = median_seconds(
        7 if guests <= 10_000_000 else 5,
        lambda: read(case),
        lambda: solve(case.gain, case.cost, case.limits),
        lambda: passes.respond(prices),
    )
    line: dict[str, object] = {
        "guests": guests,
        "offers": offers,
        "stock": has_stock,
        "seconds": solving,
        "gap": allocation.gap,
        "kept": all((allocation.used[limit.name] <= limit.amounts).all() for limit in case.limits),
        "reads": solving / reading,
        "memory": held / case.nbytes,
        "read_GB_s": (case.gain.nbytes + case.cost.nbytes) / reading / 1e9,
        "dual_share": reading / dual,
    }
    if guests <= PEERS_UP_TO:
        line |= peers(case)
        fastest = min(float(str(value)) for name, value in line.items() if name.endswith("_seconds"))
        line |= {
            "times_peers": fastest / solving,
            "bound_over_optimum": allocation.bound / float(str(line["optimum"])) - 1,
        }
    return line


def main(sizes: list[str]) -> None:
    """Measure and print."""

    lines = []
    for size in sizes:
        guests, _, offers = size.removesuffix("s").partition("x")
        lines.append(measure(int(float(guests)), int(offers or 5), has_stock=size.endswith("s")))
    columns = (
        "guests offers stock seconds gap kept reads memory read_GB_s dual_share ipm_seconds pdlp_seconds times_peers"
    )
    print("  ".join(f"{column:>12}" for column in columns.split()))
    for line in lines:
        cells = [line.get(column, "") for column in columns.split()]
        print("  ".join(f"{cell:>12.3g}" if isinstance(cell, float) else f"{cell!s:>12}" for cell in cells))
    print(json.dumps({"benchmark": "allocation", "cores": os.cpu_count(), "lines": lines}))


if __name__ == "__main__":
    main(sys.argv[1:] or [f"{size}{stock}" for size in ("1e5", "1e6", "1e7") for stock in ("", "s")])
