"""Caps: what one use of an offer counts against, apart from its own account."""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from regulars.clock import StoreClock, store_hour
from regulars.offers.terms import Terms

Key = tuple[str, str, str]
"""An offer, a kind of cap, and whose it is."""

ALARM = "minute"


class Cap(NamedTuple):
    """At most so many uses under this key; refusal: what is said where they are used up."""

    key: Key
    most: int
    refusal: str


def caps_of(
    offer_id: str, terms: Terms, store_id: str, clock: StoreClock, at: dt.datetime, persons: Iterable[str]
) -> Iterator[Cap]:
    """The caps that a use at this instant in this store counts against; of a guest, under every name they go by."""
    if terms.per_guest is not None:
        for person in persons:
            yield Cap((offer_id, "guest", person), terms.per_guest, "per_guest_exceeded")
    if terms.per_day is not None:
        day = clock.business_date(at)
        yield Cap((offer_id, "day", day.isoformat()), terms.per_day, "per_day_exceeded")
    if terms.per_store_hour is not None:
        hour = f"{store_id} {store_hour(at, clock.zone)}"
        yield Cap((offer_id, "store_hour", hour), terms.per_store_hour, "store_hour_exceeded")
    if terms.per_minute is not None:
        minute = at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M")
        yield Cap((offer_id, ALARM, minute), terms.per_minute, "offer_halted")
