"""I28: a question changes nothing. Every route that only asks, in a house where much would be changed by who asks; all rows of all
tables before and after."""

import datetime as dt
from typing import Any

import pytest
from django.core import serializers
from django.db import models

from regulars.ledger.transactions import perform
from regulars.offers import actions
from regulars.offers.identity import Guest
from regulars.offers.redemption import Redeem, Reserve
from regulars.records.rooms import tables
from till.conftest import Caller, bill, key, terms
from till.test_permissions import operations

PHONE, EMAIL = "+86 138 0013 8000", "ann@example.com"
QUESTIONS = {"/vouchers/validate"}
"""Those that are asked with POST; all that is asked with GET is a question."""


def rows() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table."""
    return {table._meta.db_table: serializers.serialize("python", _all(table)) for table in tables()}


def _all(table: type[models.Model]) -> Any:
    return table._default_manager.order_by("pk")


@pytest.fixture
def busy(house: Caller) -> dict[str, str]:
    """Two guests who could be one, an overdue reservation, an ended voucher, and an offer one use from its alarm."""
    now = dt.datetime.now(dt.UTC)
    actions.define("tight", terms(per_minute=1, per_guest=5, valid_days=1), campaign_id="autumn", now=now)
    actions.watch("store", "S1", 1)
    codes = [house("POST", "vouchers", {"offer_id": "tight"}).json()["code"] for _ in range(4)]
    past = now - dt.timedelta(hours=1)
    common = {"store_id": "S1", "bill": _bill(), "key": ""}
    ended = actions.find_voucher(codes[3], now=now)
    told = perform(
        [
            Reserve(**common, at=past, codes=(codes[1],), seconds=60, guest=Guest(phone=PHONE)),
            Redeem(**common, at=now, codes=(codes[0],), guest=Guest(phone=PHONE)),
            Redeem(**common, at=now, codes=(codes[2],), guest=Guest(email=EMAIL), is_offline=True),
        ],
        now=past,
    )
    return {"code": codes[3], "held": codes[1], "offer": "tight", "ends": ended["expires_at"], "first": told[1].outcome}


def _bill() -> Any:
    from regulars.offers.bill import Bill

    return Bill(amount_minor=3000, currency="USD")


def questions(at: dict[str, str]) -> dict[tuple[str, str], list[tuple[str, Any]]]:
    """What may be asked of each route that only asks."""
    both = {"guest": {"phone": PHONE, "email": EMAIL, "device": "a new one"}, "order_id": "A1"}
    bodies = [
        bill(at["code"], **both), bill(at["code"], guest={"phone": PHONE}), bill(at["held"], **both), bill("rubbish", **both),
        bill(at["code"], amount=1, **both), bill(at["code"], **both) | {"codes": [at["code"], at["held"]], "stacking": "all"},
        bill(at["code"], reservation_id="nobody's"),
    ]  # fmt: skip
    return {
        ("GET", "/ping"): [("ping", None)],
        ("GET", "/vouchers/{code}"): [(f"vouchers/{at['code']}", None), (f"vouchers/{at['held']}", None)],
        ("GET", "/offers/{offer_id}"): [("offers/tight", None), ("offers/nothing", None)],
        ("GET", "/offers"): [("offers", None)],
        ("GET", "/halts"): [("halts", None)],
        ("GET", "/openapi.json"): [("openapi.json", None)],
        ("POST", "/vouchers/validate"): [("vouchers/validate", body) for body in bodies],
    }


def test_I28_every_question_leaves_every_row_as_it_was(house: Caller, busy: dict[str, str]) -> None:
    asked = questions(busy)
    others = {(method, path) for method, path in operations() if method == "GET" or path in QUESTIONS} - set(asked)
    known = rows()
    for (method, _), calls in asked.items():
        for path, body in calls:
            answer = house(method, path, body)
            assert answer.status_code < 500, answer.content
            assert rows() == known, (method, path, body)
    for method, path in others:  # whatever is asked of a route that has no row here, it may change nothing
        filled = path.replace("{redemption_id}", "r").replace("{code}", busy["code"]).strip("/")
        house(method, filled)
        assert rows() == known, (method, path)


def test_I28_a_mistyped_phone_that_is_only_asked_about_makes_nobody_one(house: Caller, busy: dict[str, str]) -> None:
    actions.resume("offer", "tight", now=dt.datetime.now(dt.UTC)) if actions.halts() else None
    people = [row for row in rows()["offers_person"] if row["fields"]["root"]]
    house("POST", "vouchers/validate", bill(busy["code"], guest={"phone": PHONE, "email": EMAIL}))
    assert [row for row in rows()["offers_person"] if row["fields"]["root"]] == people == []


def test_I28_a_question_raises_no_alarm(house: Caller) -> None:
    now = dt.datetime.now(dt.UTC)
    actions.define("tight", terms(per_minute=1), now=now)
    codes = [house("POST", "vouchers", {"offer_id": "tight"}).json()["code"] for _ in range(2)]
    assert house("POST", "vouchers/redeem", bill(codes[0])).status_code == 200
    for _ in range(3):
        house("POST", "vouchers/validate", bill(codes[1]))
    assert actions.halts() == []


def test_a_question_is_answered_as_the_deed_would_be(house: Caller, busy: dict[str, str]) -> None:
    """Also where the two guests it names are linked by the deed."""
    body = bill(busy["code"], guest={"phone": PHONE, "email": EMAIL})
    asked = house("POST", "vouchers/validate", body)
    done = Caller(key("redeem"))("POST", "vouchers/redeem", body)
    assert asked.status_code == done.status_code
    assert asked.json().get("code") == done.json().get("code")
