"""Transactions: many commands in one, each answered once for each key."""

import datetime as dt
import json
from collections.abc import Collection, Sequence
from typing import Any

from django.db import transaction

from regulars.access.tills import TILLS
from regulars.ledger.accounts import ACCOUNTS
from regulars.ledger.books import Books, NotAloneError
from regulars.ledger.commands import Answer, Command, Speaker
from regulars.ledger.models import Receipt
from regulars.ledger.refusals import Refusal
from regulars.records import statements
from regulars.records.shelves import Need, Shelf
from regulars.records.turns import turn

KEPT = dt.timedelta(days=30)
"""How long the same key gives the same answer."""
RECEIPTS = Shelf(Receipt, by="till key", changes="fingerprint outcome text at")

_LOCK = """
    select name from unnest(%s::text[]) as name
    where not pg_try_advisory_xact_lock(hashtextextended(name, 0))"""


def as_json(command: Command, outcome: dict[str, Any] | Refusal) -> str:
    """An answer as plain JSON."""
    if isinstance(outcome, Refusal):
        outcome = {"code": outcome.code, "detail": outcome.words(command.language)}
    return json.dumps(outcome, ensure_ascii=False)


def perform(commands: Sequence[Command], *, now: dt.datetime, speak: Speaker = as_json) -> list[Answer]:
    """Answer each command, in order, all in one transaction: when this returns, what was said is on the disk.

    A command without a key is answered anew each time; what has to be decided alone has a transaction of its own, and so have
    then the others. Raises DatabaseError where the whole cannot be written; then nothing has happened, and each may be tried
    by itself.
    """
    try:
        return _together(commands, now, speak)
    except NotAloneError:
        return [answer for command in commands for answer in _together([command], now, speak)]


def _together(commands: Sequence[Command], now: dt.datetime, speak: Speaker) -> list[Answer]:
    with turn(), transaction.atomic():
        busy = _in_flight(commands)
        books = _opened([one for one in commands if one.name not in busy] if busy else commands, now)
        answers = [_answer(command, books, busy, speak) for command in commands]
        books.write()
    return answers


def _opened(commands: Sequence[Command], now: dt.datetime) -> Books:
    """The books of these commands: first the locks of their accounts, then what each needs, all of them step by step together."""
    books = Books(now=now, is_alone=len(commands) == 1)
    books.read(_accounts(commands))
    standing = (
        RECEIPTS.where("key {}", {command.key for command in commands if command.key}),
        TILLS.where("till_id {} and revoked_at is null", {command.till for command in commands if command.till}),
    )
    steps = [command.needs(books) for command in commands]
    needed = [*standing, *(need for step in steps for need in next(step, ()))]
    while needed:
        books.read(needed)
        needed = [need for step in steps for need in next(step, ())]
    return books


def _accounts(commands: Sequence[Command]) -> list[Need]:
    """All accounts in one question, so that they are locked in the order of their ids and nobody waits for who waits for them."""
    named: dict[str, set[object]] = {}
    for command in commands:
        for query, names in command.accounts():
            named.setdefault(query, set()).update(names)
    asked = {query: names for query, names in sorted(named.items()) if names}
    if not asked:
        return []
    return [ACCOUNTS.where(f"account_id in ({' union all '.join(asked)})", *asked.values())]


def answered_before(till: str, keys: Collection[str]) -> set[str]:
    """Which of these keys of a till have an answer that is said again."""
    return set(Receipt.objects.filter(till=till, key__in=keys).values_list("key", flat=True))


def forget_receipts(now: dt.datetime) -> int:
    """Forget what was said so long ago that nobody asks again; how many receipts."""
    return int(Receipt.objects.filter(at__lt=now - KEPT).delete()[0])


def _answer(command: Command, books: Books, busy: set[tuple[str, str]], speak: Speaker) -> Answer:
    name = command.name
    if name in busy:  # nothing is read for it, so it waits for nobody's lock
        return _refused(command, Refusal("key_in_flight", key=command.key), speak)
    if command.till is not None and command.till not in books[TILLS]:
        return _refused(command, Refusal("till_revoked"), speak)
    receipt = books[RECEIPTS].get(name)
    if receipt is not None and receipt.at >= books.now - KEPT:
        if receipt.fingerprint != command.fingerprint:
            return _refused(command, Refusal("key_reused", key=command.key), speak)
        return Answer(outcome=receipt.outcome, text=receipt.text, is_repeated=True)
    try:
        with books.trial(is_kept=command.is_deed):
            said = command.decide(books)
        answer = Answer(said=said, text=speak(command, said))
    except Refusal as refusal:
        answer = _refused(command, refusal, speak)
    if command.key and command.is_deed:
        till, key = name
        said_once = {
            "fingerprint": command.fingerprint,
            "outcome": answer.outcome,
            "text": answer.text,
            "at": books.now,
        }
        if receipt is None:
            books.add(statements.made(Receipt, till=till, key=key, **said_once))
        else:
            books.change(receipt, **said_once)
    return answer


def _refused(command: Command, refusal: Refusal, speak: Speaker) -> Answer:
    return Answer(refusal=refusal, outcome=refusal.code, text=speak(command, refusal))


def _in_flight(commands: Sequence[Command]) -> set[tuple[str, str]]:
    """Names that another process is answering now. On SQLite nobody else can: the transaction shuts all others out."""
    if not statements.is_postgresql():
        return set()
    names = {" ".join(command.name): command.name for command in commands if command.key}
    if not names:
        return set()
    return {names[name] for (name,) in statements.execute(_LOCK, [sorted(names)]).fetchall()}
