"""The API put together: its routes, its description, and what becomes of everything that is raised."""

import logging
from functools import cached_property
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError, IntegrityError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, UnreadablePostError
from ninja import NinjaAPI, Router
from ninja.errors import HttpError, ValidationError

from regulars import __version__
from regulars.ledger.refusals import Refusal
from regulars.till import events, halts, lists, offers
from regulars.till.bodies import MOST_BYTES_OF_MANY, Reader
from regulars.till.dispatch import say
from regulars.till.keys import Key, till_of
from regulars.till.openapi import PROBLEMS, refine
from regulars.till.problems import FieldError, Problem, canonical, in_words, language_of, respond
from regulars.till.replies import PingReply

_log = logging.getLogger(__name__)
_ABOUT = (
    "What a till, an app or an operator asks of offers and vouchers. Amounts are whole minor units (1250 is 12.50 dollars); "
    "instants carry their offset. Every write but events has an Idempotency-Key: the same key gives the same answer to the byte."
)


_UNUSED = HttpResponse()


class TillApi(NinjaAPI):
    """The till API; its description is worked out once."""

    def create_temporal_response(self, request: HttpRequest) -> HttpResponse:
        """The framework makes a response for every request, for routes that want to add to it; ours make their own."""
        return _UNUSED

    @cached_property
    def description_text(self) -> str:
        return canonical(refine(self.get_openapi_schema()))


api = TillApi(
    title="regulars", version="1", description=_ABOUT, auth=Key(), parser=Reader(), docs_url=None, openapi_url=None,
    urls_namespace="api", openapi_extra={"info": {"license": {"name": "Apache-2.0"}, "x-software": __version__}},
)  # fmt: skip
first = Router(tags=["about"])


@first.get("/ping", response={200: PingReply, **PROBLEMS})
def ping(request: HttpRequest) -> HttpResponse:
    """Whose key it is; the least that can be asked."""
    till = till_of(request)
    return say({"till_id": till.till_id, "is_sandbox": till.is_sandbox})


@first.get("/openapi.json", auth=None, include_in_schema=False)
def description(request: HttpRequest) -> HttpResponse:
    """The description of this API, OpenAPI 3.1."""
    return HttpResponse(api.description_text, content_type="application/json")


api.add_router("", lists.router)  # which is that of vouchers, with its lists
for router in (first, offers.router, events.router, halts.router):
    api.add_router("", router)


@api.exception_handler(Problem)
def _problem(request: HttpRequest, problem: Problem) -> HttpResponseBase:
    return respond(request, problem)


@api.exception_handler(Refusal)
def _refusal(request: HttpRequest, refusal: Refusal) -> HttpResponseBase:
    return respond(request, refusal)


@api.exception_handler(HttpError)
def _unread(request: HttpRequest, error: HttpError) -> HttpResponseBase:
    """The framework wraps what our reader of bodies raises."""
    cause = error.__cause__
    return respond(request, cause if isinstance(cause, Problem) else Problem("not_json"))


@api.exception_handler(UnreadablePostError)
def _broken_off(request: HttpRequest, error: UnreadablePostError) -> HttpResponseBase:
    return respond(request, Problem("not_json"))


@api.exception_handler(RequestDataTooBig)
def _too_big(request: HttpRequest, error: RequestDataTooBig) -> HttpResponseBase:
    return respond(request, Problem("body_too_large", most=MOST_BYTES_OF_MANY))


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponseBase:
    language = language_of(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))
    return respond(request, Problem("body_invalid", errors=[_field(found, language) for found in error.errors[:20]]))


def _field(found: dict[str, Any], language: str) -> FieldError:
    source, *place = found["loc"]
    steps = place[1:] if source == "body" else [source, *place]
    pointer = "".join("/" + str(step).replace("~", "~0").replace("/", "~1")[:80] for step in steps)
    return FieldError(pointer, found["type"], in_words(found, language))


@api.exception_handler(DatabaseError)
@api.exception_handler(InterfaceError)
def _unavailable(request: HttpRequest, error: Exception) -> HttpResponseBase:
    """The records could not be reached, or would not have it: whatever was asked, nobody was told that it was done."""
    facts = {"request": request.request_id}
    _log.error("database", exc_info=error, extra={"facts": facts})
    connection.close_if_unusable_or_obsolete()
    if isinstance(error, IntegrityError):
        return respond(request, Problem("failed"))
    return respond(request, Problem("unavailable", headers={"Retry-After": "1"}))
