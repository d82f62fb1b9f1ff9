"""Events as Segment's libraries send them: kept as told, once for each messageId."""

from typing import Any

import pytest
from django.apps import apps

from regulars.offers import actions
from till.conftest import Caller

ORDER = {
    "messageId": "m-1", "event": "Order Completed", "userId": "G1", "timestamp": "2026-11-01T12:00:00Z",
    "properties": {"order_id": "A1", "total": 25.5, "currency": "USD", "products": [{"product_id": "tea", "price": 2.5}]},
    "context": {"library": {"name": "analytics.js", "version": "2"}}, "integrations": {"All": True},
}  # fmt: skip


def told_by(caller: Caller) -> str:
    return f"{caller('GET', 'ping').json()['till_id']} {ORDER['messageId']}"


def kept() -> list[dict[str, Any]]:
    return [row.body for row in apps.get_model("offers", "Event").objects.order_by("message_id")]


def test_an_event_is_kept_as_it_was_told_and_once(house: Caller) -> None:
    assert house("POST", "track", ORDER, key=None).json() == {"taken": 1, "repeated": 0}
    assert house("POST", "track", ORDER, key=None).json() == {"taken": 0, "repeated": 1}
    assert list(actions.events(["Order Completed"])) == [ORDER | {"type": "track", "messageId": told_by(house)}]


def test_a_batch_is_taken_whole_with_names_nobody_knows(house: Caller) -> None:
    batch = [
        {**ORDER, "type": "track", "messageId": "m-1"},
        {**ORDER, "type": "track", "messageId": "m-1"},
        {"type": "identify", "messageId": "m-2", "anonymousId": "a", "traits": {"name": "安莉"}},
        {"type": "track", "messageId": "m-3", "event": "Dish Sung About"},
        {"type": "page", "messageId": "m-4", "name": "Menu"},
    ]
    sent = {"batch": batch, "sentAt": "2026-11-01T12:00:00Z", "writeKey": "not kept"}
    assert house("POST", "batch", sent, key=None).json() == {"taken": 4, "repeated": 1}
    assert [event["messageId"] for event in kept()] == ["m-1", "m-2", "m-3", "m-4"]


DEEP: Any = {}
for _ in range(20):
    DEEP = {"in": DEEP}

BAD: dict[str, Any] = {
    "no messageId": {"event": "Order Completed"},
    "no event": {"messageId": "m-1"},
    "empty event": ORDER | {"event": ""},
    "nul": ORDER | {"properties": {"a": ["b\x00"]}},
    "nul in a name": ORDER | {"properties": {"a\x00": 1}},
    "nul outside": ORDER | {"unknown": "\x00"},
    "infinity": '{"messageId": "m-1", "event": "x", "properties": {"a": 1e999}}',
    "deep": ORDER | {"properties": DEEP},
    "large": ORDER | {"properties": {"a": "x" * 32_000}},
    "properties": ORDER | {"properties": []},
    "messageId": ORDER | {"messageId": 1},
    "type": ORDER | {"type": "identify"},
}


@pytest.mark.parametrize("what", BAD)
def test_what_no_database_keeps_is_refused(house: Caller, what: str) -> None:
    assert house("POST", "track", BAD[what], key=None).status_code == 422
    if isinstance(BAD[what], dict):
        batch = [ORDER | {"type": "track", "messageId": "good"}, {"type": "track", **BAD[what]}]
        if what != "type":
            assert house("POST", "batch", {"batch": batch}, key=None).status_code == 422
    assert kept() == []


def test_a_batch_has_1_to_500_events(house: Caller) -> None:
    events = [{"type": "track", "event": "x", "messageId": f"m-{number}"} for number in range(501)]
    assert house("POST", "batch", {"batch": events}, key=None).status_code == 422
    assert house("POST", "batch", {"batch": []}, key=None).status_code == 422
    assert house("POST", "batch", {"batch": events[:500]}, key=None).json()["taken"] == 500
