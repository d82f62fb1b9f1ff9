"""The verbs of offers: the only way in from other rooms."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from django.db import transaction
from django.db.models import Case, F, OuterRef, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from regulars.offers.books import Books, terms_of
from regulars.offers.codes import in_groups
from regulars.offers.codes import read as read_code
from regulars.offers.commands import Command, Expire, Release
from regulars.offers.hours import check_clock
from regulars.offers.models import Entry, Event, Halt, Mark, Offer, Receipt, Reservation, Store, Voucher
from regulars.offers.performing import KEPT, perform
from regulars.offers.refusals import Refusal
from regulars.offers.returning import state_of
from regulars.offers.terms import Terms
from regulars.offers.writing import write

HaltKind = Literal["offer", "campaign", "store"]


def define(offer_id: str, terms: Terms, *, campaign_id: str | None = None, now: dt.datetime) -> dict[str, Any]:
    """Make an offer with its account, or change its terms: budget and cap may rise, and sink to what is used of them.

    Raises Refusal offer_exists where what is fixed by the first voucher would change: kind, policy, currency, uses of a
    code, what one use may cost, and whether a use comes back.
    """
    with transaction.atomic():
        offer = Offer.objects.select_for_update().filter(offer_id=offer_id).first()
        books = Books(now=now)
        if offer is None:
            offer = Offer(offer_id=offer_id, campaign_id=campaign_id, terms=terms.model_dump_json(), made_at=now)
            books.add(offer)
        else:
            _check_change(offer, terms_of(offer.terms), terms)
            books.change(offer, terms=terms.model_dump_json(), version=offer.version + 1)
        minor, uses = terms.budget_minor - offer.budget_minor, terms.cap - offer.cap
        if minor or uses:
            books.move("budgeted", offer, None, None, minor=(minor, 0, 0), uses=(uses, 0, 0))
        write(books)
    return described(offer)


_FIXED = ("kind", "policy", "currency", "per_code", "worst_minor", "again_after_refund")


def _check_change(offer: Offer, before: Terms, after: Terms) -> None:
    if not Voucher.objects.filter(offer=offer).exists():
        return
    for name in _FIXED:
        if getattr(before, name) != getattr(after, name):
            raise Refusal("offer_exists", offer=offer.offer_id, field=name)


def add_store(store_id: str, zone: str, day_closes_at: str = "04:00") -> None:
    """A store where vouchers are taken, or its new clock. Raises DataError for a zone or a time that is none."""
    check_clock(zone, day_closes_at)
    Store.objects.update_or_create(store_id=store_id, defaults={"zone": zone, "day_closes_at": day_closes_at})


def stores() -> list[dict[str, str]]:
    """The stores, by id."""
    return [dict(row) for row in Store.objects.order_by("store_id").values("store_id", "zone", "day_closes_at")]


def halt(kind: HaltKind, key: str, *, reason: str, by: str, now: dt.datetime) -> None:
    """Stop an offer, a campaign or a store at once, until it is lifted. Once more changes nothing."""
    with transaction.atomic():
        if not Halt.objects.filter(kind=kind, key=key, lifted_at=None).exists():
            Halt.objects.create(kind=kind, key=key, reason=reason, by=by, at=now)


def resume(kind: HaltKind, key: str, *, now: dt.datetime) -> bool:
    """Lift a halt; False where there is none."""
    return bool(Halt.objects.filter(kind=kind, key=key, lifted_at=None).update(lifted_at=now))


def halts() -> list[dict[str, Any]]:
    """The halts in force, the latest first."""
    return [
        dict(row)
        for row in Halt.objects.filter(lifted_at=None).order_by("-at").values("kind", "key", "reason", "by", "at")
    ]


def find_voucher(code: str, *, now: dt.datetime) -> dict[str, Any]:
    """A voucher as it stands. Raises Refusal code_invalid or voucher_not_found."""
    voucher = Voucher.objects.select_related("offer").filter(code=read_code(code)).first()
    if voucher is None:
        raise Refusal("voucher_not_found", code=code[:40])
    return {
        "code": voucher.code, "offer_id": voucher.offer_id, "state": state_of(voucher, now), "uses": voucher.uses,
        "uses_left": 0 if voucher.closed else voucher.most_uses - voucher.uses - voucher.holds,
        "issued_at": voucher.issued_at.isoformat(), "expires_at": voucher.expires_at.isoformat(), "guest_id": voucher.guest_id,
        "stores": list(terms_of(voucher.offer.terms).stores),
    }  # fmt: skip


def vouchers_of(batch_id: str) -> Iterator[tuple[str, str | None, dt.datetime]]:
    """The vouchers of a batch in the order they were issued: the code as it is printed, whose it is, and when it ends."""
    rows = Voucher.objects.filter(batch=batch_id).order_by("pk").values_list("code", "guest_id", "expires_at")
    return ((in_groups(code), guest_id, ends) for code, guest_id, ends in rows.iterator(10_000))


def find_offer(offer_id: str) -> dict[str, Any]:
    """An offer, its terms and its account. Raises Refusal offer_not_found."""
    offer = Offer.objects.filter(offer_id=offer_id).first()
    if offer is None:
        raise Refusal("offer_not_found", offer=offer_id)
    return described(offer)


def offers() -> list[dict[str, Any]]:
    """All offers, by id."""
    return [described(offer) for offer in Offer.objects.order_by("offer_id")]


def described(offer: Offer) -> dict[str, Any]:
    """An offer as a plain document."""
    names = [f"{account}_{unit}" for unit in ("minor", "uses") for account in ("free", "reserved", "spent")]
    account = {name: getattr(offer, name) for name in ("budget_minor", "cap", *names)}
    return {
        "offer_id": offer.offer_id, "campaign_id": offer.campaign_id, "version": offer.version,
        "terms": terms_of(offer.terms).model_dump(mode="json", exclude_defaults=True), "account": account,
    }  # fmt: skip


def take_events(events: Sequence[dict[str, Any]], *, till: str | None, now: dt.datetime) -> dict[str, int]:
    """Keep events of the Segment shape, each messageId once."""
    rows = [
        Event(message_id=event["messageId"], call=event.get("type", "track"), name=event.get("event", ""), body=event,
              till_id=till, noted_at=now)
        for event in events
    ]  # fmt: skip
    with transaction.atomic():
        before = Event.objects.filter(message_id__in=[row.message_id for row in rows]).count()
        Event.objects.bulk_create(rows, ignore_conflicts=True)
        after = Event.objects.filter(message_id__in=[row.message_id for row in rows]).count()
    return {"taken": after - before, "repeated": len(rows) - (after - before)}


def redemptions(*, since: dt.datetime | None = None) -> Iterator[tuple[Any, ...]]:
    """Redemptions that were made or changed since a time: redemption_id, campaign_id, guest_id, offer_id, store_id, order_id,
    redeemed_at, what is left of their cost in minor units, and `yes` where the use was given back."""
    changed = Entry.objects.filter(verb__in=("redeemed", "rolled_back"))
    changed = changed if since is None else changed.filter(noted_at__gte=since)
    ids = changed.annotate(redemption=Coalesce("of", "reference")).values("redemption")
    back = Entry.objects.filter(of=OuterRef("reference")).order_by().values("of")
    found = Entry.objects.filter(verb="redeemed", reference__in=ids).order_by("pk").annotate(
        left=F("spent_minor") + Coalesce(Subquery(back.annotate(n=Sum("spent_minor")).values("n")), 0),
        uses=1 + Coalesce(Subquery(back.annotate(n=Sum("spent_uses")).values("n")), 0),
        was_given_back=Case(When(uses__lt=1, then=Value("yes")), default=Value("")),
    )  # fmt: skip
    columns = (
        "reference",
        "offer__campaign_id",
        "guest_id",
        "offer_id",
        "store_id",
        "order_id",
        "at",
        "left",
        "was_given_back",
    )
    return found.values_list(*columns).iterator(10_000)


def events(names: Sequence[str], *, since: dt.datetime | None = None) -> Iterator[dict[str, Any]]:
    """What was told under these names since a time, as it was told."""
    told = Event.objects.filter(name__in=names).order_by("pk")
    told = told if since is None else told.filter(noted_at__gte=since)
    return told.values_list("body", flat=True).iterator(10_000)


def synced_at() -> dt.datetime | None:
    """When the lake and the records were last brought together."""
    return Mark.objects.filter(name="sync").values_list("at", flat=True).first()


def note_synced(now: dt.datetime) -> None:
    Mark.objects.update_or_create(name="sync", defaults={"at": now})


def sweep(now: dt.datetime, *, at_once: int = 200) -> dict[str, int]:
    """Let go what was reserved too long, end vouchers that have expired, and forget receipts of thirty days ago."""
    overdue = Reservation.objects.filter(is_open=True, until__lte=now).values_list("reservation_id", flat=True)
    released = _accepted(
        [Release(key="", at=now, reservation_id=known) for known in sorted(set(overdue))], now, at_once
    )
    expired = Voucher.objects.filter(closed="", holds=0, expires_at__lte=now).exclude(uses__gte=F("most_uses"))
    codes = expired.order_by("expires_at").values_list("code", flat=True)
    return {
        "released": released,
        "expired": _accepted([Expire(key="", at=now, code=code) for code in codes], now, at_once),
        "forgotten": Receipt.objects.filter(at__lt=now - KEPT).delete()[0],
    }


def _accepted(commands: Sequence[Command], now: dt.datetime, at_once: int) -> int:
    """Performs them by the hundreds; how many were done."""
    answers = (perform(commands[start : start + at_once], now=now) for start in range(0, len(commands), at_once))
    return sum(answer.refusal is None for some in answers for answer in some)
