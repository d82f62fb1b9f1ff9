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
from regulars.offers import links
from regulars.offers.caps import ALARM, Key, caps_of
from regulars.offers.models import Issuance, Offer, Person, Reservation, Usage, Voucher
from regulars.offers.usages import keys_of
from regulars.offers.versions import terms_of
from regulars.records.rooms import Drift


def drifts() -> Iterator[Drift]:
    """All drifts of this room, none where all is well."""
    yield from _vouchers()
    yield from _batches()
    yield from _usages()
    yield from _strays()
    yield from links.drifts()


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
    """Uses by guest, day and hour: those of the ledger, and those of reservations that are still open."""
    counted = _kept_counts()
    counted.update(_counts_by_terms())
    for usage in Usage.objects.exclude(kind=ALARM).iterator():
        key = (usage.offer_id, usage.kind, usage.key)
        yield from _differs("usage", " ".join(key), "used", usage.used, counted.pop(key, 0))
    for key, n in counted.items():
        yield from _differs("usage", " ".join(key), "used", 0, n)


def _uses() -> tuple[Any, Any]:
    """The uses of the ledger, and the holds of reservations that are still open, each with the id of its offer."""
    used = entries().filter(account__offer__isnull=False).exclude(counted_at=None)
    held = Reservation.objects.filter(is_open=True)
    return used.annotate(of_offer=F("account__offer__offer_id")), held.annotate(of_offer=F("voucher__offer_id"))


def _kept_counts() -> Counter[Key]:
    """What uses and holds count against, as it was kept with them."""
    used, held = (rows.exclude(counts=None).exclude(counts="").order_by() for rows in _uses())
    counted: Counter[Key] = Counter()
    for rows in (
        used.values_list("of_offer", "counts").annotate(n=Sum("spent_uses")),
        held.values_list("of_offer", "counts").annotate(n=Count("pk")),
    ):
        for offer_id, counts, n in rows.iterator():
            for key in keys_of(offer_id, counts):
                counted[key] += n
    return counted


def _counts_by_terms() -> Counter[Key]:
    """What those count against that were kept before that was: by the minute, as the terms of today have it."""
    counted: Counter[Key] = Counter()
    clock_of = clocks()
    offers = {offer.offer_id: terms_of(offer.terms) for offer in Offer.objects.all()}
    used, held = (rows.filter(counts=None).order_by() for rows in _uses())
    columns = ("of_offer", "store_id", "minute", "person_id")
    for rows in (
        used.annotate(minute=TruncMinute("counted_at")).values_list(*columns).annotate(n=Sum("spent_uses")),
        held.annotate(minute=TruncMinute("at")).values_list(*columns).annotate(n=Count("pk")),
    ):
        for offer_id, store_id, minute, person_id, n in rows.iterator():
            persons = [person_id] if person_id else []
            for cap in caps_of(offer_id, offers[offer_id], store_id, clock_of[store_id], minute, persons):
                if cap.key[1] != ALARM:
                    counted[cap.key] += n
    return counted


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
