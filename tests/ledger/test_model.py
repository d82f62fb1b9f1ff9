"""I2: whatever is asked in whatever order, the ledger balances at every commit and does what a model of a page says.

The model knows nothing of the ledger: it is what an operator would work out on paper.
"""

import datetime as dt
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from databases import connected
from regulars.access import stores
from regulars.ledger.commands import Command
from regulars.ledger.refusals import Refusal
from regulars.ledger.transactions import perform
from regulars.offers import actions
from regulars.offers.bill import Bill
from regulars.offers.identity import Guest
from regulars.offers.issuance import Issue
from regulars.offers.redemption import Redeem, Reserve
from regulars.offers.refunds import RollBack
from regulars.offers.reservations import Release
from regulars.offers.terms import Terms
from regulars.offers.vouchers import Cancel
from regulars.records.rooms import reconcile

AMOUNT = 500
BEGINNING = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
ENDS = BEGINNING + dt.timedelta(days=60)
VALID_DAYS = 20
HELD = dt.timedelta(minutes=10)
OFFLINE = dt.timedelta(hours=72)
GUESTS = ("ann", "bob")
PARTS = 4
"""Each draws its own examples, so that they may run beside each other."""


@dataclass
class Paper:
    """One offer on paper. uses: redeemed and not wholly given back. set_aside: vouchers whose worst case is reserved. kept: what
    stays reserved of used vouchers that may come back. of_guest: uses and holds of each guest."""

    policy: str
    cap: int
    budget: int
    per_guest: int
    again: bool
    halted: bool = False
    spent: int = 0
    uses: int = 0
    set_aside: int = 0
    kept: int = 0
    of_guest: dict[str, int] = field(default_factory=dict)


@dataclass
class Given:
    """One redemption on paper: what is left of it, and whether the use was given back."""

    code: str
    guest: str
    left: int
    is_over: bool = False


@dataclass
class Sheet:
    """One voucher on paper: its offer, when it ends, its state, and who holds it until when."""

    offer: str
    ends: dt.datetime
    state: str = "issued"
    held: tuple[str, str, dt.datetime, int] | None = None


class Ledger(RuleBasedStateMachine):
    """Every rule asks the house and the paper, and compares."""

    def __init__(self) -> None:
        super().__init__()
        self.now = BEGINNING
        self.numbers = itertools.count()
        self.offers: dict[str, Paper] = {}
        self.vouchers: dict[str, Sheet] = {}
        self.redemptions: dict[str, Given] = {}
        empty_tables()
        stores.add_store("S1", "America/New_York")

    def ask(self, kind: type[Command], **facts: Any) -> Any:
        key = f"key-{next(self.numbers)}"
        command = kind(key=key, fingerprint=key, at=self.now, **facts)
        [answer] = perform([command], now=self.now)
        [again] = perform([command], now=self.now)
        assert (again.is_repeated, again.text, again.outcome) == (True, answer.text, answer.outcome)
        return answer

    # What the paper says

    def free_minor(self, offer: Paper) -> int:
        return offer.budget - offer.spent - offer.set_aside * AMOUNT - offer.kept - self.held(offer)

    def free_uses(self, offer: Paper) -> int:
        mine = [sheet for sheet in self.vouchers.values() if self.offers[sheet.offer] is offer]
        holds = sum(1 for sheet in mine if sheet.held and offer.policy == "first_come")
        return offer.cap - offer.uses - offer.set_aside - holds

    def held(self, offer: Paper) -> int:
        if offer.policy == "guaranteed":
            return 0
        return sum(
            sheet.held[3] for sheet in self.vouchers.values() if self.offers[sheet.offer] is offer and sheet.held
        )

    def settle(self) -> None:
        """What a sweep would do is done on paper as soon as its time has come: nobody may notice when it runs."""
        for sheet in self.vouchers.values():
            if sheet.held is not None and sheet.held[2] <= self.now:
                self.let_go(sheet)
            if sheet.state == "issued" and sheet.ends + OFFLINE <= self.now:
                sheet.state = "expired"
                self.offers[sheet.offer].set_aside -= self.offers[sheet.offer].policy == "guaranteed"

    def may_use(self, code: str, guest: str, discount: int, reservation: str | None) -> bool:
        sheet = self.vouchers[code]
        offer = self.offers[sheet.offer]
        if offer.halted or sheet.state != "issued" or self.now >= sheet.ends:
            return False
        if reservation is not None:
            return sheet.held is not None and sheet.held[0] == reservation and self.covers(offer, discount, sheet)
        return (
            sheet.held is None
            and offer.of_guest.get(guest, 0) < offer.per_guest
            and self.covers(offer, discount, sheet)
        )

    def covers(self, offer: Paper, discount: int, sheet: Sheet) -> bool:
        if offer.policy == "guaranteed":
            return True
        minor = self.free_minor(offer) + (sheet.held[3] if sheet.held else 0)
        uses = self.free_uses(offer) + (1 if sheet.held else 0)
        return discount <= minor and uses >= 1

    def let_go(self, sheet: Sheet) -> None:
        if sheet.held:
            self.offers[sheet.offer].of_guest[sheet.held[1]] -= 1
            sheet.held = None

    # What may happen

    @rule(
        policy=st.sampled_from(["guaranteed", "first_come"]), cap=st.integers(1, 4), budget=st.integers(1, 5),
        per_guest=st.integers(1, 3), again=st.booleans(),
    )  # fmt: skip
    @precondition(lambda self: len(self.offers) < 3)
    def define(self, policy: str, cap: int, budget: int, per_guest: int, again: bool) -> None:
        budget = max(budget, cap) if policy == "guaranteed" else budget
        name = f"offer-{len(self.offers)}"
        self.offers[name] = Paper(policy, cap, budget * AMOUNT, per_guest, again)
        self.write(name)

    def write(self, name: str) -> None:
        paper = self.offers[name]
        terms = {
            "kind": "amount_off", "amount_minor": AMOUNT, "currency": "USD", "name": name, "audience": "anyone",
            "ends_at": ENDS.isoformat(), "valid_days": VALID_DAYS, "cap": paper.cap, "budget_minor": paper.budget,
            "policy": paper.policy, "per_guest": paper.per_guest, "again_after_refund": paper.again,
        }  # fmt: skip
        actions.define(name, Terms.model_validate(terms), now=self.now)

    @precondition(lambda self: self.offers)
    @rule(pick=st.integers(0, 9), cap=st.integers(1, 6), budget=st.integers(1, 6))
    def change(self, pick: int, cap: int, budget: int) -> None:
        name = picked(self.offers, pick)
        before = self.offers[name]
        budget = max(budget, cap) if before.policy == "guaranteed" else budget
        after = replace(before, cap=cap, budget=budget * AMOUNT)
        self.offers[name] = after
        fits = self.free_minor(after) >= min(0, after.budget - before.budget) and self.free_uses(after) >= 0
        if self.free_minor(after) >= 0 and self.free_uses(after) >= 0:
            self.write(name)
        else:
            assert not fits or self.free_minor(after) < 0
            with pytest.raises(Refusal):
                self.write(name)
            self.offers[name] = before

    @precondition(lambda self: self.offers)
    @rule(pick=st.integers(0, 9), guest=st.sampled_from([None, *GUESTS]))
    def issue(self, pick: int, guest: str | None) -> None:
        name = picked(self.offers, pick)
        offer = self.offers[name]
        answer = self.ask(Issue, offer_id=name, guest_id=guest)
        may = not offer.halted and self.now < ENDS
        if offer.policy == "guaranteed":
            may = may and self.free_uses(offer) >= 1 and self.free_minor(offer) >= AMOUNT
        assert (answer.refusal is None) == may, answer
        if may:
            offer.set_aside += offer.policy == "guaranteed"
            self.vouchers[answer.said["code"]] = Sheet(name, dt.datetime.fromisoformat(answer.said["expires_at"]))

    @precondition(lambda self: self.vouchers)
    @rule(pick=st.integers(0, 99), guest=st.sampled_from(GUESTS), bill=st.sampled_from([200, 500, 2000]))
    def reserve(self, pick: int, guest: str, bill: int) -> None:
        code = picked(self.vouchers, pick)
        sheet = self.vouchers[code]
        discount = min(AMOUNT, bill)
        may = self.may_use(code, guest, discount, None)
        answer = self.ask(Reserve, codes=(code,), guest=Guest(guest_id=guest), **at_till(bill))
        assert (answer.refusal is None) == may, answer
        if may:
            self.let_go(sheet)
            sheet.held = (answer.said["reservation_id"], guest, self.now + HELD, discount)
            counted = self.offers[sheet.offer].of_guest
            counted[guest] = counted.get(guest, 0) + 1

    @precondition(lambda self: self.vouchers)
    @rule(
        pick=st.integers(0, 99),
        guest=st.sampled_from(GUESTS),
        bill=st.sampled_from([200, 500, 2000]),
        claims=st.booleans(),
    )
    def redeem(self, pick: int, guest: str, bill: int, claims: bool) -> None:
        code = picked(self.vouchers, pick)
        sheet = self.vouchers[code]
        offer, discount = self.offers[sheet.offer], min(AMOUNT, bill)
        reservation = (sheet.held[0] if sheet.held else "nobody's") if claims else None
        may = self.may_use(code, guest, discount, reservation)
        answer = self.ask(
            Redeem, codes=(code,), guest=Guest(guest_id=guest), reservation_id=reservation, **at_till(bill)
        )
        assert (answer.refusal is None) == may, answer
        if not may:
            return
        if reservation is None:
            self.let_go(sheet)
            offer.of_guest[guest] = offer.of_guest.get(guest, 0) + 1
            who = guest
        else:
            who = sheet.held[1]
        sheet.held, sheet.state = None, "redeemed"
        offer.set_aside -= offer.policy == "guaranteed"
        offer.uses += 1
        offer.spent += discount
        offer.kept += AMOUNT - discount if offer.policy == "guaranteed" and offer.again else 0
        [applied] = answer.said["applied"]
        assert (applied["discount_minor"], answer.said["amount_minor"]) == (discount, bill - discount)
        self.redemptions[applied["redemption_id"]] = Given(code, who, discount)

    @precondition(lambda self: self.redemptions)
    @rule(pick=st.integers(0, 99), amount=st.sampled_from([None, 1, 150, 500, 600]))
    def roll_back(self, pick: int, amount: int | None) -> None:
        name = picked(self.redemptions, pick)
        given = self.redemptions[name]
        sheet = self.vouchers[given.code]
        offer = self.offers[sheet.offer]
        asked = given.left if amount is None else amount
        may = not given.is_over and asked <= given.left
        answer = self.ask(RollBack, redemption_id=name, amount_minor=amount)
        assert (answer.refusal is None) == may, answer
        if not may:
            return
        given.left -= asked
        offer.spent -= asked
        comes_back = offer.again and sheet.state == "redeemed"
        offer.kept += asked if comes_back and offer.policy == "guaranteed" else 0
        if given.left == 0:
            given.is_over = True
            offer.uses -= 1
            offer.of_guest[given.guest] -= 1
            if comes_back:
                sheet.state = "issued"
                offer.set_aside += offer.policy == "guaranteed"
                offer.kept -= AMOUNT if offer.policy == "guaranteed" else 0
            elif sheet.state == "redeemed":
                sheet.state = "rolled_back"

    @precondition(lambda self: any(sheet.held for sheet in self.vouchers.values()))
    @rule(pick=st.integers(0, 99))
    def release(self, pick: int) -> None:
        sheet = picked({code: sheet for code, sheet in self.vouchers.items() if sheet.held}, pick, is_value=True)
        answer = self.ask(Release, reservation_id=sheet.held[0])
        assert answer.refusal is None, answer
        self.let_go(sheet)

    @precondition(lambda self: self.vouchers)
    @rule(pick=st.integers(0, 99))
    def cancel(self, pick: int) -> None:
        code = picked(self.vouchers, pick)
        sheet = self.vouchers[code]
        may = sheet.state == "issued" and sheet.held is None and self.now < sheet.ends
        answer = self.ask(Cancel, code=code)
        assert (answer.refusal is None) == may, answer
        if may:
            sheet.state = "cancelled"
            self.offers[sheet.offer].set_aside -= self.offers[sheet.offer].policy == "guaranteed"

    @precondition(lambda self: self.offers)
    @rule(pick=st.integers(0, 9))
    def halt_or_resume(self, pick: int) -> None:
        name = picked(self.offers, pick)
        offer = self.offers[name]
        if offer.halted:
            actions.resume("offer", name, now=self.now)
        else:
            actions.halt("offer", name, reason="a test", by="tests", now=self.now)
        offer.halted = not offer.halted

    @rule(minutes=st.sampled_from([0, 1, 9, 11, 60 * 24 * 5, 60 * 24 * 21]))
    def time_goes_on(self, minutes: int) -> None:
        self.now += dt.timedelta(minutes=minutes)
        self.settle()

    @rule()
    def sweep(self) -> None:
        actions.sweep(self.now)

    @invariant()
    def the_account_is_what_the_paper_says(self) -> None:
        for row in actions.offers(now=self.now):
            paper, account = self.offers[row["offer_id"]], row["account"]
            assert account["budget_minor"] == account["free_minor"] + account["reserved_minor"] + account["spent_minor"]
            assert account["reserved_minor"] + account["spent_minor"] <= account["budget_minor"] == paper.budget
            assert (account["spent_minor"], account["free_minor"]) == (paper.spent, self.free_minor(paper))
            assert (account["spent_uses"], account["free_uses"], account["cap"]) == (
                paper.uses, self.free_uses(paper), paper.cap,
            )  # fmt: skip

    def teardown(self) -> None:
        assert reconcile() == []


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


def picked(things: dict[str, Any], pick: int, *, is_value: bool = False) -> Any:
    name = list(things)[pick % len(things)]
    return things[name] if is_value else name


def at_till(bill: int) -> dict[str, Any]:
    return {"store_id": "S1", "bill": Bill(amount_minor=bill, currency="USD"), "order_id": None}


@pytest.mark.parametrize("part", range(PARTS))
def test_I2_the_ledger_does_what_the_paper_says(is_whole: bool, part: int) -> None:
    examples, steps = (2_000 // PARTS, 50) if is_whole else (60 // PARTS, 30)
    with in_memory():
        run_state_machine_as_test(
            Ledger,
            settings=settings(
                max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
            ),
        )
