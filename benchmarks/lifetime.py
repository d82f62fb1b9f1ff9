"""BG/NBD on a million simulated guests, and on CDNOW, against `lifetimes` in the same run.

    python benchmarks/lifetime.py [--guests 1000000]

The peer needs `pip install lifetimes==0.11.3 autograd dill`; without it only our own figures are printed. Times are of one
fit each, ours after one fit of a thousand guests (compilation); both get the same arrays.
Then, of the CDNOW sample that comes with the peer: each model fitted on the first 39 weeks, and what it foretells of the visits in
the 39 weeks after, as a ratio to those made.
"""

import argparse
import importlib
import importlib.util
import json
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from regulars.profiles.lifetime import Histories, fit_bg_nbd

PARAMETERS = ("r", "alpha", "a", "b")
TRUTH = (0.25, 31.0, 0.8, 2.4)
CALIBRATED = date(1997, 9, 30)


def simulated(guests: int, seed: int) -> Histories:
    """Histories in whole days, the first visits spread over half a year."""
    generator = np.random.default_rng(seed)
    r, alpha, a, b = TRUTH
    rate, leaving = generator.gamma(r, 1 / alpha, guests), generator.beta(a, b, guests)
    age = generator.integers(180, 365, guests).astype(float)
    now, frequency, recency = np.zeros(guests), np.zeros(guests), np.zeros(guests)
    active = np.arange(guests)
    while active.size:
        now[active] += generator.exponential(1 / np.maximum(rate[active], 1e-300))
        active = active[now[active] < age[active]]
        frequency[active] += 1
        recency[active] = np.minimum(np.ceil(now[active]), age[active])
        active = active[generator.random(active.size) > leaving[active]]
    return Histories(frequency, recency, age)


def timed(fit: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = fit()
    return result, time.perf_counter() - start


def peer() -> Any:
    needed = ("lifetimes", "autograd", "dill")
    if any(importlib.util.find_spec(name) is None for name in needed):
        print("lifetimes is not here: pip install lifetimes==0.11.3 autograd dill")
        return None
    return importlib.import_module("lifetimes")


def foretold(lifetimes: Any) -> dict[str, float]:
    """Visits foretold of the guests of CDNOW in weeks 40 to 78, for each visit made: ours and the peer's other models."""
    path = Path(lifetimes.__file__).parent / "datasets" / "CDNOW_sample.txt"
    words = [line.split() for line in path.read_text().splitlines()]
    lines = pl.DataFrame({"guest_id": [w[1] for w in words], "day": [w[2] for w in words]})
    visits = lines.select("guest_id", pl.col("day").str.to_date("%Y%m%d")).unique()
    before, day = visits.filter(pl.col("day") <= CALIBRATED), pl.col("day")
    guests = before.group_by("guest_id").agg(first=day.min(), last=day.max(), repeats=pl.len() - 1)
    days = (guests["last"] - guests["first"], CALIBRATED - guests["first"])
    history = (guests["repeats"].to_numpy().astype(float), *(part.dt.total_days().to_numpy() / 7 for part in days))
    ratios = {"BG/NBD": fit_bg_nbd(*history).expected_orders(39, *history).sum()}
    for name, peer_of in (("Pareto/NBD", "ParetoNBDFitter"), ("MBG/NBD", "ModifiedBetaGeoFitter")):
        fitted = getattr(lifetimes, peer_of)(penalizer_coef=0.0).fit(*history)
        ratios[name] = fitted.conditional_expected_number_of_purchases_up_to_time(39, *history).sum()
    return {name: float(ratio) / (visits.height - before.height) for name, ratio in ratios.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--guests", type=int, default=1_000_000)
    guests = parser.parse_args().guests
    fit_bg_nbd(*simulated(1_000, seed=1))
    history = simulated(guests, seed=0)
    ours, seconds = timed(lambda: fit_bg_nbd(*history))
    outlook, outlook_seconds = timed(lambda: ours.expected_orders(365, *history).sum())
    print(f"{'':24}{'seconds':>9}  {'  '.join(f'{name:>9}' for name in PARAMETERS)}   log-likelihood")
    print(
        f"{'regulars':24}{seconds:9.3f}  {'  '.join(f'{v:9.4f}' for v in ours.parameters)}   {ours.log_likelihood:.2f}"
    )
    figures: dict[str, Any] = {
        "guests": guests, "seconds": seconds, "parameters": ours.parameters.tolist(),
        "expected_orders_seconds": outlook_seconds, "expected_orders": float(outlook),
    }  # fmt: skip
    if (lifetimes := peer()) is not None:
        theirs, their_seconds = timed(lambda: lifetimes.BetaGeoFitter(penalizer_coef=0.0).fit(*history))
        values = np.array([theirs.params_[name] for name in PARAMETERS])
        print(f"{'lifetimes 0.11.3':24}{their_seconds:9.3f}  {'  '.join(f'{value:9.4f}' for value in values)}")
        print(
            f"ratio {their_seconds / seconds:.1f}; largest difference of a parameter {np.abs(values - ours.parameters).max():.1e}"
        )
        held_out = foretold(lifetimes)
        print(
            "CDNOW, weeks 40 to 78: " + ", ".join(f"{name} foretells {ratio:.3f}" for name, ratio in held_out.items())
        )
        figures |= {"foretold": held_out}
        figures |= {"peer_seconds": their_seconds, "ratio": their_seconds / seconds, "peer_parameters": values.tolist()}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
