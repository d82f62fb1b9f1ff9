"""What is promised of keys, holders and names is kept: nothing is told of others' vouchers, and nobody's name lies in the records."""

import json
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from regulars.offers import actions
from regulars.offers.codes import make
from till.conftest import NOW, Caller, bill, key, terms

PHONE, EMAIL, ID = "+86 138 0013 8000", "An.Li+lunch@Gmail.com", "guest-4711"


def holders(house: Caller, guest_id: str = ID) -> str:
    actions.define("mine", terms(audience="holders"), now=NOW)
    return str(house("POST", "vouchers", {"offer_id": "mine", "guest_id": guest_id}).json()["code"])


def test_a_personal_voucher_needs_its_guest(house: Caller) -> None:
    code = holders(house)
    for guest, refusal in (
        (None, "guest_required"),
        ({}, "guest_required"),
        ({"phone": "n/a"}, "guest_required"),
        ({"orders_before": 3}, "guest_required"),
        ({"phone": PHONE}, "guest_mismatch"),
        ({"guest_id": "somebody else"}, "guest_mismatch"),
        ({"device": "a stranger's"}, "guest_mismatch"),
    ):
        for route in ("validate", "reserve", "redeem"):
            answer = house("POST", f"vouchers/{route}", bill(code) | ({"guest": guest} if guest is not None else {}))
            assert answer.json()["code"] == refusal, (route, guest)
    assert house("POST", "vouchers/redeem", bill(code, guest={"guest_id": ID})).status_code == 200


def test_a_holder_is_known_by_a_phone_that_is_theirs_and_nobody_elses(house: Caller) -> None:
    first, second, third = (holders(house) for _ in range(3))
    seen = bill(first, guest={"guest_id": ID, "phone": PHONE})
    assert house("POST", "vouchers/redeem", seen).status_code == 200
    assert house("POST", "vouchers/redeem", bill(second, guest={"phone": PHONE})).status_code == 200
    other = house("POST", "vouchers", {"offer_id": "five"}).json()["code"]
    assert house("POST", "vouchers/redeem", bill(other, guest={"email": EMAIL})).status_code == 200
    both = bill(third, guest={"phone": PHONE, "email": EMAIL})
    assert house("POST", "vouchers/redeem", both).json()["code"] == "guest_mismatch"


def test_what_was_reserved_by_its_holder_is_redeemed_without_saying_so_again(house: Caller) -> None:
    code = holders(house)
    kept = house("POST", "vouchers/reserve", bill(code, guest={"guest_id": ID})).json()["reservation_id"]
    assert house("POST", "vouchers/redeem", bill(code, reservation_id=kept)).status_code == 200


def test_1111_and_2222_are_two_guests_and_no_phones(house: Caller) -> None:
    code = holders(house, "1111")
    assert house("POST", "vouchers/redeem", bill(code, guest={"guest_id": "2222"})).json()["code"] == "guest_mismatch"
    for field, said in (
        ("phone", "1111"),
        ("phone", "2222"),
        ("phone", "1111111"),
        ("phone", "call me"),
        ("email", "li@"),
    ):
        for route in ("validate", "reserve", "redeem"):
            answer = house("POST", f"vouchers/{route}", bill(code, guest={"guest_id": "1111", field: said}))
            assert (answer.status_code, answer.json()["code"]) == (422, "guest_invalid"), said
            assert field in answer.json()["detail"]
    for said in ("n/a", "0", "0000000000", "-", "null"):
        answer = house("POST", "vouchers/validate", bill(code, guest={"guest_id": "1111", "phone": said}))
        assert answer.status_code == 200, said
    assert house("POST", "vouchers", {"offer_id": "mine", "guest_id": "n/a"}).json()["code"] == "guest_required"


@pytest.fixture
def states(house: Caller) -> dict[str, str]:
    """A voucher of S2 in each of its states."""
    codes = {state: house("POST", "vouchers", {"offer_id": "five-2"}).json()["code"] for state in
             ("issued", "redeemed", "reserved", "cancelled", "rolled_back")}  # fmt: skip
    for state in ("redeemed", "rolled_back"):
        given = house("POST", "vouchers/redeem", bill(codes[state], store="S2")).json()["applied"][0]["redemption_id"]
        if state == "rolled_back":
            house("POST", f"redemptions/{given}/rollback", {})
    house("POST", "vouchers/reserve", bill(codes["reserved"], store="S2"))
    house("POST", f"vouchers/{codes['cancelled']}/cancel", {})
    return codes


def test_a_key_of_one_store_cannot_tell_the_states_of_anothers_vouchers(states: dict[str, str]) -> None:
    one = Caller(key("redeem", "issue", stores=["S1"]))
    for ask in (
        lambda code: ("GET", f"vouchers/{code}", None),
        lambda code: ("POST", "vouchers/validate", bill(code)),
        lambda code: ("POST", "vouchers/reserve", bill(code)),
        lambda code: ("POST", "vouchers/redeem", bill(code)),
        lambda code: ("POST", f"vouchers/{code}/cancel", {}),
    ):
        said = {json.dumps(_without(one(*ask(code)), code)) for code in [*states.values(), make(1)[0]]}
        assert len(said) == 1, said


def _without(answer: Any, code: str) -> dict[str, Any]:
    """What is said, but for the code itself and the name of the occurrence."""
    body = answer.json() | {"instance": ""}
    return {"status": answer.status_code, **{name: str(value).replace(code, "CODE") for name, value in body.items()}}


def test_an_offer_or_a_store_that_is_halted_elsewhere_is_not_told_either(house: Caller, states: dict[str, str]) -> None:
    house("POST", "halts", {"kind": "offer", "key": "five-2", "reason": "a test"})
    one = Caller(key("redeem", stores=["S1"]))
    assert one("POST", "vouchers/redeem", bill(states["issued"])).json()["code"] == "voucher_not_found"


def test_nobodys_name_lies_in_events_or_in_the_ledger(house: Caller, voucher: str) -> None:
    traits = {"phone": PHONE, "email": EMAIL, "firstName": "Anna-Lisa", "address": {"street": "Nanjing Road 4711"}}
    event = {
        "messageId": "m-1", "event": "Order Completed", "userId": ID, "anonymousId": "anonymous-0815", "traits": traits,
        "context": {"traits": traits, "ip": "203.0.113.77", "device": {"id": "device-0815"}},
        "properties": {"order_id": "A1", "email": EMAIL, "phone": PHONE, "total": 12.5},
    }  # fmt: skip
    house("POST", "track", event, key=None)
    house("POST", "batch", {"batch": [{**event, "type": "identify", "messageId": "m-2"}]}, key=None)
    guest = {"guest_id": ID, "phone": PHONE, "email": EMAIL, "device": "device-0815", "card_hash": "card-0815"}
    given = house("POST", "vouchers/redeem", bill(voucher, guest=guest)).json()["applied"][0]["redemption_id"]
    house("POST", f"redemptions/{given}/rollback", {})
    kept = _all_text()
    for name in (ID, PHONE, "13800138000", EMAIL, "anli@gmail.com", "Anna-Lisa", "Nanjing", "-0815", "203.0.113"):
        assert name not in kept, name
    assert [row[2] for row in actions.redemptions()] == [ID]
    told = next(actions.events(["Order Completed"]))
    assert {**told, "messageId": "m-1"} == event | {"type": "track"}


def _all_text() -> str:
    """Every value of every row of the ledger and of offers, as one text."""
    text = []
    with connection.cursor() as cursor:
        for room in ("ledger", "offers"):
            for table in apps.get_app_config(room).get_models():
                cursor.execute(f"select * from {table._meta.db_table}")  # noqa: S608
                text += [repr(row) for row in cursor.fetchall()]
    return "\n".join(text)


@pytest.mark.parametrize(
    ("kind", "typo", "refusal"),
    [
        ("offer", "fife", "offer_not_found"),
        ("campaign", "autum", "campaign_not_found"),
        ("store", "S9", "store_unknown"),
    ],
)
def test_a_halt_of_what_is_not_there_is_refused(house: Caller, kind: str, typo: str, refusal: str) -> None:
    answer = house("POST", "halts", {"kind": kind, "key": typo, "reason": "at once"})
    assert answer.json()["code"] == refusal
    assert house("GET", "halts").json()["halts"] == []
    if kind != "offer":
        with pytest.raises(Exception, match=f"so: {typo}|name: {typo}"):
            actions.watch(kind, typo, 5)  # type: ignore[arg-type]
