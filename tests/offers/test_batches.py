"""Vouchers by the thousand: whoever is stopped goes on where they were, and no unit of money is promised twice."""

import pytest

import regulars as rg
from houses import House, refused
from regulars.ledger.refusals import Refusal
from regulars.offers import actions, batches
from regulars.offers.models import Voucher
from regulars.records.rooms import reconcile


class Stopped(BaseException):
    """Somebody pulled the plug."""


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "CHUNK", 40)


def test_a_batch_that_was_stopped_is_continued_with_the_same_codes(house: House) -> None:
    house.define(cap=100, budget_minor=50_000, policy="guaranteed")

    def stop(done: int, wanted: int) -> None:
        if done == 40:
            raise Stopped

    with pytest.raises(Stopped):
        batches.issue_many("five-off", "autumn", count=100, now=house.now, progress=stop)
    first = set(Voucher.objects.values_list("code", flat=True))
    assert len(first) == 40
    seen: list[tuple[int, int]] = []
    done = batches.issue_many("five-off", "autumn", count=100, now=house.now, progress=lambda *at: seen.append(at))
    assert done == ("autumn", 100, 100)
    assert seen == [(80, 100), (100, 100)]
    codes = set(Voucher.objects.values_list("code", flat=True))
    assert first < codes
    assert len(codes) == 100
    assert batches.issue_many("five-off", "autumn", count=100, now=house.now).issued == 100
    assert actions.find_offer("five-off")["account"]["reserved_minor"] == 50_000
    assert reconcile() == []
    assert refused(house.redeem(codes.pop())) is None


def test_each_guest_gets_a_voucher_of_his_own(house: House) -> None:
    house.define(audience="holders")
    guests = [f"guest {number}\t\\" for number in range(50)]
    batches.issue_many("five-off", "personal", guests=guests, now=house.now)
    owners = dict(Voucher.objects.values_list("guest_id", "code"))
    assert sorted(owners) == sorted(guests)
    assert refused(house.redeem(owners[guests[7]], guest_id=guests[7])) is None
    assert refused(house.redeem(owners[guests[8]], guest_id=guests[7])) == "guest_mismatch"


def test_the_codes_of_a_batch_are_told_as_they_are_printed(house: House) -> None:
    house.define(audience="holders", valid_days=3)
    batches.issue_many("five-off", "personal", guests=["ann", "bob"], now=house.now)
    told = list(actions.vouchers_of("personal"))
    assert [guest for _, guest, _ in told] == ["ann", "bob"]
    assert [len(code) for code, _, _ in told] == [17, 17]
    assert refused(house.redeem(told[0][0], guest_id="ann")) is None
    assert told[0][2].isoformat() == actions.find_voucher(told[0][0], now=house.now)["expires_at"]


def test_no_more_is_issued_than_the_budget_can_keep_promised(house: House) -> None:
    house.define(cap=60, budget_minor=30_000, policy="guaranteed")
    with pytest.raises(Refusal, match=r"have been used|used up"):
        batches.issue_many("five-off", "too many", count=100, now=house.now)
    assert Voucher.objects.count() == 40
    assert reconcile() == []


def test_wrong_batches_are_refused_with_the_mend(house: House) -> None:
    house.define()
    batches.issue_many("five-off", "autumn", count=10, now=house.now)
    with pytest.raises(rg.DataError, match="'autumn' is 10 vouchers of offer 'five-off'; give this one another name"):
        batches.issue_many("five-off", "autumn", count=11, now=house.now)
    with pytest.raises(rg.DataError, match="either a count of 1 or more, or the guests"):
        batches.issue_many("five-off", "none", count=0, now=house.now)
    with pytest.raises(Refusal, match="no such offer"):
        batches.issue_many("no-such", "x", count=1, now=house.now)
    actions.halt("offer", "five-off", reason="a test", by="me", now=house.now)
    with pytest.raises(Refusal, match="stopped"):
        batches.issue_many("five-off", "later", count=1, now=house.now)


def test_an_offer_that_is_over_issues_nothing(house: House) -> None:
    house.define(ends_at="2026-03-02T18:00:00Z")
    house.now = house.now.replace(hour=19)
    with pytest.raises(Refusal, match="expired"):
        batches.issue_many("five-off", "late", count=1, now=house.now)
