"""A house with a ledger of its own, and somebody who asks it; on SQLite and on PostgreSQL."""

import datetime as dt
import itertools
from typing import Any

import pytest

from databases import Database
from offers.examples import bill, terms
from regulars.access import stores
from regulars.ledger.commands import Answer, Command
from regulars.ledger.transactions import perform
from regulars.offers import actions
from regulars.offers.identity import Guest
from regulars.offers.issuance import Issue
from regulars.offers.redemption import Redeem, Reserve, Validate

NOW = dt.datetime(2026, 3, 2, 17, tzinfo=dt.UTC)  # Monday noon in New York


class House:
    """An empty ledger with the stores S1 (New York) and S2 (Shanghai). now: the hour, which a test may change."""

    def __init__(self, database: Database) -> None:
        self.database, self.now, self._numbers = database, NOW, itertools.count()
        stores.add_store("S1", "America/New_York")
        stores.add_store("S2", "Asia/Shanghai")

    def define(
        self, offer_id: str = "five-off", kind: str = "amount_off", *, campaign_id: str | None = None, **changes: Any
    ) -> None:
        actions.define(offer_id, terms(kind, **changes), campaign_id=campaign_id, now=self.now)

    def ask(self, kind: type[Command], *, key: str = "", **facts: Any) -> Answer:
        key = key or f"key-{next(self._numbers)}"
        [answer] = perform([kind(**{"key": key, "fingerprint": key, "at": self.now} | facts)], now=self.now)
        return answer

    def issue(self, offer_id: str = "five-off", **facts: Any) -> str:
        """A new voucher's code."""
        answer = self.ask(Issue, offer_id=offer_id, **facts)
        assert answer.said is not None, answer.text
        return str(answer.said["code"])

    def validate(self, *codes: str, **facts: Any) -> Answer:
        return self.ask(Validate, **self._at_till(codes, facts))

    def reserve(self, *codes: str, **facts: Any) -> Answer:
        return self.ask(Reserve, **self._at_till(codes, facts))

    def redeem(self, *codes: str, **facts: Any) -> Answer:
        return self.ask(Redeem, **self._at_till(codes, facts))

    def _at_till(self, codes: tuple[str, ...], facts: dict[str, Any]) -> dict[str, Any]:
        guest = {
            name: facts.pop(name) for name in ("guest_id", "phone", "email", "device", "orders_before") if name in facts
        }
        return {"codes": codes, "store_id": "S1", "bill": bill(3000), "guest": Guest(**guest)} | facts


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


def refused(answer: Answer) -> str | None:
    """The code of a refusal."""
    return answer.refusal.code if answer.refusal else None
