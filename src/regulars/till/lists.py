"""The routes of lists: vouchers and redemptions that concern the key, newest first, a page at a time."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query

from regulars.offers import lists
from regulars.offers.vouchers import canonical
from regulars.till import shapes, vouchers
from regulars.till.dispatch import now, say
from regulars.till.keys import Key, till_of
from regulars.till.openapi import PROBLEMS
from regulars.till.pages import PageQuery, cursor_of, number_of
from regulars.till.replies import RedemptionReply, RedemptionsReply, VouchersReply

router = vouchers.router
_TILL, _ISSUER = Key("redeem"), Key("issue")


class VouchersQuery(PageQuery):
    """Which vouchers."""

    offer_id: shapes.Text | None = None
    guest_id: shapes.Text | None = None
    batch_id: shapes.Text | None = None


class RedemptionsQuery(PageQuery):
    """Which redemptions."""

    store_id: shapes.Text | None = None
    order_id: shapes.Text | None = None
    offer_id: shapes.Text | None = None
    code: shapes.Code | None = None


@router.get("/vouchers", auth=_ISSUER, response={200: VouchersReply, **PROBLEMS})
def list_vouchers(request: HttpRequest, query: Query[VouchersQuery]) -> HttpResponse:
    """Vouchers of offers that concern the key, the newest first."""
    own, before = till_of(request).stores, number_of(query.cursor) if query.cursor else None
    found, following = lists.vouchers(query.wanted(), own=own, before=before, most=query.limit, now=now())
    return say({"vouchers": found, **_following(following)})


@router.get("/redemptions", auth=_TILL, response={200: RedemptionsReply, **PROBLEMS})
def list_redemptions(request: HttpRequest, query: Query[RedemptionsQuery]) -> HttpResponse:
    """Redemptions at the key's stores, the newest first."""
    wanted, own, before = query.wanted(), till_of(request).stores, number_of(query.cursor) if query.cursor else None
    if "code" in wanted:
        wanted["code"] = canonical(wanted["code"]) or ""
    found, following = lists.redemptions(wanted, own=own, before=before, most=query.limit)
    return say({"redemptions": found, **_following(following)})


@router.get("/redemptions/{redemption_id}", auth=_TILL, response={200: RedemptionReply, **PROBLEMS})
def look_up_redemption(request: HttpRequest, redemption_id: Path[shapes.Text]) -> HttpResponse:
    """One redemption, and what of it was given back."""
    return say(lists.redemption(redemption_id, own=till_of(request).stores))


def _following(number: int | None) -> dict[str, Any]:
    return {"next_cursor": None if number is None else cursor_of(number)}
