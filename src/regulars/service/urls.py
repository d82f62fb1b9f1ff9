"""Every address there is."""

import logging

from django.http import HttpRequest, HttpResponse
from django.urls import path

from regulars.service import health
from regulars.till import reference
from regulars.till.api import api
from regulars.till.problems import Problem, respond

_log = logging.getLogger(__name__)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What Django itself finds suspicious."""
    return respond(request, Problem("body_invalid"))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """No such address."""
    return respond(request, Problem("route_not_found"))


def failed(request: HttpRequest) -> HttpResponse:
    """What nobody foresaw; Django has the exception in hand, and this writes it down without what is personal in it."""
    _log.exception("failed", extra={"facts": {"request": getattr(request, "request_id", "")}})
    return respond(request, Problem("failed"))


urlpatterns = [
    path("api/v1/", api.urls),
    path("docs", reference.page),
    path("docs.css", reference.style),
    path("health/live", health.live),
    path("health/ready", health.ready),
    path("metrics", health.metrics),
]
handler400 = "regulars.service.urls.bad_request"
handler404 = "regulars.service.urls.not_found"
handler500 = "regulars.service.urls.failed"
