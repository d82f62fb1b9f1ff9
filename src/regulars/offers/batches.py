"""Batches: a million vouchers in chunks, each one transaction, so that whoever is stopped goes on where they were.

The codes of a batch follow from the house's secret and the batch's name, so that a chunk issued twice would be the same
chunk; the row that says how far the batch is, is written with the chunk.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from regulars.errors import DataError
from regulars.ledger.accounts import ACCOUNTS, ENTRIES, move
from regulars.ledger.books import Books
from regulars.ledger.refusals import Refusal
from regulars.offers.actions import sweep
from regulars.offers.codes import make_batch
from regulars.offers.halts import IN_FORCE, check_halts
from regulars.offers.issuance import clocks_of, set_aside, stores_where
from regulars.offers.models import VOUCHERS, Issuance, Offer
from regulars.offers.validity import last_end
from regulars.offers.versions import terms_of

CHUNK = 50_000

_COLUMNS = ("code", "guest_id", "offer_id", "version", "batch_id", "issued_at", "expires_at", "most_uses", "reserved_minor",
            "uses", "holds", "closed")  # fmt: skip
_ENTRIES = """
    insert into {entry} (reference, verb, account_id, subject, at, noted_at, reason, budget_minor, free_minor,
        reserved_minor, spent_minor, platform_minor, cap, free_uses, reserved_uses, spent_uses)
    select 'issued ' || id, 'issued', %s, id, issued_at, issued_at, '', 0, -reserved_minor, reserved_minor, 0, 0, 0,
        -%s, %s, 0
    from {voucher} where batch_id = %s and id > %s"""


class Issued(NamedTuple):
    """How far a batch is."""

    batch_id: str
    issued: int
    wanted: int


def issue_many(
    offer_id: str, batch_id: str, *, count: int | None = None, guests: Sequence[str] | None = None, now: dt.datetime,
    progress: Callable[[int, int], object] = lambda done, wanted: None,
) -> Issued:  # fmt: skip
    """Issue vouchers of an offer: `count` generic ones, or one for each of the guests, in their order.

    The same batch again issues what is missing of it, and nothing if nothing is; it must be asked for with the same count or
    guests. Raises Refusal where the offer may not be issued, is halted or cannot cover the next chunk: what was issued before
    stays. Raises DataError where the batch is known for another offer or number.
    """
    wanted = len(guests) if guests is not None else count
    if not wanted or wanted < 0 or (guests is not None and count not in (None, wanted)):
        raise DataError("issue: give either a count of 1 or more, or the guests, one voucher for each")
    batch = _begin(offer_id, batch_id, wanted, now)
    sweep(now, offer_id=offer_id)
    while batch.issued < wanted:
        batch = _chunk(batch.batch_id, guests, now)
        progress(batch.issued, wanted)
    return Issued(batch_id, batch.issued, wanted)


def _begin(offer_id: str, batch_id: str, wanted: int, now: dt.datetime) -> Issuance:
    if not Offer.objects.filter(offer_id=offer_id).exists():
        raise Refusal("offer_not_found", offer=offer_id)
    defaults = {"offer_id": offer_id, "wanted": wanted, "made_at": now}
    batch, _ = Issuance.objects.get_or_create(batch_id=batch_id, defaults=defaults)
    if (batch.offer_id, batch.wanted) != (offer_id, wanted):
        raise DataError(
            f"batch '{batch_id}' is {batch.wanted:,} vouchers of offer '{batch.offer_id}'; give this one another name"
        )
    return batch


def _chunk(batch_id: str, guests: Sequence[str] | None, now: dt.datetime) -> Issuance:
    with transaction.atomic():
        batch = Issuance.objects.select_for_update().get(batch_id=batch_id)
        offer, books = Offer.objects.get(offer_id=batch.offer_id), Books(now=now)
        books.read([ACCOUNTS.where("account_id {}", {offer.account_id}), IN_FORCE])
        offer.refresh_from_db()
        terms = terms_of(offer.terms)
        _check(books, offer, guests)
        books.read([stores_where(terms)])
        size = min(CHUNK, batch.wanted - batch.issued)
        if not size:
            return batch
        minor, uses = set_aside(terms, size)
        move(books, offer.account_id, minor=minor, uses=uses)
        rows = _Rows(
            batch=batch, version=offer.version, codes=make_batch(_secret(), batch_id, batch.issued, size), guests=guests, issued_at=now,
            expires_at=last_end(terms, now, clocks_of(books, terms)), most_uses=terms.per_code,
            reserved_minor=minor.reserved // size,
        )  # fmt: skip
        _insert(rows, offer.account_id, uses.reserved // size)
        books.change(batch, issued=batch.issued + size)
        books.write()
    return batch


def _check(books: Books, offer: Offer, guests: Sequence[str] | None) -> None:
    check_halts(books, offer=offer.offer_id, campaign=offer.campaign_id)
    terms = terms_of(offer.terms)
    if books.now >= terms.ends_at:
        raise Refusal("voucher_expired", code=offer.offer_id)
    if terms.audience == "holders" and guests is None:
        raise Refusal("guest_required", offer=offer.offer_id)


class _Rows(NamedTuple):
    """The vouchers of a chunk: their codes, and what they have in common."""

    batch: Issuance
    version: int
    codes: list[str]
    guests: Sequence[str] | None
    issued_at: dt.datetime
    expires_at: dt.datetime
    most_uses: int
    reserved_minor: int

    @property
    def owners(self) -> Sequence[str | None]:
        if self.guests is None:
            return [None] * len(self.codes)
        return self.guests[self.batch.issued : self.batch.issued + len(self.codes)]

    @property
    def common(self) -> tuple[Any, ...]:
        instants = (connection.ops.adapt_datetimefield_value(at) for at in (self.issued_at, self.expires_at))
        return (
            self.batch.offer_id,
            self.version,
            self.batch.batch_id,
            *instants,
            self.most_uses,
            self.reserved_minor,
            0,
            0,
            "",
        )


def _insert(rows: _Rows, account_id: str, uses: int) -> None:
    voucher, entry = VOUCHERS.name, ENTRIES.name
    with connection.cursor() as cursor:
        cursor.execute(f"select coalesce(max(id), 0) from {voucher}")  # noqa: S608  (a table of ours)
        last = cursor.fetchone()[0]
        if connection.vendor == "postgresql":
            with cursor.copy(f"copy {voucher} ({', '.join(_COLUMNS)}) from stdin") as copy:
                copy.write(_as_text(rows))
        else:
            marks = ", ".join(["%s"] * len(_COLUMNS))
            statement = f"insert into {voucher} ({', '.join(_COLUMNS)}) values ({marks})"  # noqa: S608  (a table of ours)
            common = rows.common
            cursor.executemany(
                statement, [(code, owner, *common) for code, owner in zip(rows.codes, rows.owners, strict=True)]
            )
        cursor.execute(
            _ENTRIES.format(entry=entry, voucher=voucher), [account_id, uses, uses, rows.batch.batch_id, last]
        )


def _as_text(rows: _Rows) -> str:
    """The rows as COPY reads them: columns between tabs, nothing as \\N."""
    tail = "\t" + "\t".join(_escaped(str(value)) for value in rows.common) + "\n"
    owners = ("\\N" if owner is None else _escaped(owner) for owner in rows.owners)
    return "".join(f"{code}\t{owner}{tail}" for code, owner in zip(rows.codes, owners, strict=True))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _secret() -> bytes:
    return hashlib.blake2b(settings.SECRET_KEY.encode(), person=b"regulars codes").digest()
