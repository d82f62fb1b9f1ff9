"""What every engine must do, whatever it is. One body; another engine is another name in the list."""

from pathlib import Path

import narwhals as nw
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import regulars as rg
from regulars.tables.engines import Engine, open_engine

ROWS = pa.table({"guest_id": ["ann", "bob", None], "amount_minor": [5, 7, 11]})


@pytest.fixture(params=["duckdb", "spark"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    if request.param == "spark":
        request.getfixturevalue("spark")
    return open_engine(request.param, memory="1GB", scratch=tmp_path / "scratch")


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    for path in paths:
        pq.write_table(ROWS, path)
    return list(map(str, paths))


def test_a_scan_reads_all_files(engine: Engine, files: list[str]) -> None:
    total = engine.stream(
        engine.scan(files, ROWS.schema).select(nw.col("amount_minor").sum().cast(nw.Int64))
    ).read_all()
    assert total["amount_minor"].to_pylist() == [46]


def test_no_files_are_an_empty_frame_of_the_schema(engine: Engine) -> None:
    empty = engine.stream(engine.scan([], ROWS.schema)).read_all()
    assert (empty.num_rows, empty.column_names) == (0, ROWS.column_names)


def test_what_is_written_is_read_again(engine: Engine, files: list[str], tmp_path: Path) -> None:
    engine.write(engine.scan(files[:1], ROWS.schema), tmp_path / "new" / "c.parquet")
    read = pq.read_table(tmp_path / "new" / "c.parquet").sort_by("amount_minor")
    assert read.cast(ROWS.schema).equals(ROWS)


def test_files_that_are_written_hold_every_row_once(engine: Engine, files: list[str], tmp_path: Path) -> None:
    written = engine.write_files(engine.scan(files, ROWS.schema), tmp_path / "table")
    assert sorted(pq.read_table(written)["amount_minor"].to_pylist()) == [5, 5, 7, 7, 11, 11]


def test_a_kept_frame_outlives_its_files(engine: Engine, files: list[str]) -> None:
    kept = engine.keep(engine.scan(files[:1], ROWS.schema).filter(nw.col("amount_minor") > 5))
    Path(files[0]).unlink()
    for _ in range(2):
        assert sorted(engine.stream(kept).read_all()["amount_minor"].to_pylist()) == [7, 11]


def test_sql_reads_frames_by_name(engine: Engine, files: list[str]) -> None:
    frames = {"orders": engine.scan(files, ROWS.schema)}
    assert engine.stream(engine.sql("select count(guest_id) as n from orders", frames)).read_all()["n"].to_pylist() == [
        4
    ]
    with pytest.raises(rg.DataError, match="the query failed"):
        engine.sql("select nothing_like_it from orders", frames)


def test_a_function_over_batches_sees_every_row_once(engine: Engine, files: list[str]) -> None:
    schema = pa.schema([("double", pa.int64())])

    def double(batch: pa.RecordBatch) -> pa.RecordBatch:
        return pa.record_batch({"double": [2 * v for v in batch["amount_minor"].to_pylist()]})

    mapped = engine.map_batches(engine.scan(files, ROWS.schema), double, schema)
    for _ in range(2):
        assert sorted(engine.stream(mapped).read_all()["double"].to_pylist()) == [10, 10, 14, 14, 22, 22]


@pytest.mark.parametrize("name", ["duckdb", "spark"])
def test_its_scratch_goes_away_with_it(
    name: str, request: pytest.FixtureRequest, tmp_path: Path, files: list[str]
) -> None:
    if name == "spark":
        request.getfixturevalue("spark")
    engine = open_engine(name, memory="1GB", scratch=tmp_path / "scratch")
    engine.keep(engine.scan(files, ROWS.schema))
    assert any((tmp_path / "scratch").rglob("*.parquet"))
    del engine
    assert not any((tmp_path / "scratch").rglob("*.parquet"))


def test_what_does_not_fit_in_memory_goes_to_disk_though_nothing_is_there_yet(tmp_path: Path) -> None:
    engine = open_engine("duckdb", memory="128MB", scratch=tmp_path / "new" / "scratch")
    rows = engine.sql("select hash(i)::varchar as id, repeat('x', 40) as rest from range(2000000) t(i) order by id", {})
    engine.write(rows, tmp_path / "sorted.parquet")
    assert pq.read_metadata(tmp_path / "sorted.parquet").num_rows == 2_000_000


def test_an_unknown_engine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(rg.DataError, match="no engine is called 'polars'"):
        open_engine("polars", memory="1GB", scratch=tmp_path)


@pytest.mark.parametrize("scheme", ["spark", "sc"])
def test_a_cluster_that_does_not_answer_is_refused_at_once(
    scheme: str, spark: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyspark.sql import SparkSession

    monkeypatch.setattr(SparkSession, "getActiveSession", lambda: None)
    with pytest.raises(rg.DataError, match=f"nothing answers at {scheme}://127.0.0.1:1: .*; is the cluster running"):
        open_engine(f"{scheme}://127.0.0.1:1", memory="1GB", scratch=tmp_path)
