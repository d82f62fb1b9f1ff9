"""Who is taken for one guest: linked behind a lock, with flat roots; a chain harms nobody else; and parted again, the reason kept."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from databases import on_one
from houses import NOW, House, refused
from offers.examples import bill
from regulars.errors import DataError
from regulars.ledger.group_commit import Door
from regulars.ledger.transactions import perform
from regulars.offers import actions, links, people
from regulars.offers.identity import Guest
from regulars.offers.models import Alias, Link, Person, Usage
from regulars.offers.redemption import Redeem
from regulars.records.rooms import reconcile

ANN, BOB, CID = {"phone": "+86 138 0013 8000"}, {"email": "bob@example.com"}, {"device": "tablet-7"}


def person_of(**name: str) -> Person:
    return Alias.objects.select_related("person").get(token=people.tokens_of(Guest(**name))[0]).person


def known_apart(house: House, *names: dict[str, str], **terms: Any) -> None:
    house.define("any", **{"cap": 1000, "budget_minor": 500_000} | terms)
    for name in names:
        assert refused(house.redeem(house.issue("any"), **name)) is None


def test_names_seen_together_have_one_root_however_many_they_were(house: House) -> None:
    known_apart(house, ANN, BOB, CID)
    assert refused(house.redeem(house.issue("any"), **BOB, **CID)) is None
    assert refused(house.redeem(house.issue("any"), **ANN, **BOB)) is None
    assert Person.objects.filter(root__root__isnull=False).count() == 0
    assert Person.objects.filter(root=None).count() == 1
    assert reconcile() == []


def test_links_that_come_at_once_leave_roots_flat(house: House) -> None:
    """Many at once, each with two of the same few names: nobody is told that something failed."""
    names = [{"phone": f"+86 138 0013 80{n:02}"} for n in range(4)] + [{"email": f"g{n}@example.com"} for n in range(4)]
    known_apart(house, *names)
    codes = [house.issue("any") for _ in range(32)]
    gate = threading.Barrier(4)

    def till(place: int) -> list[str]:
        gate.wait(30)
        said = []
        for n in range(place, 32, 4):
            guest = Guest(**names[n % 4], **names[4 + (n * 3 + n // 4) % 4], device=f"device {n % 5}")
            facts = {"codes": (codes[n],), "store_id": "S1", "bill": bill(3000), "at": NOW, "key": f"key {n}"}
            if n % 2:
                event = {
                    "type": "track",
                    "event": "Order Completed",
                    "messageId": f"m{n}",
                    "properties": {"order_id": f"A{n}"},
                }
                traits = {"traits": {"phone": guest.phone, "email": guest.email}}
                actions.take_events([event | {"context": traits}], till="t", now=NOW)
            said.append(doors[place % 2].submit(Redeem(guest=guest, **facts)).outcome)
        connection.close()
        return said

    doors = [Door(clock=lambda: NOW), Door(clock=lambda: NOW)]
    with ThreadPoolExecutor(4) as threads:
        told = [outcome for some in threads.map(till, range(4)) for outcome in some]
    assert set(told) == {"done"}
    assert Person.objects.filter(root=None, alias__isnull=False).distinct().count() == 1
    assert reconcile() == []


def chained(house: House) -> None:
    """Roots as the same two links at once used to leave them: one's root has a root."""
    known_apart(house, ANN, BOB, CID)
    ann, bob, cid = (person_of(**name).pk for name in (ANN, BOB, CID))
    Person.objects.filter(pk=cid).update(root_id=bob)
    Person.objects.filter(pk=bob).update(root_id=ann)


def test_a_chain_of_roots_stops_nobody_is_seen_and_is_mended(house: House) -> None:
    chained(house)
    codes = [house.issue("any") for _ in range(6)]
    asked = [ANN, BOB, CID, {"phone": "+44 20 7946 0958"}, BOB | CID, {"email": "stranger@example.com"}]
    commands = [
        Redeem(key=f"k{n}", at=NOW, codes=(code,), store_id="S1", bill=bill(3000), guest=Guest(**guest))
        for n, (code, guest) in enumerate(zip(codes, asked, strict=True))
    ]
    answers = perform(commands, now=NOW)
    assert [answer.outcome for answer in answers] == ["done"] * 6
    assert {(drift.table, drift.counter) for drift in reconcile()} == {("person", "steps_to_root")}
    assert links.mend() == 1
    assert reconcile() == []
    assert len({person_of(**name).root_id or person_of(**name).pk for name in (ANN, BOB, CID)}) == 1


def test_a_circle_of_roots_is_seen_and_mended_too(house: House) -> None:
    known_apart(house, ANN, BOB)
    ann, bob = person_of(**ANN).pk, person_of(**BOB).pk
    Person.objects.filter(pk=ann).update(root_id=bob)
    Person.objects.filter(pk=bob).update(root_id=ann)
    assert refused(house.redeem(house.issue("any"), **ANN)) is None
    assert {drift.kept for drift in reconcile()} == {0}
    assert links.mend() == 1
    assert reconcile() == []


def test_what_goes_wrong_for_one_goes_wrong_for_nobody_else(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.define()
    codes = [house.issue() for _ in range(3)]

    class Broken(Redeem):
        def decide(self, books: Any) -> dict[str, Any]:
            raise KeyError("a row that is not there")

    facts = {"at": NOW, "store_id": "S1", "bill": bill(3000)}
    kinds = (Redeem, Broken, Redeem)
    commands = [kind(key=f"k{n}", codes=(codes[n],), **facts) for n, kind in enumerate(kinds)]
    door = Door(clock=lambda: NOW)
    turns = []
    for command in commands:
        from regulars.ledger.group_commit import Turn

        turns.append(Turn(command))
    door._let_in(turns)
    assert [turns[0].answer().outcome, turns[2].answer().outcome] == ["done", "done"]
    with pytest.raises(KeyError):
        turns[1].answer()


def test_linked_by_mistake_and_parted_each_has_his_own_uses_again(house: House) -> None:
    known_apart(house, ANN, BOB, per_guest=2)
    assert refused(house.redeem(house.issue("any"), **ANN, **BOB)) == "per_guest_exceeded"
    assert refused(house.redeem(house.issue("any"), **BOB)) is None
    assert refused(house.redeem(house.issue("any"), **ANN, device="a new one")) is None
    house.define("other", per_guest=5)
    assert refused(house.redeem(house.issue("other"), **ANN, **BOB)) is None
    assert refused(house.redeem(house.issue("any"), **BOB)) == "per_guest_exceeded"
    before = dict(Usage.objects.filter(kind="guest", offer="any").values_list("key", "used"))
    [link] = links.links(Guest(**BOB))
    assert (link["names"], link["parted_at"]) == ("phone, email", None)
    links.part(link["id"], reason="a mistyped phone", by="ops", now=house.now)
    assert dict(Usage.objects.filter(kind="guest", offer="any").values_list("key", "used")) == before
    assert person_of(**ANN).root_id is None
    assert person_of(**BOB).root_id is None
    kept = Link.objects.get()
    assert (kept.reason, kept.parted_by, kept.parted_at) == ("a mistyped phone", "ops", house.now)
    assert refused(house.redeem(house.issue("other"), **ANN, **BOB)) is None
    assert person_of(**ANN).root_id is None
    assert reconcile() == []
    with pytest.raises(DataError, match="was parted on 2026-03-02: a mistyped phone"):
        links.part(link["id"], reason="again", by="ops", now=house.now)


@on_one
def test_I25_all_that_was_linked_can_be_parted_to_what_it_was(house: House) -> None:
    names = [{"phone": f"+86 138 0013 80{n:02}"} for n in range(6)]
    known_apart(house, *names)
    before = list(Person.objects.order_by("pk").values("person_id", "root_id"))
    for one, other in [(0, 1), (2, 3), (1, 2), (4, 5), (5, 0)]:
        event = {
            "type": "track",
            "event": "Order Completed",
            "messageId": f"{one}{other}",
            "properties": {"order_id": "A"},
        }
        guest = {"traits": {"phone": names[one]["phone"]}, "context": {"traits": {"email": f"g{one}@example.com"}}}
        actions.take_events([event | guest], till="t", now=NOW)
        facts = {"codes": (house.issue("any"),), "guest": Guest(email=f"g{one}@example.com", **names[other])}
        assert refused(house.ask(Redeem, store_id="S1", bill=bill(3000), **facts)) is None
    assert Person.objects.filter(root=None).count() == 1
    for link in links.links():
        links.part(link["id"], reason="a test", by="tests", now=NOW)
    assert list(Person.objects.order_by("pk").values("person_id", "root_id")) == before
    assert reconcile() == []
