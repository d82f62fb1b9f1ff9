"""Dispatch: how commands go through the door, and how their answers are said: to the byte the same for the same key."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from regulars.ledger.commands import DONE, Answer, Command
from regulars.ledger.group_commit import Door
from regulars.ledger.refusals import Refusal
from regulars.ledger.transactions import perform
from regulars.offers.issuance import Issue
from regulars.till.bodies import fingerprint, idempotency_key
from regulars.till.keys import till_of
from regulars.till.metrics import answers_of
from regulars.till.problems import MEDIA_TYPE, STATUSES, canonical, document, instance_of, language_of
from regulars.till.throttle import Guesses

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
    GUESSES.check(till_of(request).till_id)
    answered = DOOR.submit(command)
    _note(request, command, answered)
    content_type = "application/json" if answered.outcome == DONE else MEDIA_TYPE
    response = HttpResponse(answered.text.encode(), status=status_of(command, answered), content_type=content_type)
    if answered.is_repeated:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def answer_many(request: HttpRequest, commands: Sequence[Command]) -> HttpResponse:
    """All of them in one transaction; if that fails as a whole, each by itself."""
    GUESSES.check(till_of(request).till_id)
    try:
        answers = perform(commands, now=now(), speak=speak)
    except DatabaseError:
        answers = [DOOR.submit(command) for command in commands]
    for command, answered in zip(commands, answers, strict=True):
        _note(request, command, answered)
    results = ",".join(
        f'{{"body":{answered.text},"key":{canonical(command.key)},"status":{status_of(command, answered)}}}'
        for command, answered in zip(commands, answers, strict=True)
    )
    return HttpResponse(f'{{"results":[{results}]}}', content_type="application/json")


def say(value: Any, *, status: int = 200) -> HttpResponse:
    """A plain document."""
    return HttpResponse(canonical(value).encode(), status=status, content_type="application/json")


def _note(request: HttpRequest, command: Command, answered: Answer) -> None:
    outcome = "repeated" if answered.is_repeated else answered.outcome
    answers_of(type(command).__name__, outcome).inc()
    left_out = (answered.said or {}).get("left_out", ())
    unknown = (outcome == _UNKNOWN) + sum(left["reason"] == _UNKNOWN for left in left_out)
    for _ in range(unknown):
        GUESSES.note(till_of(request).till_id)
