"""The same profiles on DuckDB and on Spark in local mode, from the same lake, in the same run.

    python benchmarks/engines.py [--lines 10000000] [--only duckdb]

A made-up chain with ten lines an order and eleven orders a guest, written into a lake as files; each engine reads it, works
out every profile and commits them. On one machine Spark buys nothing: this is the price of its machinery, to be set
against a second machine. Needs Java and PySpark.
"""

import argparse
import json
import resource
import tempfile
import time
from datetime import date
from pathlib import Path

import narwhals as nw
import polars as pl
import pyarrow as pa

import regulars as rg

AS_OF = date(2018, 1, 1)
TABLES = {
    "orders": """
        select 'O' || i as order_id, 'G' || (hash(i) % ({orders} // 11)) as guest_id, 'S' || (hash(i, 1) % 200) as store_id,
            date '2017-01-01' + (hash(i, 2) % 365)::int as business_date, (8 + hash(i, 3) % 16)::tinyint as "hour",
            (500 + hash(i, 4) % 6000)::bigint as amount_minor, (hash(i, 5) % 300)::bigint as discount_minor,
            false as is_refund
        from range({orders}) t(i)""",
    "order_items": """
        select 'O' || (i // 10) as order_id, 'I' || (hash(i, 6) % 500) as item_id, 1.0::double as quantity,
            (100 + hash(i, 7) % 900)::bigint as amount_minor from range({lines}) t(i)""",
    "menu_items": "select 'I' || i as item_id, 'category ' || (i % 12) as category from range(500) t(i)",
}


def filled(path: Path, lines: int) -> None:
    """A workspace whose tables are made by one query each, past the checks of a load."""
    lake = rg.Lake.create(path, memory="8GB")
    for table, query in TABLES.items():
        lake.write(f"made_{table}", lake.engine.sql(query.format(lines=lines, orders=lines // 10), {}))


def profiled(path: Path, engine: str) -> tuple[pa.Table, float, float]:
    """The profiles by guest, the seconds to open the engine, and the seconds to work them out and commit them."""
    start = time.perf_counter()
    lake = rg.Lake.open(path, engine=engine)
    lake.collect(lake.scan("made_menu_items").head(1))
    opened = time.perf_counter()
    tables = [nw.to_native(lake.scan(f"made_{table}")) for table in TABLES]
    lake.write("profiles", nw.from_native(rg.profiles.build(*tables, as_of=AS_OF, margin_rate=0.6)))
    done = time.perf_counter()
    return lake.read("profiles"), opened - start, done - opened


def peak_gigabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def largest_difference(one: pa.Table, other: pa.Table) -> float:
    ours, theirs = (pl.from_arrow(table).sort("guest_id") for table in (one, other))  # type: ignore[union-attr]
    numbers = [name for name, kind in ours.schema.items() if kind.is_numeric()]
    assert ours.drop(numbers).equals(theirs.select(ours.drop(numbers).columns))
    return float((ours.select(numbers) - theirs.select(numbers)).select(pl.all().abs().max()).max_horizontal()[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--only", choices=["duckdb"], help="do without Spark")
    lines, only = (options := parser.parse_args()).lines, options.only
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "workspace"
        filled(path, lines)
        by_duckdb, opening, seconds = profiled(path, "duckdb")
        figures = {
            "lines": lines, "guests": len(by_duckdb), "duckdb_open_seconds": opening, "duckdb_seconds": seconds,
            "peak_gigabytes": peak_gigabytes(),
        }  # fmt: skip
        if only is None:
            by_spark, spark_opening, spark_seconds = profiled(path, "local[*]")
            figures |= {
                "spark_open_seconds": spark_opening, "spark_seconds": spark_seconds, "spark_to_duckdb": spark_seconds / seconds,
                "largest_difference": largest_difference(by_duckdb, by_spark),
            }  # fmt: skip
    for name, figure in figures.items():
        print(f"{name:24}{figure:>14,.3f}" if isinstance(figure, float) else f"{name:24}{figure:>14,}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
