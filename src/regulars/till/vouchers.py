"""The routes of vouchers: what a till asks, and what whoever hands them out does."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Path, Router

from regulars.ledger.refusals import Refusal
from regulars.offers.identity import Guest
from regulars.offers.issuance import Issue
from regulars.offers.redemption import Redeem, Reserve, Validate
from regulars.offers.refunds import RollBack
from regulars.offers.reservations import Release
from regulars.offers.vouchers import Cancel
from regulars.till import dispatch, shapes
from regulars.till.bodies import fingerprint
from regulars.till.dispatch import answer, answer_many, asked, now, say
from regulars.till.keys import Key, till_of
from regulars.till.openapi import KEYED, PROBLEMS
from regulars.till.permissions import demand_own, seen_offer, seen_voucher, stores_of
from regulars.till.replies import (
    BatchReply,
    CancelledReply,
    IssuedReply,
    ReleasedReply,
    ReservedReply,
    RolledBackReply,
    TakenReply,
    VoucherReply,
)

router = Router(tags=["vouchers"])
_TILL, _ISSUER = Key("redeem"), Key("issue")
_COMMANDER = Key("redeem", is_for_commands=True)
_REDEEM = "redeem"
_SEEN = ("code", "offer_id", "state", "uses", "uses_left", "issued_at", "expires_at")


def _bill(body: shapes.ValidateShape | shapes.ReserveShape) -> dict[str, Any]:
    return {
        "codes": tuple(body.codes), "store_id": body.store_id, "bill": body.bill.as_bill(),
        "guest": body.guest.as_guest() if body.guest else Guest(), "order_id": body.order_id,
        "is_best": body.stacking == "best",
    }  # fmt: skip


@router.post("/vouchers/redeem", auth=_COMMANDER, response={200: TakenReply, **PROBLEMS}, openapi_extra=KEYED)
def redeem(request: HttpRequest, body: shapes.ValidateShape) -> HttpResponse:
    """Use vouchers on a bill."""
    request.codes = body.codes
    said = asked(request, what=_REDEEM)
    return answer(request, Redeem(**said, **_bill(body), reservation_id=body.reservation_id))


@router.post("/vouchers/validate", auth=_COMMANDER, response={200: TakenReply, **PROBLEMS})
def validate(request: HttpRequest, body: shapes.ValidateShape) -> HttpResponse:
    """Say what vouchers would do for a bill, and change nothing."""
    request.codes = body.codes
    said = asked(request, is_write=False)
    return answer(request, Validate(**said, **_bill(body), reservation_id=body.reservation_id))


@router.post("/vouchers/reserve", auth=_COMMANDER, response={200: ReservedReply, **PROBLEMS}, openapi_extra=KEYED)
def reserve(request: HttpRequest, body: shapes.ReserveShape) -> HttpResponse:
    """Keep vouchers for a bill, until it is paid or the time is up."""
    request.codes = body.codes
    return answer(request, Reserve(**asked(request), **_bill(body), seconds=body.ttl_seconds))


@router.post("/redemptions/batch", auth=_COMMANDER, response={200: BatchReply, **PROBLEMS})
def redeem_batch(request: HttpRequest, body: shapes.BatchShape) -> HttpResponse:
    """Tell what a till redeemed while it was offline; each is answered as it would have been online, under its own key."""
    request.codes = [code for item in body.redemptions for code in item.codes]
    common = asked(request, is_write=False)
    said = request.said["redemptions"]
    return answer_many(request, [_offline(item, raw, common) for item, raw in zip(body.redemptions, said, strict=True)])


def _offline(item: shapes.OfflineShape, raw: dict[str, Any], common: dict[str, Any]) -> Redeem:
    """Its fingerprint is that of the same redemption online, so that a till may tell again what it could not be sure of."""
    bare = {name: value for name, value in raw.items() if name not in ("key", "occurred_at")}
    own = {"key": item.key, "fingerprint": fingerprint(_REDEEM, bare), "at": item.occurred_at}
    return Redeem(**common | own, **_bill(item), reservation_id=item.reservation_id, is_offline=True)


@router.post(
    "/redemptions/{redemption_id}/rollback",
    auth=_COMMANDER,
    response={200: RolledBackReply, **PROBLEMS},
    openapi_extra=KEYED,
)
def roll_back(
    request: HttpRequest, redemption_id: Path[shapes.Text], body: shapes.RollBackShape | None = None
) -> HttpResponse:
    """Give a redemption back, wholly or in part."""
    body = body or shapes.RollBackShape()
    said, reason = asked(request), body.reason or ""
    return answer(request, RollBack(**said, redemption_id=redemption_id, amount_minor=body.amount_minor, reason=reason))


@router.post(
    "/reservations/{reservation_id}/release",
    auth=_COMMANDER,
    response={200: ReleasedReply, **PROBLEMS},
    openapi_extra=KEYED,
)
def release(
    request: HttpRequest, reservation_id: Path[shapes.Text], body: shapes.NothingShape | None = None
) -> HttpResponse:
    """Let reserved vouchers go."""
    return answer(request, Release(**asked(request), reservation_id=reservation_id))


@router.get("/vouchers/{code}", auth=_TILL, response={200: VoucherReply, **PROBLEMS})
def look_up(request: HttpRequest, code: Path[shapes.Code]) -> HttpResponse:
    """A voucher as it stands. One that does not concern the key is not found, in the same words as one that is not there."""
    till = till_of(request)
    dispatch.GUESSES.check(till.till_id)
    request.codes = [code]
    try:
        found = seen_voucher(request, code, now())
    except Refusal as refusal:
        if refusal.code == "voucher_not_found":
            dispatch.GUESSES.note(till.till_id)
        raise
    return say({name: found[name] for name in _SEEN})


@router.post("/vouchers", auth=_ISSUER, response={201: IssuedReply, **PROBLEMS}, openapi_extra=KEYED)
def issue(request: HttpRequest, body: shapes.IssueShape) -> HttpResponse:
    """Issue one voucher of an offer, to a guest if one is named."""
    said = asked(request)
    demand_own(request, stores_of(seen_offer(request, body.offer_id, now())))
    return answer(request, Issue(**said, offer_id=body.offer_id, guest_id=body.guest_id, code=body.code))


@router.post("/vouchers/{code}/cancel", auth=_ISSUER, response={200: CancelledReply, **PROBLEMS}, openapi_extra=KEYED)
def cancel(request: HttpRequest, code: Path[shapes.Code], body: shapes.CancelShape | None = None) -> HttpResponse:
    """Take back a voucher that nobody used."""
    request.codes = [code]
    said = asked(request)
    return answer(request, Cancel(**said, code=code, reason=(body and body.reason) or ""))
