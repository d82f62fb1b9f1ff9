"""The routes of offers."""

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router
from pydantic import Field

from regulars.access.scopes import may_see
from regulars.offers import actions
from regulars.offers.definition import Define
from regulars.till import shapes
from regulars.till.dispatch import answer, asked, now, say, stage
from regulars.till.keys import Key, till_of
from regulars.till.openapi import KEYED, PROBLEMS
from regulars.till.pages import MOST, PageQuery, cursor_of, place_of
from regulars.till.permissions import seen_offer, stores_of
from regulars.till.replies import OfferReply, OffersReply

router = Router(tags=["offers"])
_TILL, _OWNER = Key("redeem"), Key("offers")


@router.get("/offers/{offer_id}", auth=_TILL, response={200: OfferReply, **PROBLEMS})
def look_up_offer(request: HttpRequest, offer_id: Path[shapes.Text]) -> HttpResponse:
    """An offer, its terms, and its account where the key may define offers."""
    return say(_shown(request, seen_offer(request, offer_id, now())))


class OffersQuery(PageQuery):
    """Which offers; all of them where no limit is said."""

    limit: Annotated[int, Field(ge=1, le=MOST)] | None = None  # type: ignore[assignment]


@router.get("/offers", auth=_TILL, response={200: OffersReply, **PROBLEMS})
def list_offers(request: HttpRequest, query: Query[OffersQuery]) -> HttpResponse:
    """The offers that concern the key, by id."""
    after = place_of(query.cursor) if query.cursor else ""
    own = till_of(request).stores
    found = [
        offer for offer in actions.offers(now=now()) if offer["offer_id"] > after and may_see(own, stores_of(offer))
    ]
    page = found[: query.limit]
    following = cursor_of(page[-1]["offer_id"]) if len(page) < len(found) else None
    return say({"offers": [_shown(request, offer) for offer in page], "next_cursor": following})


@router.post("/offers", auth=_OWNER, response={200: OfferReply, **PROBLEMS}, openapi_extra=KEYED)
def define_offer(request: HttpRequest, body: shapes.DefineShape) -> HttpResponse:
    """Make an offer, or change its terms; what its vouchers rest on can no longer be changed once there are some."""
    said = asked(request)
    with stage(request):
        actions.sweep(now(), offer_id=body.offer_id)
        return answer(request, Define(**said, offer_id=body.offer_id, terms=body.terms, campaign_id=body.campaign_id))


def _shown(request: HttpRequest, offer: dict[str, Any]) -> dict[str, Any]:
    if "offers" in till_of(request).scopes:
        return offer
    return {name: value for name, value in offer.items() if name != "account"}
