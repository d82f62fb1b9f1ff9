"""An account that somebody holds keeps out those who need it, and nobody else."""

import threading
import time
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection

from databases import Database
from regulars.ledger import patience
from regulars.ledger.commands import Answer
from regulars.ledger.group_commit import Door
from regulars.ledger.transactions import perform
from regulars.offers import actions
from regulars.offers.bill import Bill
from regulars.offers.issuance import Issue
from regulars.offers.redemption import Redeem
from till.conftest import NOW, shop, terms

__all__ = ["shop"]


@pytest.fixture
def codes(shop: Database) -> dict[str, list[str]]:
    """Vouchers of the offers held and free."""
    if shop.kind == "sqlite":
        pytest.skip("SQLite has one lock for all who write")
    made: dict[str, list[str]] = {}
    for offer_id in ("held", "free"):
        actions.define(offer_id, terms(), now=NOW)
        issues = [Issue(key=f"issue-{offer_id}-{n}", at=NOW, offer_id=offer_id) for n in range(8)]
        made[offer_id] = [answer.said["code"] for answer in perform(issues, now=NOW) if answer.said]
    return made


def test_other_offers_go_on_while_the_account_of_one_is_held(codes: dict[str, list[str]], shop: Database) -> None:
    door, ended = Door(clock=lambda: NOW), {}

    def redeem(offer_id: str, code: str) -> None:
        bill = Bill(amount_minor=3000, currency="USD")
        begun = time.monotonic()
        answered: Answer | DatabaseError
        try:
            answered = door.submit(Redeem(key=f"redeem-{code}", at=NOW, codes=(code,), store_id="S1", bill=bill))
        except DatabaseError as error:
            answered = error
        finally:
            connection.close()
        ended[offer_id, code] = (answered, time.monotonic() - begun)

    with psycopg.connect(shop.address) as other:
        other.execute("select 1 from ledger_account where account_id = 'offer/held' for update")
        threads = [threading.Thread(target=redeem, args=(name, code)) for name in codes for code in codes[name]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
            assert not thread.is_alive()
        other.rollback()
    for (offer_id, _), (answered, seconds) in ended.items():
        assert seconds < 10 * patience.MOST_MILLISECONDS / 1000
        if offer_id == "free":
            assert isinstance(answered, Answer)
            assert answered.refusal is None
        else:
            assert isinstance(answered, DatabaseError)
    left = codes["held"][0]
    bill = Bill(amount_minor=3000, currency="USD")
    again: Any = door.submit(Redeem(key=f"redeem-{left}", at=NOW, codes=(left,), store_id="S1", bill=bill))
    assert again.refusal is None
