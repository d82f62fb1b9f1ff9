"""Hours: whether an offer holds at an instant in a store, and when a voucher ends."""

import datetime as dt
from collections.abc import Collection

from regulars.clock import CLOSES, StoreClock, business_date, day_begins
from regulars.ledger.refusals import Refusal
from regulars.offers.terms import Terms

MOST_SKEW = dt.timedelta(minutes=10)
"""How far the clock of a till may be off."""
MOST_OFFLINE = dt.timedelta(hours=72)
"""How long after it happened a till may tell of a use."""
_DAY = dt.timedelta(days=1)


def check(terms: Terms, at: dt.datetime, store_id: str, clock: StoreClock) -> None:
    """Whether an offer holds in this store at this instant.

    Raises Refusal store_not_allowed, voucher_not_yet_valid, voucher_expired or outside_hours.
    """
    if terms.stores and store_id not in terms.stores:
        raise Refusal("store_not_allowed", store=store_id)
    if terms.starts_at is not None and at < terms.starts_at:
        raise Refusal("voucher_not_yet_valid", starts_at=terms.starts_at, zone=clock.zone)
    if at >= terms.ends_at:
        raise Refusal("voucher_expired", ends_at=terms.ends_at, zone=clock.zone)
    if not terms.holding.holds(at, clock):
        limits = {"weekdays": terms.weekdays, "hours": terms.hours}
        known = {name: limit for name, limit in limits.items() if limit}
        raise Refusal("outside_hours", at=at, zone=clock.zone, **known)


def expires_at(terms: Terms, issued_at: dt.datetime, zone: str, closes: str = CLOSES) -> dt.datetime:
    """When a voucher of this offer ends.

    With valid_days, as the trading day that many days after it was issued closes: a guest keeps the whole of their last evening.
    Vouchers issued before the offer starts count from its start. Never later than the offer.
    """
    if terms.valid_days is None:
        return terms.ends_at
    begins = issued_at if terms.starts_at is None else max(issued_at, terms.starts_at)
    last = business_date(begins, zone, closes) + terms.valid_days * _DAY
    return min(day_begins(last + _DAY, zone, closes), terms.ends_at)


def last_end(terms: Terms, issued_at: dt.datetime, clocks: Collection[StoreClock]) -> dt.datetime:
    """When a voucher has ended in all of these stores; in each it ends as its own trading day closes."""
    return max(expires_at(terms, issued_at, *clock) for clock in clocks)
