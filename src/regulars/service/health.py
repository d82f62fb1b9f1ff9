"""Health: is it alive, is it ready, what are its figures."""

from ipaddress import ip_address

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST

from regulars.service.metrics import all_figures
from regulars.service.schema import unapplied
from regulars.till.keys import Key
from regulars.till.problems import Problem, respond

_MAY_READ = Key("metrics")


def live(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return _said("live")


def ready(request: HttpRequest) -> HttpResponse:
    """The records can be reached, and their tables are those of this version."""
    try:
        if unapplied():
            return _said("not migrated: run `regulars migrate`", status=503)
        return _said("ready")
    except DatabaseError:
        connection.close()
        return _said("the records cannot be reached", status=503)


def metrics(request: HttpRequest) -> HttpResponse:
    """All figures: to this machine itself, and to whoever has a key for them."""
    try:
        if not is_from_here(request):
            _MAY_READ.demand(request)
    except Problem as problem:
        return respond(request, problem)
    return HttpResponse(all_figures(), content_type=CONTENT_TYPE_LATEST)


def is_from_here(request: HttpRequest) -> bool:
    """Whether this machine itself asks, and not somebody behind a proxy on it."""
    if any(header in request.META for header in ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP")):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _said(words: str, *, status: int = 200) -> HttpResponse:
    return HttpResponse(f'{{"status":"{words}"}}', status=status, content_type="application/json")
