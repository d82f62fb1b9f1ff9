"""Events: what a point of sale or an app told us, each messageId of a till once; a guest's orders count as theirs from then on.

Whatever says who somebody is, is kept sealed, and told to the lake as it was said.
"""

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from regulars.offers.models import Event
from regulars.offers.orders import note_orders
from regulars.offers.sealing import PREFIX, seal, unseal
from regulars.records.turns import turn

_AT_ONCE = 25
_TRIES = 5
_ENDS = ("userid", "guestid", "customerid", "memberid", "deviceid", "advertisingid", "cardhash", "phone", "phonenumber", "mobile",
         "telephone", "email", "emailaddress")  # fmt: skip
"""How keys end under which somebody's names stand, wherever they do."""
_IDS = {"anonymousid", "previousid", "ip", "tel", "mail"}
_OF_SOMEBODY = {
    "name", "firstname", "lastname", "fullname", "username", "nickname", "address", "street", "birthday", "dateofbirth", "id",
}  # fmt: skip
"""Keys that say so only where they stand beneath a person or their device."""


def take_events(events: Sequence[dict[str, Any]], *, till: str | None, now: dt.datetime) -> dict[str, int]:
    """Keep events of the Segment shape; how many are new, and how many were known.

    A few in each transaction, between which tills come in. Where one fails, those before it are kept, and known when all are told again.
    """
    some = [_take_together(events[place : place + _AT_ONCE], till, now) for place in range(0, len(events), _AT_ONCE)]
    return {name: sum(counts[name] for counts in some) for name in ("taken", "repeated")}


def _take_together(events: Sequence[dict[str, Any]], till: str | None, now: dt.datetime) -> dict[str, int]:
    for left in reversed(range(_TRIES)):
        try:
            with turn(), transaction.atomic():
                return _take(events, till or "", now)
        except (
            IntegrityError
        ):  # somebody else met the same guest, or told the same, for the first time in the same moment
            if not left:
                raise
    raise AssertionError


def _take(events: Sequence[dict[str, Any]], till: str, now: dt.datetime) -> dict[str, int]:
    told: dict[str, dict[str, Any]] = {}
    for event in events:
        told.setdefault(event["messageId"], event)
    known = set(Event.objects.filter(till=till, message_id__in=told).values_list("message_id", flat=True))
    new = [event for name, event in told.items() if name not in known]
    Event.objects.bulk_create(
        Event(message_id=event["messageId"], call=event.get("type", "track"), name=event.get("event", ""),
              body=sealed(event), till=till, noted_at=now)
        for event in sorted(new, key=lambda event: str(event["messageId"]))
    )  # fmt: skip
    note_orders(new, till=till, now=now)
    return {"taken": len(new), "repeated": len(events) - len(new)}


def events(names: Sequence[str], *, since: dt.datetime | None = None) -> Iterator[dict[str, Any]]:
    """What was told under these names since a time, as it was told, but that each messageId names its till too."""
    told = Event.objects.filter(name__in=names).order_by("pk")
    told = told if since is None else told.filter(noted_at__gte=since)
    rows = told.values_list("till", "body").iterator(10_000)
    return ({**_unsealed(body), "messageId": f"{till} {body['messageId']}".strip()} for till, body in rows)


def _is_name(key: str, of: str) -> bool:
    """Whether what stands under a key says who somebody is; of: the key that it stands beneath."""
    bare = "".join(filter(str.isalnum, key)).lower()
    return (
        bare in _IDS
        or bare.endswith(_ENDS)
        or (of in ("traits", "device", "customer", "user") and bare in _OF_SOMEBODY)
    )


def sealed(said: Any, of: str = "") -> Any:
    """An event as it is kept. of: the key that this part of it stands beneath."""
    match said:
        case dict():
            return {
                key: seal(json.dumps(value)) if _is_name(key, of) and value not in (None, "") else sealed(value, key)
                for key, value in said.items()
            }
        case list():
            return [sealed(value, of) for value in said]
    return said


def _unsealed(kept: Any, of: str = "") -> Any:
    match kept:
        case dict():
            return {
                key: json.loads(unseal(value)) if _is_seal(key, of, value) else _unsealed(value, key)
                for key, value in kept.items()
            }
        case list():
            return [_unsealed(value, of) for value in kept]
    return kept


def _is_seal(key: str, of: str, value: Any) -> bool:
    return _is_name(key, of) and isinstance(value, str) and value.startswith(PREFIX)
