"""Syncing: stores go from the lake to the till; offers, redemptions and told orders go from the till to the lake.

What was synced before is synced again for an hour back, so that nothing is missed that was being written just then; the
lake changes nothing where it has a row already.
"""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from regulars.access.stores import add_store
from regulars.offers import actions
from regulars.results import keep_outcomes
from regulars.tables import Lake
from regulars.tables.mapping import Mapping
from regulars.tables.names import same_names
from regulars.tables.vendors import known_exports

_AGAIN = dt.timedelta(hours=1)
_AT_ONCE = 50_000
_EXPORT = "Segment events"
_ORDERS = ("Order Completed", "Order Refunded", "Order Cancelled")

_REDEMPTIONS = pa.schema([
    ("redemption_id", pa.string()), ("campaign_id", pa.string()), ("guest_id", pa.string()), ("offer_id", pa.string()),
    ("store_id", pa.string()), ("order_id", pa.string()), ("redeemed_at", pa.timestamp("us", "UTC")),
    ("cost_minor", pa.int64()), ("was_given_back", pa.string()),
])  # fmt: skip
_MAPPING = Mapping(
    table="redemptions",
    columns={name: name for name in _REDEMPTIONS.names[:-1]},
    void={"given back": {"was_given_back": ["yes"]}},
)


class Synced(NamedTuple):
    """How many stores the till knows, and how many rows of each table changed in the lake."""

    stores: int
    offers: int
    redemptions: int
    orders: int
    order_items: int
    outcomes: int


def sync(lake: Lake, *, now: dt.datetime) -> Synced:
    """Bring the lake and the records together. Raises DataError where one of them refuses; it may be called again."""
    began = actions.synced_at()
    since = began - _AGAIN if began else None
    stores = _stores(lake)
    offers = _offers(lake, now)
    orders, items = _events(lake, since, now)
    redemptions = _redemptions(lake, since, now)
    outcomes = keep_outcomes(lake)
    actions.note_synced(now)
    return Synced(stores, offers, redemptions, orders, items, outcomes)


def _stores(lake: Lake) -> int:
    if not lake.has("stores"):
        return 0
    rows = lake.collect(lake.scan("stores").select("store_id", "zone", "day_closes_at")).to_pylist()
    for row in rows:
        add_store(
            row["store_id"], row["zone"] or lake.settings.zone, row["day_closes_at"] or lake.settings.day_closes_at
        )
    return len(rows)


def _offers(lake: Lake, now: dt.datetime) -> int:
    rows = [_offer(offer["offer_id"], offer["terms"]) for offer in actions.offers()]
    if not rows:
        return 0
    table = pa.Table.from_pylist(rows)
    return lake.load("offers", table, mapping=same_names("offers", table.column_names), now=now).changed


def _offer(offer_id: str, terms: dict[str, Any]) -> dict[str, Any]:
    known = {name: terms.get(name) for name in ("kind", "name", "amount_minor", "percent", "most_minor", "item_id")}
    return {"offer_id": offer_id, **known, "least_spend_minor": terms.get("minimum_spend_minor")}


def _redemptions(lake: Lake, since: dt.datetime | None, now: dt.datetime) -> int:
    batches = _batches(actions.redemptions(since=since))
    first = next(batches, None)
    if first is None:
        return 0
    reader = pa.RecordBatchReader.from_batches(_REDEMPTIONS, _chain(first, batches))
    return lake.load("redemptions", reader, mapping=_MAPPING, now=now).changed


def _batches(rows: Iterator[tuple[Any, ...]]) -> Iterator[pa.RecordBatch]:
    """Rows as they come, by the ten thousands, so that memory does not grow with them."""
    held: list[tuple[Any, ...]] = []
    for row in rows:
        held.append(row)
        if len(held) == _AT_ONCE:
            yield _batch(held)
            held = []
    if held:
        yield _batch(held)


def _batch(rows: list[tuple[Any, ...]]) -> pa.RecordBatch:
    columns = [
        pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), _REDEMPTIONS, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=_REDEMPTIONS)


def _chain(first: pa.RecordBatch, others: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from others


def _events(lake: Lake, since: dt.datetime | None, now: dt.datetime) -> tuple[int, int]:
    """Orders that were told as events, through the mapping that every file of such events takes, whichever the workspace keeps for
    files of its own."""
    lake.workspace.scratch.mkdir(exist_ok=True)
    path = lake.workspace.scratch / "events-until.jsonl"
    try:
        if not _write(path, actions.events(_ORDERS, since=since)):
            return 0, 0
        changed = [
            lake.load(table, path, mapping=_of_events(table), now=now).changed for table in ("orders", "order_items")
        ]
    finally:
        path.unlink(missing_ok=True)
    return changed[0], changed[1]


def _of_events(table: str) -> Mapping:
    return next(known.mapping for known in known_exports() if (known.export, known.table) == (_EXPORT, table))


def _write(path: Path, events: Iterator[dict[str, Any]]) -> int:
    with path.open("w", encoding="utf-8") as file:
        return sum(file.write(json.dumps(event, ensure_ascii=False) + "\n") > 0 for event in events)
