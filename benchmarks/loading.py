"""How fast a year of real orders comes in: 1,469,307 lines of CSV into the lake, again, and into profiles.

    python benchmarks/loading.py

Each step runs in a process of its own, so that its seconds and its peak memory are its own; the imports it needs are done
before the clock starts, and `import regulars` is a step by itself. The peers do less: DuckDB and
pandas read the same file without checking a row, naming a rejected one, or keeping the table safe from a crash; DuckDB's
figure is the floor of what this machine can read and write. Prints a table and a last line of JSON.
"""

import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

AS_OF = (2018, 1, 1)
SECONDS = {"load": 20.0, "load again": 2.0, "profiles": 3.0, "import regulars": 0.3}
MEGABYTES = {"load": 1_536.0}


class Figure(NamedTuple):
    """What a step took. cpu_seconds: of all cores, which a busy machine does not change. count: the rows it gave."""

    seconds: float
    cpu_seconds: float
    megabytes: float
    count: int


def prepare(folder: Path) -> int:
    """The CSV file, and a lake that holds everything but the order items."""
    import duckdb

    from regulars.demo import complete_journey
    from regulars.tables import Lake

    source = complete_journey.folder() / "transactions.parquet"
    duckdb.read_parquet(str(source)).write_csv(str(folder / "transactions.csv"))
    lake = Lake.create(folder / "lake", currency=complete_journey.CURRENCY, zone=complete_journey.ZONE)
    for report in complete_journey.load(lake):
        if report.table == "orders":
            break
    for step in complete_journey.STEPS:
        lake.save_mapping(step.mapping)
    return report.changed


def load(folder: Path) -> int:
    import regulars

    report = regulars.Lake.open(folder / "lake").load("order_items", folder / "transactions.csv")
    assert report.accepted == 1_469_307, report
    return report.changed


def profiles(folder: Path) -> int:
    import datetime as dt

    import regulars
    from regulars.guests.facts import profiles_with_taste

    lake = regulars.Lake.open(folder / "lake")
    return len(lake.collect(profiles_with_taste(lake, dt.date(*AS_OF))))


def import_regulars(folder: Path) -> int:
    import regulars

    return len(regulars.__all__)


def read_by_duckdb(folder: Path) -> int:
    """The floor: read the file, write it as Parquet."""
    import duckdb

    duckdb.sql("SET memory_limit = '2GB'")
    lines = duckdb.read_csv(str(folder / "transactions.csv"))
    lines.write_parquet(str(folder / "floor.parquet"), compression="zstd")
    return 1_469_307


def read_by_pandas(folder: Path) -> int:
    import pandas as pd

    return len(pd.read_csv(folder / "transactions.csv"))


STEPS: dict[str, Callable[[Path], int]] = {
    "prepare": prepare,
    "load": load,
    "load again": load,
    "profiles": profiles,
    "import regulars": import_regulars,
    "DuckDB: CSV to Parquet": read_by_duckdb,
    "pandas: CSV to memory": read_by_pandas,
}


NEEDS = {
    "prepare": ("duckdb", "regulars.demo.complete_journey", "regulars.tables.engines.duckdb"),
    "load": ("regulars.tables.engines.duckdb",),
    "load again": ("regulars.tables.engines.duckdb",),
    "profiles": ("regulars.guests.facts", "regulars.tables.engines.duckdb"),
    "DuckDB: CSV to Parquet": ("duckdb",),
    "pandas: CSV to memory": ("pandas",),
}


def measure(step: str, folder: Path) -> Figure:
    """Run a step in a fresh process."""
    command = [sys.executable, __file__, step, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{step} failed:\n{done.stderr}")
    return Figure(*json.loads(done.stdout.splitlines()[-1]))


def run(step: str, folder: Path) -> Figure:
    """Run a step here."""
    import resource

    for name in NEEDS.get(step, ()):
        importlib.import_module(name)
    begin, begin_cpu = time.perf_counter(), time.process_time()
    count = STEPS[step](folder)
    seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - begin_cpu
    return Figure(seconds, cpu_seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, count)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        figures = {step: measure(step, Path(name)) for step in STEPS}
        figures["import regulars"] = min(measure("import regulars", Path(name)) for _ in range(5))
    floor = figures["DuckDB: CSV to Parquet"].seconds
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"{'':<24}{'rows':>11}{'seconds':>9}{'at most':>9}{'cpu':>7}{'MB':>7}{'at most':>9}{'to DuckDB':>11}")
    for step, figure in figures.items():
        most, most_memory = SECONDS.get(step, ""), MEGABYTES.get(step, "")
        print(
            f"{step:<24}{figure.count:>11,}{figure.seconds:>9.2f}{most:>9}{figure.cpu_seconds:>7.2f}{figure.megabytes:>7.0f}{most_memory:>9}"
            f"{figure.seconds / floor:>11.1f}"
        )
    missed = [step for step, most in SECONDS.items() if figures[step].seconds > most]
    missed += [f"{step} (memory)" for step, most in MEGABYTES.items() if figures[step].megabytes > most]
    print(f"missed: {', '.join(missed) or 'nothing'}")
    print(json.dumps({step: figure._asdict() for step, figure in figures.items()} | {"missed": missed}))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(run(sys.argv[1], Path(sys.argv[2]))))
    else:
        main()
