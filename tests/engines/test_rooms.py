"""One workspace, one body of work, every engine: loaded, known, divided into segments, and looked ahead, with equal results."""

import datetime as dt
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import regulars as rg
from frames import rows_of
from regulars.profiles import (
    cohorts,
    concentration,
    lifetime,
    migration,
    next_dishes,
    stage_counts,
    taste,
    usual_dishes,
    variety,
)
from shops import NOW

AS_OF = dt.date(2026, 10, 4)
BEFORE = dt.date(2026, 7, 31)
DISHES = ("tea", "rice", "duck", "cake")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 guests who come at rates of their own for half a year, until they leave for good; loaded by DuckDB."""
    draw = np.random.default_rng(4)
    rate, last_day = draw.gamma(1.5, 0.05, 300), draw.exponential(150, 300)
    days, who = np.nonzero((draw.random((180, 300)) < rate) & (np.arange(180)[:, None] < last_day))
    order = np.array([f"O{number}" for number in range(len(who))])
    place = np.repeat(np.arange(len(who)), 1 + np.arange(len(who)) % 3)
    lake = rg.Lake.create(tmp_path_factory.mktemp("rooms") / "workspace", zone="America/New_York", salt="s")
    lake.load("stores", pa.table({"store_id": ["S1", "S2"]}), now=NOW)
    menu = {
        "item_id": DISHES,
        "name": DISHES,
        "category": ["drinks", "mains", "mains", "sweets"],
        "cost_minor": [50] * 4,
        "price_minor": [300, 800, 1900, 500],
        "tags": [None, "spicy; vegan", "Spicy", ""],
    }
    lake.load("menu_items", pa.table(menu), now=NOW)
    opened = np.datetime64("2026-04-01T16:00") + days * np.timedelta64(24 * 60, "m") + draw.integers(0, 600, len(who))
    orders = {
        "order_id": order, "guest_id": np.char.add("G", who.astype(str)), "store_id": np.where(who % 3, "S1", "S2"),
        "ordered_at": pa.array(opened.astype("datetime64[us]"), pa.timestamp("us", "UTC")),
        "amount_minor": np.rint(draw.gamma(4, 5 * draw.gamma(6, 20, 300)[who])).astype(np.int64),
    }  # fmt: skip
    lake.load("orders", pa.table(orders), now=NOW)
    items = {
        "order_id": order[place], "line": np.arange(len(place)), "item_id": np.array(DISHES)[draw.integers(0, 4, len(place))],
        "quantity": np.ones(len(place)), "amount_minor": np.full(len(place), 400),
    }  # fmt: skip
    lake.load("order_items", pa.table(items), now=NOW)
    return lake.workspace.path


class Room(NamedTuple):
    """A lake, its profiles worked out once, and those of an earlier date, which DuckDB kept."""

    lake: rg.Lake
    before: Any
    profiles: Any


@pytest.fixture(scope="module")
def on_duckdb(shop: Path) -> Room:
    return room(rg.Lake.open(shop))


@pytest.fixture(scope="module")
def on_spark(shop: Path, spark: Any) -> Room:
    return room(rg.Lake.open(shop, engine="spark"))


def room(lake: rg.Lake) -> Room:
    if not lake.has("before"):
        lake.write("before", nw.from_native(profiled(lake, BEFORE)))
    kept = lake.engine.keep(nw.from_native(profiled(lake, AS_OF)))
    return Room(lake, *native(lake, "before"), nw.to_native(kept))


def profiled(lake: rg.Lake, as_of: dt.date) -> Any:
    return rg.profiles.build(*native(lake, "orders", "order_items", "menu_items"), as_of=as_of, margin_rate=0.6)


def native(lake: rg.Lake, *tables: str) -> list[Any]:
    return [nw.to_native(lake.scan(table)) for table in tables]


def segments(at: Room) -> pa.Table:
    counted = rg.segments.counts(at.profiles, {ready.name: ready.rule for ready in rg.segments.LIBRARY[:-1]})
    return pa.table({"guest_id": list(counted), "n": list(counted.values())})


def doubled_spend(at: Room) -> Any:
    """A Python function over batches: on Spark's executors, or in DuckDB's stream."""
    schema = pa.schema([("guest_id", pa.string()), ("double", pa.int64())])

    def double(batch: pa.RecordBatch) -> pa.RecordBatch:
        twice = pc.multiply(batch["spend_minor"], 2)
        return pa.RecordBatch.from_arrays([batch["guest_id"], twice], schema=schema)

    frame = nw.from_native(at.profiles).lazy().select("guest_id", "spend_minor")
    return nw.to_native(at.lake.engine.map_batches(frame, double, schema))


def sold(at: Room) -> Any:
    query = "select item_id as guest_id, sum(amount_minor) as sold from order_items group by item_id"
    return nw.to_native(at.lake.sql(query))


WORK: dict[str, Callable[[Room], Any]] = {
    "profiles": lambda at: at.profiles,
    "segments": segments,
    "entered and left": lambda at: rg.segments.changes(at.before, at.profiles, "visits >= 8 and recency_days < 30"),
    "taste": lambda at: taste(*native(at.lake, "orders", "order_items", "menu_items"), as_of=AS_OF),
    "taste of tags": lambda at: taste(*native(at.lake, "orders", "order_items", "menu_items"), as_of=AS_OF, by="tags"),
    "taste of price levels": lambda at: taste(
        *native(at.lake, "orders", "order_items", "menu_items"), as_of=AS_OF, by="price_level"
    ),
    "usual dishes": lambda at: usual_dishes(*native(at.lake, "orders", "order_items"), as_of=AS_OF),
    "next dishes": lambda at: next_dishes(*native(at.lake, "orders", "order_items"), as_of=AS_OF, k=3),
    "next dishes of a few": lambda at: next_dishes(
        *native(at.lake, "orders", "order_items"),
        nw.to_native(nw.from_native(at.profiles).filter(nw.col("guest_id") < "G12")),
        as_of=AS_OF,
    ),
    "variety": lambda at: variety(*native(at.lake, "orders", "order_items"), as_of=AS_OF),
    "cohorts": lambda at: as_rows(cohorts(*native(at.lake, "orders"), as_of=AS_OF)),
    "migration": lambda at: as_rows(migration(at.before, at.profiles)),
    "concentration": lambda at: as_rows(concentration(at.profiles)),
    "stages": lambda at: as_rows(stage_counts(at.profiles)),
    "lifetime value": lambda at: lifetime.outlook(
        at.profiles, lifetime.fit_visits(at.profiles), lifetime.fit_values(at.profiles)
    ),
    "a function over batches": doubled_spend,
    "SQL over tables": sold,
}


@pytest.mark.parametrize("work", WORK)
def test_the_same_work_gives_the_same_rows(work: str, on_duckdb: Room, on_spark: Room) -> None:
    expected, found = (rows_of(WORK[work](at)) for at in (on_duckdb, on_spark))
    assert differences(found, expected) == []


def test_what_one_engine_keeps_another_reads(on_duckdb: Room, on_spark: Room) -> None:
    for keeper, reader in (on_duckdb, on_spark), (on_spark, on_duckdb):
        version = reader.lake.version("kept")
        keeper.lake.write("kept", nw.from_native(keeper.profiles).lazy())
        assert reader.lake.version("kept") == version + 1
        assert differences(rows_of(reader.lake.read("kept")), rows_of(on_duckdb.profiles)) == []


def test_a_load_through_spark_is_the_load_through_duckdb(tmp_path: Path, spark: Any) -> None:
    orders = pa.table({
        "order_id": ["1", "2", "2", "3"], "store_id": ["S1"] * 4, "amount_minor": [900, 700, 700, None],
        "ordered_at": ["2026-03-06T19:30:00-05:00", "2026-11-01 01:30:00", "2026-11-01 01:30:00", "2026-03-07 12:00:00"],
    })  # fmt: skip
    told = {}
    for engine in ("duckdb", "spark"):
        rg.Lake.create(tmp_path / engine, zone="America/New_York", salt="s")
        lake = rg.Lake.open(tmp_path / engine, engine=engine)
        lake.load("stores", pa.table({"store_id": ["S1"]}), now=NOW)
        first, again = (lake.load("orders", orders, now=NOW) for _ in range(2))
        rejected = [row["reason"] for row in lake.collect(lake.rejects()).to_pylist()]
        told[engine] = (first[:4], again.changed, lake.read("orders").sort_by("order_id").to_pylist(), sorted(rejected))
    assert told["spark"] == told["duckdb"]


def as_rows(values: Sequence[Any]) -> pa.Table:
    rows = [dict(zip(row._fields, row, strict=True)) for row in values]
    return pa.Table.from_pylist([row | {"guest_id": f"{place:04}"} for place, row in enumerate(rows)])


def differences(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What differs, row by row; numbers to nine digits, for sums of fractions come in another order on a cluster."""
    assert len(found) == len(expected) > 0
    pairs = zip(in_order(found), in_order(expected), strict=True)
    compared = (
        {name: (ours[name], theirs[name]) for name in ours if not is_same(ours[name], theirs[name])}
        for ours, theirs in pairs
    )
    return [differing for differing in compared if differing]


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: [str(value) for value in row.values() if not isinstance(value, float)])


def is_same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return bool(one == other)
