"""The middleware: what goes around every request: its name, its size, its headers, its line in the log, its place in the figures.

It is one middleware and not six: a redemption passes through it, and each costs time.
"""

import logging
import re
import secrets
import time
from collections.abc import Callable

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse

from regulars.service.logs import shadow
from regulars.service.metrics import requests_of
from regulars.till.bodies import check_size
from regulars.till.problems import MEDIA_TYPE, Problem, respond

Handler = Callable[[HttpRequest], HttpResponse]

_log = logging.getLogger(__name__)
_NAME = re.compile(r"[\w.:-]{1,64}\Z", re.ASCII)
_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"})
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def around(handle: Handler) -> Handler:
    """Django's way to put something around a handler."""

    def answered(request: HttpRequest) -> HttpResponse:
        begun = time.perf_counter()
        named: str = request.META.get("HTTP_X_REQUEST_ID", "")
        request.request_id = named if _NAME.match(named) else secrets.token_hex(8)
        response = _refused(request) or handle(request)
        if response.status_code == 405 and response.headers["Content-Type"] != MEDIA_TYPE:
            response = respond(request, Problem("method_not_allowed", headers={"Allow": response.headers["Allow"]}))
        response.headers["X-Request-ID"] = request.request_id
        if (till := getattr(request, "till", None)) is not None and till.is_sandbox:
            response.headers["Sandbox"] = "true"
        for name, value in _HEADERS.items():
            if name not in response.headers:
                response.headers[name] = value
        _note(request, response, time.perf_counter() - begun)
        return response

    return answered


def _refused(request: HttpRequest) -> HttpResponse | None:
    try:
        request.get_host()
        check_size(request)
    except DisallowedHost:
        return respond(request, Problem("host_unknown"))
    except Problem as problem:
        return respond(request, problem)
    return None


def _note(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    route = request.resolver_match.route if request.resolver_match else "unknown"
    method = request.method if request.method in _METHODS else "other"
    requests_of(method, route, response.status_code).observe(seconds)
    if not _log.isEnabledFor(logging.INFO):
        return
    facts = {
        "request": request.request_id,
        "method": method, "route": route, "status": response.status_code, "ms": round(seconds * 1000, 2),
    }  # fmt: skip
    if (till := getattr(request, "till", None)) is not None:
        facts["till"] = till.till_id
    if codes := getattr(request, "codes", None):
        facts["codes"] = [shadow(code) for code in codes]
    _log.info("request", extra={"facts": facts})
