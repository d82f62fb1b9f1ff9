"""Vouchers over HTTP, as a till, an app and an offline till use them; I3: the same key gives the same bytes and one effect."""

import datetime as dt
from typing import Any

import pytest

from regulars.offers import actions
from regulars.offers.codes import make
from regulars.till.dispatch import now
from till.conftest import TERMS, Caller, bill


def test_a_voucher_is_redeemed_and_given_back(till: Caller, voucher: str) -> None:
    seen = till("POST", "vouchers/validate", bill(voucher)).json()
    assert (seen["discount_minor"], seen["amount_minor"], seen["currency"]) == (500, 2500, "USD")
    redeemed = till("POST", "vouchers/redeem", bill(voucher, order_id="A1"))
    assert redeemed.status_code == 200
    (applied,) = redeemed.json()["applied"]
    assert (applied["code"], applied["offer_id"], applied["discount_minor"]) == (voucher, "five", 500)
    assert till("GET", f"vouchers/{voucher}").json()["state"] == "redeemed"
    again = till("POST", "vouchers/redeem", bill(voucher))
    assert (again.status_code, again.json()["code"]) == (409, "voucher_redeemed")
    path = f"redemptions/{applied['redemption_id']}/rollback"
    assert till("POST", path, {"amount_minor": 200, "reason": "one dish came back"}).json()["left_minor"] == 300
    assert till("POST", path).json() == {
        "redemption_id": applied["redemption_id"], "returned_minor": 300, "left_minor": 0, "voucher_state": "rolled_back",
    }  # fmt: skip
    assert till("POST", path).json()["code"] == "already_rolled_back"


def test_a_reservation_keeps_a_voucher_until_it_is_redeemed_or_released(till: Caller, voucher: str) -> None:
    kept = till("POST", "vouchers/reserve", bill(voucher, ttl_seconds=60)).json()
    until = dt.datetime.fromisoformat(kept["reserved_until"])
    assert abs(until - now() - dt.timedelta(seconds=60)) < dt.timedelta(seconds=10)
    assert till("POST", "vouchers/redeem", bill(voucher)).json()["code"] == "voucher_reserved"
    released = till("POST", f"reservations/{kept['reservation_id']}/release").json()
    assert released == {"reservation_id": kept["reservation_id"], "released": [voucher]}
    kept = till("POST", "vouchers/reserve", bill(voucher)).json()
    assert till("POST", "vouchers/redeem", bill(voucher, reservation_id=kept["reservation_id"])).status_code == 200


@pytest.mark.parametrize("written", ["as it is", "with spaces", "in groups", "lower", "full-width"])
def test_a_code_is_read_however_people_write_it(till: Caller, voucher: str, written: str) -> None:
    ways = {
        "as it is": voucher,
        "with spaces": f" {voucher} ",
        "in groups": f"{voucher[:4]}-{voucher[4:8]} {voucher[8:]}",
        "lower": voucher.lower(),
        "full-width": "".join(chr(ord(letter) + 0xFEE0) for letter in voucher),
    }
    assert till("GET", f"vouchers/{ways[written]}").json()["code"] == voucher
    assert till("POST", "vouchers/redeem", bill(ways[written])).status_code == 200


def test_a_generic_code_may_be_a_word_and_is_cancelled_once(house: Caller) -> None:
    made = house("POST", "vouchers", {"offer_id": "five", "guest_id": "G1"})
    assert made.status_code == 201
    code = made.json()["code"]
    assert house("POST", f"vouchers/{code}/cancel", {"reason": "a mistake"}).json()["state"] == "cancelled"
    assert house("POST", f"vouchers/{code}/cancel").json()["code"] == "voucher_not_active"
    assert house("POST", "vouchers", {"offer_id": "nothing"}).json()["code"] == "offer_not_found"


WRITES: dict[str, Any] = {
    "redeem": lambda code: ("POST", "vouchers/redeem", bill(code)),
    "reserve": lambda code: ("POST", "vouchers/reserve", bill(code)),
    "refused": lambda code: ("POST", "vouchers/redeem", bill(code, amount=100)),
    "issue": lambda code: ("POST", "vouchers", {"offer_id": "five"}),
    "cancel": lambda code: ("POST", f"vouchers/{code}/cancel", {}),
    "not there": lambda code: ("POST", "redemptions/nothing/rollback", {}),
}


@pytest.mark.parametrize("what", WRITES)
def test_i3_the_same_key_gives_the_same_bytes_and_one_effect(house: Caller, voucher: str, what: str) -> None:
    method, path, body = WRITES[what](voucher)
    first = house(method, path, body, key="the-first-key")
    assert "Idempotent-Replayed" not in first.headers
    before = house("GET", "offers/five").json()["account"]
    for _ in range(3):
        again = house(method, path, body, key="the-first-key", Accept_Language="zh")
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.headers["Content-Type"] == first.headers["Content-Type"]
    assert house("GET", "offers/five").json()["account"] == before
    if what != "not there":
        changed = house(
            method, path, {**body, "reason" if what == "cancel" else "order_id": "other"}, key="the-first-key"
        )
        assert changed.status_code == 422, changed.content
    assert house("POST", "vouchers/redeem", bill(make(1)[0]), key="the-first-key").json()["code"] == "key_reused"


def test_a_key_is_the_tills_own(house: Caller, till: Caller, voucher: str) -> None:
    assert house("POST", "vouchers/redeem", bill(voucher), key="the-same-key").status_code == 200
    assert till("POST", "vouchers/redeem", bill(voucher), key="the-same-key").json()["code"] == "voucher_redeemed"


def test_the_order_of_fields_makes_no_other_request(till: Caller, voucher: str) -> None:
    body = bill(voucher)
    first = till("POST", "vouchers/redeem", body, key="the-same-key")
    again = till("POST", "vouchers/redeem", dict(reversed(body.items())), key="the-same-key")
    assert again.content == first.content


def offline(code: str, number: int, **more: Any) -> dict[str, Any]:
    at = (now() - dt.timedelta(hours=1)).isoformat()
    return {**bill(code), "key": f"offline-{number}", "occurred_at": at} | more


def test_an_offline_till_is_answered_one_by_one_and_may_tell_again(house: Caller, till: Caller) -> None:
    issued_at = (now() - dt.timedelta(hours=2)).isoformat()
    codes = [house("POST", "vouchers", {"offer_id": "five"}).json()["code"] for _ in range(2)]
    told = [offline(codes[0], 1), offline(codes[0], 2), offline(codes[1], 3), offline("rubbish", 4)]
    told = [item | {"occurred_at": now().isoformat()} for item in told]
    first = till("POST", "redemptions/batch", {"redemptions": told})
    assert [(result["key"], result["status"]) for result in first.json()["results"]] == [
        ("offline-1", 200), ("offline-2", 409), ("offline-3", 200), ("offline-4", 404),
    ]  # fmt: skip
    assert first.json()["results"][1]["body"]["code"] == "voucher_redeemed"
    assert till("POST", "redemptions/batch", {"redemptions": told}).content == first.content
    late = till("POST", "redemptions/batch", {"redemptions": [offline(codes[1], 5, occurred_at=issued_at)]}).json()
    assert late["results"][0]["status"] == 409


def test_what_a_till_was_not_sure_of_online_it_may_tell_again_when_offline(till: Caller, voucher: str) -> None:
    online = till("POST", "vouchers/redeem", bill(voucher), key="not-sure-of-it")
    told = {**bill(voucher), "key": "not-sure-of-it", "occurred_at": now().isoformat()}
    (result,) = till("POST", "redemptions/batch", {"redemptions": [told]}).json()["results"]
    assert (result["status"], result["body"]) == (200, online.json())


@pytest.mark.parametrize(("minutes", "status"), [(-9, 200), (9, 200), (11, 422), (-60 * 100, 422)])
def test_i7_a_clock_may_be_ten_minutes_off_and_tell_of_three_days(
    till: Caller, voucher: str, minutes: int, status: int
) -> None:
    at = (now() + dt.timedelta(minutes=minutes)).isoformat()
    answer = till("POST", "redemptions/batch", {"redemptions": [offline(voucher, 1, occurred_at=at)]}).json()
    assert answer["results"][0]["status"] == status, answer


def test_whoever_guesses_codes_has_to_wait_and_nobody_else(till: Caller, house: Caller, voucher: str) -> None:
    said = {till("GET", f"vouchers/{code}").status_code for code in make(20)}
    assert said == {404}
    assert {till("POST", "vouchers/validate", bill(code)).status_code for code in make(10)} == {404}
    for method, path, body in (
        ("GET", f"vouchers/{voucher}", None),
        ("POST", "vouchers/redeem", bill(voucher)),
        ("POST", "redemptions/batch", {"redemptions": [offline(voucher, 1)]}),
    ):
        refused = till(method, path, body)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
        assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert house("GET", f"vouchers/{voucher}").status_code == 200
    assert till("GET", "ping").status_code == 200


def test_the_second_word_of_a_best_choice_counts_as_a_guess_too(till: Caller, voucher: str) -> None:
    for code in make(30):
        assert till("POST", "vouchers/validate", bill(voucher) | {"codes": [voucher, code]}).status_code == 200
    assert till("POST", "vouchers/validate", bill(voucher)).status_code == 429


@pytest.mark.parametrize(
    ("method", "path", "body", "other"),
    [
        ("POST", "offers", {"offer_id": "new", "terms": TERMS}, {"offer_id": "other", "terms": TERMS}),
        ("POST", "halts", {"kind": "store", "key": "S1", "reason": "x"}, {"kind": "store", "key": "S2", "reason": "x"}),
        ("DELETE", "halts/store/S1", None, None),
    ],
)
def test_what_an_operator_asks_is_answered_once_for_each_key(
    house: Caller, method: str, path: str, body: Any, other: Any
) -> None:
    said = [house(method, path, body, key="the-same-key") for _ in range(2)]
    assert said[0].content == said[1].content
    assert said[1].headers["Idempotent-Replayed"] == "true"
    if other is not None:
        assert house(method, path, other, key="the-same-key").json()["code"] == "key_reused"
        assert house("GET", "offers/new").json().get("version", 1) == 1


def test_an_offer_is_defined_changed_and_halted(house: Caller) -> None:

    made = house("POST", "offers", {"offer_id": "new", "campaign_id": "autumn", "terms": TERMS})
    assert (made.status_code, made.json()["account"]["free_minor"]) == (200, 1_000_000)
    changed = house("POST", "offers", {"offer_id": "new", "terms": TERMS | {"cap": 500}}).json()
    assert (changed["version"], changed["account"]["cap"]) == (2, 500)
    code = house("POST", "vouchers", {"offer_id": "new"}).json()["code"]
    fixed = house("POST", "offers", {"offer_id": "new", "terms": TERMS | {"amount_minor": 900}})
    assert (fixed.status_code, fixed.json()["code"]) == (409, "offer_exists")
    halt = {"kind": "campaign", "key": "autumn", "reason": "a fault in the terms"}
    assert house("POST", "halts", halt).json() == house("POST", "halts", halt).json()
    assert house("POST", "vouchers/redeem", bill(code)).json()["code"] == "campaign_halted"
    assert [row["key"] for row in house("GET", "halts").json()["halts"]] == ["autumn"]
    assert house("DELETE", "halts/campaign/autumn").status_code == 200
    assert house("DELETE", "halts/campaign/autumn").json()["code"] == "halt_not_found"
    assert house("POST", "vouchers/redeem", bill(code)).status_code == 200
    assert actions.find_offer("new")["account"]["spent_minor"] == 500


def test_each_applied_voucher_says_what_the_lines_bear(house: Caller, till: Caller, voucher: str) -> None:
    lines = [{"item_id": "soup", "amount_minor": 1000}, {"item_id": "tea", "quantity": 2, "amount_minor": 1500}]
    body = bill(voucher)
    body["bill"]["lines"] = lines
    wanted = [
        {"line": 0, "item_id": "soup", "discount_minor": 166},
        {"line": 1, "item_id": "tea", "discount_minor": 250},
        {"line": None, "item_id": None, "discount_minor": 84},
    ]
    reserved = till("POST", "vouchers/reserve", body).json()
    assert reserved["applied"][0]["shares"] == wanted
    assert till("POST", f"reservations/{reserved['reservation_id']}/release", {}).status_code == 200
    for path in ("validate", "redeem"):
        (applied,) = till("POST", f"vouchers/{path}", body).json()["applied"]
        assert (applied["discount_minor"], applied["shares"]) == (500, wanted)


def test_a_bill_without_lines_has_no_shares(till: Caller, voucher: str) -> None:
    (applied,) = till("POST", "vouchers/redeem", bill(voucher)).json()["applied"]
    assert "shares" not in applied
