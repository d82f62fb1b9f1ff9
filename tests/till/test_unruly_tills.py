"""Tills that repeat everything, late and in another order, and clocks that jump: what happens once has happened once."""

import datetime as dt
import random
from typing import Any

import pytest

from regulars.offers import actions
from regulars.records.rooms import reconcile
from regulars.till import dispatch
from till.conftest import Caller, bill


def test_a_till_that_sends_everything_twice_late_and_in_another_order(house: Caller, till: Caller) -> None:
    codes = [house("POST", "vouchers", {"offer_id": "five"}).json()["code"] for _ in range(6)]
    sent: list[tuple[str, Any, str]] = [
        ("vouchers/redeem", bill(code, order_id=f"O{n}"), f"redeem-{n}") for n, code in enumerate(codes[:4])
    ]
    sent += [("vouchers/reserve", bill(code), f"reserve-{n}") for n, code in enumerate(codes[4:])]
    first = {key: till("POST", path, body, key=key) for path, body, key in sent}
    given = [first[f"redeem-{n}"].json()["applied"][0]["redemption_id"] for n in range(2)]
    back: list[tuple[str, Any, str]] = [(f"redemptions/{one}/rollback", {}, f"back-{one}") for one in given]
    held = first["reserve-0"].json()["reservation_id"]
    back.append((f"reservations/{held}/release", {}, "release-0"))
    first |= {key: till("POST", path, body, key=key) for path, body, key in back}
    assert {answer.status_code for answer in first.values()} == {200}
    account = actions.find_offer("five")["account"]
    again = [*sent, *back] * 2
    random.Random(7).shuffle(again)
    for path, body, key in again:
        repeated = till("POST", path, body, key=key)
        assert (repeated.status_code, repeated.content) == (200, first[key].content)
        assert repeated.headers["Idempotent-Replayed"] == "true"
    now = dt.datetime.now(dt.UTC).isoformat()
    offline = [body | {"key": key, "occurred_at": now} for path, body, key in reversed(sent) if path.endswith("redeem")]
    told = till("POST", "redemptions/batch", {"redemptions": offline + offline}, key=None).json()["results"]
    assert [row["status"] for row in told] == [200] * 8
    assert actions.find_offer("five")["account"] == account
    assert reconcile() == []


@pytest.mark.parametrize("hours", [-30, -3, 3, 30])
def test_a_clock_that_jumps_makes_no_error_and_no_drift(
    house: Caller, till: Caller, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    codes = [house("POST", "vouchers", {"offer_id": "five"}).json()["code"] for _ in range(3)]
    kept = till("POST", "vouchers/reserve", bill(codes[0])).json()["reservation_id"]
    used = till("POST", "vouchers/redeem", bill(codes[1]), key="redeem-before").json()
    jumped = dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours)
    with monkeypatch.context() as later:
        later.setattr(dispatch, "now", lambda: jumped)
        for module in ("vouchers", "offers", "events", "lists"):
            later.setattr(f"regulars.till.{module}.now", lambda: jumped)
        answers = [
            till("POST", "vouchers/redeem", bill(codes[0], reservation_id=kept)),
            till("POST", "vouchers/redeem", bill(codes[2])),
            till("POST", "vouchers/redeem", bill(codes[1]), key="redeem-before"),
            till("POST", f"redemptions/{used['applied'][0]['redemption_id']}/rollback", {}),
            till("GET", f"vouchers/{codes[0]}"),
            till("GET", "redemptions"),
        ]
        assert all(answer.status_code < 500 for answer in answers)
        assert answers[2].json() == used
        actions.sweep(jumped)
        assert reconcile() == []
    actions.sweep(dt.datetime.now(dt.UTC))
    assert till("GET", f"vouchers/{codes[2]}").status_code == 200
    assert reconcile() == []
