"""Group commit: commands of many threads go through together, in one transaction, so that one write to the disk serves them all."""

import contextlib
import datetime as dt
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from django.db import IntegrityError, InterfaceError, OperationalError, connection

from regulars.ledger.commands import Answer, Command, Speaker
from regulars.ledger.patience import blocked, is_locked_out, limit_waits
from regulars.ledger.refusals import Refusal
from regulars.ledger.transactions import as_json, perform

MOST_AT_ONCE = 64
MOST_PATIENCE = 0.005
"""Seconds that a transaction waits at most for those who may come with it."""


MOST_TRIES = 5
"""How often a transaction is tried, while others are the first to write its new rows."""


class Turn:
    """A command that waits for its answer."""

    __slots__ = ("_outcome", "_wait", "command")

    def __init__(self, command: Command) -> None:
        self.command = command
        self._wait = threading.Lock()
        self._wait.acquire()
        self._outcome: Answer | BaseException | None = None

    def end(self, outcome: Answer | BaseException) -> None:
        self._outcome = outcome
        self._wait.release()

    def answer(self) -> Answer:
        """The answer, once it is there; or what went wrong is raised."""
        self._wait.acquire()
        if isinstance(self._outcome, Answer):
            return self._outcome
        assert self._outcome is not None
        raise self._outcome


class Door:
    """One for each process. Whoever comes while a transaction runs waits for the next, together with all the others.

    speak: how answers are said. clock: what time it is.
    """

    def __init__(self, *, speak: Speaker = as_json, clock: Callable[[], dt.datetime]) -> None:
        self._speak, self._clock = speak, clock
        self._waiting: deque[Turn] = deque()
        self._wanted = 1  # how many must wait before the keeper is called: who is not woken for less
        self._inside: set[tuple[str, str]] = set()
        self._change = threading.Condition()
        self._keeper: threading.Thread | None = None

    def submit(self, command: Command) -> Answer:
        """The answer, once it is on the disk. Raises DatabaseError where it could not be written: nothing has happened."""
        turn = Turn(command)
        with self._change:
            if command.key and command.name in self._inside:
                return self._in_flight(command)
            self._inside.add(command.name)
            self._waiting.append(turn)
            self._open()
            if len(self._waiting) >= self._wanted:
                self._change.notify()
        return turn.answer()

    def _in_flight(self, command: Command) -> Answer:
        refusal = Refusal("key_in_flight", key=command.key)
        return Answer(refusal=refusal, outcome=refusal.code, text=self._speak(command, refusal))

    def _open(self) -> None:
        """A thread of its own, begun with the first command: a server forks before that."""
        if self._keeper is None or not self._keeper.is_alive():
            self._keeper = threading.Thread(target=self._keep, name="regulars door", daemon=True)
            self._keeper.start()

    def _keep(self) -> None:
        many, took = 1, 0.0
        while True:
            turns = self._gather(many, min(took, MOST_PATIENCE))
            many, began = len(turns), time.monotonic()
            self._let_in(turns)
            took = time.monotonic() - began

    def _gather(self, many: int, patience: float) -> list[Turn]:
        """Whoever waits; but those who were just answered come back in a moment, and one transaction for all is cheaper.

        So wait for as many as last time, and at most as long as their transaction took: a till alone waits for nobody.
        """
        with self._change:
            for self._wanted, seconds in ((1, None), (many, patience)):
                self._change.wait_for(lambda: len(self._waiting) >= self._wanted, seconds)
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_AT_ONCE))]

    def _let_in(self, turns: list[Turn]) -> None:
        """What goes wrong goes wrong for nobody else: then each is let in by itself."""
        try:
            answers = self._perform([turn.command for turn in turns])
        except Exception as error:  # noqa: BLE001  (whoever waits hears of it, and the next are let in)
            if len(turns) == 1:
                self._leave(turns, [error])
            elif is_locked_out(error):
                self._let_in_the_others(turns, error)
            else:
                for turn in turns:
                    self._let_in([turn])
        except BaseException as error:  # noqa: BLE001
            self._leave(turns, [error] * len(turns))
        else:
            self._leave(turns, answers)

    def _let_in_the_others(self, turns: list[Turn], error: Exception) -> None:
        """Somebody holds an account: whoever needs it hears of it and tries again, and those of other offers go on together."""
        held = blocked([turn.command for turn in turns])
        kept_out = [turn for turn, is_held in zip(turns, held, strict=True) if is_held]
        self._leave(kept_out, [error] * len(kept_out))
        others = [turn for turn, is_held in zip(turns, held, strict=True) if not is_held]
        for some in [others] if kept_out and others else [[turn] for turn in others]:
            self._let_in(some)

    def _perform(self, commands: list[Command]) -> list[Answer]:
        """Answer them; once more where the database was started anew, for that leaves a connection that is dead."""
        before = connection.connection
        try:
            limit_waits()
            return self._persist(commands)
        except (OperationalError, InterfaceError):
            if before is None or (connection.connection is before and connection.is_usable()):
                raise
            connection.close()
            return self._persist(commands)

    def _persist(self, commands: list[Command]) -> list[Answer]:
        """Answer them; again where another process wrote the same new row first, which is there to be read then."""
        for _ in range(MOST_TRIES - 1):
            with contextlib.suppress(IntegrityError):
                return perform(commands, now=self._clock(), speak=self._speak)
        return perform(commands, now=self._clock(), speak=self._speak)

    def _leave(self, turns: list[Turn], outcomes: Sequence[Answer | BaseException]) -> None:
        with self._change:
            self._inside -= {turn.command.name for turn in turns}
        for turn, outcome in zip(turns, outcomes, strict=True):
            turn.end(outcome)
