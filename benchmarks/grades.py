"""How often the referee is right, and what policies miss, in towns whose truth is known.

    python benchmarks/grades.py            1,000 replications of every estimator, and policies in 10 towns (about six minutes)
    python benchmarks/grades.py --quick    a tenth of them

Prints two tables and a last line of JSON; status 1 where an estimator is not as promised. The town's guests come four times as often as
the CDNOW customers it is made after, so that a campaign of 2,000 has something to find.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

import regulars as rg
from regulars.rehearsal import Regret, grades, regrets

REPLICATIONS, GUESTS = 1_000, 2_000
TOWNS, TOWN_GUESTS = 10, 10_000


def policies(towns: int) -> list[Regret]:
    """What each policy gains with one budget in one campaign, beside the oracle."""
    begin = time.perf_counter()
    places = (rg.rehearsal.town(guests=TOWN_GUESTS, stores=20, seed=100 + seed, pace=4) for seed in range(towns))
    missed = regrets(places)
    print(
        f"\none campaign in each of {towns} towns of {TOWN_GUESTS:,} guests; simulated; {time.perf_counter() - begin:.0f} s"
    )
    print(f"cents a guest of the town{'':<11}{'gain':>10}{'spent':>10}{'regret':>10}    {'':<6}{'of oracle':>9}")
    for one in missed:
        print(one.words)
    return missed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the replications")
    replications = REPLICATIONS // 10 if parser.parse_args().quick else REPLICATIONS
    begin = time.perf_counter()
    town = rg.rehearsal.town(guests=20_000, stores=10, seed=0, pace=4)
    graded = grades(town, replications=replications, guests=GUESTS)
    print(f"{replications:,} campaigns of {GUESTS:,} guests each; simulated; {time.perf_counter() - begin:.0f} s\n")
    print(f"{'':<34}{'truth':>12}{'bias, sd':>10}{'covered':>10}{'A/A found':>10}")
    for grade in graded:
        print(grade.words)
    missed = policies(max(2, TOWNS * replications // REPLICATIONS))
    print(
        json.dumps(
            {
                "replications": replications,
                "guests": GUESTS,
                "grades": [grade._asdict() for grade in graded],
                "regrets": [{"policy": one.policy, "regret": one.regret, "share": one.share} for one in missed],
            }
        )
    )
    sys.exit(0 if all(grade.is_good for grade in graded) else 1)


if __name__ == "__main__":
    main()
