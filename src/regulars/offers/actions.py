"""The verbs of offers: the only way in from other rooms."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from django.db import IntegrityError, transaction
from django.db.models import Case, F, OuterRef, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from regulars.clock import StoreClock
from regulars.offers.books import terms_of
from regulars.offers.codes import in_groups
from regulars.offers.codes import read as read_code
from regulars.offers.commands import Command, Define, Expire, HaltKind, Release, Resume, Stop
from regulars.offers.governing import described
from regulars.offers.models import Entry, Event, Halt, Mark, Offer, Receipt, Reservation, Store, Voucher, Watch
from regulars.offers.ordering import note_orders
from regulars.offers.performing import KEPT, perform
from regulars.offers.refusals import Refusal
from regulars.offers.returning import state_of
from regulars.offers.terms import Terms

WatchKind = Literal["campaign", "store"]


def define(offer_id: str, terms: Terms, *, campaign_id: str | None = None, now: dt.datetime) -> dict[str, Any]:
    """Make an offer with its account, or change its terms: budget and cap may rise, and sink to what is used of them.

    Raises Refusal offer_exists where what is fixed by the first voucher would change: kind, policy, currency, uses of a
    code, what one use may cost, and whether a use comes back.
    """
    return _done(Define(key="", at=now, offer_id=offer_id, terms=terms, campaign_id=campaign_id))


def _done(command: Command) -> dict[str, Any]:
    """What is said of a command of the house."""
    [answer] = perform([command], now=command.at)
    if answer.refusal is not None:
        raise answer.refusal
    assert answer.said is not None
    return answer.said


def add_store(store_id: str, zone: str, day_closes_at: str = "04:00") -> None:
    """A store where vouchers are taken, or its new clock. Raises DataError for a zone or a time that is none."""
    StoreClock(zone, day_closes_at).check()
    Store.objects.update_or_create(store_id=store_id, defaults={"zone": zone, "day_closes_at": day_closes_at})


def stores() -> list[dict[str, str]]:
    """The stores, by id."""
    return [dict(row) for row in Store.objects.order_by("store_id").values("store_id", "zone", "day_closes_at")]


def halt(kind: HaltKind, whose: str, *, reason: str, by: str, now: dt.datetime) -> None:
    """Stop an offer, a campaign or a store at once, until it is lifted. Once more changes nothing."""
    _done(Stop(key="", at=now, kind=kind, whose=whose, reason=reason, by=by))


def resume(kind: HaltKind, whose: str, *, now: dt.datetime) -> None:
    """Lift a halt. Raises Refusal halt_not_found."""
    _done(Resume(key="", at=now, kind=kind, whose=whose))


def halts() -> list[dict[str, Any]]:
    """The halts in force, the latest first."""
    return [
        dict(row)
        for row in Halt.objects.filter(lifted_at=None).order_by("-at").values("kind", "key", "reason", "by", "at")
    ]


def watch(kind: WatchKind, whose: str, per_minute: int | None) -> None:
    """Halt a campaign or a store as soon as more uses come in one minute than are plausible; None: no longer."""
    if per_minute is None:
        Watch.objects.filter(kind=kind, key=whose).delete()
    else:
        Watch.objects.update_or_create(kind=kind, key=whose, defaults={"per_minute": per_minute})


def watches() -> list[dict[str, Any]]:
    """What is watched, and how many uses a minute are plausible."""
    return [dict(row) for row in Watch.objects.order_by("kind", "key").values("kind", "key", "per_minute")]


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


def take_events(events: Sequence[dict[str, Any]], *, till: str | None, now: dt.datetime) -> dict[str, int]:
    """Keep events of the Segment shape, each messageId of a till once; a guest's orders count as his from then on."""
    try:
        with transaction.atomic():
            return _take_events(events, till or "", now)
    except IntegrityError:  # somebody else met the same guest for the first time in the same moment
        with transaction.atomic():
            return _take_events(events, till or "", now)


def _take_events(events: Sequence[dict[str, Any]], till: str, now: dt.datetime) -> dict[str, int]:
    told = {event["messageId"]: event for event in events}
    known = Event.objects.filter(till=till, message_id__in=told).values_list("message_id", flat=True)
    new = [event for name, event in told.items() if name not in set(known)]
    Event.objects.bulk_create(
        Event(message_id=event["messageId"], call=event.get("type", "track"), name=event.get("event", ""), body=event,
              till=till, noted_at=now)
        for event in new
    )  # fmt: skip
    note_orders(new, now=now)
    return {"taken": len(new), "repeated": len(events) - len(new)}


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
    """What was told under these names since a time, as it was told, but that each messageId names its till too."""
    told = Event.objects.filter(name__in=names).order_by("pk")
    told = told if since is None else told.filter(noted_at__gte=since)
    rows = told.values_list("till", "body").iterator(10_000)
    return ({**body, "messageId": f"{till} {body['messageId']}".strip()} for till, body in rows)


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
