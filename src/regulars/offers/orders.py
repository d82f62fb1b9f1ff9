"""Orders that a till or an app told of, so that a guest's first order is known also where they used no voucher."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from regulars.ledger.books import Books
from regulars.offers import people
from regulars.offers.identity import Guest
from regulars.offers.models import ORDERS, Ordered, Person

_MOST_ID = 64


def note_orders(events: Sequence[dict[str, Any]], *, now: dt.datetime) -> None:
    """Note whose orders were completed, and which of them were cancelled; events that name no guest or no order are passed over."""
    completed = dict(_orders(events, "Order Completed"))
    cancelled = dict(_orders(events, "Order Cancelled"))
    books = Books(now=now)
    names = {order: people.tokens_of(guest) for order, guest in (completed | cancelled).items()}
    books.read(people.people_behind({token for tokens in names.values() for token in tokens}))
    theirs = {order: person for order, tokens in names.items() if (person := people.who(books, tokens)) is not None}
    _forget([order for order in cancelled if order in theirs], theirs)
    books.read([ORDERS.where("person_id {} and order_id {}", {one.person_id for one in theirs.values()}, set(theirs))])
    for order_id, person in theirs.items():
        if order_id not in cancelled and (person.person_id, order_id) not in books[ORDERS]:
            books.add(Ordered(person_id=person.person_id, order_id=order_id, at=now))
    books.write()


def _orders(events: Sequence[dict[str, Any]], name: str) -> Iterator[tuple[str, Guest]]:
    for event in events:
        facts = _facts(event.get("properties"))
        order_id = str(facts.get("order_id", ""))
        if event.get("event") == name and 0 < len(order_id) <= _MOST_ID:
            yield order_id, _guest(event, facts)


def _guest(event: dict[str, Any], facts: dict[str, Any]) -> Guest:
    """Who it was: userId, and the phone and the e-mail of their traits, wherever Segment has them."""
    about = [_facts(event.get("traits")), _facts(_facts(event.get("context")).get("traits")), facts]
    return Guest(guest_id=_first([event], "userId"), phone=_first(about, "phone"), email=_first(about, "email"))


def _first(about: Sequence[dict[str, Any]], name: str) -> str | None:
    return next((said for facts in about if isinstance(said := facts.get(name), str)), None)


def _facts(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _forget(orders: Sequence[str], theirs: dict[str, Person]) -> None:
    for order_id in orders:
        Ordered.objects.filter(person=theirs[order_id].person_id, order_id=order_id).delete()
