"""I29: a voucher keeps the terms, the shares and the end of the day it was issued, whatever is changed; halts, caps and budgets act
at once."""

import datetime as dt
from typing import Any

import pytest

from houses import House, refused
from offers.examples import bill
from regulars.access import stores
from regulars.ledger.models import Entry
from regulars.offers import actions, batches
from regulars.offers.models import Voucher
from regulars.offers.refunds import RollBack
from regulars.records.rooms import reconcile

PERCENT = {"percent": 20, "most_minor": 800, "per_code": 1}


def redeemed(house: House, code: str, **facts: Any) -> Any:
    answer = house.redeem(code, **facts)
    assert refused(answer) is None, answer.text
    return answer.said


def test_a_voucher_of_twenty_percent_stays_one(house: House) -> None:
    house.define("p", "percent_off", **PERCENT)
    old = house.issue("p")
    house.define("p", "percent_off", **PERCENT | {"percent": 1})
    new = house.issue("p")
    assert [redeemed(house, code, bill=bill(3000))["discount_minor"] for code in (old, new)] == [600, 30]


@pytest.mark.parametrize(
    ("change", "facts"),
    [
        ({"minimum_spend_minor": 9000}, {}),
        ({"stores": ("S2",)}, {}),
        ({"audience": "holders"}, {}),
        ({"first_order_only": True}, {}),
        ({"weekdays": ("sunday",)}, {}),
        ({"hours": ("01:00-02:00",)}, {}),
        ({"starts_at": "2026-06-01T00:00:00Z"}, {}),
        ({"ends_at": "2026-03-03T00:00:00Z"}, {"days": 5}),
        ({"scope": "item", "items": ("tea",)}, {}),
        ({"name": "Another name"}, {}),
    ],
    ids=lambda value: next(iter(value), "") if isinstance(value, dict) else "",
)
def test_what_was_promised_is_kept_and_new_vouchers_have_the_new_terms(
    house: House, change: dict[str, Any], facts: dict[str, int]
) -> None:
    house.define(valid_days=30)
    code, other = house.issue(), house.issue()
    before = actions.find_voucher(code, now=house.now)
    said = house.validate(code, guest_id="ann").said
    house.define(valid_days=30, **change)
    house.now += dt.timedelta(days=facts.get("days", 0))
    assert actions.find_voucher(code, now=house.now) == before
    assert house.validate(code, guest_id="ann").said == said
    assert redeemed(house, code, guest_id="ann")["explanation"] == said["explanation"]
    if "name" not in change and not facts:
        new = house.issue(guest_id="ann" if change.get("audience") else None)
        assert refused(house.redeem(new, bill=bill(100))) is not None
    assert refused(house.redeem(other, guest_id="bob")) is None


def test_a_refund_gives_back_the_shares_of_its_day(house: House) -> None:
    house.define(platform_share="0.5")
    codes = [house.issue() for _ in range(3)]
    ids = [redeemed(house, code)["applied"][0]["redemption_id"] for code in codes[:2]]
    house.define(platform_share="0.1")
    house.ask(RollBack, redemption_id=ids[0])
    house.ask(RollBack, redemption_id=ids[1], amount_minor=100)
    redeemed(house, codes[2])
    parts = dict(Entry.objects.exclude(spent_minor=0).values_list("pk", "platform_minor"))
    assert list(parts.values()) == [250, 250, -250, -50, 250]


def test_caps_budgets_and_halts_act_at_once(house: House) -> None:
    house.define()
    codes = [house.issue() for _ in range(6)]
    redeemed(house, codes[0])
    house.define(cap=1)
    assert refused(house.redeem(codes[1])) == "quantity_exceeded"
    house.define(budget_minor=700)
    assert refused(house.redeem(codes[1])) == "budget_exhausted"
    house.define(per_guest=1)
    assert refused(house.redeem(codes[1])) == "guest_required"
    redeemed(house, codes[1], guest_id="ann")
    assert refused(house.redeem(codes[2], guest_id="ann")) == "per_guest_exceeded"
    house.define(per_day=1)
    redeemed(house, codes[2], guest_id="ann")
    assert refused(house.redeem(codes[3])) == "per_day_exceeded"
    house.define(per_minute=1)
    actions.halt("offer", "five-off", reason="a test", by="tests", now=house.now)
    assert refused(house.redeem(codes[3])) == "offer_halted"
    assert reconcile() == []


def test_a_use_is_given_back_to_the_caps_it_was_counted_against(house: House) -> None:
    """Also where the caps, the closing of the day or the zone of the store are others by then."""
    house.define(per_day=2, per_store_hour=2)
    codes = [house.issue() for _ in range(4)]
    ids = [redeemed(house, code)["applied"][0]["redemption_id"] for code in codes[:2]]
    assert reconcile() == []
    house.define(per_guest=3)
    assert reconcile() == []
    stores.add_store("S1", "Asia/Shanghai", "00:00")
    assert reconcile() == []
    house.ask(RollBack, redemption_id=ids[0])
    assert reconcile() == []
    house.define(per_day=2)
    house.ask(RollBack, redemption_id=ids[1])
    assert reconcile() == []
    redeemed(house, codes[2])
    assert reconcile() == []


def test_vouchers_of_a_batch_keep_their_terms_too(house: House) -> None:
    house.define(cap=10)
    batches.issue_many("five-off", "b", count=2, now=house.now)
    house.define(cap=10, minimum_spend_minor=9000)
    for code in Voucher.objects.values_list("code", flat=True):
        redeemed(house, code)


def test_the_campaign_of_an_offer_is_not_changed_in_silence(house: House) -> None:
    house.define(campaign_id="autumn")
    house.define()
    house.define(campaign_id="autumn")
    with pytest.raises(Exception, match="hold to what was promised"):
        house.define(campaign_id="winter")
