"""I17: records as an earlier version laid them out come over without a loss, and those that are not ours are left alone.

`earlier/` has that version's schema on each database, as its own migrations made it, and rows that its own API wrote.
"""

import datetime as dt
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from databases import Database, connected
from regulars.errors import DataError
from regulars.offers.events import sealed
from regulars.offers.sealing import seal
from regulars.records.rooms import reconcile
from regulars.service import schema, upgrade
from regulars.till import dispatch
from service.test_commands import drop_postgres, fresh_postgres
from till.conftest import AtOnce, Caller, bill

EARLIER = Path(__file__).parent / "earlier"
ROWS: dict[str, list[dict[str, Any]]] = json.loads((EARLIER / "rows.json").read_text(encoding="utf-8"))
FACTS = {
    "key": "rk_dpo3t4va4ukjmims_pGDVnwMAOhTNqk45CdrwAJKijXtEt0rN", "redeemed": "ASFMRPYQXTYTEH", "unused": "3Q64QRPNH46K5B",
    "reservation": "01a22d7f5af84ff138719bb7e5ba", "redemption": "01a22d7f5a827a2fd7354c68d104",
}  # fmt: skip
STEPS = [("offers", "0001_initial"), ("offers", "0002_room_to_change")]
MOVED = {
    "offers_store": "access_store",
    "offers_till": "access_till",
    "offers_entry": "ledger_entry",
    "offers_receipt": "ledger_receipt",
}


NEW: dict[str, dict[str, Any]] = {
    "offers_entry": {"counts": None}, "offers_reservation": {"counts": None}, "offers_voucher": {"version": 0},
    "offers_ordered": {"store_id": "", "is_cancelled": False}, "offers_till": {"is_sandbox": False},
}  # fmt: skip
"""What the earlier tables did not say."""


@pytest.fixture(params=["sqlite", "postgres"])
def earlier(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database as the earlier version left it."""
    name = f"regulars_earlier_{tmp_path.name[-20:].lower()}"
    address = f"sqlite:///{tmp_path / 'records.sqlite3'}" if request.param == "sqlite" else fresh_postgres(name)[0]
    with connected(address):
        _fill((EARLIER / f"{request.param}.sql").read_text(encoding="utf-8"))
        yield Database(kind=request.param, address=address)
    if request.param == "postgres":
        drop_postgres(name)


def _fill(statements: str) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("pragma foreign_keys = off")
        else:
            cursor.execute("begin")
        for statement in statements.split(";\n"):
            if statement.strip():
                cursor.execute(statement)
        for app, step in STEPS:
            cursor.execute(
                "insert into django_migrations (app, name, applied) values (%s, %s, '2026-01-30')", [app, step]
            )
        for table, rows in ROWS.items():
            for row in rows:
                columns, marks = ", ".join(f'"{name}"' for name in row), ", ".join(["%s"] * len(row))
                values = [_utc(value) for value in row.values()]
                cursor.execute(f"insert into {table} ({columns}) values ({marks})", values)  # noqa: S608
        cursor.execute("pragma foreign_keys = on" if connection.vendor == "sqlite" else "commit")


def _utc(value: Any) -> Any:
    """Instants as SQLite keeps them say nothing of their zone, which is UTC."""
    is_instant = isinstance(value, str) and len(value) in (19, 26) and value[4] + value[7] + value[10] == "-- "
    return f"{value}+00" if is_instant and connection.vendor == "postgresql" else value


def plain(value: Any) -> Any:
    """A value as the file has it: both databases say instants and documents in their own way."""
    if hasattr(value, "isoformat"):
        return str(value.replace(tzinfo=None))
    return json.loads(value) if isinstance(value, str) and value[:1] in ("[", "{") else value


def rows_of(table: str) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(f"select * from {table}")  # noqa: S608
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, map(plain, row), strict=True)) for row in cursor.fetchall()]


def expected() -> dict[str, list[dict[str, Any]]]:
    """What each table has to hold, worked out from the file row by row."""
    codes = {row["id"]: row["code"] for row in ROWS["offers_voucher"]}
    amounts = [f"{place}_{unit}" for place in ("free", "reserved", "spent") for unit in ("minor", "uses")] + [
        "budget_minor",
        "cap",
    ]
    wanted: dict[str, list[dict[str, Any]]] = {"ledger_account": []}
    for table, rows in ROWS.items():
        made = wanted.setdefault(MOVED.get(table, table), [])
        for given in rows:
            row = dict(given)
            if table == "offers_offer":
                account = {"account_id": f"offer/{row['offer_id']}"}
                wanted["ledger_account"].append(account | {name: row.pop(name) for name in amounts})
                row |= account
            elif table == "offers_entry":
                row |= {"account_id": f"offer/{row.pop('offer_id')}", "subject": row.pop("voucher_id")}
            elif table == "offers_reservation":
                row["voucher_id"] = codes[row["voucher_id"]]
            elif table == "offers_receipt":
                said = json.loads(row["text"])
                row["outcome"] = "done" if row.pop("status") < 400 else said["code"]
            if table == "offers_entry" and row["guest_id"] is not None:
                row["guest_id"] = seal(row["guest_id"])
            elif table == "offers_event":
                row["body"] = sealed(plain(row["body"]))
            made.append(NEW.get(table, {}) | {name: plain(value) for name, value in row.items()})
    return wanted


def test_every_row_comes_over_and_every_counter_is_what_the_ledger_says(earlier: Database) -> None:
    (said,) = schema.migrate()
    wanted = expected()
    assert said == f"{sum(map(len, wanted.values()))} rows brought over from the earlier tables"
    for table, rows in wanted.items():
        found = rows_of(table)
        assert sorted(found, key=repr) == sorted(({n: row[n] for n in found[0]} for row in rows), key=repr), table
    assert reconcile() == []
    assert schema.migrate() == []
    assert not [name for name in connection.introspection.table_names() if name.startswith("before_")]


def test_tills_go_on_where_they_were(earlier: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "DOOR", AtOnce())
    schema.migrate()
    with connection.cursor() as cursor:  # as if it had been just now, for in time it would be forgotten and let go
        cursor.execute("update ledger_receipt set at = %s", [dispatch.now()])
        cursor.execute("update offers_reservation set until = %s", [dispatch.now() + dt.timedelta(minutes=10)])
    till = Caller(FACTS["key"])
    guest = {"guest_id": "G1", "phone": "+86 138 0013 8000"}
    again = till("POST", "vouchers/redeem", bill(FACTS["redeemed"], guest=guest, order_id="O1"), key="redeem-number-1")
    (kept,) = [row["text"] for row in ROWS["offers_receipt"] if row["key"] == "redeem-number-1"]
    assert (again.status_code, again.content.decode(), again.headers["Idempotent-Replayed"]) == (200, kept, "true")
    assert till("POST", "vouchers/redeem", bill(FACTS["unused"])).status_code == 200
    assert till("POST", f"redemptions/{FACTS['redemption']}/rollback", {}).json()["returned_minor"] == 300
    assert till("POST", f"reservations/{FACTS['reservation']}/release", {}).status_code == 200
    assert reconcile() == []


def test_what_would_lose_a_row_changes_nothing(earlier: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(upgrade._EXPRESSIONS, ("ledger_entry", "spent_minor"), "0")
    monkeypatch.setitem(upgrade._EXPRESSIONS, ("ledger_entry", "budget_minor"), "old.free_minor + old.reserved_minor")
    before = {table: rows_of(table) for table in ROWS}
    with pytest.raises(DataError, match="nothing was changed"):
        schema.migrate()
    assert {table: rows_of(table) for table in ROWS} == before
    assert upgrade.is_due()


def test_a_server_that_finds_the_earlier_tables_says_how(earlier: Database) -> None:
    if earlier.kind == "postgres":
        with pytest.raises(DataError, match="run `regulars migrate` first"):
            schema.prepare()
    else:
        schema.prepare()
        assert not upgrade.is_due()


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.sqlite3") as opened:
        opened.execute("create table album (title text)")
    opened.close()
    address, name = fresh_postgres("regulars_other")
    with psycopg.connect(address, autocommit=True) as server:
        server.execute("create table album (title text)")
    try:
        for other in (f"sqlite:///{tmp_path / 'other.sqlite3'}", address):
            with connected(other), pytest.raises(DataError, match="another program"):
                schema.migrate()
            with connected(other):
                assert connection.introspection.table_names() == ["album"]
    finally:
        drop_postgres(name)


def test_a_later_version_with_a_room_of_its_own_is_known_as_later(database: Database) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into django_migrations (app, name, applied) values ('delivery', '0001_initial', '2030-01-01')"
        )
    try:
        with pytest.raises(DataError, match="newer version"):
            schema.migrate()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("delete from django_migrations where app = 'delivery'")
