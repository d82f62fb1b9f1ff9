"""Events: what a point of sale or an app told us, each messageId of a till once; a guest's orders count as theirs from then on."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from regulars.offers.models import Event
from regulars.offers.orders import note_orders


def take_events(events: Sequence[dict[str, Any]], *, till: str | None, now: dt.datetime) -> dict[str, int]:
    """Keep events of the Segment shape; how many are new, and how many were known."""
    try:
        with transaction.atomic():
            return _take(events, till or "", now)
    except IntegrityError:  # somebody else met the same guest for the first time in the same moment
        with transaction.atomic():
            return _take(events, till or "", now)


def _take(events: Sequence[dict[str, Any]], till: str, now: dt.datetime) -> dict[str, int]:
    told = {event["messageId"]: event for event in events}
    known = set(Event.objects.filter(till=till, message_id__in=told).values_list("message_id", flat=True))
    new = [event for name, event in told.items() if name not in known]
    Event.objects.bulk_create(
        Event(message_id=event["messageId"], call=event.get("type", "track"), name=event.get("event", ""), body=event,
              till=till, noted_at=now)
        for event in new
    )  # fmt: skip
    note_orders(new, now=now)
    return {"taken": len(new), "repeated": len(events) - len(new)}


def events(names: Sequence[str], *, since: dt.datetime | None = None) -> Iterator[dict[str, Any]]:
    """What was told under these names since a time, as it was told, but that each messageId names its till too."""
    told = Event.objects.filter(name__in=names).order_by("pk")
    told = told if since is None else told.filter(noted_at__gte=since)
    rows = told.values_list("till", "body").iterator(10_000)
    return ({**body, "messageId": f"{till} {body['messageId']}".strip()} for till, body in rows)
