"""The routes of halts: stop an offer, a campaign or a store at once, and let it go on."""

from collections.abc import Collection, Mapping
from typing import Literal

from django.http import HttpRequest, HttpResponse
from ninja import Path, Router

from regulars.access.scopes import may_change
from regulars.offers import actions
from regulars.offers.halts import Resume, Stop
from regulars.till import shapes
from regulars.till.dispatch import answer, asked, say
from regulars.till.keys import Key, till_of
from regulars.till.openapi import KEYED, PROBLEMS
from regulars.till.permissions import stores_of
from regulars.till.replies import HaltReply, HaltsReply

router = Router(tags=["halts"])
_WARDEN = Key("halt")
Kind = Literal["offer", "campaign", "store"]


@router.get("/halts", auth=_WARDEN, response={200: HaltsReply, **PROBLEMS})
def list_halts(request: HttpRequest) -> HttpResponse:
    """All halts in force that the key could lift."""
    own = till_of(request).stores
    places = {offer["offer_id"]: stores_of(offer) for offer in actions.offers()} if own is not None else {}
    found = [row for row in actions.halts() if may_change(own, _places(row["kind"], row["key"], places))]
    return say({"halts": [{**row, "at": row["at"].isoformat()} for row in found]})


@router.post("/halts", auth=_WARDEN, response={200: HaltReply, **PROBLEMS}, openapi_extra=KEYED)
def halt(request: HttpRequest, body: shapes.HaltShape) -> HttpResponse:
    """Stop it at once, until the halt is lifted. Once more changes nothing."""
    said, by = asked(request), f"key {till_of(request).till_id}"
    return answer(request, Stop(**said, kind=body.kind, whose=body.key, reason=body.reason, by=by))


@router.delete("/halts/{kind}/{key}", auth=_WARDEN, response={200: HaltReply, **PROBLEMS}, openapi_extra=KEYED)
def resume(request: HttpRequest, kind: Path[Kind], key: Path[shapes.Text]) -> HttpResponse:
    """Lift a halt."""
    return answer(request, Resume(**asked(request), kind=kind, whose=key))


def _places(kind: str, key: str, offers: Mapping[str, Collection[str]]) -> Collection[str]:
    """Where a halt holds; nothing stands for everywhere."""
    return (key,) if kind == "store" else offers.get(key, ()) if kind == "offer" else ()
