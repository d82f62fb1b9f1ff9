"""The upgrade: records as they were laid out before access and the ledger had tables of their own, brought over without a loss.

Every old table steps aside under another name, the new ones are made, each row is copied, and rows and sums are compared; all in one
transaction, on SQLite and PostgreSQL alike. Whoever is stopped in the middle has the records as they were.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.migrations.recorder import MigrationRecorder

from regulars.errors import DataError
from regulars.offers.earlier import complete
from regulars.records.rooms import tables

_ASIDE = "before_"
_LAST = ("offers", "0002_room_to_change")
"""The last step of the earlier layout; no later version has one of that name."""

_SOURCES = {
    "access_store": "offers_store", "access_till": "offers_till", "ledger_account": "offers_offer",
    "ledger_entry": "offers_entry", "ledger_receipt": "offers_receipt",
}  # fmt: skip
"""Where the rows of a table were, if not in one of the same name."""

_ACCOUNT = "'offer/' || old.offer_id"
_EXPRESSIONS = {
    ("ledger_account", "account_id"): _ACCOUNT,
    ("offers_offer", "account_id"): _ACCOUNT,
    ("ledger_entry", "account_id"): _ACCOUNT,
    ("ledger_entry", "subject"): "old.voucher_id",
    ("offers_reservation", "voucher_id"): "(select v.code from before_offers_voucher v where v.id = old.voucher_id)",
}
"""What is not copied from a column of the same name."""
_OUTCOMES = {
    "postgresql": "case when old.status < 400 then 'done' else cast(old.text as json)->>'code' end",
    "sqlite": "case when old.status < 400 then 'done' else json_extract(old.text, '$.code') end",
}
"""What became of a command, as its answer said."""
_SUMS = (
    "budget_minor", "free_minor", "reserved_minor", "spent_minor", "cap", "free_uses", "reserved_uses", "spent_uses",
)  # fmt: skip


def is_due(taken: Collection[tuple[str, str]] | None = None) -> bool:
    """Whether the records have the earlier layout. taken: the steps by which they were made, asked for unless they are given."""
    return _LAST in (MigrationRecorder(connection).applied_migrations() if taken is None else taken)


def bring_over(make_tables: Callable[[], object]) -> int:
    """Bring the records over; how many rows. make_tables: makes the tables of this version, in the transaction it is called in.

    Raises DataError where a row would be lost; then nothing has changed.
    """
    with _unchecked(), transaction.atomic():
        before = _set_aside()
        MigrationRecorder(connection).migration_qs.filter(app=_LAST[0]).delete()
        make_tables()
        copied = sum(_copy(table, before) for table in tables())
        complete(connection)
        connection.check_constraints()
        with connection.cursor() as cursor:
            for name in before:
                cursor.execute(f"drop table {_ASIDE}{name}{_CASCADE[connection.vendor]}")
    return copied


_CASCADE = {"postgresql": " cascade", "sqlite": ""}


@contextmanager
def _unchecked() -> Iterator[None]:
    """SQLite looks at references when they are switched on again, and can switch them only outside of a transaction."""
    if connection.vendor != "sqlite":
        yield
        return
    connection.disable_constraint_checking()
    try:
        yield
    finally:
        connection.enable_constraint_checking()


def _set_aside() -> list[str]:
    """Give the old tables, and their indexes and counters, other names; the tables' names before."""
    with connection.cursor() as cursor:
        names = [name for name in connection.introspection.table_names(cursor) if name.startswith("offers_")]
        for statement in _RENAMES[connection.vendor](names):
            cursor.execute(statement)
    return names


def _renamed_on_sqlite(names: list[str]) -> Iterator[str]:
    for name in names:
        with connection.cursor() as cursor:
            cursor.execute(
                "select name from sqlite_master where type = 'index' and sql is not null and tbl_name = %s", [name]
            )
            indexes = [row[0] for row in cursor.fetchall()]
        yield from (f'drop index "{index}"' for index in indexes)
        yield f"alter table {name} rename to {_ASIDE}{name}"


def _renamed_on_postgresql(names: list[str]) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select indexname from pg_indexes where tablename = any(%s) and schemaname = current_schema()", [names]
        )
        indexes = [row[0] for row in cursor.fetchall()]
        cursor.execute("""
            select s.relname from pg_class s join pg_depend d on d.objid = s.oid join pg_class t on t.oid = d.refobjid
            where s.relkind = 'S' and d.deptype = 'i' and t.relname = any(%s)""", [names])  # fmt: skip
        counters = [row[0] for row in cursor.fetchall()]
    yield from (f'alter index "{index}" rename to {_ASIDE}index_{place}' for place, index in enumerate(indexes))
    yield from (f'alter sequence "{name}" rename to {_ASIDE}counter_{place}' for place, name in enumerate(counters))
    yield from (f"alter table {name} rename to {_ASIDE}{name}" for name in names)


_RENAMES = {"sqlite": _renamed_on_sqlite, "postgresql": _renamed_on_postgresql}


def _copy(table: type[models.Model], before: list[str]) -> int:
    """Copy the rows of a table from where they were, and compare how many they are and what they add up to."""
    name = table._meta.db_table
    source = _SOURCES.get(name, name)
    if source not in before:
        return 0
    columns = [field.column for field in table._meta.concrete_fields]
    with connection.cursor() as cursor:
        cursor.execute(f"select * from {_ASIDE}{source} limit 0")  # noqa: S608
        there = {column[0] for column in cursor.description}
        values = ", ".join(_value(name, field, there) for field in table._meta.concrete_fields)
        cursor.execute(f"insert into {name} ({_quoted(columns)}) select {values} from {_ASIDE}{source} old")  # noqa: S608
        for statement in connection.ops.sequence_reset_sql(no_style(), [table]):
            cursor.execute(statement)
        sums = [column for column in columns if column in _SUMS]
        wanted, found = (_totals(cursor, place, sums) for place in (f"{_ASIDE}{source}", name))
    if wanted != found:
        raise DataError(
            f"{source}: {wanted} rows and sums became {found} in {name}; nothing was changed. Keep this database and tell us"
        )
    return int(found[0])


def _value(table: str, field: Any, there: Collection[str]) -> str:
    """What a column is copied from; its default where the earlier table had no such column."""
    if (table, field.column) == ("ledger_receipt", "outcome"):
        return _OUTCOMES[connection.vendor]
    if (table, field.column) in _EXPRESSIONS:
        return _EXPRESSIONS[table, field.column]
    if field.column in there:
        return f'old."{field.column}"'
    default = field.get_default()
    return "null" if default is None else f"'{default}'" if isinstance(default, str) else str(default).lower()


def _quoted(columns: list[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _totals(cursor: Any, table: str, sums: list[str]) -> tuple[int, ...]:
    what = ", ".join(["count(*)", *(f"coalesce(sum({column}), 0)" for column in sums)])
    cursor.execute(f"select {what} from {table}")  # noqa: S608
    return tuple(int(value) for value in cursor.fetchone())
