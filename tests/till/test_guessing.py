"""Codes are guessed nowhere faster than by redeeming; and events are one guest's, one order's and one store's own."""

import datetime as dt
from typing import Any

import pytest

from regulars.offers import actions
from regulars.offers.codes import make
from till.conftest import NOW, Caller, bill, key, terms


def offline(codes: list[str], number: int) -> dict[str, Any]:
    at = dt.datetime.now(dt.UTC).isoformat()
    return {**bill(codes[0]), "codes": codes, "key": f"offline-{number}", "occurred_at": at}


def test_taking_vouchers_back_is_no_way_to_guess(house: Caller) -> None:
    issuer = Caller(key("issue"))
    assert {issuer("POST", f"vouchers/{code}/cancel", {}).status_code for code in make(30)} == {404}
    good = house("POST", "vouchers", {"offer_id": "five"}).json()["code"]
    assert issuer("POST", f"vouchers/{good}/cancel", {}).status_code == 429
    assert house("POST", f"vouchers/{good}/cancel", {}).status_code == 200


def test_a_batch_is_heard_up_to_the_guess_too_many(house: Caller, till: Caller, voucher: str) -> None:
    told = [offline(make(1), n) for n in range(40)] + [offline([voucher], 40)]
    results = till("POST", "redemptions/batch", {"redemptions": told}).json()["results"]
    assert [result["status"] for result in results] == [404] * 30 + [429] * 11
    assert {result["body"]["code"] for result in results[30:]} == {"too_many_attempts"}
    assert results[40]["key"] == "offline-40"
    assert till("POST", "redemptions/batch", {"redemptions": told[:1]}).status_code == 429
    other = Caller(key("redeem"))
    (done,) = other("POST", "redemptions/batch", {"redemptions": told[40:]}).json()["results"]
    assert done["status"] == 200


@pytest.mark.parametrize("route", ["validate", "reserve", "redeem"])
def test_five_codes_at_once_are_five_guesses(till: Caller, route: str) -> None:
    for _ in range(6):
        answer = till("POST", f"vouchers/{route}", bill("x") | {"codes": make(5)})
        assert answer.status_code == 404
    assert till("POST", f"vouchers/{route}", bill("x") | {"codes": make(5)}).status_code == 429


def test_a_batch_of_an_honest_till_is_heard_whole_and_again(till: Caller, house: Caller) -> None:
    codes = [house("POST", "vouchers", {"offer_id": "five"}).json()["code"] for _ in range(40)]
    told = [offline([code], n) for n, code in enumerate(codes)] + [offline(make(1), 90 + n) for n in range(20)]
    first = till("POST", "redemptions/batch", {"redemptions": told})
    assert [result["status"] for result in first.json()["results"]] == [200] * 40 + [404] * 20
    assert till("POST", "redemptions/batch", {"redemptions": told}).content == first.content


def test_trying_whether_a_word_is_a_code_counts_too(house: Caller) -> None:
    issuer = Caller(key("issue"))
    house("POST", "vouchers", {"offer_id": "five", "code": "WELCOME10"})
    for _ in range(30):
        assert issuer("POST", "vouchers", {"offer_id": "five", "code": "WELCOME10"}).json()["code"] == "code_exists"
    assert issuer("POST", "vouchers", {"offer_id": "five", "code": "WELCOME11"}).status_code in (201, 429)
    assert issuer("POST", f"vouchers/{make(1)[0]}/cancel", {}).status_code == 429


def told(
    order_id: Any, store: str | None = "S1", *, name: str = "Order Completed", number: int = 0, **who: Any
) -> dict[str, Any]:
    place = {} if store is None else {"store_id": store}
    return {
        "type": "track", "event": name, "messageId": f"{name[6:9]}{order_id}{store}{number}{who.get('userId')}",
        "properties": {"order_id": order_id, **place}, **who,
    }  # fmt: skip


def is_first(house: Caller, guest_id: str, order_id: str | None = None, store: str = "S1") -> bool:
    actions.define("first", terms(first_order_only=True), now=NOW)
    code = house("POST", "vouchers", {"offer_id": "first"}).json()["code"]
    asked = bill(code, store=store, guest={"guest_id": guest_id}, order_id=order_id)
    answer = house("POST", "vouchers/validate", asked)
    assert answer.status_code in (200, 409), answer.content
    return bool(answer.status_code == 200)


def tell(house: Caller, *events: dict[str, Any]) -> None:
    assert house("POST", "batch", {"batch": list(events)}, key=None).status_code == 200


def test_the_same_number_at_another_store_is_another_order(house: Caller) -> None:
    tell(house, told("7", "S1", userId="ann"))
    assert is_first(house, "ann", "7", "S1")
    assert not is_first(house, "ann", "7", "S2")
    tell(house, told("7", "S2", name="Order Cancelled", userId="ann"))
    assert not is_first(house, "ann", "8", "S1")
    tell(house, told("7", "S1", name="Order Cancelled", userId="ann"))
    assert is_first(house, "ann", "8", "S1")


def test_two_guests_of_one_batch_have_an_order_each(house: Caller) -> None:
    tell(house, told("7", "S1", userId="ann"), told("7", "S1", userId="bob"), told("7", "S2", userId="cid"))
    assert [is_first(house, guest, "9") for guest in ("ann", "bob", "cid", "dan")] == [False, False, False, True]


@pytest.mark.parametrize("nothing", [None, "", True, 1.5, [], {}])
def test_what_is_no_number_is_no_order(house: Caller, nothing: Any) -> None:
    tell(house, told(nothing, userId="ann"))
    assert is_first(house, "ann", "9")


def test_a_whole_number_is_one(house: Caller) -> None:
    tell(house, told(7, userId="ann"))
    assert is_first(house, "ann", "7")
    assert not is_first(house, "ann", "8")


def test_what_was_cancelled_stays_so_in_whatever_order_it_is_told(house: Caller) -> None:
    done, cancelled = (told("7", name=f"Order {what}", userId="ann") for what in ("Completed", "Cancelled"))
    tell(house, cancelled)
    tell(house, done)
    assert is_first(house, "ann", "9")
    other = [event | {"userId": "bob", "messageId": event["messageId"] + "b"} for event in (cancelled, done)]
    tell(house, *other)
    assert is_first(house, "bob", "9")


def test_an_order_without_a_store_is_the_one_with_its_number(house: Caller) -> None:
    tell(house, told("7", None, userId="ann"))
    assert is_first(house, "ann", "7", "S2")
    assert not is_first(house, "ann", "8", "S2")
    tell(house, told("7", "S1", name="Order Cancelled", userId="ann"))
    assert is_first(house, "ann", "8", "S2")
