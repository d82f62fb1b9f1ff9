"""Order lines for benchmarks of scale."""

import itertools
import tracemalloc

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from regulars.rehearsal import stream
from regulars.tables import CONTRACTS


def test_lines_come_as_whole_orders_day_after_day_with_ids_of_their_own() -> None:
    batches = list(stream(30_000, guests=50_000, stores=5, batch=6_000))
    orders = pa.concat_tables([batch.orders for batch in batches])
    items = pa.concat_tables([batch.order_items for batch in batches])
    assert 30_000 <= len(items) < 40_000
    assert len(batches) >= 5
    assert len(pc.unique(orders["order_id"])) == len(orders)
    sums = items.group_by("order_id").aggregate([("amount_minor", "sum")]).sort_by("order_id")
    assert sums["order_id"].to_pylist() == orders["order_id"].to_pylist()
    assert sums["amount_minor_sum"].to_pylist() == orders["amount_minor"].to_pylist()
    days = orders["ordered_at"].cast(pa.timestamp("us", "America/New_York"))
    dates = pc.local_timestamp(days).cast(pa.date32()).to_pylist()
    assert dates == sorted(dates)
    assert (dates[-1] - dates[0]).days > 700
    assert max(orders["guest_id"].to_pylist()) < "G0050000"


def test_the_columns_are_those_of_the_contracts() -> None:
    first = next(stream(100, guests=10, stores=1))
    for table, rows in (("orders", first.orders), ("order_items", first.order_items)):
        schema = CONTRACTS[table].schema
        assert [field for field in rows.schema if schema.field(field.name).type != field.type] == []


def test_the_same_seed_streams_the_same_rows() -> None:
    first, again, other = (next(stream(500, guests=50, stores=2, seed=seed)) for seed in (1, 1, 2))
    assert first.order_items.equals(again.order_items)
    assert not first.order_items.equals(other.order_items)


def test_memory_does_not_grow_with_the_lines() -> None:
    """The peak of forty batches stays within a fifth of the peak of the first four."""
    tracemalloc.start()
    try:
        batches = stream(400_000, guests=1_000, stores=2, batch=10_000)
        for _ in itertools.islice(batches, 4):
            pass
        early = tracemalloc.get_traced_memory()[1]
        for _ in batches:
            pass
        assert tracemalloc.get_traced_memory()[1] < 1.2 * early
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("wrong", [{"lines": 0}, {"guests": 0}, {"stores": -1}, {"batch": 0}])
def test_nothing_to_stream_is_refused_at_once(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        stream(**{"lines": 10} | wrong)
