"""There is one truth about time: whether the sweep has come by changes no answer, and a day ends when its store closes."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from databases import on_one
from houses import House, refused
from offers.examples import bill
from regulars.access import stores
from regulars.ledger.transactions import KEPT
from regulars.offers import actions, batches
from regulars.offers.models import Reservation, Voucher
from regulars.offers.refunds import RollBack
from regulars.offers.reservations import Release
from regulars.offers.vouchers import Cancel
from regulars.records.rooms import reconcile

MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture(params=[False, True], ids=["unswept", "swept"])
def pass_time(request: pytest.FixtureRequest, house: House) -> Callable[[dt.timedelta], None]:
    """Time goes on, and the sweep comes by, or does not."""

    def pass_by(time: dt.timedelta) -> None:
        house.now += time
        if request.param:
            actions.sweep(house.now)

    return pass_by


PassTime = Callable[[dt.timedelta], None]


@pytest.mark.parametrize("policy", ["guaranteed", "first_come"])
def test_an_offline_use_before_the_end_counts(house: House, pass_time: PassTime, policy: str) -> None:
    house.define(valid_days=1, policy=policy)
    code, late = house.issue(), house.issue()
    ends = dt.datetime.fromisoformat(actions.find_voucher(code, now=house.now)["expires_at"])
    pass_time(ends + HOUR - house.now)
    assert refused(house.redeem(code)) == "voucher_expired"
    assert refused(house.redeem(code, at=ends - MINUTE, is_offline=True)) is None
    assert refused(house.redeem(late, at=ends, is_offline=True)) == "voucher_expired"
    assert refused(house.ask(Cancel, code=late)) == "voucher_not_active"
    found = actions.find_voucher(late, now=house.now)
    assert (found["state"], found["uses_left"]) == ("expired", 0)
    assert reconcile() == []


def test_what_is_kept_for_an_offline_use_is_given_to_nobody_else_until_then(house: House, pass_time: PassTime) -> None:
    house.define(valid_days=1, policy="guaranteed", cap=1, budget_minor=500)
    code = house.issue()
    ends = dt.datetime.fromisoformat(actions.find_voucher(code, now=house.now)["expires_at"])
    pass_time(ends + 71 * HOUR - house.now)
    with pytest.raises(AssertionError, match="budget_exhausted"):
        house.issue()
    assert actions.find_offer("five-off", now=house.now)["account"]["free_minor"] == 0
    pass_time(HOUR)
    assert refused(house.redeem(code, at=house.now - 71 * HOUR, is_offline=True)) == "voucher_expired"
    assert actions.find_offer("five-off", now=house.now)["account"]["free_minor"] == 500
    assert refused(house.redeem(house.issue())) is None
    assert reconcile() == []


def test_a_batch_and_a_smaller_budget_find_what_ended_vouchers_leave(house: House, pass_time: PassTime) -> None:
    house.define(valid_days=1, policy="guaranteed", cap=3, budget_minor=1500)
    batches.issue_many("five-off", "first", count=3, now=house.now)
    pass_time(9 * DAY)
    batches.issue_many("five-off", "second", count=2, now=house.now)
    house.define(valid_days=1, policy="guaranteed", cap=2, budget_minor=1000)
    assert reconcile() == []


@pytest.mark.parametrize(
    ("terms", "refusal"),
    [
        ({"cap": 1}, "quantity_exceeded"),
        ({"budget_minor": 500}, "budget_exhausted"),
        ({"per_guest": 1}, "per_guest_exceeded"),
        ({"per_day": 1}, "per_day_exceeded"),
        ({"per_store_hour": 1}, "store_hour_exceeded"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_overdue_hold_blocks_nobody(house: House, pass_time: PassTime, terms: dict[str, int], refusal: str) -> None:
    house.define(**terms)
    held, other = house.issue(), house.issue()
    kept = house.reserve(held, seconds=60, guest_id="ann").said["reservation_id"]
    pass_time(59 * dt.timedelta(seconds=1))
    assert refused(house.redeem(other, guest_id="ann")) == refusal
    assert refused(house.validate(other, guest_id="ann")) == refusal
    pass_time(dt.timedelta(seconds=1))
    assert refused(house.validate(other, guest_id="ann")) is None
    account = actions.find_offer("five-off", now=house.now)["account"]
    assert (account["reserved_minor"], account["reserved_uses"]) == (0, 0)
    assert actions.find_voucher(held, now=house.now)["state"] == "issued"
    assert refused(house.ask(Release, reservation_id=kept)) == "reservation_not_found"
    assert refused(house.redeem(held, reservation_id=kept)) == "reservation_expired"
    assert refused(house.redeem(other, guest_id="ann")) is None
    assert reconcile() == []


def test_an_overdue_hold_keeps_no_voucher_from_being_cancelled_or_counted(house: House, pass_time: PassTime) -> None:
    house.define("two", per_code=2)
    code, other = house.issue("two"), house.issue("two")
    given = house.redeem(code).said["applied"][0]["redemption_id"]
    for one in (code, other):
        house.reserve(one, seconds=60)
    pass_time(2 * MINUTE)
    back = house.ask(RollBack, redemption_id=given, amount_minor=100)
    assert back.said["voucher_state"] == "issued"
    assert refused(house.ask(Cancel, code=other)) is None
    assert Reservation.objects.filter(is_open=True).count() == 0
    assert reconcile() == []


def test_a_smaller_budget_finds_what_overdue_holds_had(house: House, pass_time: PassTime) -> None:
    house.define()
    house.reserve(house.issue(), seconds=60)
    pass_time(2 * MINUTE)
    house.define(cap=1, budget_minor=500)
    assert actions.find_offer("five-off")["account"]["free_minor"] == 500


def test_a_key_of_more_than_thirty_days_is_a_new_one(house: House, pass_time: PassTime) -> None:
    house.define()
    code = house.issue()
    first = house.redeem(code, key="the same key", fingerprint="one")
    pass_time(KEPT)
    assert house.redeem(code, key="the same key", fingerprint="one").text == first.text
    pass_time(MINUTE)
    assert refused(house.redeem(code, key="the same key", fingerprint="two")) == "voucher_redeemed"
    again = house.redeem(code, key="the same key", fingerprint="two")
    assert (again.is_repeated, again.outcome) == (True, "voucher_redeemed")


def test_a_voucher_ends_in_each_store_as_its_own_day_closes(house: House) -> None:
    """Issued on Monday noon in New York, which is Tuesday 01:00 in Shanghai and so still Monday there."""
    stores.add_store("S3", "Pacific/Honolulu", "02:00")
    house.define(valid_days=1)
    codes = [house.issue() for _ in range(6)]
    ends = {"S1": dt.datetime(2026, 3, 4, 9), "S2": dt.datetime(2026, 3, 3, 20), "S3": dt.datetime(2026, 3, 4, 12)}
    assert actions.find_voucher(codes[0], now=house.now)["expires_at"] == "2026-03-04T12:00:00+00:00"
    for store_id, at in ends.items():
        at = at.replace(tzinfo=dt.UTC)
        house.now = at - MINUTE
        assert refused(house.redeem(codes.pop(), store_id=store_id)) is None
        house.now = at
        assert refused(house.redeem(codes[0], store_id=store_id)) == "voucher_expired"


def test_an_offer_of_one_store_ends_with_its_day_wherever_the_house_is(house: House) -> None:
    house.define(valid_days=1, stores=("S2",))
    code = house.issue()
    assert actions.find_voucher(code, now=house.now)["expires_at"] == "2026-03-03T20:00:00+00:00"
    batches.issue_many("five-off", "b", count=1, now=house.now)
    assert len(set(Voucher.objects.values_list("expires_at", flat=True))) == 1


def test_a_clock_that_jumps_back_after_a_sweep_gives_no_second_life(house: House) -> None:
    house.define(valid_days=1, policy="guaranteed")
    code = house.issue()
    began = house.now
    house.now += 9 * DAY
    actions.sweep(house.now)
    house.now = began
    assert refused(house.redeem(code)) == "voucher_expired"
    facts: dict[str, Any] = {"bill": bill(100)}
    assert refused(house.redeem(code, is_offline=True, **facts)) == "voucher_expired"
    assert reconcile() == []


@on_one
def test_what_is_overdue_is_found_by_its_time_however_many_vouchers_there_are(house: House) -> None:
    from django.db import connection

    from regulars.ledger.accounts import ACCOUNTS
    from regulars.ledger.books import Books
    from regulars.offers.reservations import overdue
    from regulars.offers.vouchers import due
    from regulars.records.shelves import questions

    house.define(policy="guaranteed")
    house.issue()
    books = Books(now=house.now)
    books.read([ACCOUNTS.where("account_id {}", {"offer/five-off"})])
    for need, by in ((*overdue(books), "open_until"), (due(books), "voucher_still_open")):
        [(shelf, asked)] = questions([need])
        with connection.cursor() as cursor:
            plan = f"explain query plan select * from {shelf.name} where {asked.condition}"  # noqa: S608
            cursor.execute(plan, asked.parameters)
            steps = "\n".join(str(row[3]) for row in cursor.fetchall())
        assert by in steps
        assert "SCAN offers" not in steps
