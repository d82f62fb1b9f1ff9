"""The routes of halts: stop an offer, a campaign or a store at once, and let it go on."""

from typing import Literal

from django.http import HttpRequest, HttpResponse
from ninja import Path, Router

from regulars.console.api import shapes
from regulars.console.api.bodies import idempotency_key
from regulars.console.api.concerns import demand_own, seen_offer, stores_of
from regulars.console.api.described import KEYED, PROBLEMS
from regulars.console.api.keys import Key, till_of
from regulars.console.api.problems import Problem
from regulars.console.api.replies import HaltReply, HaltsReply
from regulars.console.api.speaking import now, say
from regulars.offers import actions
from regulars.offers.refusals import Refusal

router = Router(tags=["halts"])
_WARDEN = Key("halt")
Kind = Literal["offer", "campaign", "store"]


@router.get("/halts", auth=_WARDEN, response={200: HaltsReply, **PROBLEMS})
def list_halts(request: HttpRequest) -> HttpResponse:
    """All halts in force that the key could lift."""
    found = [row for row in actions.halts() if _is_own(request, row["kind"], row["key"])]
    return say({"halts": [{**row, "at": row["at"].isoformat()} for row in found]})


@router.post("/halts", auth=_WARDEN, response={200: HaltReply, **PROBLEMS}, openapi_extra=KEYED)
def halt(request: HttpRequest, body: shapes.HaltShape) -> HttpResponse:
    """Stop it at once, until the halt is lifted. Once more changes nothing."""
    idempotency_key(request)
    _demand(request, body.kind, body.key)
    actions.halt(body.kind, body.key, reason=body.reason, by=f"key {till_of(request).till_id}", now=now())
    return say({"kind": body.kind, "key": body.key, "is_halted": True})


@router.delete("/halts/{kind}/{key}", auth=_WARDEN, response={200: HaltReply, **PROBLEMS}, openapi_extra=KEYED)
def resume(request: HttpRequest, kind: Path[Kind], key: Path[shapes.Text]) -> HttpResponse:
    """Lift a halt."""
    idempotency_key(request)
    _demand(request, kind, key)
    if not actions.resume(kind, key, now=now()):
        raise Problem("halt_not_found")
    return say({"kind": kind, "key": key, "is_halted": False})


def _demand(request: HttpRequest, kind: str, key: str) -> None:
    """A store is its own; an offer is where it holds; a campaign is everywhere."""
    if kind == "store":
        demand_own(request, (key,))
    elif kind == "offer" and till_of(request).stores is not None:
        demand_own(request, stores_of(seen_offer(request, key)))
    else:
        demand_own(request, ())


def _is_own(request: HttpRequest, kind: str, key: str) -> bool:
    try:
        _demand(request, kind, key)
    except Refusal:
        return False
    return True
