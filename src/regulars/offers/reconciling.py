"""Reconciling: every counter is worked out again from the ledger and compared with what is kept. Any difference is a defect.

The meters of the velocity alarm are not compared: they are a rate that nothing gives back, not a part of the ledger.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import BigIntegerField, Count, F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce, TruncMinute

from regulars.clock import StoreClock
from regulars.offers.books import terms_of
from regulars.offers.caps import ALARM, Key, caps_of
from regulars.offers.models import Entry, Issuance, Offer, Reservation, Store, Usage, Voucher

_ACCOUNT = (
    "budget_minor", "free_minor", "reserved_minor", "spent_minor", "cap", "free_uses", "reserved_uses", "spent_uses",
)  # fmt: skip


class Drift(NamedTuple):
    """A counter that is not what the ledger says."""

    table: str
    key: str
    counter: str
    kept: int
    counted: int


def reconcile() -> list[Drift]:
    """All drifts, none where all is well. It reads one state of the database, while tills go on."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            connection.cursor().execute("set transaction isolation level repeatable read, read only")
        return [*_accounts(), *_vouchers(), *_batches(), *_usages()]


def _accounts() -> Iterator[Drift]:
    counted = {row.pop("offer"): row for row in Entry.objects.values("offer").annotate(**_summed(_ACCOUNT))}
    for offer in Offer.objects.all():
        for field in _ACCOUNT:
            yield from _differs(
                "offer",
                offer.offer_id,
                field,
                getattr(offer, field),
                counted.get(offer.offer_id, {}).get(f"sum_{field}", 0),
            )


def _summed(fields: Iterable[str]) -> dict[str, Sum]:
    return {f"sum_{field}": Sum(field) for field in fields}


def _vouchers() -> Iterator[Drift]:
    """Uses, holds, and what is set aside, of every voucher; only those that differ leave the database."""
    entries = Entry.objects.filter(voucher=OuterRef("pk")).order_by().values("voucher")
    open_ones = Reservation.objects.filter(voucher=OuterRef("pk"), is_open=True).order_by().values("voucher")
    held = _counted(open_ones, Sum("minor"))
    counters = {
        "uses": _counted(entries, Sum("spent_uses")),
        "holds": _counted(open_ones, Count("pk")),
        "reserved_minor": _counted(entries, Sum("reserved_minor")) - held,
    }
    for field, counted in counters.items():
        for voucher in Voucher.objects.annotate(counted=counted).exclude(**{field: F("counted")}):
            yield Drift("voucher", voucher.code, field, getattr(voucher, field), voucher.counted)


def _counted(rows: Any, total: Any) -> Coalesce:
    return Coalesce(Subquery(rows.annotate(n=total).values("n"), output_field=BigIntegerField()), 0)


def _batches() -> Iterator[Drift]:
    for batch in Issuance.objects.annotate(counted=Count("voucher")):
        yield from _differs("issuance", batch.batch_id, "issued", batch.issued, batch.counted)


def _usages() -> Iterator[Drift]:
    """Uses by guest, day and hour: those of the ledger by the minute, and those of reservations that are still open."""
    counted: Counter[Key] = Counter()
    clocks = {store.store_id: StoreClock(store.zone, store.day_closes_at) for store in Store.objects.all()}
    offers = {offer.offer_id: terms_of(offer.terms) for offer in Offer.objects.all()}
    used = Entry.objects.exclude(counted_at=None).annotate(minute=TruncMinute("counted_at"), of_offer=F("offer_id"))
    held = Reservation.objects.filter(is_open=True).annotate(minute=TruncMinute("at"), of_offer=F("voucher__offer_id"))
    columns = ("of_offer", "store_id", "minute", "person_id")
    for rows in (
        used.order_by().values_list(*columns).annotate(n=Sum("spent_uses")),
        held.order_by().values_list(*columns).annotate(n=Count("pk")),
    ):
        for offer_id, store_id, minute, person_id, n in rows.iterator():
            persons = [person_id] if person_id else []
            for cap in caps_of(offer_id, offers[offer_id], store_id, clocks[store_id], minute, persons):
                counted[cap.key] += n
    kept = Usage.objects.exclude(kind=ALARM)
    for usage in kept.iterator():
        key = (usage.offer_id, usage.kind, usage.key)
        yield from _differs("usage", " ".join(key), "used", usage.used, counted.pop(key, 0))
    for key, n in counted.items():
        if key[1] != ALARM:
            yield from _differs("usage", " ".join(key), "used", 0, n)


def _differs(table: str, key: str, counter: str, kept: int, counted: int) -> Iterator[Drift]:
    if kept != counted:
        yield Drift(table, key, counter, kept, counted)
