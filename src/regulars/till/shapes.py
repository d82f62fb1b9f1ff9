"""Shapes: what may be sent. Nothing that is not named here is taken, no number is read from a text, and none is a float."""

import datetime as dt
import re
from typing import Annotated, Any, Literal

import pydantic
from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints

from regulars.offers.bill import MOST_MINOR, Bill, Line
from regulars.offers.identity import Guest
from regulars.offers.terms import Terms

_PRINTABLE = r"^[^\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+$"
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)\Z", re.ASCII | re.IGNORECASE)


def _instant(said: Any) -> dt.datetime:
    """An instant of RFC 3339, in UTC. Python's own reader takes much that is none."""
    if not isinstance(said, str) or not _INSTANT.match(said):
        raise ValueError("give a date, a time and an offset, such as 2026-11-01T12:30:00+08:00")
    try:
        return dt.datetime.fromisoformat(said.upper()).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise ValueError("there is no such instant") from None


Text = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_PRINTABLE)]
LongText = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_PRINTABLE)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=_PRINTABLE)]
Codes = Annotated[list[Code], Field(min_length=1, max_length=5)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Minor = Annotated[int, Field(ge=0, le=MOST_MINOR)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Instant = Annotated[dt.datetime, BeforeValidator(_instant, json_schema_input_type=dt.datetime)]
RequestKey = Annotated[str, StringConstraints(min_length=8, max_length=128, pattern=r"^[\u0021-\u007e]+$")]


class Shape(pydantic.BaseModel):
    """The base of all that is sent."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class LineShape(Shape):
    """One dish on the bill. amount_minor: for all of its pieces."""

    item_id: Text
    quantity: Count = 1
    amount_minor: Minor


class BillShape(Shape):
    """What is to be paid before the vouchers, in minor units: 1250 is 12.50 dollars."""

    amount_minor: Minor
    currency: Currency
    lines: Annotated[list[LineShape], Field(max_length=500)] = []

    def as_bill(self) -> Bill:
        lines = tuple(
            Line(item_id=line.item_id, quantity=line.quantity, amount_minor=line.amount_minor) for line in self.lines
        )
        return Bill(amount_minor=self.amount_minor, currency=self.currency, lines=lines)


class GuestShape(Shape):
    """Who is at the till, as far as it knows. None of it is kept but keyed hashes."""

    guest_id: Text | None = None
    phone: Text | None = None
    email: LongText | None = None
    device: LongText | None = None
    card_hash: LongText | None = None
    orders_before: Annotated[int, Field(ge=0, le=1_000_000)] | None = None

    def as_guest(self) -> Guest:
        return Guest(
            guest_id=self.guest_id, phone=self.phone, email=self.email, device=self.device, card_hash=self.card_hash,
            orders_before=self.orders_before,
        )  # fmt: skip


class ValidateShape(Shape):
    """Vouchers and the bill they are for. stacking: `best` for the guest, or `all` of them or none."""

    codes: Codes
    store_id: Text
    bill: BillShape
    guest: GuestShape | None = None
    order_id: Text | None = None
    reservation_id: Text | None = None
    stacking: Literal["best", "all"] = "best"


class ReserveShape(Shape):
    """Vouchers to be kept for a bill, for ttl_seconds."""

    codes: Codes
    store_id: Text
    bill: BillShape
    guest: GuestShape | None = None
    order_id: Text | None = None
    stacking: Literal["best", "all"] = "best"
    ttl_seconds: Annotated[int, Field(ge=10, le=86_400)] = 600


class OfflineShape(ValidateShape):
    """A redemption that happened while the till could not reach the house. key: as in Idempotency-Key."""

    key: RequestKey
    occurred_at: Instant


class BatchShape(Shape):
    """What an offline till did, in its order."""

    redemptions: Annotated[list[OfflineShape], Field(min_length=1, max_length=200)]


class RollBackShape(Shape):
    """How much of the discount is given back; all that is left of it where nothing is said."""

    amount_minor: Annotated[int, Field(ge=1, le=MOST_MINOR)] | None = None
    reason: LongText | None = None


class NothingShape(Shape):
    """Nothing needs to be said."""


class CancelShape(Shape):
    """Why a voucher is taken back."""

    reason: LongText | None = None


class IssueShape(Shape):
    """A voucher to be issued. code: only for a generic one that people will read aloud."""

    offer_id: Text
    guest_id: Text | None = None
    code: Annotated[str, StringConstraints(min_length=4, max_length=40, pattern=_PRINTABLE)] | None = None


class DefineShape(Shape):
    """An offer: its terms are those of the offer file."""

    offer_id: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$")]
    campaign_id: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[\w.:-]+$")] | None = None
    terms: Terms


class HaltShape(Shape):
    """What is to stop at once, and why."""

    kind: Literal["offer", "campaign", "store"]
    key: Text
    reason: LongText
