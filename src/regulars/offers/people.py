"""People: who stands behind the names that a guest goes by, and what they ordered before.

Names seen together are one person's from then on: each person that was known under one of them has the same root. A use stays
with the name it came under, so that what was linked by mistake can be parted again (`links`).
"""

import secrets
from collections import Counter
from collections.abc import Collection, Iterator

from django.conf import settings

from regulars.ledger.accounts import ENTRIES
from regulars.ledger.books import Books
from regulars.offers.identity import Guest, guest_key, kind_of, rank
from regulars.offers.models import ALIASES, LINKS, ORDERS, PEOPLE, Alias, Link, Person
from regulars.records import statements
from regulars.records.shelves import Need

LOCK = "regulars people"
"""Who links people, or parts them, does so behind this lock, one after the other."""

_ROOTS = """
    select coalesce(p.root_id, p.person_id) from offers_alias a join offers_person p on p.person_id = a.person_id
    where a.token {}"""
_FAMILIES = f"person_id in ({_ROOTS} union select person_id from offers_person where root_id in ({_ROOTS}))"  # noqa: S608
_USING = ("redeemed", "rolled_back")
_USES = f"person_id {{}} and verb in {_USING}"


def tokens_of(guest: Guest) -> tuple[str, ...]:
    """One token for each name that a guest goes by."""
    return guest.tokens(guest_key(settings.SECRET_KEY))


def people_behind(books: Books, tokens: Collection[str], *, is_deed: bool) -> Iterator[tuple[Need, ...]]:
    """Whoever stands behind these names, with all they were ever taken for.

    Where they were several persons so far, this is decided alone, and a deed reads them once more behind the lock, for somebody
    else may have linked them just now.
    """
    yield from _read(books, tokens)
    if len({root_of(books, person_id) for person_id in _known(books, tokens)}) > 1:
        books.demand_alone()
        if is_deed:
            statements.lock(LOCK)
            books[ALIASES].clear()
            books[PEOPLE].clear()
            yield from _read(books, tokens)
        yield (LINKS.where("one_id {} or other_id {}", set(books[PEOPLE])),)


def _read(books: Books, tokens: Collection[str]) -> Iterator[tuple[Need, ...]]:
    """The names, the persons behind them, and, where roots have roots by some damage, those too."""
    if not tokens:
        return
    yield ALIASES.where("token {}", tokens), PEOPLE.where(_FAMILIES, tokens)
    asked: set[str] = set()
    while beyond := {row.root_id for row in books[PEOPLE].values() if row.root_id} - set(books[PEOPLE]) - asked:
        asked |= beyond
        yield (PEOPLE.where("person_id {} or root_id {}", beyond),)


def orders_of(persons: Collection[str]) -> tuple[Need, ...]:
    """What they used vouchers on, and the orders we were told of."""
    return ENTRIES.where(_USES, persons), ORDERS.where("person_id {}", persons)


def _known(books: Books, tokens: Collection[str]) -> list[str]:
    """The persons that these names stand for, the surest name first."""
    aliases = (books[ALIASES].get(token) for token in sorted(tokens, key=rank))
    return list(dict.fromkeys(alias.person_id for alias in aliases if alias is not None))


def root_of(books: Books, person_id: str) -> str:
    """Who a person turned out to be; of a circle, which no root should be, the first by name."""
    seen: list[str] = []
    while (person := books[PEOPLE].get(person_id)) is not None and person.root_id is not None:
        if person_id in seen:
            return min(seen[seen.index(person_id) :])
        seen.append(person_id)
        person_id = person.root_id
    return person_id


def roots_of(books: Books, tokens: Collection[str]) -> set[str]:
    """Who turned out to be behind these names."""
    return {root_of(books, person_id) for person_id in _known(books, tokens)}


def family(books: Books, person_id: str) -> list[str]:
    """All that a person was ever taken for, themselves first."""
    return [person_id, *sorted(_beneath(books, {root_of(books, person_id)}) - {person_id})]


def families(books: Books, tokens: Collection[str]) -> list[str]:
    """All that those behind these names were ever taken for."""
    return sorted(_beneath(books, roots_of(books, tokens)))


def _beneath(books: Books, roots: set[str]) -> set[str]:
    """These, whoever turned out to be one of them, and so on, which is nobody else where all is well."""
    members = roots
    while more := {row.person_id for row in books[PEOPLE].values() if row.root_id in members} - members:
        members = members | more
    return members


def who(books: Books, tokens: Collection[str], *, till: str | None = None) -> Person | None:
    """Who goes by these names, the surest of them first; names seen together are one person's from now on."""
    if not tokens:
        return None
    known = _known(books, tokens)
    person = books[PEOPLE][known[0]] if known else books.add(Person(person_id=secrets.token_hex(12)))
    if len(known) > 1:
        why = ", ".join(kind_of(token) for token in sorted(tokens, key=rank))
        for other_id in known[1:]:
            _link(books, person.person_id, other_id, why, till)
    for token in sorted(tokens):
        if token not in books[ALIASES]:
            books.add(Alias(token=token, person_id=person.person_id))
    return person


def _link(books: Books, one_id: str, other_id: str, why: str, till: str | None) -> None:
    """Make two persons one, unless somebody parted them."""
    mine, theirs = family(books, one_id), family(books, other_id)
    if other_id in mine or _are_parted(books, mine, theirs):
        return
    roots = sorted((_is_new(books, root), root) for root in (root_of(books, one_id), root_of(books, other_id)))
    if not any(is_new for is_new, _ in roots):
        books.demand_alone()
    root_id = roots[0][1]
    for member in (*mine, *theirs):
        root = None if member == root_id else root_id
        if books[PEOPLE][member].root_id != root:
            books.change(books[PEOPLE][member], root_id=root)
    one_id, other_id = sorted((one_id, other_id))
    if (one_id, other_id) not in books[LINKS]:
        books.add(Link(one_id=one_id, other_id=other_id, why=why, till_id=till, at=books.now))


def _is_new(books: Books, person_id: str) -> bool:
    return (person := books[PEOPLE].get(person_id)) is not None and person._state.adding


def _are_parted(books: Books, mine: Collection[str], theirs: Collection[str]) -> bool:
    links = (link for link in books[LINKS].values() if link.parted_at is not None)
    return any(
        (link.one_id in mine and link.other_id in theirs) or (link.one_id in theirs and link.other_id in mine)
        for link in links
    )


def has_ordered(books: Books, person_id: str, *, besides: tuple[str, str | None]) -> bool:
    """Whether somebody had another order than this one, under whatever name. besides: its store and its number there."""
    members, (store_id, order_id) = set(family(books, person_id)), besides
    counted: Counter[tuple[str | None, str | None]] = Counter()
    for entry in books[ENTRIES].values():
        if entry.person_id in members and entry.verb in _USING:
            counted[entry.store_id, entry.order_id] += entry.spent_uses
    told = [row for row in books[ORDERS].values() if row.person_id in members and not row.is_cancelled]
    counted.update((row.store_id, row.order_id) for row in told)
    return any(
        uses > 0 and not (number is not None and number == order_id and store in (store_id, ""))
        for (store, number), uses in counted.items()
    )
