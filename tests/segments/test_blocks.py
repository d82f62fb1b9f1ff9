"""Counting in blocks gives what the expressions give: over missing values, every kind of column, and random rules."""

from datetime import date
from typing import Any

import duckdb
import narwhals as nw
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regulars.errors import DataError
from regulars.segments import Segment, blocks, counts
from regulars.segments.blocks import NotInBlocksError, counted
from regulars.segments.columns import columns_of

DRAW = np.random.default_rng(5)
N = 1_000


def missing(values: Any, share: float = 0.1) -> pa.Array:
    return pa.array(values, mask=DRAW.random(N) < share)


GUESTS = pa.table({
    "visits": missing(DRAW.integers(0, 90, N)), "orders": DRAW.integers(0, 4, N),
    "spend_minor": missing(DRAW.integers(-(10**6), 10**12, N)), "lunch_share": missing(DRAW.random(N)),
    "stage": missing(DRAW.choice(["new", "regular", "lost", ""], N)), "home_store": DRAW.choice(["S1", "S2"], N),
    "last_ordered_on": missing(np.datetime64("2026-01-01") + DRAW.integers(0, 300, N)),
    "is_member": missing(DRAW.random(N) < 0.5),
})  # fmt: skip
KINDS = columns_of(GUESTS)[1]


def by_expression(rule: str, frame: Any = GUESTS) -> int:
    return len(nw.from_native(Segment(rule).filter(frame)))


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "ROWS", 300)


@pytest.mark.parametrize(
    "rule",
    [
        "visits >= 3", "not visits >= 3", "visits != 3", "visits > 2.5", "visits > 1000", "-5 < visits < 40", "visits is None",
        "stage is not None and is_member", "not is_member", "is_member == True", 'stage == "lost"', 'stage != "lost"',
        'stage in ["new", "lost"]', 'not (stage in ["new", "nowhere"])', 'stage == ""', "spend_minor / orders > 1000",
        "not spend_minor / orders > 300000000000", "spend_minor * visits > 5000000000000", "-visits < -3", "1 - lunch_share > 0.4",
        "visits / 2 == 4", "10 / visits > 2", "visits > orders", "visits + orders * 2 >= 9",
        'last_ordered_on >= "2026-05-01"', "last_ordered_on < date(2026, 3, 1) or lunch_share > 0.9",
        'visits > 3 and (stage == "new" or not home_store == "S1") and lunch_share < 0.7',
    ],
)  # fmt: skip
def test_blocks_count_what_expressions_find(rule: str) -> None:
    assert counted(GUESTS, {"rule": rule}, KINDS) == {"rule": by_expression(rule)}
    assert 0 < by_expression(rule) < N or rule in ("visits > 1000",)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(
    st.sampled_from(["visits", "orders", "spend_minor", "lunch_share"]), st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
    st.one_of(st.integers(-10, 10**13), st.floats(-5, 100, allow_nan=False)), st.booleans(),
), min_size=1, max_size=6), st.sampled_from([" and ", " or "]))  # fmt: skip
def test_random_rules_agree(parts: list[tuple[str, str, float, bool]], joint: str) -> None:
    rules = [f"{'not ' * negated}({name} {sign} {value!r})" for name, sign, value, negated in parts]
    texts = {"all": joint.join(rules), **{f"{place}": rule for place, rule in enumerate(rules)}}
    assert counted(GUESTS, texts, KINDS) == {name: by_expression(text) for name, text in texts.items()}


def test_frames_in_memory_and_those_that_stream_are_counted_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def watched(rows: pa.Table | pa.RecordBatchReader, *rest: Any) -> dict[str, int]:
        asked.append(rows.schema.names)
        return counted(rows, *rest)

    monkeypatch.setattr("regulars.segments.scan.counted", watched)
    rules = {"often": "visits >= 3", "lost": Segment('stage == "lost"')}
    expected = {"often": by_expression("visits >= 3"), "lost": by_expression('stage == "lost"')}
    streams = duckdb.connect().from_arrow(GUESTS)
    for frame in (GUESTS, pl.from_arrow(GUESTS), GUESTS.to_pandas(date_as_object=False), streams):
        assert counts(frame, rules) == expected
    assert asked == [["stage", "visits"]] * 4


@pytest.mark.parametrize("rule", ['stage > "m"', "stage == home_store", 'home_store <= "S1"'])
def test_what_blocks_cannot_answer_the_engine_does(rule: str) -> None:
    with pytest.raises(NotInBlocksError):
        counted(GUESTS, {"rule": rule}, KINDS)
    assert counts(GUESTS, {"rule": rule, "often": "visits > 3"})["rule"] == by_expression(rule)


def test_numbers_that_are_none_are_missing() -> None:
    odd = pl.DataFrame({"share": [0.1, float("nan"), 0.9]})
    rules = {"high": "share > 0.5", "not high": "not share > 0.5", "none": "share is None", "sum": "share + 1 > 0"}
    assert counts(odd, rules) == {"high": 1, "not high": 1, "none": 1, "sum": 2}
    assert counts(odd.lazy(), rules) == counts(odd, rules)


def test_no_rows_and_no_values_count_nothing() -> None:
    empty = pa.table({"visits": pa.array([], pa.int64()), "stage": pa.array([], pa.string())})
    assert counts(empty, {"a": "visits > 1", "b": 'stage == "new"'}) == {"a": 0, "b": 0}
    nothing = pa.table({"visits": pa.nulls(3, pa.int64()), "born": pa.array([None, None, date(2000, 1, 1)])})
    assert counts(nothing, {"a": "visits > 1", "b": "visits is None", "c": 'born > "1999-01-01"'}) == {
        "a": 0,
        "b": 3,
        "c": 1,
    }


def test_a_wrong_rule_is_refused_as_ever() -> None:
    with pytest.raises(DataError, match="there is no fact `visit`; the nearest is `visits`"):
        counts(GUESTS, {"wrong": "visit > 3"})
