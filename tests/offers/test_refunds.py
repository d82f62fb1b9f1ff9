"""Giving back: partly, wholly, too late, too much; cancelled and expired vouchers set their money free."""

import datetime as dt

import pytest

from houses import House, refused
from offers.examples import bill
from regulars.offers import actions
from regulars.offers.redemption import Redeem
from regulars.offers.refunds import RollBack
from regulars.offers.vouchers import Cancel
from regulars.records.rooms import reconcile

DAY = dt.timedelta(days=1)


def redeemed(house: House, **facts: object) -> str:
    return str(house.redeem(house.issue(), **facts).said["applied"][0]["redemption_id"])


def test_a_refund_is_given_back_in_parts_and_never_more_than_was_taken(house: House) -> None:
    house.define(platform_share="0.3")
    given = redeemed(house)
    first = house.ask(RollBack, redemption_id=given, amount_minor=200)
    assert first.said == {"redemption_id": given, "returned_minor": 200, "left_minor": 300, "voucher_state": "redeemed"}
    assert refused(house.ask(RollBack, redemption_id=given, amount_minor=301)) == "refund_exceeds_discount"
    last = house.ask(RollBack, redemption_id=given)
    assert (last.said["returned_minor"], last.said["voucher_state"]) == (300, "rolled_back")
    assert refused(house.ask(RollBack, redemption_id=given)) == "already_rolled_back"
    account = actions.find_offer("five-off")["account"]
    assert (account["spent_minor"], account["spent_uses"], account["free_minor"]) == (0, 0, 50_000)
    assert reconcile() == []


def test_a_refunded_voucher_cannot_be_used_again_unless_the_terms_say_so(house: House) -> None:
    house.define()
    house.define("again", again_after_refund=True)
    for offer_id, reason in ("five-off", "voucher_rolled_back"), ("again", None):
        code = house.issue(offer_id)
        given = house.redeem(code).said["applied"][0]["redemption_id"]
        house.ask(RollBack, redemption_id=given)
        assert refused(house.redeem(code)) == reason


def test_giving_back_what_never_was_is_refused_and_does_not_stop_it_from_coming(house: House) -> None:
    house.define()
    code = house.issue()
    assert refused(house.ask(RollBack, redemption_id="0" * 28)) == "redemption_not_found"
    assert refused(house.redeem(code)) is None


def test_a_till_of_another_store_finds_no_redemption(house: House) -> None:
    house.define()
    given = redeemed(house)
    answer = house.ask(RollBack, redemption_id=given, stores=frozenset({"S2"}))
    assert refused(answer) == "redemption_not_found"


def test_cancelling_sets_a_guaranteed_vouchers_money_free(house: House) -> None:
    house.define(policy="guaranteed", cap=1, budget_minor=500)
    code = house.issue()
    assert refused(house.ask(Cancel, code=code)) is None
    assert refused(house.redeem(code)) == "voucher_cancelled"
    assert refused(house.ask(Cancel, code=code)) == "voucher_not_active"
    assert refused(house.redeem(house.issue())) is None


def test_the_sweep_ends_what_is_over_and_lets_go_what_was_forgotten(house: House) -> None:
    house.define(policy="guaranteed", cap=2, budget_minor=1000, valid_days=1)
    expired, held = house.issue(), house.issue()
    house.reserve(held, seconds=60)
    house.now += 3 * DAY
    assert actions.find_voucher(expired, now=house.now)["state"] == "expired"
    assert actions.sweep(house.now) == {"released": 1, "expired": 0, "forgotten": 0}
    house.now += 3 * DAY
    assert actions.sweep(house.now) == {"released": 0, "expired": 2, "forgotten": 0}
    assert actions.sweep(house.now) == {"released": 0, "expired": 0, "forgotten": 0}
    assert actions.find_offer("five-off")["account"]["free_minor"] == 1000
    assert refused(house.redeem(expired)) == "voucher_expired"
    house.now += 25 * DAY
    assert actions.sweep(house.now)["forgotten"] == 3
    assert reconcile() == []


@pytest.mark.parametrize("policy", ["guaranteed", "first_come"])
def test_the_parts_of_merchant_and_platform_add_up_through_every_refund(house: House, policy: str) -> None:
    house.define(policy=policy, platform_share="0.3333", again_after_refund=True)
    given = redeemed(house, bill=bill(499))
    for amount in (1, 100, 7):
        house.ask(RollBack, redemption_id=given, amount_minor=amount)
    from regulars.ledger.models import Entry

    rows = list(Entry.objects.exclude(spent_minor=0).values_list("spent_minor", "platform_minor"))
    left = sum(spent for spent, _ in rows)
    assert left == 499 - 108
    assert sum(platform for _, platform in rows) == round(left * 0.3333)


def test_the_ledger_cannot_be_unbalanced_past_our_code(house: House) -> None:
    from django.db import IntegrityError

    from regulars.ledger.models import Account, Entry
    from regulars.offers.models import Voucher

    house.define()
    code = house.issue()
    for change in (
        lambda: Account.objects.update(free_minor=1),
        lambda: Account.objects.update(free_minor=-500, spent_minor=50_500),
        lambda: Voucher.objects.filter(code=code).update(uses=2),
        lambda: Entry.objects.update(spent_minor=5),
    ):
        with pytest.raises(IntegrityError):
            change()
    assert refused(house.ask(Redeem, codes=(code,), store_id="S1", bill=bill(3000))) is None
