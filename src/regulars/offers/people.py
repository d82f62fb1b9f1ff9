"""People: who stands behind the names that a guest goes by, and what they ordered before."""

import secrets
from collections import Counter
from collections.abc import Collection

from django.conf import settings

from regulars.ledger.accounts import ENTRIES
from regulars.ledger.books import Books
from regulars.offers.identity import Guest, guest_key
from regulars.offers.models import ALIASES, ORDERS, PEOPLE, Alias, Person
from regulars.records.shelves import Need

_ROOTS = """
    select coalesce(p.root_id, p.person_id) from offers_alias a join offers_person p on p.person_id = a.person_id
    where a.token {}"""
_FAMILIES = f"person_id in ({_ROOTS} union select person_id from offers_person where root_id in ({_ROOTS}))"  # noqa: S608
_USING = ("redeemed", "rolled_back")
_USES = f"person_id {{}} and verb in {_USING}"


def tokens_of(guest: Guest) -> tuple[str, ...]:
    """One token for each name that a guest goes by."""
    return guest.tokens(guest_key(settings.SECRET_KEY))


def people_behind(tokens: Collection[str]) -> tuple[Need, ...]:
    """Whoever stands behind these names, with all they were ever taken for."""
    return ALIASES.where("token {}", tokens), PEOPLE.where(_FAMILIES, tokens)


def orders_of(persons: Collection[str]) -> tuple[Need, ...]:
    """What they used vouchers on, and the orders we were told of."""
    return ENTRIES.where(_USES, persons), ORDERS.where("person_id {}", persons)


def known_as(books: Books, token: str) -> Person | None:
    """Who turned out to be behind a name."""
    if (alias := books[ALIASES].get(token)) is None:
        return None
    person = books[PEOPLE][alias.person_id]
    return person if person.root_id is None else books[PEOPLE][person.root_id]


def family(books: Books, person_id: str) -> list[str]:
    """All that a person was ever taken for, themselves among them."""
    others = (person.person_id for person in books[PEOPLE].values() if person.root_id == person_id)
    return [person_id, *others]


def families(books: Books, tokens: Collection[str]) -> list[str]:
    """All that those behind these names were ever taken for."""
    known = {person.person_id for token in tokens if (person := known_as(books, token))}
    return [member for person_id in sorted(known) for member in family(books, person_id)]


def who(books: Books, tokens: Collection[str]) -> Person | None:
    """Who goes by these names; names seen together are one person's from now on."""
    if not tokens:
        return None
    known = {person.person_id: person for token in tokens if (person := known_as(books, token))}
    person = known[min(known)] if known else books.add(Person(person_id=secrets.token_hex(12)))
    for other_id in sorted(known.keys() - {person.person_id}):
        for member in family(books, other_id):
            books.change(books[PEOPLE][member], root_id=person.person_id)
    for token in sorted(tokens):
        if token not in books[ALIASES]:
            books.add(Alias(token=token, person_id=person.person_id))
    return person


def has_ordered(books: Books, person_id: str, *, besides: str | None) -> bool:
    """Whether somebody had another order than this one, under whatever name."""
    members = set(family(books, person_id))
    counted: Counter[tuple[str | None, str | None]] = Counter()
    for entry in books[ENTRIES].values():
        if entry.person_id in members and entry.verb in _USING:
            counted[entry.person_id, entry.order_id] += entry.spent_uses
    counted.update((order.person_id, order.order_id) for order in books[ORDERS].values() if order.person_id in members)
    return any(uses > 0 and (order_id is None or order_id != besides) for (_, order_id), uses in counted.items())
