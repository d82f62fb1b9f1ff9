"""What changed between two dates: who entered a segment, who left it, and why."""

from typing import Any

import narwhals as nw
from narwhals.typing import IntoFrame, IntoFrameT

from regulars.segments.columns import as_brought
from regulars.segments.rules import Segment
from regulars.segments.scan import expressions, known_rows


def changes(before: IntoFrameT, after: IntoFrameT, rule: str | Segment) -> IntoFrameT:
    """One row for each guest who entered or left: `guest_id`, `change` and `because`; what goes in comes out.

    before, after: the profiles on two dates, both of one kind of frame.
    because: the conditions of the rule whose answer changed, joined by `and`: those now met for who entered, those no
    longer met for who left. A guest whom one of the dates does not know meets nothing on it.
    Raises DataError as `Segment.filter` does.

    >>> import pyarrow as pa
    >>> march = pa.table({"guest_id": ["ann", "bob"], "visits": [5, 2], "recency_days": [40, 50]})
    >>> april = pa.table({"guest_id": ["ann", "bob"], "visits": [5, 3], "recency_days": [70, 2]})
    >>> changes(march, april, "visits >= 3 and recency_days > 45").to_pylist()
    [{'guest_id': 'ann', 'change': 'entered', 'because': 'recency_days > 45'}]
    """
    segment = rule if isinstance(rule, Segment) else Segment(rule)
    conditions = {f"condition_{place}": text for place, text in enumerate(segment.conditions)}
    answers = nw.concat([_answers(before, conditions, "before"), _answers(after, conditions, "after")])
    flags = [f"{when}_{name}" for when in ("before", "after") for name in ("rule", *conditions)]
    guests = answers.group_by("guest_id").agg(*(nw.col(flag).max() for flag in flags))
    moved = guests.filter(nw.col("before_rule") != nw.col("after_rule"))
    reasons = [
        nw.when(nw.col(f"before_{name}") != nw.col(f"after_{name}")).then(nw.lit(text))
        for name, text in conditions.items()
    ]
    told = moved.select(
        "guest_id",
        change=nw.when(nw.col("after_rule") == 1).then(nw.lit("entered")).otherwise(nw.lit("left")),
        because=nw.concat_str(reasons, separator=" and ", ignore_nulls=True),
    )
    return as_brought(told, like=before)


def _answers(profiles: IntoFrame, conditions: dict[str, str], when: str) -> Any:
    """For each guest 1 or 0 for the rule and for each condition, in columns of this date; 0 in those of the other."""
    known = known_rows(profiles, conditions)
    met = expressions(known, conditions)
    met["rule"] = nw.all_horizontal(*met.values(), ignore_nulls=False)
    columns = {
        f"{date}_{name}": answer.cast(nw.Int64) if date == when else nw.lit(0, dtype=nw.Int64)
        for date in ("before", "after")
        for name, answer in met.items()
    }
    return known.select("guest_id", **columns)
