"""A portrait: everything the house knows of one guest, for the person who is about to greet them."""

import difflib
from collections.abc import Collection
from typing import Any, NamedTuple

import narwhals as nw
import pyarrow as pa

from regulars.errors import DataError, FitError
from regulars.guests.dishes import STOP_TAG, Dishes
from regulars.guests.snapshot import kept_profiles
from regulars.profiles import lifetime, taste
from regulars.profiles.things import PRICE_LEVEL, TAGS
from regulars.tables import Lake
from regulars.tables.engines import Frame

_TASTES = {"category": "category", "name": "dish", TAGS: "tag", PRICE_LEVEL: "price level"}
"""What taste is looked at by, and what its values are."""

_COUNTED = ("orders_with", "orders_known", "share", "share_low", "crowd_share", "lift")
_MOST_NEXT = 5


class Portrait(NamedTuple):
    """One guest, as plain values.

    profile: their row of the kept profiles. outlook: what to expect of them, empty where the crowd is too small to say; then
    `doubt` says why. tastes: what they choose more often than the crowd, the surest first, each with its counts. usual: the
    dishes they have a habit of, the surest first. next_dishes: what to offer them besides. Both leave out the stop list.
    """

    guest_id: str
    profile: dict[str, Any]
    outlook: dict[str, float]
    doubt: str
    tastes: tuple[dict[str, Any], ...]
    usual: tuple[dict[str, Any], ...] = ()
    next_dishes: tuple[dict[str, Any], ...] = ()


def portrait(lake: Lake, guest_id: str, *, stop: Collection[str] = ()) -> Portrait:
    """What is known of one guest by the kept profiles, worked out first where there are none.

    stop: item ids or names of dishes not to be offered, beside those that the menu tags with `stop`.
    Raises DataError where no guest of that id has ordered, and for a dish that nobody knows.
    """
    crowd = kept_profiles(lake)
    row = lake.collect(crowd.filter(nw.col("guest_id") == guest_id))
    if not len(row):
        raise DataError(f"no guest '{guest_id}' has ordered{_nearest(lake, crowd, guest_id)}")
    [profile] = row.to_pylist()
    outlook, doubt = _outlook(crowd, row)
    known = Portrait(guest_id, profile, outlook, doubt, _tastes(lake, guest_id, profile["as_of"]))
    if not lake.has("order_items"):
        return known
    dishes = Dishes.of(lake, stop)
    usual = dishes.usual(guest_id, profile["as_of"])
    asked, had = crowd.filter(nw.col("guest_id") == guest_id), [row["dish"] for row in usual]
    more = dishes.next(asked, profile["as_of"], k=_MOST_NEXT, besides=had).drop_columns("guest_id")
    return known._replace(usual=usual, next_dishes=tuple(more.to_pylist()))


def _outlook(crowd: Frame, row: pa.Table) -> tuple[dict[str, float], str]:
    try:
        visits = lifetime.fit_visits(nw.to_native(crowd))
    except FitError as error:
        return {}, str(error)
    try:
        values = lifetime.fit_values(nw.to_native(crowd))
    except (FitError, DataError):
        values = None
    known = lifetime.outlook(row, visits, values)
    added = [name for name in known.column_names if name not in row.column_names]
    return known.select(added).to_pylist()[0], ""


def _tastes(lake: Lake, guest_id: str, as_of: Any) -> tuple[dict[str, Any], ...]:
    if not lake.has("order_items") or not lake.has("menu_items"):
        return ()
    tables = [nw.to_native(lake.scan(table)) for table in ("orders", "order_items", "menu_items")]
    found = []
    for by, kind in _TASTES.items():
        if not _is_known(lake, by):
            continue
        rows: Any = nw.from_native(taste(*tables, as_of=as_of, by=by))
        rows_of_guest = lake.collect(rows.filter(nw.col("guest_id") == guest_id, nw.col("is_taste"))).to_pylist()
        liked = [row for row in rows_of_guest if (by, row[by]) != (TAGS, STOP_TAG)]
        found += [{"kind": kind, "what": row[by], **{n: row[n] for n in _COUNTED}} for row in liked]
    return tuple(sorted(found, key=lambda row: (-row["share_low"] / row["crowd_share"], row["what"])))


def _is_known(lake: Lake, by: str) -> bool:
    """Whether the menu says it of any item; else there is no need to count."""
    column = "price_minor" if by == PRICE_LEVEL else by
    return bool(lake.collect(lake.scan("menu_items").select(nw.col(column).count().alias("n")))["n"][0].as_py())


def _nearest(lake: Lake, crowd: Frame, guest_id: str) -> str:
    ids = lake.collect(crowd.select("guest_id").head(100_000))["guest_id"].to_pylist()
    close = difflib.get_close_matches(guest_id, ids, n=1, cutoff=0.6)
    return f" (did you mean '{close[0]}'?)" if close else f"; {len(ids):,} guests are known, such as '{min(ids)}'"
