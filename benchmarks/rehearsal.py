"""The town beside real customers, and how fast it lives.

    python benchmarks/rehearsal.py                        a town of 10,000, and ten million order lines
    python benchmarks/rehearsal.py --lines 100000000      a hundred million lines, in the same memory

Prints the figures of CDNOW and Complete Journey beside the town's, then times and memory, then a last line of JSON. The truth, which is
added up exactly, is compared with living the same days again and again until the luck averages out.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from dataclasses import replace

import numpy as np

import regulars as rg
from regulars.rehearsal import Town, calibration, stream

LUCKS = 30


def seconds_of_truth(town: Town) -> tuple[float, float, float]:
    """Seconds of the exact truth, seconds of the mean over many lucks, and the standard error that the latter still has, per guest."""
    begin = time.perf_counter()
    _ = town.truth
    exact = time.perf_counter() - begin
    begin = time.perf_counter()
    gains = []
    for seed in range(LUCKS):
        run = replace(town, seed=seed).run(np.zeros(len(town), int))
        gains.append(float((run.margin_minor - run.nothing.margin_minor).mean()))
    return exact, time.perf_counter() - begin, float(np.std(gains, ddof=1) / np.sqrt(LUCKS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=10_000_000)
    asked = parser.parse_args().lines
    begin = time.perf_counter()
    town = rg.rehearsal.town()
    made = time.perf_counter() - begin
    figures = calibration(town)
    print(f"{'':<44}{'real':>9}{'town':>9}")
    for figure in figures:
        print(figure.words)
    exact, lived, error = seconds_of_truth(town)
    print(f"\na town of {len(town):,} with a year of orders      {made:.2f} s")
    print(f"its truth, exact, all offers                  {exact:.2f} s")
    print(
        f"one offer lived {LUCKS} times instead              {lived:.2f} s, and {error:.1f} minor units of error per guest left"
    )
    lines, early, begin = 0, 0, time.perf_counter()
    for batch in stream(asked):
        lines += len(batch.order_items)
        early = early or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    took = time.perf_counter() - begin
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{lines:,} order lines                      {took:.1f} s, {lines / took:,.0f} a second")
    print(f"memory at the first batch and at most         {early / 1024:,.0f} and {most / 1024:,.0f} MB")
    print(
        json.dumps(
            {
                "calibration": [figure._asdict() for figure in figures],
                "seconds": {"town": made, "truth": exact, "lived": lived, "stream": took},
                "lines": lines, "lines_per_second": lines / took, "peak_mb": most / 1024, "first_batch_mb": early / 1024,
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
