"""Permissions: what concerns a key. What does not is not found, in the words of what is not there at all."""

from typing import Any

from django.http import HttpRequest

from regulars.access.scopes import may_change, may_see
from regulars.ledger.refusals import Refusal
from regulars.offers import actions
from regulars.till.keys import till_of


def stores_of(offer: dict[str, Any]) -> Any:
    """Where an offer holds; nothing stands for everywhere."""
    return offer["terms"].get("stores", ())


def seen_voucher(request: HttpRequest, code: str, now: Any) -> dict[str, Any]:
    """The voucher of a code. Raises Refusal voucher_not_found, also for one at other stores and for what can be no code."""
    try:
        found = actions.find_voucher(code, now=now)
    except Refusal:
        found = None
    if found is None or not may_see(till_of(request).stores, found["stores"]):
        raise Refusal("voucher_not_found", code=code[:40])
    return found


def seen_offer(request: HttpRequest, offer_id: str, now: Any) -> dict[str, Any]:
    """An offer. Raises Refusal offer_not_found, also for one at other stores."""
    found = actions.find_offer(offer_id, now=now)
    if not may_see(till_of(request).stores, stores_of(found)):
        raise Refusal("offer_not_found", offer=offer_id)
    return found


def demand_own(request: HttpRequest, stores: Any) -> None:
    """Raises Refusal not_allowed unless all these stores are the key's own."""
    if not may_change(till_of(request).stores, stores):
        raise Refusal("not_allowed", store=next(iter(stores), "*"))
