"""Many segments in one scan of the profiles."""

import contextlib
from collections.abc import Mapping
from typing import Any

import narwhals as nw
import pyarrow as pa
from narwhals.typing import IntoFrame, IntoFrameT

from regulars.segments.blocks import NotInBlocksError, counted
from regulars.segments.columns import Known, as_brought, columns_of, typed
from regulars.segments.grammar import names_in
from regulars.segments.rules import Segment

Rules = Mapping[str, str | Segment]
"""Rules by the names of their segments."""


def members(profiles: IntoFrameT, rules: Rules) -> IntoFrameT:
    """`guest_id` and, for each segment by its name, whether the guest is in it; what goes in comes out.

    Raises DataError for the first rule that is wrong or names a fact these profiles lack.

    >>> import pyarrow as pa
    >>> guests = pa.table({"guest_id": ["ann", "bob"], "visits": [5, 1]})
    >>> members(guests, {"often": "visits > 3", "once": "visits == 1"}).to_pylist()
    [{'guest_id': 'ann', 'often': True, 'once': False}, {'guest_id': 'bob', 'often': False, 'once': True}]
    """
    frame = known_rows(profiles, rules)
    return as_brought(frame.select("guest_id", **expressions(frame, rules)), like=profiles)


def counts(profiles: IntoFrame, rules: Rules) -> dict[str, int]:
    """How many guests are in each segment, without listing them. Raises DataError as `members` does.

    >>> import pyarrow as pa
    >>> counts(pa.table({"visits": [5, 1, None]}), {"often": "visits > 3", "not often": "not visits > 3"})
    {'often': 1, 'not often': 1}
    """
    if not rules:
        return {}
    frame = known_rows(profiles, rules)
    if isinstance(frame, nw.DataFrame) or frame.implementation.is_duckdb():
        with contextlib.suppress(NotInBlocksError):
            return _counted_in_blocks(frame, rules)
    sums = [met.cast(nw.Int64).sum().alias(name) for name, met in expressions(frame, rules).items()]
    found: nw.DataFrame[Any] = frame.lazy().select(sums).collect("pyarrow")
    return {name: int(count or 0) for name, count in zip(rules, found.row(0), strict=True)}


def _counted_in_blocks(frame: nw.DataFrame[Any] | nw.LazyFrame[Any], rules: Rules) -> dict[str, int]:
    """The counts over a frame in memory, or one that streams; only the columns that the rules name are looked at."""
    _, kinds, _ = columns_of(frame)
    texts = _texts(rules)
    named = sorted({column for text in texts.values() for column in Segment(text, known=kinds).columns})
    chosen = frame.select(named)
    read = pa.RecordBatchReader.from_stream
    rows = chosen.to_arrow().select(named) if isinstance(chosen, nw.DataFrame) else read(chosen.to_native())
    return counted(rows, texts, {name: kinds[name] for name in named})


def expressions(profiles: Known, rules: Rules) -> dict[str, nw.Expr]:
    """The expression of each rule, checked against these profiles."""
    return {name: Segment(text, known=profiles).expression for name, text in _texts(rules).items()}


def known_rows(profiles: IntoFrame, rules: Rules) -> nw.DataFrame[Any] | nw.LazyFrame[Any]:
    """The rows of a frame, with types for all columns that rules name."""
    return typed(profiles, {name for text in _texts(rules).values() for name in names_in(text)})


def _texts(rules: Rules) -> dict[str, str]:
    return {name: rule.text if isinstance(rule, Segment) else rule for name, rule in rules.items()}
