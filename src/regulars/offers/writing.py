"""Writing: what was changed in the books and what is new goes into the database, all at once."""

from collections.abc import Iterator

from django.db import models

from regulars.offers import sql
from regulars.offers.books import Books
from regulars.offers.models import (
    Alias,
    Entry,
    Halt,
    Issuance,
    Offer,
    Ordered,
    Person,
    Receipt,
    Reservation,
    Usage,
    Voucher,
    Watch,
)  # fmt: skip

_MAY_CHANGE: dict[type[models.Model], tuple[str, ...]] = {
    Person: ("root_id",),
    Offer: ("terms", "version", "budget_minor", "free_minor", "reserved_minor", "spent_minor", "cap", "free_uses",
            "reserved_uses", "spent_uses"),
    Issuance: ("issued",),
    Voucher: ("uses", "holds", "reserved_minor", "closed"),
    Reservation: ("is_open",),
    Usage: ("used", "most"),
    Watch: ("minute", "used"),
    Halt: ("lifted_at",),
}  # fmt: skip
_MAY_COME = (Offer, Person, Alias, Ordered, Reservation, Usage, Halt, Entry, Receipt)
"""In this order: what is referred to comes first."""


def write(books: Books) -> None:
    """Write everything down. Raises IntegrityError where a constraint of the database says no; nothing is written then."""
    vouchers = [row for row in books.new if type(row) is Voucher]
    if vouchers:
        _write_vouchers(vouchers, books)
    sql.write([*_new(books), *_changed(books)])


def _new(books: Books) -> Iterator[sql.Change]:
    for table in _MAY_COME:
        if new := [row for row in books.new if type(row) is table]:
            yield sql.Change(table, sorted(new, key=lambda row: str(row.pk)) if table is Alias else new)


def _changed(books: Books) -> Iterator[sql.Change]:
    new_ones = set(map(id, books.new))
    for table, fields in _MAY_CHANGE.items():
        changed = [row for row in books.changed.values() if type(row) is table and id(row) not in new_ones]
        if changed:
            yield sql.Change(table, sorted(changed, key=lambda row: str(row.pk)), fields)


def _write_vouchers(vouchers: list[Voucher], books: Books) -> None:
    """New vouchers get their numbers from the database, and whatever was written of them needs these."""
    Voucher.objects.bulk_create(vouchers)
    for row in books.new:
        if isinstance(row, Entry | Reservation) and row.voucher_id is None and row.voucher is not None:
            row.voucher_id = row.voucher.pk
