"""Streaming: the same answer in memory, on DuckDB and on Spark."""

from dataclasses import replace
from pathlib import Path

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regulars.allocation import Limit, solve
from regulars.allocation.options import Options
from regulars.allocation.streaming import ArrowEngine, Columns, Source, Streamed, solve_stream
from regulars.errors import BudgetError
from regulars.tables.engines import Engine, open_engine

GUESTS = 20_000


def guests() -> pa.Table:
    rng = np.random.default_rng(3)
    cost = rng.uniform(0.5, 5, (GUESTS, 2))
    gain = rng.gamma(2, 0.5, (GUESTS, 1)) * np.sqrt(cost) * rng.uniform(0.5, 1.5, (GUESTS, 2)) - 0.3
    columns = {f"gain_{j}": gain[:, j] for j in range(2)} | {f"cost_{j}": cost[:, j] for j in range(2)}
    return pa.table(
        {
            "guest_id": [f"g{i:06}" for i in range(GUESTS)],
            "store": rng.integers(0, 4, GUESTS).astype(np.int32),
            **columns,
        }
    )


def source() -> Source:
    """Limits are a function within a function, for Spark sends those to its executors, who do not find the tests."""

    def limits(batch: Columns) -> list[Limit]:
        return [
            Limit.total(12_000),
            Limit.per_group(batch["store"], [2_000, 3_000, 4_000, 9_000], name="store"),
            Limit.per_offer([4_000, 5_000]),
        ]

    return Source(key="guest_id", gain=["gain_0", "gain_1"], cost=["cost_0", "cost_1"], limits=limits)


@pytest.fixture(params=["duckdb", "spark"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    if request.param == "spark":
        request.getfixturevalue("spark")
    return open_engine(request.param, memory="1GB", scratch=tmp_path / "scratch")


@pytest.fixture(autouse=True)
def small_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that most guests are not in the sample."""
    monkeypatch.setattr("regulars.allocation.streaming.SAMPLE", 4_000)


def offers(streamed: Streamed, engine: Engine | ArrowEngine) -> list[int]:
    rows = engine.stream(nw.from_native(streamed.assignments).lazy()).read_all().sort_by("guest_id")
    return [int(offer) for offer in rows["offer"].to_pylist()]


def test_every_engine_gives_what_memory_gives(engine: Engine, tmp_path: Path) -> None:
    table = guests()
    pq.write_table(table, tmp_path / "guests.parquet", row_group_size=3_000)
    here = solve_stream(table, ArrowEngine(), source())
    there = solve_stream(engine.scan([str(tmp_path / "guests.parquet")], table.schema), engine, source())
    assert offers(there, engine) == offers(here, ArrowEngine())
    assert (there.gain, there.bound) == pytest.approx((here.gain, here.bound), rel=1e-10)


def test_it_is_as_good_as_all_at_once() -> None:
    table = guests()
    streamed = solve_stream(table, ArrowEngine(), source())
    gain, cost = (tuple(table[f"{what}_{j}"] for j in range(2)) for what in ("gain", "cost"))
    whole = solve(gain, cost, source().limits({"store": table["store"].to_numpy()}))
    assert streamed.bound >= whole.gain
    assert whole.bound >= streamed.gain >= whole.gain * (1 - 2e-4)
    choice = np.array(offers(streamed, ArrowEngine()))
    given = np.flatnonzero(choice >= 0)
    spent = np.stack(cost, axis=1)[given, choice[given]]
    assert spent.sum() <= 12_000
    assert (np.bincount(table["store"].to_numpy()[given], spent, 4) <= [2_000, 3_000, 4_000, 9_000]).all()
    assert (np.bincount(choice[given], minlength=2) <= [4_000, 5_000]).all()
    assert streamed.gain == pytest.approx(np.stack(gain, axis=1)[given, choice[given]].sum())


def test_pairs_hold_in_every_batch() -> None:
    """Forced and forbidden pairs come with the batch, as do limits; the answer is as good as in memory."""
    rng, table = np.random.default_rng(5), guests()
    forced, forbidden = rng.random(GUESTS) < 0.01, rng.random(GUESTS) < 0.2
    table = table.append_column("must", pa.array(forced)).append_column("never", pa.array(forbidden))

    def options(batch: Columns) -> Options:
        marks = [np.zeros((len(batch["must"]), 2), np.bool_) for _ in range(2)]
        marks[0][:, 0], marks[1][:, 1] = batch["must"], batch["never"]
        return Options(forced=marks[0], forbidden=marks[1])

    batches = pa.Table.from_batches(table.combine_chunks().to_batches(max_chunksize=3_000))
    streamed = solve_stream(batches, ArrowEngine(), replace(source(), options=options))
    choice = np.array(offers(streamed, ArrowEngine()))
    assert (choice[forced] == 0).all()
    assert not ((choice == 1) & forbidden).any()
    columns = {name: table[name].to_numpy() for name in ("store", "must", "never")}
    gain, cost = (tuple(table[f"{what}_{j}"] for j in range(2)) for what in ("gain", "cost"))
    pairs = options(columns)
    whole = solve(gain, cost, source().limits(columns), forced=pairs.forced, forbidden=pairs.forbidden)
    assert streamed.bound >= whole.gain
    assert whole.bound >= streamed.gain >= whole.gain * (1 - 2e-4)


def test_limits_that_clash_are_named_here_too() -> None:
    clashing = Source(
        key="guest_id",
        gain=["gain_0", "gain_1"],
        cost=["cost_0", "cost_1"],
        limits=lambda batch: [Limit.total(100), Limit.at_least(500, scope=batch["store"] == 1, name="store 1")],
    )
    with pytest.raises(BudgetError, match="'store 1' asks for at least"):
        solve_stream(guests().slice(0, 3_000), ArrowEngine(), clashing)


def test_the_batch_of_a_gain_that_is_no_number_is_named() -> None:
    table = guests().slice(0, 10)
    bad = table.set_column(2, "gain_0", pa.array([1.0] * 9 + [float("nan")]))
    with pytest.raises(ValueError, match="begins with guest_id 'g000000': gain of guest 9, offer 0 is nan"):
        solve_stream(bad, ArrowEngine(), source())


def test_returns_are_told_as_in_memory() -> None:
    table = guests()
    by_store = replace(source(), limits=lambda batch: [Limit.returns([1.2] * 4, group=batch["store"], name="return")])
    streamed = solve_stream(table, ArrowEngine(), by_store)
    gain, cost = (tuple(table[f"{what}_{j}"] for j in range(2)) for what in ("gain", "cost"))
    whole = solve(gain, cost, by_store.limits({"store": table["store"].to_numpy()}))
    assert (streamed.used["return"] >= 1.2).all()
    assert streamed.used["return"] == pytest.approx(whole.used["return"], rel=1e-2)


def test_no_guests_at_all_are_an_empty_answer() -> None:
    streamed = solve_stream(guests().slice(0, 0), ArrowEngine(), source())
    assert (offers(streamed, ArrowEngine()), streamed.gain, streamed.bound, streamed.gap) == ([], 0.0, 0.0, 0.0)


def test_the_batch_of_a_group_without_budget_is_named() -> None:
    few = replace(source(), limits=lambda batch: [Limit.per_group(batch["store"], [10.0])])
    with pytest.raises(
        BudgetError, match=r"begins with guest_id 'g000000': limit 'group': group \d has guests but no budget"
    ):
        solve_stream(guests().slice(0, 10), ArrowEngine(), few)
