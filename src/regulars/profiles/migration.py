"""Migration: from which stage of life to which, between two dates."""

from typing import Any, NamedTuple

import narwhals as nw
from narwhals.typing import IntoFrame

from regulars.profiles.frames import checked
from regulars.profiles.lifecycle import STAGES


class Move(NamedTuple):
    """Guests who went from one stage to another; `before` is None for those who were not known yet.

    share: of all guests who were in that stage before.
    """

    before: str | None
    after: str
    guests: int
    share: float


def migration(before: IntoFrame, after: IntoFrame) -> tuple[Move, ...]:
    """The moves between two profile frames of the same guests, earlier and later, in the order of life; empty moves too.

    Both frames of one kind. Guests without a stage on the later date are left out.

    >>> import pyarrow as pa
    >>> march = pa.table({"guest_id": ["ann", "bob"], "stage": ["regular", "regular"]})
    >>> april = pa.table({"guest_id": ["ann", "bob", "cat"], "stage": ["slipping", "regular", "new"]})
    >>> [tuple(move) for move in migration(march, april) if move.guests]
    [(None, 'new', 1, 1.0), ('regular', 'regular', 1, 0.5), ('regular', 'slipping', 1, 0.5)]
    """
    needs = ("guest_id", "stage")
    earlier: Any = checked(before, needs=needs, name="before").select("guest_id", before="stage")
    later = checked(after, needs=needs, name="after").select("guest_id", after="stage")
    both = later.filter(~nw.col("after").is_null()).join(earlier, on="guest_id", how="left")
    counted = both.group_by("before", "after").agg(nw.len().alias("guests")).lazy().collect("pyarrow")
    guests = {(row[0], row[1]): int(row[2]) for row in counted.rows()}
    totals = {start: sum(guests.get((start, end), 0) for end in STAGES) for start in (None, *STAGES)}
    return tuple(
        Move(start, end, found := guests.get((start, end), 0), found / max(totals[start], 1))
        for start in (None, *STAGES)
        for end in STAGES
    )
