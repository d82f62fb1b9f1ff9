"""Reconciliation: every counter is worked out again from the ledger and compared with what is kept. Any difference is a defect.

The meters of the velocity alarm are not compared: they are a rate that nothing gives back, not a part of the ledger.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.db.models import BigIntegerField, Count, Exists, F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce, TruncMinute

from regulars.access.stores import clocks
from regulars.ledger.accounts import entries
from regulars.offers.caps import ALARM, Key, caps_of
from regulars.offers.definition import terms_of
from regulars.offers.models import Issuance, Offer, Person, Reservation, Usage, Voucher
from regulars.records.rooms import Drift


def drifts() -> Iterator[Drift]:
    """All drifts of this room, none where all is well."""
    yield from _vouchers()
    yield from _batches()
    yield from _usages()
    yield from _strays()


def _vouchers() -> Iterator[Drift]:
    """Uses, holds, and what is set aside, of every voucher; only those that differ leave the database."""
    of_voucher = {"subject": OuterRef("pk"), "account": OuterRef("offer__account")}
    written = entries().filter(**of_voucher).order_by().values("subject")
    open_ones = Reservation.objects.filter(voucher=OuterRef("code"), is_open=True).order_by().values("voucher")
    held = _counted(open_ones, Sum("minor"))
    counters = {
        "uses": _counted(written, Sum("spent_uses")),
        "holds": _counted(open_ones, Count("pk")),
        "reserved_minor": _counted(written, Sum("reserved_minor")) - held,
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
    clock_of = clocks()
    offers = {offer.offer_id: terms_of(offer.terms) for offer in Offer.objects.all()}
    used = entries().filter(account__offer__isnull=False).exclude(counted_at=None)
    used = used.annotate(minute=TruncMinute("counted_at"), of_offer=F("account__offer__offer_id"))
    held = Reservation.objects.filter(is_open=True).annotate(minute=TruncMinute("at"), of_offer=F("voucher__offer_id"))
    columns = ("of_offer", "store_id", "minute", "person_id")
    for rows in (
        used.order_by().values_list(*columns).annotate(n=Sum("spent_uses")),
        held.order_by().values_list(*columns).annotate(n=Count("pk")),
    ):
        for offer_id, store_id, minute, person_id, n in rows.iterator():
            persons = [person_id] if person_id else []
            for cap in caps_of(offer_id, offers[offer_id], store_id, clock_of[store_id], minute, persons):
                counted[cap.key] += n
    kept = Usage.objects.exclude(kind=ALARM)
    for usage in kept.iterator():
        key = (usage.offer_id, usage.kind, usage.key)
        yield from _differs("usage", " ".join(key), "used", usage.used, counted.pop(key, 0))
    for key, n in counted.items():
        if key[1] != ALARM:
            yield from _differs("usage", " ".join(key), "used", 0, n)


def _strays() -> Iterator[Drift]:
    """Entries of offers about a voucher or a person who is not there."""
    ours = entries().filter(account__offer__isnull=False)
    of_voucher = ours.filter(subject__isnull=False).exclude(Exists(Voucher.objects.filter(pk=OuterRef("subject"))))
    of_person = ours.filter(person_id__isnull=False).exclude(Exists(Person.objects.filter(pk=OuterRef("person_id"))))
    for reference in of_voucher.values_list("reference", flat=True):
        yield Drift("entry", reference, "vouchers", 1, 0)
    for reference in of_person.values_list("reference", flat=True):
        yield Drift("entry", reference, "persons", 1, 0)


def _differs(table: str, key: str, counter: str, kept: int, counted: int) -> Iterator[Drift]:
    if kept != counted:
        yield Drift(table, key, counter, kept, counted)
