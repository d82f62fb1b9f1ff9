"""Whoever changes a counter behind the ledger's back is found out, whichever counter it is."""

import pytest
from django.db.models import F

from houses import House
from regulars.ledger.models import Account, Entry
from regulars.offers.models import Issuance, Usage, Voucher
from regulars.records.rooms import Drift, reconcile


@pytest.fixture
def busy(house: House) -> House:
    house.define(per_guest=3, per_day=10, per_store_hour=10)
    house.define("sure", policy="guaranteed", cap=5, budget_minor=2500)
    codes = [house.issue(), house.issue(), house.issue("sure"), house.issue("sure")]
    house.redeem(codes[0], guest_id="ann")
    house.reserve(codes[1], guest_id="ann")
    house.redeem(codes[2])
    assert reconcile() == []
    return house


def test_every_counter_that_was_tampered_with_is_named(busy: House) -> None:
    tampered = {
        ("account", "free_minor"): lambda: Account.objects.filter(account_id="offer/sure").update(
            free_minor=F("free_minor") - 1, spent_minor=F("spent_minor") + 1
        ),
        ("voucher", "reserved_minor"): lambda: Voucher.objects.filter(uses=0, offer="sure").update(reserved_minor=1),
        ("voucher", "uses"): lambda: Voucher.objects.filter(uses=0, offer="sure").update(uses=1),
        ("voucher", "holds"): lambda: Voucher.objects.filter(holds=1).update(holds=0),
        ("usage", "used"): lambda: Usage.objects.filter(kind="guest").update(used=1),
    }
    for (table, counter), tamper in tampered.items():
        before = set(reconcile())
        assert tamper() == 1
        found = set(reconcile()) - before
        assert (table, counter) in {(drift.table, drift.counter) for drift in found}


def test_a_usage_that_vanished_and_a_batch_that_lies_are_named(busy: House) -> None:
    Usage.objects.filter(kind="day").delete()
    Issuance.objects.create(batch_id="b", offer_id="sure", wanted=5, issued=3, made_at=busy.now)
    assert [(drift.table, drift.kept, drift.counted) for drift in reconcile()] == [("issuance", 3, 0), ("usage", 0, 2)]


def test_a_drift_says_what_and_by_how_much(busy: House) -> None:
    Usage.objects.filter(kind="store_hour").update(used=7)
    [drift] = reconcile()
    assert drift == Drift("usage", "five-off store_hour S1 2026-03-02T12-05:00", "used", 7, 2)


def test_an_entry_about_a_voucher_or_a_person_who_is_not_there_is_named(busy: House) -> None:
    Entry.objects.filter(verb="issued", account="offer/five-off").update(subject=999)
    Entry.objects.filter(verb="redeemed", person_id__isnull=False).update(person_id="nobody")
    found = {(drift.table, drift.counter) for drift in reconcile()}
    assert {("entry", "vouchers"), ("entry", "persons")} <= found
