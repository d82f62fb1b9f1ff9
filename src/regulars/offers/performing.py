"""Performing: many commands in one transaction, each answered once for each key."""

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction

from regulars.offers import sql
from regulars.offers.books import Books
from regulars.offers.commands import Answer, Command, Speaker
from regulars.offers.deciding import decide
from regulars.offers.identity import guest_key
from regulars.offers.models import Receipt
from regulars.offers.reading import open_books
from regulars.offers.refusals import Refusal
from regulars.offers.writing import write

KEPT = dt.timedelta(days=30)
"""How long the same key gives the same answer."""

_LOCK = """
    select name from unnest(%s::text[]) as name
    where not pg_try_advisory_xact_lock(hashtextextended(name, 0))"""

Name = tuple[str, str]
"""A till, empty for the house, and its key."""


def as_json(command: Command, outcome: dict[str, Any] | Refusal) -> tuple[int, str]:
    """An answer as plain JSON, 200 or 409."""
    if isinstance(outcome, Refusal):
        return 409, json.dumps({"code": outcome.code, "detail": outcome.words(command.language)}, ensure_ascii=False)
    return 200, json.dumps(outcome, ensure_ascii=False)


def perform(commands: Sequence[Command], *, now: dt.datetime, speak: Speaker = as_json) -> list[Answer]:
    """Answer each command, in order, all in one transaction: when this returns, what was said is on the disk.

    A command without a key is answered anew each time. Raises DatabaseError where the whole cannot be written; then nothing
    has happened, and each may be tried by itself.
    """
    with transaction.atomic():
        busy = _busy(commands)
        books = open_books(commands, now=now, secret=guest_key(settings.SECRET_KEY), zone=settings.TIME_ZONE)
        answers = [_answer(command, books, busy, speak) for command in commands]
        write(books)
    return answers


def name_of(command: Command) -> Name:
    """What a command is known by."""
    return command.till or "", command.key


def _answer(command: Command, books: Books, busy: set[Name], speak: Speaker) -> Answer:
    name = name_of(command)
    if command.till in books.revoked:
        return _refused(command, Refusal("till_revoked"), speak)
    if name in busy:
        return _refused(command, Refusal("key_in_flight", key=command.key), speak)
    if (receipt := books.receipts.get(name)) is not None:
        if receipt.fingerprint != command.fingerprint:
            return _refused(command, Refusal("key_reused", key=command.key), speak)
        return Answer(status=receipt.status, text=receipt.text, is_repeated=True)
    try:
        said = decide(command, books)
        status, text = speak(command, said)
        answer = Answer(said=said, status=status, text=text)
    except Refusal as refusal:
        answer = _refused(command, refusal, speak)
    if command.key:
        said_once = {"fingerprint": command.fingerprint, "status": answer.status, "text": answer.text, "at": books.now}
        books.add(sql.made(Receipt, till=name[0], key=name[1], **said_once))
    return answer


def _refused(command: Command, refusal: Refusal, speak: Speaker) -> Answer:
    status, text = speak(command, refusal)
    return Answer(refusal=refusal, status=status, text=text)


def _busy(commands: Sequence[Command]) -> set[Name]:
    """Names that another process is answering now. On SQLite nobody else can: the transaction shuts all others out."""
    names = {" ".join(name_of(command)): name_of(command) for command in commands if command.key}
    if not names or not sql.is_postgresql():
        return set()
    return {names[name] for (name,) in sql.execute(_LOCK, [sorted(names)]).fetchall()}
