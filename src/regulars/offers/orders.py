"""Orders that a till or an app told of, so that a guest's first order is known also where they used no voucher."""

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from regulars.access.stores import STORES
from regulars.ledger.books import Books
from regulars.offers import people
from regulars.offers.identity import Guest
from regulars.offers.models import ORDERS, Ordered

_MOST_ID = 64
_CANCELLED = {"Order Completed": False, "Order Cancelled": True}


class _Told(NamedTuple):
    """One order as an event told it. store_id: empty where it named none that we know."""

    store_id: str
    order_id: str
    is_cancelled: bool
    tokens: tuple[str, ...]


def note_orders(events: Sequence[dict[str, Any]], *, till: str, now: dt.datetime) -> None:
    """Note whose orders were completed, and which of them were cancelled, in whatever order that is told.

    Events that name no guest or no order are passed over. A number is an order's own at its store only.
    """
    books = Books(now=now)
    books.read([STORES.where("store_id {}", {store for event in events for store in _stores_said(event)})])
    orders = [order for event in events if (order := _order(event, books[STORES])) is not None and order.tokens]
    tokens = {token for order in orders for token in order.tokens}
    for needs in people.people_behind(books, tokens, is_deed=True):
        books.read(needs)
    numbers = {order.order_id for order in orders}
    books.read([ORDERS.where("person_id {} and order_id {}", set(people.families(books, tokens)), numbers)])
    for order in orders:
        _note(books, order, till)
    books.write()


def _note(books: Books, order: _Told, till: str) -> None:
    person = people.who(books, order.tokens, till=till or None)
    if person is None:
        return
    members = set(people.family(books, person.person_id))
    same = [row for row in books[ORDERS].values() if row.person_id in members and _is_same(row, order)]
    if order.is_cancelled:
        for row in same:
            books.change(row, is_cancelled=True)
    if not same:
        facts = {"store_id": order.store_id, "order_id": order.order_id, "is_cancelled": order.is_cancelled}
        books.add(Ordered(person_id=person.person_id, at=books.now, **facts))


def _is_same(row: Ordered, order: _Told) -> bool:
    """Whether it is the same order of this guest; where one of both names no store, their number says it."""
    return row.order_id == order.order_id and (row.store_id == order.store_id or not row.store_id or not order.store_id)


def _order(event: dict[str, Any], known: Collection[str]) -> _Told | None:
    facts = _facts(event.get("properties"))
    order_id, name = facts.get("order_id"), event.get("event")
    if type(order_id) is int:
        order_id = str(order_id)
    if name not in _CANCELLED or not isinstance(order_id, str) or not 0 < len(order_id) <= _MOST_ID:
        return None
    store_id = next((store for store in _stores_said(event) if store in known), "")
    return _Told(store_id, order_id, _CANCELLED[name], people.tokens_of(_guest(event, facts)))


def _stores_said(event: dict[str, Any]) -> Iterator[str]:
    """Where it was, in the words of the event, which may be no store of ours."""
    facts = _facts(event.get("properties"))
    return (said for name in ("store_id", "affiliation") if isinstance(said := facts.get(name), str))


def _guest(event: dict[str, Any], facts: dict[str, Any]) -> Guest:
    """Who it was: userId, and the phone and the e-mail of their traits, wherever Segment has them."""
    about = [_facts(event.get("traits")), _facts(_facts(event.get("context")).get("traits")), facts]
    return Guest(guest_id=_first([event], "userId"), phone=_first(about, "phone"), email=_first(about, "email"))


def _first(about: Sequence[dict[str, Any]], name: str) -> str | None:
    return next((said for facts in about if isinstance(said := facts.get(name), str)), None)


def _facts(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
