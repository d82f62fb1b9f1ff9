"""Lists: vouchers and redemptions as whoever may act at some stores sees them, newest first, a page at a time.

A page begins before a number; what is added meanwhile comes before the first page, and disturbs none.
"""

from collections.abc import Mapping
from typing import Any

from django.db.models import Sum

from regulars.access.scopes import Own, may_see
from regulars.ledger.accounts import entries
from regulars.ledger.refusals import Refusal
from regulars.offers.models import Offer, Version, Voucher
from regulars.offers.versions import terms_of
from regulars.offers.vouchers import state_of

Page = tuple[list[dict[str, Any]], int | None]
"""Rows, and the number before which the next page begins; None after the last."""


def vouchers(wanted: Mapping[str, str], *, own: Own, before: int | None, most: int, now: Any) -> Page:
    """Vouchers that concern these stores. wanted: offer_id, guest_id, batch_id."""
    rows = Voucher.objects.select_related("offer").filter(**wanted).order_by("-pk")
    if own is not None:
        rows = rows.filter(offer__in=_offers_seen(own))
    found, following = _page(rows, before, most)
    return [_voucher(row, now) for row in found if own is None or may_see(own, _stores(row))], following


def redemptions(wanted: Mapping[str, str], *, own: Own, before: int | None, most: int) -> Page:
    """Redemptions at these stores. wanted: store_id, order_id, offer_id, code."""
    rows = _redemptions(own).order_by("-pk")
    named = {"offer_id": "account__offer__offer_id"}
    rows = rows.filter(**{named.get(name, name): value for name, value in wanted.items() if name != "code"})
    if "code" in wanted:
        rows = rows.filter(subject__in=Voucher.objects.filter(code=wanted["code"]).values("pk"))
    found, following = _page(rows, before, most)
    return _told(found), following


def redemption(redemption_id: str, *, own: Own) -> dict[str, Any]:
    """One redemption. Raises Refusal redemption_not_found, also for one at another store."""
    found = _told(list(_redemptions(own).filter(reference=redemption_id)))
    if not found:
        raise Refusal("redemption_not_found", redemption=redemption_id)
    return found[0]


def _redemptions(own: Own) -> Any:
    rows = entries().filter(verb="redeemed", account__offer__isnull=False).select_related("account__offer")
    return rows if own is None else rows.filter(store_id__in=own)


def _page(rows: Any, before: int | None, most: int) -> tuple[list[Any], int | None]:
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows[: most + 1])
    return found[:most], found[most - 1].pk if len(found) > most else None


def _offers_seen(own: Own) -> list[str]:
    return [
        offer.offer_id
        for offer in Offer.objects.only("offer_id", "terms")
        if may_see(own, terms_of(offer.terms).stores)
    ]


def _stores(voucher: Voucher) -> tuple[str, ...]:
    """Where it holds, by the terms that it keeps."""
    if voucher.version == voucher.offer.version:
        return terms_of(voucher.offer.terms).stores
    kept = Version.objects.filter(offer=voucher.offer_id, number=voucher.version).first()
    return terms_of(kept.terms if kept else voucher.offer.terms).stores


def _voucher(voucher: Voucher, now: Any) -> dict[str, Any]:
    state = state_of(voucher, now)
    is_over = voucher.closed or state == "expired"
    return {
        "code": voucher.code, "offer_id": voucher.offer_id, "state": state, "uses": voucher.uses,
        "uses_left": 0 if is_over else voucher.most_uses - voucher.uses - voucher.holds,
        "issued_at": voucher.issued_at.isoformat(), "expires_at": voucher.expires_at.isoformat(),
    }  # fmt: skip


def _told(found: list[Any]) -> list[dict[str, Any]]:
    codes = dict(Voucher.objects.filter(pk__in=[row.subject for row in found]).values_list("pk", "code"))
    given = entries().filter(of__in=[row.reference for row in found]).order_by().values("of")
    sums = {row["of"]: row for row in given.annotate(minor=Sum("spent_minor"), uses=Sum("spent_uses"))}
    return [_redemption(row, codes.get(row.subject, ""), sums.get(row.reference)) for row in found]


def _redemption(row: Any, code: str, given_back: Mapping[str, Any] | None) -> dict[str, Any]:
    returned = -given_back["minor"] if given_back else 0
    return {
        "redemption_id": row.reference, "code": code, "offer_id": row.account.offer.offer_id, "store_id": row.store_id,
        "order_id": row.order_id, "redeemed_at": row.at.isoformat(), "bill_minor": row.bill_minor,
        "cost_minor": row.spent_minor, "platform_minor": row.platform_minor, "returned_minor": returned,
        "left_minor": row.spent_minor - returned, "is_given_back": bool(given_back and given_back["uses"]),
    }  # fmt: skip
