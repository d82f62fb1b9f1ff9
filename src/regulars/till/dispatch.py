"""Dispatch: how commands go through the door, and how their answers are said: to the byte the same for the same key."""

import datetime as dt
import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from regulars.ledger.commands import DONE, Answer, Command
from regulars.ledger.group_commit import Door
from regulars.ledger.patience import limit_waits
from regulars.ledger.refusals import Refusal
from regulars.ledger.sandbox import Sandbox, rolled_back
from regulars.ledger.transactions import answered_before, perform
from regulars.offers import actions
from regulars.offers.issuance import Issue
from regulars.offers.redemption import Redeem
from regulars.till.bodies import fingerprint, idempotency_key
from regulars.till.keys import till_of
from regulars.till.metrics import answers_of
from regulars.till.problems import MEDIA_TYPE, STATUSES, Problem, canonical, document, instance_of, language_of
from regulars.till.throttle import Guesses

_log = logging.getLogger(__name__)
_AT_ONCE = 16
_UNKNOWN = "voucher_not_found"


def now() -> dt.datetime:
    """The house's clock."""
    return dt.datetime.now(dt.UTC)


def speak(command: Command, outcome: dict[str, Any] | Refusal) -> str:
    """The text of an answer; it depends on nothing but the command and its outcome, for it is kept with the key."""
    if isinstance(outcome, Refusal):
        return document(outcome, command.language, instance_of(command.key, command.fingerprint))
    return canonical(outcome)


def status_of(command: Command, answered: Answer) -> int:
    """The status of an answer, whether it is given for the first time or again."""
    if answered.outcome != DONE:
        return STATUSES[answered.outcome]
    return 201 if isinstance(command, Issue) else 200


DOOR = Door(speak=speak, clock=now)
SANDBOX = Sandbox(speak=speak, clock=now)
"""The door of keys for a sandbox."""
GUESSES = Guesses(settings.GUESSES_PER_MINUTE)


def asked(request: HttpRequest, *, what: str = "", is_write: bool = True) -> dict[str, Any]:
    """What every command says: who asks, under which key, and when. what: names the deed where two routes do the same.

    What has no key has no fingerprint that would be compared; the request's own name takes its place.
    """
    till = till_of(request)
    said = getattr(request, "said", None)
    return {
        "key": idempotency_key(request) if is_write else "",
        "fingerprint": fingerprint(what or f"{request.method} {request.path}", said)
        if is_write
        else request.request_id,
        "till": till.till_id,
        "stores": till.stores,
        "at": now(),
        "language": language_of(request.META.get("HTTP_ACCEPT_LANGUAGE", "")),
    }


def answer(request: HttpRequest, command: Command) -> HttpResponse:
    """Let a command through the door, and say what was said of it."""
    till = till_of(request)
    GUESSES.check(till.till_id)
    answered = SANDBOX.submit(command) if till.is_sandbox else DOOR.submit(command)
    _note(request, command, answered)
    content_type = "application/json" if answered.outcome == DONE else MEDIA_TYPE
    response = HttpResponse(answered.text.encode(), status=status_of(command, answered), content_type=content_type)
    if answered.is_repeated:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def stage(request: HttpRequest) -> AbstractContextManager[None]:
    """What is written inside, by other ways than a command, stays, unless the key is for a sandbox."""
    return rolled_back() if till_of(request).is_sandbox else nullcontext()


def answer_many(request: HttpRequest, commands: Sequence[Redeem]) -> HttpResponse:
    """A few in each transaction, between which others come in; if one fails as a whole, each by itself.

    Whoever guesses is answered no further than that.
    """
    GUESSES.check(till_of(request).till_id)
    heard = _heard(request, commands)
    if till_of(request).is_sandbox:
        answers = [_by_itself(command, SANDBOX) for command in heard]
    else:
        answers = [answered for some in batched(heard) for answered in _together(some)]
    for command, answered in zip(heard, answers, strict=True):
        _note(request, command, answered)
    told = [
        (command, answered.text, status_of(command, answered)) for command, answered in zip(heard, answers, strict=True)
    ]
    wait = Problem("too_many_attempts")
    for command in commands[len(heard) :]:
        text = document(wait, command.language, instance_of(command.key, command.fingerprint))
        told.append((command, text, STATUSES[wait.code]))
    results = ",".join(
        f'{{"body":{text},"key":{canonical(command.key)},"status":{status}}}' for command, text, status in told
    )
    return HttpResponse(f'{{"results":[{results}]}}', content_type="application/json")


def batched(commands: Sequence[Redeem]) -> Iterator[Sequence[Redeem]]:
    return (commands[place : place + _AT_ONCE] for place in range(0, len(commands), _AT_ONCE))


def _together(commands: Sequence[Redeem]) -> list[Answer]:
    try:
        limit_waits()
        return perform(commands, now=now(), speak=speak)
    except Exception:  # noqa: BLE001  (whoever it was, the others go on)
        return [_by_itself(command, DOOR) for command in commands]


def _heard(request: HttpRequest, commands: Sequence[Redeem]) -> Sequence[Redeem]:
    """The commands up to the one with which the key has guessed as often as it may; what comes after may be told again later."""
    till = till_of(request)
    known = actions.codes_seen({code for command in commands for code in command.codes}, till.stores)
    left = GUESSES.left(till.till_id)
    told = answered_before(till.till_id, [command.key for command in commands])
    for place, command in enumerate(commands):
        if left <= 0:
            return commands[:place]
        left -= 0 if command.key in told else sum(code not in known for code in command.codes)
    return commands


def _by_itself(command: Command, door: Door | Sandbox) -> Answer:
    try:
        return door.submit(command)
    except Exception as error:  # noqa: BLE001  (of many, one is told that it failed, as it would be alone)
        _log.error("command of many", exc_info=error)
        return Answer(
            outcome="failed",
            text=document(Problem("failed"), command.language, instance_of(command.key, command.fingerprint)),
        )


def say(value: Any, *, status: int = 200) -> HttpResponse:
    """A plain document."""
    return HttpResponse(canonical(value).encode(), status=status, content_type="application/json")


def _note(request: HttpRequest, command: Command, answered: Answer) -> None:
    till = till_of(request)
    outcome = "sandbox" if till.is_sandbox else "repeated" if answered.is_repeated else answered.outcome
    answers_of(type(command).__name__, outcome).inc()
    if answered.refusal is not None:
        unknown = answered.refusal.unknown_codes + (outcome == "code_exists")
    else:
        unknown = sum(left["reason"] == _UNKNOWN for left in (answered.said or {}).get("left_out", ()))
    GUESSES.note(till.till_id, unknown)
