"""Problems: everything that is refused over HTTP, as RFC 9457 has it, in English or Chinese.

A problem has a code that never changes, and one status for each code, in the table below. Its words stand in
`wording/sentences/till.toml`; they are for people and may change.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse

from regulars.ledger.refusals import Refusal
from regulars.wording import Sentence, Voice, known_codes, language_for

MEDIA_TYPE = "application/problem+json"
TYPES = "urn:regulars:problem:"

STATUSES: dict[str, int] = {
    # who asks, and whether they may
    "not_authenticated": 401, "till_revoked": 401, "not_allowed": 403, "too_many_attempts": 429,
    # what HTTP itself refuses
    "host_unknown": 400, "not_json": 400, "idempotency_key_missing": 400, "idempotency_key_invalid": 400,
    "route_not_found": 404, "method_not_allowed": 405, "body_too_slow": 408, "length_required": 411, "body_too_large": 413,
    "media_type_unsupported": 415, "body_invalid": 422, "failed": 500, "unavailable": 503,
    # a key that was used before
    "key_reused": 422, "key_in_flight": 409,
    # what is not there, or not for them
    "voucher_not_found": 404, "offer_not_found": 404, "redemption_not_found": 404, "reservation_not_found": 404,
    "halt_not_found": 404, "campaign_not_found": 404,
    # what is asked makes no sense as it stands; another request would
    "code_invalid": 422, "clock_wrong": 422, "store_unknown": 422, "currency_mismatch": 422, "guest_required": 422, "guest_invalid": 422,
    "minimum_spend_not_met": 422, "item_not_on_bill": 422, "refund_exceeds_discount": 422, "cannot_be_combined": 422,
    "no_effect": 422, "too_many_vouchers": 422,
    # what is asked does not go with how things stand
    "voucher_not_active": 409, "voucher_expired": 409, "voucher_not_yet_valid": 409, "voucher_redeemed": 409,
    "voucher_reserved": 409, "voucher_cancelled": 409, "voucher_rolled_back": 409, "already_rolled_back": 409,
    "reservation_expired": 409, "quantity_exceeded": 409, "budget_exhausted": 409, "per_guest_exceeded": 409,
    "per_day_exceeded": 409, "per_code_exceeded": 409, "store_hour_exceeded": 409,
    "store_not_allowed": 409, "outside_hours": 409, "not_first_order": 409, "guest_mismatch": 409,
    "offer_halted": 409, "campaign_halted": 409, "store_halted": 409, "offer_exists": 409, "code_exists": 409,
}  # fmt: skip


class FieldError(NamedTuple):
    """What is wrong in one field. pointer: where, as RFC 6901 has it, in the body."""

    pointer: str
    code: str
    detail: str


class Problem(Exception):  # noqa: N818  (the word of RFC 9457)
    """A request that is refused. facts: values for its words. headers: what HTTP wants said with it."""

    def __init__(
        self, code: str, *, errors: Sequence[FieldError] = (), headers: Mapping[str, str] | None = None, **facts: object
    ) -> None:
        super().__init__(code)
        self.code, self.errors, self.headers, self.facts = code, errors, headers or {}, facts

    def words(self, language: str) -> str:
        return Voice(language=language_for(language)).say(Sentence(f"problem_{self.code}", **self.facts))


def in_words(found: dict[str, Any], language: str) -> str:
    """What is wrong in a field, as pydantic found it, in a sentence. What was sent is never repeated."""
    voice, code = Voice(language=language_for(language)), f"field_{found['type']}"
    if code in known_codes():
        return voice.say(Sentence(code, **found.get("ctx", {})))
    return voice.say("field_otherwise", words=str(found["msg"]).removeprefix("Value error, "))


_WRITER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def canonical(value: Any) -> str:
    """A value as JSON in the one way we write it. Raises ValueError for what JSON has no word for, such as NaN."""
    return _WRITER.encode(value)


def document(problem: Problem | Refusal, language: str, instance: str) -> str:
    """A problem as it is sent. instance: the name of this very occurrence."""
    told: dict[str, Any] = {
        "type": f"{TYPES}{problem.code}",
        "title": problem.code.replace("_", " ").capitalize(),
        "status": STATUSES[problem.code],
        "code": problem.code,
        "detail": problem.words(language),
        "instance": instance,
    }
    if isinstance(problem, Problem) and problem.errors:
        told["errors"] = [error._asdict() for error in problem.errors]
    return canonical(told)


def respond(request: HttpRequest, problem: Problem | Refusal) -> HttpResponse:
    """The response for a problem that belongs to this request alone."""
    language = language_of(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))
    text = document(problem, language, instance_of("", getattr(request, "request_id", "")))
    headers = {"Content-Language": language, **(problem.headers if isinstance(problem, Problem) else {})}
    return HttpResponse(text, status=STATUSES[problem.code], content_type=MEDIA_TYPE, headers=headers)


def instance_of(key: str, request_id: str) -> str:
    """The name of what happened under an idempotency key, the same whenever it comes again; without a key, of the request."""
    return f"urn:regulars:key:{quote(key, safe='')}" if key else f"urn:regulars:request:{request_id}"


@lru_cache(maxsize=256)
def language_of(header: str) -> str:
    """English, unless Accept-Language likes Chinese better."""
    likes = {"zh": 0.0, "en": 0.0}
    for place, part in enumerate(header.split(",")[:20]):
        tag, _, weight = part.strip().partition(";")
        name = tag.split("-")[0].lower()
        if name in likes:
            likes[name] = max(likes[name], _weight(weight) - place * 1e-6)
    return "zh" if likes["zh"] > likes["en"] else "en"


def _weight(text: str) -> float:
    try:
        return float(text.strip().removeprefix("q=")) if text.strip() else 1.0
    except ValueError:
        return 0.0
