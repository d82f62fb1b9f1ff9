"""The routes of events: what tills and apps tell, in Segment's words. messageId takes the place of an Idempotency-Key."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from regulars.offers import actions
from regulars.till.dispatch import now, say, stage
from regulars.till.event_shapes import EventsShape, OtherShape, TrackShape
from regulars.till.keys import Key, till_of
from regulars.till.openapi import PROBLEMS
from regulars.till.replies import EventsReply

router = Router(tags=["events"])
_TELLER = Key("events")


@router.post("/track", auth=_TELLER, response={200: EventsReply, **PROBLEMS})
def track(request: HttpRequest, body: TrackShape) -> HttpResponse:
    """Tell one event."""
    return _take(request, [body])


@router.post("/batch", auth=_TELLER, response={200: EventsReply, **PROBLEMS})
def batch(request: HttpRequest, body: EventsShape) -> HttpResponse:
    """Tell many events: all are taken, or, where one has not the form, none."""
    return _take(request, body.batch)


def _take(request: HttpRequest, events: Sequence[TrackShape | OtherShape]) -> HttpResponse:
    told = [_as_told(event) for event in events]
    with stage(request):
        return say(actions.take_events(told, till=till_of(request).till_id, now=now()))


def _as_told(event: TrackShape | OtherShape) -> dict[str, Any]:
    """An event as it was told, with its type; a name that is null is none."""
    told = event.model_dump(exclude_unset=True) | {"type": event.type}
    return (
        told if told.get("event", "") is not None else {name: value for name, value in told.items() if name != "event"}
    )
