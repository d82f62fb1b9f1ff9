"""What the tests of HTTP share: a shop with two stores, three offers and keys, and a client of each key."""

import datetime as dt
import json
import secrets
from collections.abc import Collection, Iterator
from typing import Any

import pytest
from django.core.signals import request_finished
from django.db import close_old_connections
from django.test import Client

from databases import Database
from regulars.access import tills
from regulars.access.stores import add_store
from regulars.ledger.commands import Answer, Command
from regulars.ledger.transactions import perform
from regulars.offers import actions
from regulars.offers.terms import Terms
from regulars.till import dispatch
from regulars.till.throttle import Guesses

NOW = dt.datetime.now(dt.UTC)
TERMS: dict[str, Any] = {
    "kind": "amount_off", "name": "Five off", "amount_minor": 500, "currency": "USD", "audience": "anyone",
    "starts_at": "2026-01-01T00:00:00Z", "ends_at": "2099-01-01T00:00:00Z", "cap": 1000, "budget_minor": 1_000_000,
    "policy": "guaranteed", "minimum_spend_minor": 2000,
}  # fmt: skip


class Caller:
    """Somebody with a key, or without; each write has an idempotency key of its own unless one is given."""

    def __init__(self, token: str | None, address: str = "127.0.0.1") -> None:
        self._client = Client(
            enforce_csrf_checks=True, raise_request_exception=False, REMOTE_ADDR=address, SERVER_NAME="localhost"
        )
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def __call__(self, method: str, path: str, body: Any = None, *, key: str | None = "", **headers: str) -> Any:
        sent = self._headers | {name.replace("_", "-"): value for name, value in headers.items()}
        if method != "GET" and key is not None:
            sent["Idempotency-Key"] = key or secrets.token_hex(8)
        address = path if path.startswith("/") else f"/api/v1/{path}"
        data = body if isinstance(body, str | bytes) else "" if body is None else json.dumps(body)
        return self._client.generic(method, address, data, "application/json", headers=sent)


def terms(**changes: Any) -> Terms:
    return Terms.model_validate_json(json.dumps(TERMS | changes))


def bill(code: str, *, store: str = "S1", amount: int = 3000, **more: Any) -> dict[str, Any]:
    return {"codes": [code], "store_id": store, "bill": {"amount_minor": amount, "currency": "USD"}, **more}


class AtOnce:
    """A door that everybody goes through alone, in a thread of their own."""

    def submit(self, command: Command) -> Answer:
        return perform([command], now=dispatch.now(), speak=dispatch.speak)[0]


@pytest.fixture
def shop(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The stores S1 and S2; the offers five (everywhere), five-1 (only at S1) and five-2 (only at S2)."""
    monkeypatch.setattr(dispatch, "DOOR", AtOnce())
    monkeypatch.setattr(dispatch, "GUESSES", Guesses(30))
    for store in ("S1", "S2"):
        add_store(store, "America/New_York")
    for offer_id, stores in {"five": (), "five-1": ("S1",), "five-2": ("S2",)}.items():
        actions.define(offer_id, terms(stores=stores), now=NOW)
    request_finished.disconnect(close_old_connections)
    yield database
    request_finished.connect(close_old_connections)


def key(*scopes: str, stores: Collection[str] | None = None) -> str:
    return tills.open_till("a till", scopes, stores, now=NOW)


@pytest.fixture
def house(shop: Database) -> Caller:
    """A key that may do everything everywhere."""
    return Caller(key(*tills.SCOPES))


@pytest.fixture
def till(shop: Database) -> Caller:
    """The till at S1."""
    return Caller(key("redeem", stores=["S1"]))


@pytest.fixture
def voucher(house: Caller) -> str:
    """A voucher of the offer that holds everywhere."""
    return str(house("POST", "vouchers", {"offer_id": "five"}).json()["code"])
