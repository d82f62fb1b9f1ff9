"""I2, I28, I29: whatever is asked in whatever order, the ledger balances at every commit and answers as the paper does.

Several offers whose terms change, guests whose five kinds of names meet at once, stores in five zones, tills that were offline, and
sweeps at random times, of which the paper knows nothing.
"""

import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Sum
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from databases import connected
from ledger.paper import AMOUNT, NAMES, STORES, Desk, Given, Hold, Name, NoError, Paper, Promise, Sheet, end_in
from regulars.access import stores
from regulars.ledger.commands import Command
from regulars.ledger.models import Entry
from regulars.ledger.refusals import Refusal
from regulars.ledger.transactions import perform
from regulars.offers import actions
from regulars.offers.bill import Bill
from regulars.offers.identity import Guest
from regulars.offers.issuance import Issue
from regulars.offers.redemption import Redeem, Reserve, Validate
from regulars.offers.refunds import RollBack
from regulars.offers.reservations import Release
from regulars.offers.terms import Terms
from regulars.offers.vouchers import Cancel
from regulars.records.rooms import reconcile

BEGINNING = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
LAST = BEGINNING + dt.timedelta(days=45)
"""Until then no clock is put forward."""
HELD = dt.timedelta(minutes=10)
PARTS = 4
"""Each draws its own examples, so that they may run beside each other."""

numbers = st.integers(0, 99)
seldom = st.sampled_from([False, False, False, True])
caps = st.sampled_from([None, None, None, None, 1, 2])
guests = st.dictionaries(st.sampled_from(list(NAMES)), st.integers(0, 1), max_size=3)
some_stores = st.sampled_from([(), (), (), (), (), ("S1",), ("S2", "S4")])
changes = st.fixed_dictionaries({
    "cap": st.integers(2, 9), "budget": st.integers(2, 9), "minimum": st.sampled_from([0, 0, 0, 300]), "stores": some_stores,
    "valid_days": st.sampled_from([None, 1, 1, 3]), "per_guest": st.sampled_from([None, 1, 2]), "per_day": caps, "per_store_hour": caps,
    "share": st.sampled_from(["0", "0.5", "0.1"]), "audience": st.sampled_from(["anyone", "anyone", "holders"]),
})  # fmt: skip
visits = st.fixed_dictionaries({
    "pick": numbers, "names": guests, "store": st.sampled_from(list(STORES)), "bill": st.sampled_from([200, 500, 2000]),
})  # fmt: skip


class Ledger(RuleBasedStateMachine):
    """Every rule asks the house and the paper, and compares."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(BEGINNING)
        self.numbers = itertools.count()
        empty_tables()
        for store_id, clock in STORES.items():
            stores.add_store(store_id, *clock)

    def ask(self, kind: type[Command], **facts: Any) -> Any:
        key = f"key-{next(self.numbers)}"
        command = kind(**{"key": key, "fingerprint": key, "at": self.desk.now} | facts)
        [answer] = perform([command], now=self.desk.now)
        if command.is_deed and next(self.numbers) % 3 == 0:
            [again] = perform([command], now=self.desk.now)
            assert (again.is_repeated, again.text, again.outcome) == (True, answer.text, answer.outcome)
        return answer

    # What may happen

    @initialize(
        terms=st.lists(changes, min_size=2, max_size=2), again=st.booleans(), owner=st.sampled_from([None, "ann"])
    )
    def open(self, terms: list[dict[str, Any]], again: bool, owner: str | None) -> None:
        for policy, some in zip(("guaranteed", "first_come"), terms, strict=True):
            self._define(policy, again, 60, some)
            for _ in range(4):
                self._issue(f"offer-{len(self.desk.offers) - 1}", owner)

    @rule(
        policy=st.sampled_from(["guaranteed", "first_come"]),
        again=st.booleans(),
        days=st.sampled_from([9, 60]),
        terms=changes,
    )
    @precondition(lambda self: len(self.desk.offers) < 4)
    def define(self, policy: str, again: bool, days: int, terms: dict[str, Any]) -> None:
        self._define(policy, again, days, terms)

    def _define(self, policy: str, again: bool, days: int, terms: dict[str, Any]) -> None:
        name = f"offer-{len(self.desk.offers)}"
        ends = self.desk.now + dt.timedelta(days=days)
        self.desk.offers[name] = Paper(Promise(policy=policy, again=again, ends=ends, **_fitting(policy, terms)))
        self.write(name)

    def write(self, name: str) -> None:
        now = self.desk.offers[name].now
        facts = {
            "kind": "amount_off", "amount_minor": AMOUNT, "currency": "USD", "name": name, "audience": now.audience,
            "ends_at": now.ends.isoformat(), "valid_days": now.valid_days, "cap": now.cap, "budget_minor": now.budget,
            "policy": now.policy, "per_guest": now.per_guest, "per_day": now.per_day, "per_store_hour": now.per_store_hour,
            "again_after_refund": now.again, "stores": now.stores, "platform_share": now.share,
            "minimum_spend_minor": now.minimum,
        }  # fmt: skip
        actions.define(name, Terms.model_validate(facts), now=self.desk.now)

    @precondition(lambda self: self.desk.offers)
    @rule(pick=numbers, terms=changes)
    def change(self, pick: int, terms: dict[str, Any]) -> None:
        name = picked(self.desk.offers, pick)
        paper = self.desk.offers[name]
        before, paper.now = paper.now, replace(paper.now, **_fitting(paper.now.policy, terms))
        if self.desk.free_minor(name) >= 0 and self.desk.free_uses(name) >= 0:
            self.write(name)
        else:
            with pytest.raises(Refusal):
                self.write(name)
            paper.now = before

    @precondition(lambda self: self.desk.offers)
    @rule(pick=numbers, owner=st.sampled_from([None, *NAMES["guest_id"]]), many=st.integers(1, 3))
    def issue(self, pick: int, owner: str | None, many: int) -> None:
        for _ in range(many):
            self._issue(picked(self.desk.offers, pick), owner)

    def _issue(self, name: str, owner: str | None) -> None:
        ends, refused = tried(lambda: self.desk.issued(name, owner))
        answer = self.ask(Issue, offer_id=name, guest_id=owner)
        assert answer.outcome == (refused or "done"), answer.text
        if ends is not None:
            assert answer.said["expires_at"] == ends.isoformat()
            promise = self.desk.offers[name].now
            self.desk.vouchers[answer.said["code"]] = Sheet(name, promise, owner, self.desk.now, ends)

    @precondition(lambda self: self.desk.vouchers)
    @rule(visit=visits)
    def reserve(self, visit: dict[str, Any]) -> None:
        code, facts, guess = self._visit(visit, None, dt.timedelta(), is_offline=False)
        found, refused = tried(guess)
        answer = self.ask(Reserve, **facts)
        assert answer.outcome == (refused or "done"), (answer.text, refused)
        if found is not None:
            discount, who, names, counts = found
            self.desk.meet(names)
            until = self.desk.now + HELD
            held = Hold(answer.said["reservation_id"], who, facts["store_id"], until, discount, counts)
            self.desk.vouchers[code].held = held

    @precondition(lambda self: self.desk.vouchers)
    @rule(some=st.lists(visits, min_size=1, max_size=3))
    def come(self, some: list[dict[str, Any]]) -> None:
        """The plainest visits, which are most of them."""
        for visit in some:
            self._redeem(visit, claims=False, hours=0, asks=False)

    @precondition(lambda self: self.desk.vouchers)
    @rule(
        visit=visits,
        claims=st.sampled_from([False, False, True]),
        hours=st.sampled_from([0, 0, 0, 0, 1, 30, 71, 80]),
        asks=st.booleans(),
    )
    def redeem(self, visit: dict[str, Any], claims: bool, hours: int, asks: bool) -> None:
        self._redeem(visit, claims=claims, hours=hours, asks=asks)

    def _redeem(self, visit: dict[str, Any], *, claims: bool, hours: int, asks: bool) -> None:
        sheet = self.desk.vouchers[picked(self.desk.vouchers, visit["pick"])]
        claim = (
            next(iter([*([sheet.held.name] if sheet.held else []), *sheet.past_holds]), "nobody's") if claims else None
        )
        ago = dt.timedelta(hours=hours)
        code, facts, guess = self._visit(visit, claim, ago, is_offline=hours > 0)
        found, refused = tried(guess)
        if asks:
            assert self.ask(Validate, **facts).outcome == (refused or "done")
        answer = self.ask(Redeem, **facts)
        assert answer.outcome == (refused or "done"), (answer.text, refused)
        if found is not None:
            self._note(code, answer.said, found, visit["bill"])

    def _visit(self, visit: dict[str, Any], claim: str | None, ago: dt.timedelta, *, is_offline: bool) -> Any:
        code = picked(self.desk.vouchers, visit["pick"])
        names: set[Name] = {(kind, NAMES[kind][which]) for kind, which in visit["names"].items()}
        at, bill, store = self.desk.now - ago, visit["bill"], visit["store"]
        if claim is not None and self.desk.vouchers[code].held and visit["pick"] % 4:
            store = self.desk.vouchers[code].held.store
        facts = {
            "codes": (code,), "store_id": store, "bill": Bill(amount_minor=bill, currency="USD"), "at": at,
            "guest": Guest(**dict(names)), "reservation_id": claim, "is_offline": is_offline,
        }  # fmt: skip
        return code, facts, lambda: self.desk.admitted(code, store, at, names, bill, offline=is_offline, claim=claim)

    def _note(self, code: str, said: dict[str, Any], found: Any, bill: int) -> None:
        discount, _, names, counts = found
        sheet = self.desk.vouchers[code]
        paper = self.desk.offers[sheet.offer]
        self.desk.meet(names)
        if sheet.held is not None:
            sheet.past_holds[sheet.held.name] = sheet.held
        sheet.held, sheet.state = None, "redeemed"
        paper.uses += 1
        paper.spent += discount
        paper.kept += AMOUNT - discount if paper.now.policy == "guaranteed" and paper.now.again else 0
        [applied] = said["applied"]
        assert (applied["discount_minor"], said["amount_minor"]) == (discount, bill - discount)
        self.desk.redemptions[applied["redemption_id"]] = Given(code, discount, counts)

    @precondition(lambda self: self.desk.redemptions)
    @rule(pick=numbers, amount=st.sampled_from([None, 1, 150, 500, 600]))
    def roll_back(self, pick: int, amount: int | None) -> None:
        name = picked(self.desk.redemptions, pick)
        given = self.desk.redemptions[name]
        sheet = self.desk.vouchers[given.code]
        paper = self.desk.offers[sheet.offer]
        asked = given.left if amount is None else amount
        refused = (
            "already_rolled_back" if given.is_over else "refund_exceeds_discount" if asked > given.left else "done"
        )
        answer = self.ask(RollBack, redemption_id=name, amount_minor=amount)
        assert answer.outcome == refused, answer.text
        if refused != "done":
            return
        given.left -= asked
        paper.spent -= asked
        is_kept = paper.now.again and paper.now.policy == "guaranteed"
        paper.kept += asked if is_kept else 0
        if given.left == 0:
            given.is_over = True
            paper.uses -= 1
            sheet.state = "issued" if paper.now.again else "rolled_back"
            paper.kept -= AMOUNT if is_kept else 0

    @precondition(lambda self: any(sheet.held or sheet.past_holds for sheet in self.desk.vouchers.values()))
    @rule(pick=numbers)
    def release(self, pick: int) -> None:
        holds = [(sheet, hold) for sheet in self.desk.vouchers.values()
                 for hold in (*([sheet.held] if sheet.held else []), *sheet.past_holds.values())]  # fmt: skip
        sheet, hold = holds[pick % len(holds)]
        answer = self.ask(Release, reservation_id=hold.name)
        assert answer.outcome == ("done" if hold is sheet.held else "reservation_not_found"), answer.text
        if hold is sheet.held:
            sheet.past_holds[hold.name], sheet.held = hold, None

    @precondition(lambda self: self.desk.vouchers)
    @rule(pick=numbers, is_meant=seldom)
    def cancel(self, pick: int, is_meant: bool) -> None:
        if not is_meant:
            return
        code = picked(self.desk.vouchers, pick)
        sheet = self.desk.vouchers[code]
        is_over = sheet.state != "issued" or self.desk.now >= sheet.expires_at
        answer = self.ask(Cancel, code=code)
        wanted = "voucher_not_active" if is_over else "voucher_reserved" if sheet.held else "done"
        assert answer.outcome == wanted, answer.text
        if wanted == "done":
            sheet.state = "cancelled"

    @precondition(lambda self: self.desk.offers)
    @rule(pick=numbers, is_meant=seldom)
    def halt_or_resume(self, pick: int, is_meant: bool) -> None:
        name = picked(self.desk.offers, pick)
        paper = self.desk.offers[name]
        if not paper.halted and not is_meant:
            return
        if paper.halted:
            actions.resume("offer", name, now=self.desk.now)
        else:
            actions.halt("offer", name, reason="a test", by="tests", now=self.desk.now)
        paper.halted = not paper.halted

    @rule(minutes=st.sampled_from([0, 1, 9, 11, 60 * 7, 60 * 20, 60 * 24, 60 * 24 * 2, 60 * 24 * 5]))
    def time_goes_on(self, minutes: int) -> None:
        self.desk.now = min(self.desk.now + dt.timedelta(minutes=minutes), LAST)
        self.desk.settle()

    @precondition(lambda self: self.desk.vouchers)
    @rule(pick=numbers, store=st.sampled_from(list(STORES)), minutes=st.sampled_from([-1, 0, 1, 72 * 60 - 1, 72 * 60]))
    def an_end_comes(self, pick: int, store: str, minutes: int) -> None:
        sheet = self.desk.vouchers[picked(self.desk.vouchers, pick)]
        at = end_in(sheet.promise, sheet.issued_at, store) + dt.timedelta(minutes=minutes)
        if self.desk.now < at <= LAST:
            self.desk.now = at
            self.desk.settle()

    @rule()
    def sweep(self) -> None:
        actions.sweep(self.desk.now)

    @invariant()
    def the_account_is_what_the_paper_says(self) -> None:
        for row in actions.offers(now=self.desk.now):
            name, account = row["offer_id"], row["account"]
            paper = self.desk.offers[name]
            assert account["budget_minor"] == account["free_minor"] + account["reserved_minor"] + account["spent_minor"]
            assert account["reserved_minor"] + account["spent_minor"] <= account["budget_minor"] == paper.now.budget
            assert (account["spent_minor"], account["free_minor"]) == (paper.spent, self.desk.free_minor(name))
            assert (account["spent_uses"], account["free_uses"], account["cap"]) == (
                paper.uses, self.desk.free_uses(name), paper.now.cap,
            )  # fmt: skip

    def teardown(self) -> None:
        assert reconcile() == []
        shares = (
            _platform(given.left, self.desk.vouchers[given.code].promise.share)
            for given in self.desk.redemptions.values()
        )
        assert (Entry.objects.aggregate(n=Sum("platform_minor"))["n"] or 0) == sum(shares)
        for code, sheet in self.desk.vouchers.items():
            found = actions.find_voucher(code, now=self.desk.now)
            is_ended = sheet.state == "issued" and self.desk.now >= sheet.expires_at
            wanted = "expired" if is_ended else "reserved" if sheet.held else sheet.state
            assert (found["state"], found["expires_at"]) == (wanted, sheet.expires_at.isoformat())


def _fitting(policy: str, terms: dict[str, Any]) -> dict[str, Any]:
    budget = max(terms["budget"], terms["cap"]) if policy == "guaranteed" else terms["budget"]
    return terms | {"budget": budget * AMOUNT}


def _platform(left: int, share: str) -> int:
    """Halves to the platform."""
    tenths = round(float(share) * 10)
    return (left * tenths * 2 + 10) // 20


def tried(guess: Callable[[], Any]) -> tuple[Any, str | None]:
    """What the paper says, and the code of its refusal."""
    try:
        return guess(), None
    except NoError as refusal:
        return None, str(refusal)


@contextmanager
def in_memory() -> Iterator[None]:
    with connected("sqlite:///:memory:"):
        call_command("migrate", verbosity=0)
        yield


def empty_tables() -> None:
    with connection.cursor() as cursor:
        cursor.execute("pragma foreign_keys = off")
        for table in connection.introspection.table_names(cursor):
            if table.startswith(("access_", "ledger_", "offers_")):
                cursor.execute(f"delete from {table}")  # noqa: S608  (a table of ours)
        cursor.execute("pragma foreign_keys = on")


def picked(things: dict[str, Any], pick: int) -> str:
    return list(things)[pick % len(things)]


@pytest.mark.parametrize("part", range(PARTS))
def test_I2_the_ledger_does_what_the_paper_says(is_whole: bool, part: int) -> None:
    examples, steps = (2_000 // PARTS, 50) if is_whole else (48 // PARTS, 30)
    with in_memory():
        run_state_machine_as_test(
            Ledger,
            settings=settings(
                max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
            ),
        )
