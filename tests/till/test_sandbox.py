"""A key for a sandbox: every route answers as it would, and every row of every table stays as it was."""

from collections.abc import Callable
from typing import Any

import pytest

from databases import Database
from regulars.access import tills
from regulars.ledger.sandbox import Sandbox
from regulars.offers.codes import make
from regulars.till import dispatch
from till.conftest import NOW, TERMS, Caller, bill
from till.test_permissions import ROUTES, offline, things
from till.test_questions import rows

__all__ = ["things"]
_WRITES = sorted(route for route in ROUTES if route[0] != "GET")
_VARIES = {"instance", "redemption_id", "reservation_id", "reserved_until", "code", "expires_at"}


def sandbox(*scopes: str, stores: list[str] | None = None) -> str:
    return tills.open_till("a sandbox", scopes, stores, now=NOW, is_sandbox=True)


@pytest.fixture
def tried(shop: Database, monkeypatch: pytest.MonkeyPatch) -> Caller:
    """A key that may try everything everywhere."""
    monkeypatch.setattr(dispatch, "SANDBOX", Sandbox(speak=dispatch.speak, clock=dispatch.now))
    return Caller(sandbox(*tills.SCOPES))


def alike(said: Any) -> Any:
    """An answer without the names that are made for each deed anew."""
    match said:
        case dict():
            return {name: alike(value) for name, value in said.items() if name not in _VARIES}
        case list():
            return [alike(value) for value in said]
    return said


@pytest.mark.parametrize("route", _WRITES, ids=" ".join)
def test_every_write_is_answered_as_the_deed_is_and_changes_no_row(
    route: tuple[str, str], tried: Caller, house: Caller, things: Callable[[str], dict[str, str]]
) -> None:
    at = things("S1")
    if route[0] == "DELETE":
        house("POST", "halts", {"kind": "store", "key": "S1", "reason": "to be lifted"})
    path, body = ROUTES[route][1](at)
    known = rows()
    rehearsed = tried(route[0], path, body)
    assert rows() == known
    assert rehearsed.headers["Sandbox"] == "true"
    done = house(route[0], path, body)
    assert (rehearsed.status_code, alike(rehearsed.json())) == (done.status_code, alike(done.json()))
    assert done.status_code in (200, 201), done.content
    assert "Sandbox" not in done.headers
    assert (rows() == known) == (path == "vouchers/validate")  # what the deed itself would have changed


def test_the_same_key_is_told_the_same_whatever_happened_meanwhile(tried: Caller, till: Caller, voucher: str) -> None:
    asked = ("POST", "vouchers/redeem", bill(voucher))
    first = tried(*asked, key="check-4711-1")
    assert "Idempotent-Replayed" not in first.headers
    assert till(*asked).status_code == 200
    again = tried(*asked, key="check-4711-1")
    assert (again.status_code, again.content) == (200, first.content)
    assert (again.headers["Idempotent-Replayed"], again.headers["Sandbox"]) == ("true", "true")
    assert tried(*asked, key="check-4711-2").json()["code"] == "voucher_redeemed"
    assert tried("POST", "vouchers/redeem", bill(voucher, amount=1), key="check-4711-1").json()["code"] == "key_reused"


def test_the_key_of_another_sandbox_is_another(tried: Caller, voucher: str) -> None:
    tried("POST", "vouchers/redeem", bill(voucher), key="check-4711-1")
    other = Caller(sandbox("redeem"))
    assert "Idempotent-Replayed" not in other("POST", "vouchers/redeem", bill(voucher), key="check-4711-1").headers


def test_a_refusal_is_the_same_refusal(tried: Caller, till: Caller, voucher: str) -> None:
    till("POST", "vouchers/redeem", bill(voucher))
    for body in (bill(voucher), bill("rubbish"), bill(voucher, amount=1), bill(voucher, guest={"phone": "1111"})):
        known = rows()
        asked = tried("POST", "vouchers/redeem", body)
        assert rows() == known
        done = till("POST", "vouchers/redeem", body)
        assert (asked.status_code, asked.json()["code"]) == (done.status_code, done.json()["code"])
        assert (alike(asked.json()), asked.headers["Sandbox"]) == (alike(done.json()), "true")


def test_a_sandbox_may_no_more_than_its_scopes_and_stores(tried: Caller, voucher: str) -> None:
    narrow = Caller(sandbox("redeem", stores=["S1"]))
    assert narrow("POST", "vouchers/redeem", bill(voucher, store="S2")).json()["code"] == "not_allowed"
    assert narrow("POST", "offers", {"offer_id": "new", "terms": TERMS}).json()["code"] == "not_allowed"
    assert narrow("POST", "vouchers/redeem", bill(voucher)).status_code == 200


def test_each_redemption_of_a_batch_is_tried_by_itself(tried: Caller, things: Callable[[str], dict[str, str]]) -> None:
    at = things("S1")
    known = rows()
    both = [offline(at), offline(at) | {"key": "offline-again"}]
    results = tried("POST", "redemptions/batch", {"redemptions": both}).json()["results"]
    assert [result["status"] for result in results] == [200, 200]
    assert rows() == known


def test_a_revoked_sandbox_is_not_told_again_what_it_was_told(shop: Database, voucher: str) -> None:
    token = sandbox("redeem")
    asked = ("POST", "vouchers/redeem", bill(voucher))
    assert Caller(token)(*asked, key="check-4711-1").status_code == 200
    assert tills.revoke(token.split("_")[1], now=NOW)
    assert Caller(token)(*asked, key="check-4711-1").status_code == 401


def test_it_is_guessed_at_no_more_often(tried: Caller) -> None:
    told = [tried("POST", "vouchers/redeem", bill(code)).status_code for code in make(31)]
    assert told == [404] * 30 + [429]


def test_whoever_asks_hears_that_it_is_a_sandbox(tried: Caller, till: Caller) -> None:
    assert tried("GET", "ping").json()["is_sandbox"] is True
    assert till("GET", "ping").json()["is_sandbox"] is False
    assert [row["is_sandbox"] for row in tills.tills()].count(True) == 1


def test_only_so_many_answers_are_remembered(tried: Caller, voucher: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "SANDBOX", Sandbox(speak=dispatch.speak, clock=dispatch.now, most=2))
    asked = ("POST", "vouchers/redeem", bill(voucher))
    for name in ("check-0001", "check-0002", "check-0003"):
        tried(*asked, key=name)
    assert "Idempotent-Replayed" in tried(*asked, key="check-0003").headers
    assert "Idempotent-Replayed" not in tried(*asked, key="check-0001").headers
