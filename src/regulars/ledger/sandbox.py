"""The sandbox: what is asked is done, and undone before anybody else could see it."""

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django.db import transaction

from regulars.ledger.commands import Answer, Command, Speaker
from regulars.ledger.patience import limit_waits
from regulars.ledger.refusals import Refusal
from regulars.ledger.transactions import perform
from regulars.records.turns import turn


@contextmanager
def rolled_back() -> Iterator[None]:
    """Whatever is written inside is checked by the database as ever, and is gone at the end."""
    limit_waits()
    with turn(), transaction.atomic():
        yield
        transaction.set_rollback(True)


class _Told(NamedTuple):
    fingerprint: str
    outcome: str
    text: str


class Sandbox:
    """A door through which nothing gets into the books. Each command has its own transaction, so it finds nothing of those before it.

    The same key has the same answer for as long as the process remembers it: there is no row to keep it in. most: how many are
    remembered, the oldest being forgotten first.
    """

    def __init__(self, *, speak: Speaker, clock: Callable[[], dt.datetime], most: int = 1000) -> None:
        self._speak, self._clock, self._most = speak, clock, most
        self._told: dict[tuple[str, str], _Told] = {}
        self._lock = threading.Lock()

    def submit(self, command: Command) -> Answer:
        """The answer that the deed would have. Raises DatabaseError where the deed could not have been written."""
        if (told := self._told.get(command.name)) is not None:
            return self._again(command, told)
        with rolled_back():
            [answer] = perform([command], now=self._clock(), speak=self._speak)
        if not command.key:
            return answer
        mine = _Told(command.fingerprint, answer.outcome, answer.text)
        kept = self._kept(command.name, mine)
        return answer if kept is mine else self._again(command, kept)

    def _kept(self, name: tuple[str, str], told: _Told) -> _Told:
        """What is remembered from now on: of two that come at once, what the first was told."""
        with self._lock:
            if name not in self._told and len(self._told) >= self._most:
                del self._told[next(iter(self._told))]
            return self._told.setdefault(name, told)

    def _again(self, command: Command, told: _Told) -> Answer:
        if told.fingerprint == command.fingerprint:
            return Answer(outcome=told.outcome, text=told.text, is_repeated=True)
        refusal = Refusal("key_reused", key=command.key)
        return Answer(refusal=refusal, outcome=refusal.code, text=self._speak(command, refusal))
