"""The verbs of offers: the way in from other rooms."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Literal

from django.db.models import Case, Count, F, OuterRef, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from regulars.access.scopes import Own, may_see
from regulars.access.stores import clocks
from regulars.ledger.accounts import entries
from regulars.ledger.commands import Command
from regulars.ledger.refusals import Refusal
from regulars.ledger.transactions import forget_receipts, perform
from regulars.offers.codes import in_groups
from regulars.offers.codes import read as read_code
from regulars.offers.definition import Define, described
from regulars.offers.events import events, take_events
from regulars.offers.halts import HaltKind, Resume, Stop
from regulars.offers.models import Halt, Mark, Offer, Reservation, Version, Voucher, Watch
from regulars.offers.reservations import LetGo
from regulars.offers.sealing import unseal
from regulars.offers.terms import Terms
from regulars.offers.validity import MOST_OFFLINE
from regulars.offers.versions import terms_of
from regulars.offers.vouchers import Expire, canonical, canonicals, state_of

__all__ = [
    "codes_seen", "define", "events", "find_offer", "find_voucher", "halt", "halts", "note_synced", "offers", "redemptions", "resume",
    "sweep", "synced_at", "take_events", "vouchers_of", "watch", "watches",
]  # fmt: skip

WatchKind = Literal["campaign", "store"]


def define(offer_id: str, terms: Terms, *, campaign_id: str | None = None, now: dt.datetime) -> dict[str, Any]:
    """Make an offer with its account, or change its terms: budget and cap may rise, and sink to what is used of them.

    Raises Refusal offer_exists where what is fixed by the first voucher would change: kind, policy, currency, uses of a
    code, what one use may cost, and whether a use comes back.
    """
    sweep(now, offer_id=offer_id)
    return _done(Define(key="", at=now, offer_id=offer_id, terms=terms, campaign_id=campaign_id))


def _done(command: Command) -> dict[str, Any]:
    """What is said of a command of the house."""
    [answer] = perform([command], now=command.at)
    if answer.refusal is not None:
        raise answer.refusal
    assert answer.said is not None
    return answer.said


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
    """Halt a campaign or a store as soon as more uses come in one minute than are plausible; None: no longer.

    Raises Refusal campaign_not_found or store_unknown.
    """
    if kind == "campaign" and not Offer.objects.filter(campaign_id=whose).exists():
        raise Refusal("campaign_not_found", campaign=whose)
    if kind == "store" and whose not in clocks():
        raise Refusal("store_unknown", store=whose)
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
    if voucher.holds:
        voucher.holds -= Reservation.objects.filter(voucher=voucher.code, is_open=True, until__lte=now).count()
    state = state_of(voucher, now)
    is_over = voucher.closed or state == "expired"
    return {
        "code": voucher.code, "offer_id": voucher.offer_id, "state": state, "uses": voucher.uses,
        "uses_left": 0 if is_over else voucher.most_uses - voucher.uses - voucher.holds,
        "issued_at": voucher.issued_at.isoformat(), "expires_at": voucher.expires_at.isoformat(), "guest_id": voucher.guest_id,
        "stores": list(_terms_kept(voucher).stores),
    }  # fmt: skip


def codes_seen(texts: Collection[str], own: Own) -> set[str]:
    """Those of these texts that are codes of vouchers which concern whoever may act at these stores."""
    vouchers = Voucher.objects.select_related("offer").filter(code__in=canonicals(texts))
    known = {voucher.code for voucher in vouchers if own is None or may_see(own, _terms_kept(voucher).stores)}
    return {text for text in texts if canonical(text) in known}


def _terms_kept(voucher: Voucher) -> Terms:
    """The terms that a voucher was issued with."""
    kept = (
        Version.objects.filter(offer=voucher.offer_id, number=voucher.version).values_list("terms", flat=True).first()
    )
    return terms_of(kept or voucher.offer.terms)


def vouchers_of(batch_id: str) -> Iterator[tuple[str, str | None, dt.datetime]]:
    """The vouchers of a batch in the order they were issued: the code as it is printed, whose it is, and when it ends."""
    rows = Voucher.objects.filter(batch=batch_id).order_by("pk").values_list("code", "guest_id", "expires_at")
    return ((in_groups(code), guest_id, ends) for code, guest_id, ends in rows.iterator(10_000))


def find_offer(offer_id: str, *, now: dt.datetime | None = None) -> dict[str, Any]:
    """An offer, its terms and its account; with `now`, as if it was swept just then. Raises Refusal offer_not_found."""
    offer = Offer.objects.select_related("account").filter(offer_id=offer_id).first()
    if offer is None:
        raise Refusal("offer_not_found", offer=offer_id)
    [found] = _described([offer], now)
    return found


def offers(*, now: dt.datetime | None = None) -> list[dict[str, Any]]:
    """All offers, by id; with `now`, as if they were swept just then."""
    return _described(list(Offer.objects.select_related("account").order_by("offer_id")), now)


def _described(some: Sequence[Offer], now: dt.datetime | None) -> list[dict[str, Any]]:
    rows = [described(offer, offer.account) for offer in some]
    unswept = _unswept([offer.offer_id for offer in some], now) if now else {}
    for row in rows:
        for unit, amount in unswept.get(row["offer_id"], {}).items():
            row["account"][f"free_{unit}"] += amount
            row["account"][f"reserved_{unit}"] -= amount
    return rows


def _unswept(offer_ids: Sequence[str], now: dt.datetime) -> dict[str, Counter[str]]:
    """What a sweep would set free of each offer: what overdue reservations hold, and what ended vouchers keep."""
    held = Reservation.objects.filter(is_open=True, until__lte=now, voucher__offer__in=offer_ids)
    ended = Voucher.objects.filter(closed="", expires_at__lte=now - MOST_OFFLINE, offer__in=offer_ids)
    ended = ended.exclude(uses__gte=F("most_uses"))
    free: dict[str, Counter[str]] = defaultdict(Counter)
    for offer_id, terms, minor, uses in held.values_list("voucher__offer", "voucher__offer__terms").annotate(
        n=Sum("minor"), m=Count("pk")
    ):
        if terms_of(terms).policy == "first_come":
            free[offer_id].update(minor=minor, uses=uses)
    for offer_id, terms, minor, uses in ended.values_list("offer", "offer__terms").annotate(
        n=Sum("reserved_minor"), m=Sum(F("most_uses") - F("uses"))
    ):
        if terms_of(terms).policy == "guaranteed":
            free[offer_id].update(minor=minor, uses=uses)
    return free


def redemptions(*, since: dt.datetime | None = None) -> Iterator[tuple[Any, ...]]:
    """Redemptions that were made or changed since a time: redemption_id, campaign_id, guest_id, offer_id, store_id, order_id,
    redeemed_at, what is left of their cost in minor units, and `yes` where the use was given back."""
    changed = entries().filter(verb__in=("redeemed", "rolled_back"))
    changed = changed if since is None else changed.filter(noted_at__gte=since)
    ids = changed.annotate(redemption=Coalesce("of", "reference")).values("redemption")
    back = entries().filter(of=OuterRef("reference")).order_by().values("of")
    found = entries().filter(verb="redeemed", reference__in=ids, account__offer__isnull=False).order_by("pk").annotate(
        left=F("spent_minor") + Coalesce(Subquery(back.annotate(n=Sum("spent_minor")).values("n")), 0),
        uses=1 + Coalesce(Subquery(back.annotate(n=Sum("spent_uses")).values("n")), 0),
        was_given_back=Case(When(uses__lt=1, then=Value("yes")), default=Value("")),
    )  # fmt: skip
    columns = (
        "reference", "account__offer__campaign_id", "guest_id", "account__offer__offer_id", "store_id", "order_id", "at",
        "left", "was_given_back",
    )  # fmt: skip
    rows = found.values_list(*columns).iterator(10_000)
    return ((*row[:2], row[2] and unseal(row[2]), *row[3:]) for row in rows)


def synced_at() -> dt.datetime | None:
    """When the lake and the records were last brought together."""
    return Mark.objects.filter(name="sync").values_list("at", flat=True).first()


def note_synced(now: dt.datetime) -> None:
    Mark.objects.update_or_create(name="sync", defaults={"at": now})


def sweep(now: dt.datetime, *, at_once: int = 200, offer_id: str | None = None) -> dict[str, int]:
    """Let go what was reserved too long, end vouchers that have expired, and forget receipts of thirty days ago.

    Nobody is answered otherwise for it: whatever it does, commands take as done. offer_id: of this offer alone.
    """
    overdue = Reservation.objects.filter(is_open=True, until__lte=now)
    ended = Voucher.objects.filter(closed="", holds=0, expires_at__lte=now - MOST_OFFLINE).exclude(
        uses__gte=F("most_uses")
    )
    if offer_id is not None:
        overdue, ended = overdue.filter(voucher__offer=offer_id), ended.filter(offer=offer_id)
    known = sorted(set(overdue.values_list("reservation_id", flat=True)))
    released = _accepted([LetGo(key="", at=now, reservation_id=one) for one in known], now, at_once)
    codes = ended.order_by("expires_at").values_list("code", flat=True)
    return {
        "released": released,
        "expired": _accepted([Expire(key="", at=now, code=code) for code in codes], now, at_once),
        "forgotten": forget_receipts(now) if offer_id is None else 0,
    }


def _accepted(commands: Sequence[Command], now: dt.datetime, at_once: int) -> int:
    """Performs them by the hundreds; how many were done."""
    answers = (perform(commands[start : start + at_once], now=now) for start in range(0, len(commands), at_once))
    return sum(answer.refusal is None for some in answers for answer in some)
