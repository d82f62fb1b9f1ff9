"""I3: the same key has one effect and one answer, to the byte; and many who come at once go through together."""

import datetime as dt
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import DatabaseError, connection

from houses import NOW, House, refused
from offers.examples import bill
from regulars.access import tills
from regulars.ledger import group_commit
from regulars.ledger.commands import Answer
from regulars.ledger.group_commit import Door
from regulars.ledger.transactions import KEPT, perform
from regulars.offers import actions
from regulars.offers.redemption import Redeem
from regulars.records.rooms import reconcile


def redeem(code: str, key: str, **facts: Any) -> Redeem:
    asked = {"codes": (code,), "store_id": "S1", "bill": bill(3000), "at": NOW, "key": key, "fingerprint": code}
    return Redeem(**asked | facts)


def test_the_same_key_gives_the_same_bytes_and_another_body_is_refused(house: House) -> None:
    house.define()
    code, other = house.issue(), house.issue()
    [first] = perform([redeem(code, "a key")], now=NOW)
    [again] = perform([redeem(code, "a key")], now=NOW + dt.timedelta(days=29))
    [changed] = perform([redeem(other, "a key")], now=NOW)
    [elsewhere] = perform([redeem(other, "a key", till="another till")], now=NOW)
    assert (again.is_repeated, again.text, again.outcome) == (True, first.text, first.outcome)
    assert refused(changed) == "key_reused"
    assert refused(elsewhere) == "till_revoked"
    assert actions.find_offer("five-off")["account"]["spent_uses"] == 1


def test_a_refusal_is_repeated_too(house: House) -> None:
    house.define()
    code = house.issue()
    house.redeem(code)
    [first] = perform([redeem(code, "late")], now=NOW)
    [again] = perform([redeem(code, "late")], now=NOW)
    assert refused(first) == "voucher_redeemed"
    assert (again.is_repeated, again.text) == (True, first.text)


def test_a_key_is_forgotten_after_thirty_days(house: House) -> None:
    house.define()
    perform([redeem(house.issue(), "old")], now=NOW)
    assert actions.sweep(NOW + KEPT)["forgotten"] == 0
    assert actions.sweep(NOW + KEPT + dt.timedelta(seconds=1))["forgotten"] == 2


def test_twice_in_one_transaction_is_once(house: House) -> None:
    house.define()
    code = house.issue()
    first, again, other = perform([redeem(code, "one"), redeem(code, "one"), redeem(code, "two")], now=NOW)
    assert (first.is_repeated, again.is_repeated, again.text) == (False, True, first.text)
    assert refused(other) == "voucher_redeemed"


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_what_another_process_is_answering_is_in_flight(house: House) -> None:
    """On PostgreSQL, where processes are many. SQLite has one, whose door knows."""
    house.define()
    code = house.issue()
    held, go_on = threading.Event(), threading.Event()

    def slowly(*_: object) -> str:
        held.set()
        go_on.wait(10)
        return "{}"

    with ThreadPoolExecutor() as threads:
        first = threads.submit(lambda: (perform([redeem(code, "slow")], now=NOW, speak=slowly), connection.close()))
        held.wait(10)
        [second] = perform([redeem(code, "slow")], now=NOW)
        assert not first.done(), "it waits for nobody"
        go_on.set()
        first.result()
    assert refused(second) == "key_in_flight"
    assert perform([redeem(code, "slow")], now=NOW)[0].is_repeated


def test_a_revoked_till_is_refused_even_in_a_request_under_way(house: House) -> None:
    house.define()
    code = house.issue()
    till = tills.authenticate(tills.open_till("till 1", ["redeem"], None, now=NOW))
    assert till is not None
    tills.revoke(till.till_id, now=NOW)
    assert refused(perform([redeem(code, "k", till=till.till_id)], now=NOW)[0]) == "till_revoked"


def submit_all(door: Door, commands: list[Redeem]) -> list[Answer]:
    """Each from a thread of its own, at once."""
    gate = threading.Barrier(len(commands))

    def through(command: Redeem) -> Answer:
        gate.wait(30)
        return door.submit(command)

    with ThreadPoolExecutor(len(commands)) as threads:
        return list(threads.map(through, commands))


def test_those_who_come_at_once_share_transactions(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.define(cap=1000, budget_minor=10_000)
    codes = [house.issue() for _ in range(40)]
    sizes: list[int] = []

    def counted(commands: Any, **more: Any) -> list[Answer]:
        sizes.append(len(commands))
        return perform(commands, **more)

    monkeypatch.setattr(group_commit, "perform", counted)
    door = Door(clock=lambda: NOW)
    answers = submit_all(door, [redeem(code, uuid.uuid4().hex) for code in codes])
    assert sum(sizes) == 40
    assert len(sizes) < 40
    assert sorted(str(refused(answer)) for answer in answers) == ["None"] * 20 + ["budget_exhausted"] * 20
    assert reconcile() == []


def test_one_key_from_many_threads_has_one_effect(house: House) -> None:
    house.define()
    code = house.issue()
    door = Door(clock=lambda: NOW)
    answers = submit_all(door, [redeem(code, "the same") for _ in range(20)])
    texts = {answer.text for answer in answers if refused(answer) != "key_in_flight"}
    assert len(texts) == 1
    assert actions.find_offer("five-off")["account"]["spent_uses"] == 1


def test_one_that_the_database_will_not_have_does_not_stop_the_others(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.define()
    codes = [house.issue() for _ in range(8)]

    def choosy(commands: Any, **more: Any) -> list[Answer]:
        if any(command.key == "bad" for command in commands):
            raise DatabaseError("no")
        return perform(commands, **more)

    monkeypatch.setattr(group_commit, "perform", choosy)
    door = Door(clock=lambda: NOW)
    door_waits = threading.Lock()

    def through(command: Redeem) -> str:
        with door_waits:
            pass
        try:
            return str(refused(door.submit(command)))
        except DatabaseError:
            return "error"

    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(through, [redeem(code, "bad" if n == 3 else f"k{n}") for n, code in enumerate(codes)]))
    assert told == ["None", "None", "None", "error", "None", "None", "None", "None"]


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_database_that_was_started_anew_is_found_again_by_the_next(house: House) -> None:
    house.define()
    codes = [house.issue() for _ in range(2)]
    door = Door(clock=lambda: NOW)
    assert refused(door.submit(redeem(codes[0], "before"))) is None
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        )
    assert refused(door.submit(redeem(codes[1], "after"))) is None
    assert actions.find_offer("five-off")["account"]["spent_uses"] == 2
