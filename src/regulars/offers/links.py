"""Links: persons that were taken for one, parted again with the reason kept, and roots that damage left in chains, made flat."""

import datetime as dt
from collections.abc import Collection, Iterator
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from regulars.errors import DataError
from regulars.offers import people
from regulars.offers.identity import Guest
from regulars.offers.models import Alias, Link, Person
from regulars.records import statements
from regulars.records.rooms import Drift


def links(guest: Guest | None = None) -> list[dict[str, Any]]:
    """Whoever was taken for one person, the latest first; of one guest where one is named. Nobody's name is in it."""
    rows = Link.objects.order_by("-at", "-pk")
    if guest is not None:
        persons = Alias.objects.filter(token__in=people.tokens_of(guest)).values_list("person_id", flat=True)
        members = _members(set(persons))
        rows = rows.filter(Q(one_id__in=members) | Q(other_id__in=members))
    columns = ("id", "one_id", "other_id", "till_id", "at", "parted_at", "reason")
    return [dict(row) for row in rows.values(*columns, names=F("why"))]


def part(link_id: int, *, reason: str, by: str, now: dt.datetime) -> dict[str, Any]:
    """Two persons are not one after all: each has again what came under their own names, and names seen together do not link
    them again. Raises DataError where there is no such link, or it was parted before."""
    with transaction.atomic():
        statements.lock(people.LOCK)
        link = Link.objects.filter(pk=link_id).first()
        if link is None:
            raise DataError(f"link {link_id}: there is none; `regulars people links` lists them")
        if link.parted_at is not None:
            raise DataError(f"link {link_id} was parted on {link.parted_at:%Y-%m-%d}: {link.reason}")
        Link.objects.filter(pk=link_id).update(parted_at=now, parted_by=by, reason=reason)
        _root_anew(_members({link.one_id, link.other_id}))
    return {"link": link_id, "one_id": link.one_id, "other_id": link.other_id, "reason": reason}


def mend() -> int:
    """Give every person whose root has a root, or is somebody else than their links say, the one root; how many families."""
    with transaction.atomic():
        statements.lock(people.LOCK)
        wrong = {person_id for person_id, _ in _chained()} | {link.one_id for link in _torn()}
        mended = 0
        while wrong:
            members = _members({min(wrong)})
            _root_anew(members, is_by_roots=True)
            wrong -= members
            mended += 1
    return mended


def drifts() -> Iterator[Drift]:
    """Persons whose root has a root: how many steps it is to theirs, at most one where all is well, 0 in a circle. And links in
    force whose persons have two roots."""
    for person_id, steps in _chained():
        yield Drift("person", person_id, "steps_to_root", steps, 1)
    for link in _torn():
        yield Drift("link", str(link.pk), "roots", 2, 1)


def _chained() -> Iterator[tuple[str, int]]:
    for person_id, root_id in Person.objects.filter(root__root__isnull=False).values_list("person_id", "root_id"):
        seen = [person_id]
        while root_id is not None and root_id not in seen:
            seen.append(root_id)
            root_id = Person.objects.values_list("root_id", flat=True).get(person_id=root_id)
        yield person_id, len(seen) - 1 if root_id is None else 0


def _torn() -> Iterator[Any]:
    roots = {side: Coalesce(F(f"{side}__root_id"), F(f"{side}_id")) for side in ("one", "other")}
    yield from (
        Link.objects.filter(parted_at=None).annotate(mine=roots["one"], theirs=roots["other"]).exclude(mine=F("theirs"))
    )


def _members(persons: Collection[str]) -> set[str]:
    """Everybody that roots or links in force connect with these."""
    members: set[str] = set()
    beyond = set(persons)
    while beyond:
        members |= beyond
        found = Person.objects.filter(Q(person_id__in=beyond) | Q(root_id__in=beyond)).values_list(
            "person_id", "root_id"
        )
        tied = Link.objects.filter(parted_at=None).filter(Q(one_id__in=beyond) | Q(other_id__in=beyond))
        pairs = [*found, *tied.values_list("one_id", "other_id")]
        beyond = {person_id for pair in pairs for person_id in pair if person_id is not None} - members
    return members


def _root_anew(members: Collection[str], *, is_by_roots: bool = False) -> None:
    """One root for all whom links in force connect; is_by_roots: and for whom their roots do."""
    edges = list(
        Link.objects.filter(parted_at=None, one_id__in=members, other_id__in=members).values_list("one_id", "other_id")
    )
    if is_by_roots:
        edges += Person.objects.filter(person_id__in=members, root_id__in=members).values_list("person_id", "root_id")
    root = {person_id: person_id for person_id in members}

    def top(person_id: str) -> str:
        while root[person_id] != person_id:
            person_id = root[person_id]
        return person_id

    for one, other in edges:
        low, high = sorted((top(one), top(other)))
        root[high] = low
    for person_id in members:
        mine = top(person_id)
        Person.objects.filter(person_id=person_id).update(root_id=None if mine == person_id else mine)
