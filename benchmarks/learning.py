"""Does the loop learn? Ten campaigns in a row from no history, planned by us, by an oracle and by habits of the trade.

    python benchmarks/learning.py                       20 towns (about 40 minutes on one core)
    python benchmarks/learning.py --seeds 0 5           towns 0 to 4; results are kept in the folder of --keep, and added up
    python benchmarks/learning.py --quick               one small town, three campaigns
    python benchmarks/learning.py --picture FILE.png    draw all that was kept

Simulated: the true gain of every campaign is known (regulars.rehearsal.loop says what the policies do). Prints a table and a last
line of JSON; status 1 where a figure is not reached: by the tenth campaign 85 % of the oracle, over all ten 1.5 times top response and
twice sending to all, in at least 18 of 20 towns.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from regulars.charts.learning_curves import learning_curves
from regulars.rehearsal import Loop, learning_loop
from regulars.wording import Voice

ASKED = {"last of oracle": 0.85, "top response": 1.5, "send to all": 2.0}
TOWNS, ENOUGH, GUESTS, CAMPAIGNS = 20, 18, 10_000, 10


def kept(loop: Loop) -> dict[str, Any]:
    plain = {name: values.tolist() for name, values in loop.gain.items()}
    return {"seed": loop.seed, "guests": loop.guests, "gain": plain, "promised": loop.promised.tolist()}


def figures(town: dict[str, Any]) -> dict[str, float]:
    gain = {name: np.array(values) for name, values in town["gain"].items()}
    total = {name: values.sum() for name, values in gain.items()}
    times = {
        name: total["ours"] / total[name] if total[name] > 0 else np.inf for name in ("top response", "send to all")
    }
    return {
        "last of oracle": gain["ours"][-1] / gain["oracle"][-1],
        "all of oracle": total["ours"] / total["oracle"],
        **times,
    }


def report(towns: list[dict[str, Any]]) -> bool:
    names = list(towns[0]["gain"])
    print(
        f"{'simulated town':<16}"
        + "".join(f"{name:>14}" for name in names)
        + f"{'10th of oracle':>16}{'promised/true':>15}"
    )
    for town in towns:
        found, total = figures(town), {name: sum(values) / 100 for name, values in town["gain"].items()}
        promise = sum(town["promised"][1:]) / sum(town["gain"]["ours"][1:])
        print(
            f"{town['seed']:<16}"
            + "".join(f"{total[n]:>14,.0f}" for n in names)
            + f"{found['last of oracle']:>16.2f}{promise:>15.2f}"
        )
    each = [figures(town) for town in towns]
    reached = {name: int(sum(found[name] >= least for found in each)) for name, least in ASKED.items()}
    middle = {name: float(np.median([found[name] for found in each])) for name in each[0]}
    print(f"\n{len(towns)} towns, {towns[0]['guests']:,} guests each; gains in dollars over all campaigns")
    for name, least in ASKED.items():
        print(f"{name:<16} at least {least}: in {reached[name]} of {len(towns)} towns, middle {middle[name]:.2f}")
    print(json.dumps({"towns": len(towns), "reached": reached, "asked": ASKED, "middle": middle}))
    return all(count >= ENOUGH / TOWNS * len(towns) for count in reached.values())


def draw(towns: list[dict[str, Any]], path: Path) -> None:
    gains = {name: [[value / 100 for value in town["gain"][name]] for town in towns] for name in towns[0]["gain"]}
    title = f"Ten campaigns from no history, {len(towns)} simulated towns of {towns[0]['guests']:,} guests"
    chart = learning_curves(gains, title, Voice(currency="USD"))
    chart.save(path, ppi=144)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs=2, type=int, default=(0, TOWNS), metavar=("FIRST", "END"))
    parser.add_argument("--keep", type=Path, default=None, help="a folder for the result of each town")
    parser.add_argument("--picture", type=Path, default=None)
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    if asked.quick:
        report([kept(learning_loop(campaigns=3, guests=2_000, stores=5, seed=0))])
        return
    towns = []
    for seed in range(*asked.seeds):
        file = None if asked.keep is None else asked.keep / f"{seed:02}.json"
        if file is not None and file.exists():
            towns.append(json.loads(file.read_text()))
            continue
        begin = time.perf_counter()
        towns.append(kept(learning_loop(campaigns=CAMPAIGNS, guests=GUESTS, seed=seed)))
        print(f"town {seed}: {time.perf_counter() - begin:.0f} s", file=sys.stderr, flush=True)
        if file is not None:
            file.parent.mkdir(exist_ok=True, parents=True)
            file.write_text(json.dumps(towns[-1]))
    if asked.picture is not None:
        draw(towns, asked.picture)
    sys.exit(0 if report(towns) else 1)


if __name__ == "__main__":
    main()
