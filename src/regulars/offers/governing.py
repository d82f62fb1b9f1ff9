"""Governing: define offers, halt them and let them go on. Pure, as taking is."""

from typing import Any

from regulars.offers.books import Books, terms_of
from regulars.offers.commands import Command, Define, HaltKind, Resume, Stop
from regulars.offers.models import Halt, Offer
from regulars.offers.reach import may_change, may_see
from regulars.offers.refusals import Refusal
from regulars.offers.terms import Terms

_FIXED = ("kind", "policy", "currency", "per_code", "worst_minor", "again_after_refund")


def define(command: Define, books: Books) -> dict[str, Any]:
    """Make an offer, or change its terms: budget and cap may rise, and sink to what is used of them."""
    _demand_own(command, command.terms.stores)
    terms, offer = command.terms, books.offers.get(command.offer_id)
    if offer is None:
        offer = Offer(
            offer_id=command.offer_id, campaign_id=command.campaign_id, terms=terms.model_dump_json(), made_at=books.now
        )
        books.add(offer)
    else:
        before = terms_of(offer.terms)
        _demand_own(command, before.stores)
        if offer.offer_id in books.issued:
            _check_change(offer.offer_id, before, terms)
        books.change(offer, terms=terms.model_dump_json(), version=offer.version + 1)
    minor, uses = terms.budget_minor - offer.budget_minor, terms.cap - offer.cap
    if minor or uses:
        books.move("budgeted", offer, None, command, minor=(minor, 0, 0), uses=(uses, 0, 0))
    return described(offer)


def _check_change(offer_id: str, before: Terms, after: Terms) -> None:
    for name in _FIXED:
        if getattr(before, name) != getattr(after, name):
            raise Refusal("offer_exists", offer=offer_id, field=name)


def described(offer: Offer) -> dict[str, Any]:
    """An offer as a plain document."""
    names = [f"{account}_{unit}" for unit in ("minor", "uses") for account in ("free", "reserved", "spent")]
    account = {name: getattr(offer, name) for name in ("budget_minor", "cap", *names)}
    return {
        "offer_id": offer.offer_id, "campaign_id": offer.campaign_id, "version": offer.version,
        "terms": terms_of(offer.terms).model_dump(mode="json", exclude_defaults=True), "account": account,
    }  # fmt: skip


def stop(command: Stop, books: Books) -> dict[str, Any]:
    """Halt it until the halt is lifted. Once more changes nothing."""
    _check_own(command, command.kind, command.whose, books)
    if not books.is_halted(command.kind, command.whose):
        halt(command.kind, command.whose, books, reason=command.reason, by=command.by)
    return {"kind": command.kind, "key": command.whose, "is_halted": True}


def halt(kind: HaltKind, whose: str, books: Books, *, reason: str, by: str) -> None:
    """A halt from now on, also for the commands that come after in the same books."""
    books.add(Halt(kind=kind, key=whose, reason=reason, by=by, at=books.now))


def resume(command: Resume, books: Books) -> dict[str, Any]:
    """Lift a halt."""
    _check_own(command, command.kind, command.whose, books)
    if not books.is_halted(command.kind, command.whose):
        raise Refusal("halt_not_found", kind=command.kind, whose=command.whose)
    books.change(books.halts[command.kind, command.whose], lifted_at=books.now)
    return {"kind": command.kind, "key": command.whose, "is_halted": False}


def _check_own(command: Command, kind: str, whose: str, books: Books) -> None:
    """A store is its own; an offer is where it holds; a campaign is everywhere."""
    if kind == "store":
        _demand_own(command, (whose,))
    elif kind == "offer" and command.stores is not None:
        offer = books.offers.get(whose)
        stores = terms_of(offer.terms).stores if offer else ()
        if offer is None or not may_see(command.stores, stores):
            raise Refusal("offer_not_found", offer=whose)
        _demand_own(command, stores)
    else:
        _demand_own(command, ())


def _demand_own(command: Command, stores: tuple[str, ...]) -> None:
    if not may_change(command.stores, stores):
        raise Refusal("not_allowed", store=next(iter(stores), "*"))
