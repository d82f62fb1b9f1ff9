"""Ordering: orders that a till or an app told of, so that a guest's first order is known also where he used no voucher."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings

from regulars.offers.books import Books
from regulars.offers.identity import Guest, guest_key
from regulars.offers.models import Ordered, Person
from regulars.offers.reading import read_people
from regulars.offers.writing import write

_MOST_ID = 64


def note_orders(events: Sequence[dict[str, Any]], *, now: dt.datetime) -> None:
    """Note whose orders were completed, and which of them were cancelled; events that name no guest or no order are passed over."""
    completed = dict(_orders(events, "Order Completed"))
    cancelled = dict(_orders(events, "Order Cancelled"))
    books = Books(now=now, secret=guest_key(settings.SECRET_KEY))
    names = {order: guest.tokens(books.secret) for order, guest in (completed | cancelled).items()}
    read_people(books, {token for tokens in names.values() for token in tokens})
    theirs = {order: person for order, tokens in names.items() if (person := books.who(tokens)) is not None}
    _forget([order for order in cancelled if order in theirs], theirs)
    for order_id in _unknown([order for order in completed if order in theirs and order not in cancelled], theirs):
        books.add(Ordered(person=theirs[order_id], order_id=order_id, at=now))
    write(books)


def _orders(events: Sequence[dict[str, Any]], name: str) -> Iterator[tuple[str, Guest]]:
    for event in events:
        facts = _facts(event.get("properties"))
        order_id = str(facts.get("order_id", ""))
        if event.get("event") == name and 0 < len(order_id) <= _MOST_ID:
            yield order_id, _guest(event, facts)


def _guest(event: dict[str, Any], facts: dict[str, Any]) -> Guest:
    """Who it was: userId, and the phone and the e-mail of his traits, wherever Segment has them."""
    about = [_facts(event.get("traits")), _facts(_facts(event.get("context")).get("traits")), facts]
    return Guest(guest_id=_first([event], "userId"), phone=_first(about, "phone"), email=_first(about, "email"))


def _first(about: Sequence[dict[str, Any]], name: str) -> str | None:
    return next((said for facts in about if isinstance(said := facts.get(name), str)), None)


def _facts(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _forget(orders: Sequence[str], theirs: dict[str, Person]) -> None:
    for order_id in orders:
        Ordered.objects.filter(person=theirs[order_id].person_id, order_id=order_id).delete()


def _unknown(orders: Sequence[str], theirs: dict[str, Person]) -> list[str]:
    persons = {theirs[order_id].person_id for order_id in orders}
    known = Ordered.objects.filter(person__in=persons, order_id__in=orders).values_list("person_id", "order_id")
    seen = set(known)
    return [order_id for order_id in orders if (theirs[order_id].person_id, order_id) not in seen]
