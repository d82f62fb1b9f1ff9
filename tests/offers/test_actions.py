"""Offers are defined, changed within what was promised, looked up; events are taken once."""

from typing import Any

import pytest

from houses import House, refused
from offers.examples import terms
from regulars.ledger.refusals import Refusal
from regulars.offers import actions
from regulars.offers.refunds import RollBack
from regulars.records.rooms import reconcile


def test_budget_and_cap_rise_at_will_and_sink_to_what_is_used_of_them(house: House) -> None:
    house.define(cap=3, budget_minor=1500)
    for code in (house.issue(), house.issue()):
        assert refused(house.redeem(code)) is None
    house.define(cap=5, budget_minor=3000)
    house.define(cap=2, budget_minor=1000)
    with pytest.raises(Refusal, match="budget"):
        house.define(cap=2, budget_minor=999)
    with pytest.raises(Refusal, match="vouchers of this offer"):
        house.define(cap=1, budget_minor=1000)
    account = actions.find_offer("five-off")["account"]
    assert (account["cap"], account["free_uses"], account["budget_minor"], account["free_minor"]) == (2, 0, 1000, 0)
    assert reconcile() == []


@pytest.mark.parametrize(
    "changes", [{"amount_minor": 600}, {"policy": "guaranteed"}, {"per_code": 2}, {"currency": "EUR"}]
)
def test_what_vouchers_promise_does_not_change_under_them(house: House, changes: dict[str, object]) -> None:
    house.define()
    house.define(**changes)
    house.define()
    house.issue()
    with pytest.raises(Refusal, match="hold to what was promised"):
        house.define(**changes)


def test_an_offer_is_described_with_its_terms_and_its_account(house: House) -> None:
    made = actions.define("lunch", terms(hours=("11:00-14:00",)), campaign_id="autumn", now=house.now)
    assert made == actions.find_offer("lunch") == actions.offers()[0]
    assert (made["campaign_id"], made["version"], made["terms"]["hours"]) == ("autumn", 1, ["11:00-14:00"])
    with pytest.raises(Refusal, match="no such offer"):
        actions.find_offer("dinner")


def test_a_voucher_is_looked_up_however_it_is_typed(house: House) -> None:
    house.define(per_code=2)
    code = house.issue(code="Welcome 10")
    assert code == "WELCOME10"
    house.redeem(code)
    found = actions.find_voucher("welcome-10", now=house.now)
    assert (found["state"], found["uses"], found["uses_left"]) == ("issued", 1, 1)
    with pytest.raises(Refusal) as unknown:
        actions.find_voucher("WELCOME11", now=house.now)
    assert unknown.value.code == "voucher_not_found"


def test_a_code_that_people_chose_is_issued_once(house: House) -> None:
    house.define()
    house.issue(code="WELCOME10")
    with pytest.raises(AssertionError, match="code_exists"):
        house.issue(code="welcome10")


def test_an_event_is_taken_once_however_often_it_comes(house: House) -> None:
    events = [{"messageId": f"m{n % 2}", "type": "track", "event": "Order Completed"} for n in range(3)]
    assert actions.take_events(events, till=None, now=house.now) == {"taken": 2, "repeated": 1}
    assert actions.take_events(events[:1], till=None, now=house.now) == {"taken": 0, "repeated": 1}
    assert [event["messageId"] for event in actions.events(["Order Completed"])] == ["m0", "m1"]


def test_two_tills_may_give_their_events_the_same_names(house: House) -> None:
    event = {"messageId": "1", "type": "track", "event": "Order Completed"}
    assert [actions.take_events([event], till=till, now=house.now)["taken"] for till in ("a", "b", "a")] == [1, 1, 0]
    assert [event["messageId"] for event in actions.events(["Order Completed"])] == ["a 1", "b 1"]


def ordered(order_id: str, *, name: str = "Order Completed", **facts: Any) -> dict[str, Any]:
    told = {"messageId": f"{name} {order_id}", "type": "track", "event": name, "properties": {"order_id": order_id}}
    return told | facts


ANN = {"userId": "G1", "context": {"traits": {"email": "An.n@gmail.com"}}}


@pytest.mark.parametrize("name", [{"guest_id": "G1"}, {"email": "ann+x@googlemail.com"}])
def test_an_order_we_were_told_of_is_a_first_order_too(house: House, name: dict[str, str]) -> None:
    house.define(first_order_only=True)
    actions.take_events([ordered("A1", **ANN), ordered("A2", userId="G2")], till="t", now=house.now)
    assert refused(house.redeem(house.issue(), order_id="A9", **name)) == "not_first_order"
    assert refused(house.redeem(house.issue(), **name)) == "not_first_order"
    assert refused(house.redeem(house.issue(), order_id="A1", **name)) is None
    actions.take_events([ordered("A1", **ANN)], till="another, which tells it again", now=house.now)
    assert refused(house.redeem(house.issue(), guest_id="G3")) is None
    assert refused(house.redeem(house.issue(), guest_id="G3", order_id="A9")) == "not_first_order"


def test_an_order_that_was_cancelled_or_given_back_was_none(house: House) -> None:
    house.define(first_order_only=True)
    actions.take_events([ordered("A1", **ANN)], till="t", now=house.now)
    actions.take_events([ordered("A1", name="Order Cancelled", **ANN)], till="t", now=house.now)
    answer = house.redeem(house.issue(), guest_id="G1", order_id="A2")
    assert refused(answer) is None
    redemption = answer.said["applied"][0]["redemption_id"]
    assert refused(house.ask(RollBack, redemption_id=redemption)) is None
    assert refused(house.redeem(house.issue(), guest_id="G1", order_id="A3")) is None


@pytest.mark.parametrize(
    "event",
    [
        {"properties": {"order_id": "A1"}},
        {"properties": {"order_id": "x" * 65}, **ANN},
        {"properties": {}, **ANN},
        {"properties": None, "context": {"traits": "none"}, "userId": 7},
    ],
)
def test_an_event_that_names_no_guest_or_no_order_is_kept_all_the_same(house: House, event: dict[str, Any]) -> None:
    told = {"messageId": "m", "type": "track", "event": "Order Completed", **event}
    assert actions.take_events([told], till="t", now=house.now)["taken"] == 1
    house.define(first_order_only=True)
    assert refused(house.redeem(house.issue(), guest_id="G1")) is None


def test_redemptions_are_told_with_what_is_left_of_their_cost(house: House) -> None:
    from regulars.offers.refunds import RollBack

    house.define(campaign_id="autumn")
    ids = []
    for order, back in ("A1", None), ("A2", 200), ("A3", 500):
        answer = house.redeem(house.issue(), order_id=order, guest_id="ann")
        ids.append(answer.said["applied"][0]["redemption_id"])
        if back:
            house.ask(RollBack, redemption_id=ids[-1], amount_minor=back)
    told = [(row[0], row[1], row[2], row[5], row[7], row[8]) for row in actions.redemptions()]
    assert told == [
        (ids[0], "autumn", "ann", "A1", 500, ""),
        (ids[1], "autumn", "ann", "A2", 300, ""),
        (ids[2], "autumn", "ann", "A3", 0, "yes"),
    ]
