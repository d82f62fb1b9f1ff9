"""A hundred segment rules at once, against a hundred separate DuckDB queries, in the same run.

    python benchmarks/segments.py [--guests 10000000]

Made-up profiles of thirteen columns. The peer asks its own table in memory, where it is fastest, one query for each rule; ours
counts them over the same rows as an Arrow table in memory, and as DuckDB's table streams them. Best of three.
"""

import argparse
import json
import random
import time
from collections.abc import Callable
from typing import Any

import duckdb

from regulars.segments import counts

STAGES = ("new", "developing", "regular", "slipping", "lost")

PROFILES = """
    select (1 + hash(i, 1) % 40)::bigint as visits, (hash(i, 2) % 400)::bigint as recency_days,
        (400 + hash(i, 3) % 400)::bigint as tenure_days, (hash(i, 4) % 500000)::bigint as spend_minor,
        (hash(i, 5) % 1000) / 1000.0::double as lunch_share, (hash(i, 6) % 1000) / 1000.0::double as dinner_share,
        (hash(i, 7) % 1000) / 1000.0::double as discounted_share, (hash(i, 8) % 9 + 1)::bigint as stores,
        ['new', 'developing', 'regular', 'slipping', 'lost'][(1 + hash(i, 10) % 5)::bigint] as stage,
        'S' || (hash(i, 11) % 200) as home_store, date '2020-01-01' + (hash(i, 12) % 1500)::int as last_ordered_on,
        (hash(i, 13) % 6000) / 10.0::double - 100 as due_in_days, 'G' || i as guest_id
    from range({guests}) t(i)"""


def hundred_rules(seed: int) -> dict[str, str]:
    """Rules as people write them, seven kinds in turn, each with numbers of its own."""
    draw = random.Random(seed)
    kinds: list[Callable[[], str]] = [
        lambda: f"visits >= {draw.randint(1, 40)} and recency_days > {draw.randint(1, 400)}",
        lambda: f'stage == "{draw.choice(STAGES)}" and spend_minor > {draw.randint(1, 500_000)}',
        lambda: f'home_store == "S{draw.randint(0, 199)}" and visits > {draw.randint(1, 40)}',
        lambda: (
            f"lunch_share > {draw.random():.3f} and dinner_share < {draw.random():.3f} and stores >= {draw.randint(1, 9)}"
        ),
        lambda: f'stage in ["slipping", "lost"] and discounted_share > {draw.random():.3f}',
        lambda: (
            f"due_in_days < {draw.randint(-100, 300)} and (visits > {draw.randint(1, 40)} or spend_minor / visits > 900)"
        ),
        lambda: f'last_ordered_on >= "202{draw.randint(0, 3)}-05-01" and not (recency_days < {draw.randint(1, 400)})',
    ]
    return {f"segment {place}": kinds[place % len(kinds)]() for place in range(100)}


def as_sql(rule: str) -> str:
    return rule.replace("==", "=").replace('"', "'").replace("[", "(").replace("]", ")")


def best_of_three(run: Callable[[], Any]) -> tuple[Any, float]:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        result = run()
        times.append(time.perf_counter() - start)
    return result, min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--guests", type=int, default=10_000_000)
    connection = duckdb.connect()
    connection.sql(PROFILES.format(guests=parser.parse_args().guests)).create("profiles")
    profiles, rules = connection.table("profiles"), hundred_rules(0)
    arrow = profiles.to_arrow_table()

    def one_by_one() -> dict[str, int]:
        ask = "select count(*) from profiles where {}"
        return {name: connection.sql(ask.format(as_sql(rule))).fetchall()[0][0] for name, rule in rules.items()}

    separate, separate_seconds = best_of_three(one_by_one)
    in_memory, memory_seconds = best_of_three(lambda: counts(arrow, rules))
    scanned, scan_seconds = best_of_three(lambda: counts(profiles, rules))
    assert separate == in_memory == scanned
    figures = {
        "guests": arrow.num_rows, "rules": len(rules), "duckdb_separate_seconds": separate_seconds,
        "in_memory_seconds": memory_seconds, "one_scan_seconds": scan_seconds,
        "ratio_in_memory": separate_seconds / memory_seconds, "ratio_one_scan": separate_seconds / scan_seconds,
    }  # fmt: skip
    for name, figure in figures.items():
        print(f"{name:26}{figure:>14,.3f}" if isinstance(figure, float) else f"{name:26}{figure:>14,}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
