"""Earlier records: what they did not say yet, worked out once when they come to this version.

Vouchers keep the terms of today, for nobody kept those of their day; persons whose roots had roots have one; whoever was taken
for one person has a link; and names in events and in the ledger are sealed.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from regulars.offers.events import sealed
from regulars.offers.sealing import PREFIX, seal

_AT_ONCE = 5_000
_MOST_STEPS = 64
_FLATTER = """
    update offers_person set root_id = (select p.root_id from offers_person p where p.person_id = offers_person.root_id)
    where root_id in (select person_id from offers_person where root_id is not null)"""
_STATEMENTS = (
    "update offers_person set root_id = null where root_id = person_id",
    """insert into offers_version (offer_id, number, terms) select offer_id, 0, terms from offers_offer
       union all select offer_id, version, terms from offers_offer where version <> 0""",
    """insert into offers_link (one_id, other_id, why, at, parted_by, reason)
       select case when person_id < root_id then person_id else root_id end,
              case when person_id < root_id then root_id else person_id end, '', current_timestamp, '', ''
       from offers_person where root_id is not null""",
)


def complete(connection: Any) -> None:
    """Complete the records, in the transaction of whoever calls."""
    with connection.cursor() as cursor:
        for _ in range(_MOST_STEPS):
            cursor.execute(_FLATTER)
            if cursor.rowcount <= 0:
                break
        for statement in _STATEMENTS:
            cursor.execute(statement)
    _seal_all(connection, "ledger_entry", "guest_id", seal)
    _seal_all(connection, "offers_event", "body", _sealed_body)


def _sealed_body(kept: Any) -> str:
    return json.dumps(sealed(json.loads(kept) if isinstance(kept, str) else kept), ensure_ascii=False)


def _seal_all(connection: Any, table: str, column: str, sealed_as: Callable[[Any], str]) -> None:
    is_document = connection.vendor == "postgresql" and column == "body"
    mark = "%s::jsonb" if is_document else "%s"
    for rows in _chunks(connection, table, column):
        changed = [(sealed_as(kept), number) for number, kept in rows if not str(kept).startswith(PREFIX)]
        with connection.cursor() as cursor:
            cursor.executemany(f"update {table} set {column} = {mark} where id = %s", changed)  # noqa: S608  (a table of ours)


def _chunks(connection: Any, table: str, column: str) -> Iterator[list[tuple[int, Any]]]:
    last = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                f"select id, {column} from {table} where id > %s and {column} is not null order by id limit {_AT_ONCE}",  # noqa: S608
                [last],
            )
            rows = cursor.fetchall()
        if not rows:
            return
        yield rows
        last = rows[-1][0]
