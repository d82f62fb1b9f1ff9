"""A house to storm: a database of its own, a real server on it, and what its books say afterwards.

Each touch of the database is a process of its own, as it is in the field; this file is what those processes run:

    DATABASE_URL=... python tests/storms/house.py open '{"cap": 100, ...}'
"""

import contextlib
import datetime as dt
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

STORE = "S1"
CURRENCY = "USD"
DISCOUNT = 500
GENERIC = "WELCOME5"


class House(NamedTuple):
    """address: of its database. folder: its workspace. port: of its server."""

    address: str
    folder: Path
    port: int

    @property
    def environment(self) -> dict[str, str]:
        more = {"DATABASE_URL": self.address, "REGULARS_WORKSPACE": str(self.folder), "REGULARS_LOG_LEVEL": "error"}
        return os.environ | more | {"DJANGO_SETTINGS_MODULE": "regulars.settings"}

    def ask(self, verb: str, facts: dict[str, Any] | None = None) -> Any:
        """What a process of this file answers, run on this house's database."""
        command = [sys.executable, __file__, verb, json.dumps(facts or {})]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, timeout=600)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def on_sqlite(folder: Path) -> Iterator[House]:
    yield House(f"sqlite:///{folder / 'records.sqlite3'}", folder, free_port())


@contextlib.contextmanager
def on_postgresql(folder: Path, server: str = "postgresql://postgres@127.0.0.1:5432") -> Iterator[House]:
    import psycopg

    name = f"storm_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"create database {name}")
        try:
            yield House(f"{server}/{name}", folder, free_port())
        finally:
            connection.execute(f"drop database {name} with (force)")


@contextlib.contextmanager
def served(house: House, workers: int = 1) -> Iterator[subprocess.Popen[bytes]]:
    """A server of this house, from the moment it answers until it is shut down."""
    server = start(house, workers)
    try:
        yield server
    finally:
        stop(server)


def start(house: House, workers: int = 1) -> subprocess.Popen[bytes]:
    server = _run(house, "serve", "--port", str(house.port), "--workers", str(workers))
    try:
        wait_for(house, 60)
    except AssertionError:
        stop(server)
        raise AssertionError((house.folder / "server.log").read_text()[-3000:]) from None
    return server


def start_worker(house: House) -> subprocess.Popen[bytes]:
    """The one that sweeps, every second."""
    return _run(house, "worker", "--every", "1")


def _run(house: House, *words: str) -> subprocess.Popen[bytes]:
    command = [str(Path(sys.executable).with_name("regulars")), *words, "--workspace", str(house.folder)]
    with (house.folder / "server.log").open("ab") as log:
        return subprocess.Popen(command, env=house.environment, stdout=log, stderr=log, start_new_session=True)


def wait_for(house: House, seconds: float) -> float:
    """How long it took until the server was ready."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        connection = http.client.HTTPConnection("127.0.0.1", house.port, timeout=2)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/health/ready")
            if connection.getresponse().status == 200:
                return time.monotonic() - began
        time.sleep(0.02)
    raise AssertionError(f"the server was not ready after {seconds} s")


def stop(server: subprocess.Popen[bytes], how: int = signal.SIGTERM) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, how)
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait(10)


def _open(facts: dict[str, Any]) -> dict[str, Any]:
    """Migrate, define `offers` offers with `vouchers` each and one code that everybody knows, and open a till."""
    from django.core.management import call_command

    from regulars.access import stores, tills
    from regulars.offers import batches

    call_command("migrate", verbosity=0)
    now = dt.datetime.now(dt.UTC)
    stores.add_store(STORE, "America/New_York")
    codes: dict[str, list[str]] = {}
    for number in range(facts.get("offers", 1)):
        offer_id = f"five-off-{number}"
        _define(offer_id, facts["cap"], now, facts.get("terms", {}))
        batches.issue_many(offer_id, f"batch-{number}", count=facts["vouchers"], now=now)
        codes[offer_id] = _codes(offer_id)
    if facts.get("has_generic"):
        _define("everybody", facts["cap"], now, {"per_code": facts["cap"]})
        _issue_generic(now)
    token = tills.open_till("storm", tills.SCOPES, None, now=now)
    return {"token": token, "codes": codes}


def _define(offer_id: str, cap: int, now: dt.datetime, more: dict[str, Any]) -> None:
    from regulars.offers import actions
    from regulars.offers.terms import Terms

    terms = {
        "kind": "amount_off", "amount_minor": DISCOUNT, "currency": CURRENCY, "name": "Five off", "audience": "anyone",
        "ends_at": (now + dt.timedelta(days=30)).isoformat(), "cap": cap, "budget_minor": cap * DISCOUNT,
        "policy": "first_come",
    }  # fmt: skip
    actions.define(offer_id, Terms.model_validate(terms | more), campaign_id="storm", now=now)


def _issue_generic(now: dt.datetime) -> None:
    from regulars.ledger.transactions import perform
    from regulars.offers.issuance import Issue

    [answer] = perform([Issue(key="generic", at=now, offer_id="everybody", code=GENERIC)], now=now)
    assert answer.refusal is None, answer.text


def _codes(offer_id: str) -> list[str]:
    from regulars.offers.models import Voucher

    return list(Voucher.objects.filter(offer=offer_id).order_by("pk").values_list("code", flat=True))


def _books(facts: dict[str, Any]) -> dict[str, Any]:
    """The accounts, the redemptions of the ledger, and the drift of its counters."""
    from regulars.ledger.models import Entry
    from regulars.offers import actions
    from regulars.offers.models import Person, Voucher
    from regulars.records import rooms

    redeemed = Entry.objects.filter(verb="redeemed").values_list("reference", "subject", "order_id")
    codes = dict(Voucher.objects.values_list("pk", "code"))
    back = Entry.objects.filter(verb="rolled_back").values_list("of_id", flat=True)
    roots = Counter(person.root_id for person in Person.objects.all())
    return {
        "roots": [roots[None], Person.objects.filter(root__root__isnull=False).count()],
        "accounts": {offer["offer_id"]: offer["account"] for offer in actions.offers()},
        "redeemed": [[reference, codes[subject], order_id] for reference, subject, order_id in redeemed],
        "rolled_back": list(back),
        "drift": [list(drift) for drift in rooms.reconcile()],
    }


def _redeem(facts: dict[str, Any]) -> dict[str, float]:
    """Redemptions a second of one process without HTTP: so many vouchers of an offer, so many in each transaction."""
    from regulars.ledger.transactions import perform
    from regulars.offers.bill import Bill
    from regulars.offers.redemption import Redeem
    from regulars.till.dispatch import speak

    codes, size = _codes("five-off-0")[facts["first"] : facts["first"] + facts["vouchers"]], facts["at_once"]
    bill = Bill(amount_minor=3000, currency=CURRENCY)
    began = time.perf_counter()
    for start in range(0, len(codes), size):
        now = dt.datetime.now(dt.UTC)
        some = [
            Redeem(key=f"key {code}", at=now, codes=(code,), store_id=STORE, bill=bill)
            for code in codes[start : start + size]
        ]
        answers = perform(some, now=now, speak=speak)
        assert all(answer.refusal is None for answer in answers), answers[0].text
    return {"rate": len(codes) / (time.perf_counter() - began)}


def _issue(facts: dict[str, Any]) -> dict[str, float]:
    """Seconds to issue so many vouchers, and to put the same rows bare into the same tables."""
    from django.core.management import call_command

    from regulars.offers import batches

    call_command("migrate", verbosity=0)
    now, count = dt.datetime.now(dt.UTC), facts["vouchers"]
    _define("many", count, now, {"policy": "guaranteed"})
    began = time.perf_counter()
    batches.issue_many("many", "ours", count=count, now=now)
    ours = time.perf_counter() - began
    return {"ours": ours, "bare": _bare()}


def _bare() -> float:
    """The same rows taken out and put back by COPY or executemany, the entries after the vouchers, with one commit each."""
    from django.db import connection, transaction

    seconds = 0.0
    tables = ("offers_voucher", "ledger_entry")
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            held = {}
            for table in tables:
                with cursor.copy(f"copy {table} to stdout") as copy:
                    held[table] = b"".join(copy)
            cursor.execute(f"truncate {', '.join(tables)} cascade")
            for table in tables:
                began = time.perf_counter()
                with cursor.copy(f"copy {table} from stdin") as copy:
                    copy.write(held[table])
                seconds += time.perf_counter() - began
            return seconds
        rows = {table: cursor.execute(f"select * from {table}").fetchall() for table in tables}  # noqa: S608  (a table of ours)
        for table in reversed(tables):
            cursor.execute(f"delete from {table}")  # noqa: S608  (a table of ours)
        for table in tables:
            marks = ", ".join(["%s"] * len(rows[table][0]))
            began = time.perf_counter()
            with transaction.atomic():
                cursor.executemany(f"insert into {table} values ({marks})", rows[table])  # noqa: S608  (a table of ours)
            seconds += time.perf_counter() - began
    return seconds


if __name__ == "__main__":
    import django

    django.setup()
    verb, said = sys.argv[1], json.loads(sys.argv[2])
    print(json.dumps({"open": _open, "books": _books, "redeem": _redeem, "issue": _issue}[verb](said)))
