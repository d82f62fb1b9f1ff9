"""Replies: the shapes of what is said back, as the API's own description has them."""

from typing import Any, Literal

import pydantic

State = Literal["created", "issued", "reserved", "redeemed", "rolled_back", "expired", "cancelled"]


class Reply(pydantic.BaseModel):
    """The base of all that is said back. Later versions may say more: whoever reads leaves aside what they do not know."""


class WrongField(Reply):
    """pointer: where in the body, as RFC 6901 has it, or in the address or the headers."""

    pointer: str
    code: str
    detail: str


class ProblemReply(Reply):
    """Why not (RFC 9457). code never changes; detail is in the language of Accept-Language, English or Chinese."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    instance: str
    errors: list[WrongField] = []


class ShareReply(Reply):
    """What a line bears of a discount. line: its place among those of the bill, from 0; null for the part that is on no line."""

    line: int | None
    item_id: str | None
    discount_minor: int


class AppliedReply(Reply):
    """A voucher that was taken, and what for. redemption_id: names this use, for giving it back. shares: where its discount lies
    on a bill with lines.
    """

    code: str
    offer_id: str
    discount_minor: int
    redemption_id: str = ""
    shares: list[ShareReply] = []


class LeftOutReply(Reply):
    """A voucher that was not taken, and why."""

    code: str
    reason: str
    detail: str


class TakenReply(Reply):
    """What the vouchers do for the bill. amount_minor: what is left to pay."""

    discount_minor: int
    amount_minor: int
    currency: str
    applied: list[AppliedReply]
    left_out: list[LeftOutReply]
    explanation: str


class ReservedReply(TakenReply):
    """The same, and until when it is kept."""

    reservation_id: str
    reserved_until: str


class ResultReply(Reply):
    """What became of one redemption: the status and the body that the till would have had online."""

    key: str
    status: int
    body: TakenReply | ProblemReply


class BatchReply(Reply):
    """One for each, in the order they were sent."""

    results: list[ResultReply]


class RolledBackReply(Reply):
    """What was given back now, and how much of the discount can still be."""

    redemption_id: str
    returned_minor: int
    left_minor: int
    voucher_state: State


class ReleasedReply(Reply):
    """The vouchers that are free again."""

    reservation_id: str
    released: list[str]


class IssuedReply(Reply):
    """A new voucher."""

    code: str
    offer_id: str
    state: State
    guest_id: str | None
    expires_at: str


class CancelledReply(Reply):
    """A voucher that ended."""

    code: str
    offer_id: str
    state: State


class VoucherReply(Reply):
    """A voucher as it stands."""

    code: str
    offer_id: str
    state: State
    uses: int
    uses_left: int
    issued_at: str
    expires_at: str


class VouchersReply(Reply):
    """A page of vouchers. next_cursor: asks for the next; null after the last."""

    vouchers: list[VoucherReply]
    next_cursor: str | None


class RedemptionReply(Reply):
    """A redemption, and what of it was given back."""

    redemption_id: str
    code: str
    offer_id: str
    store_id: str
    order_id: str | None
    redeemed_at: str
    bill_minor: int | None
    cost_minor: int
    platform_minor: int
    returned_minor: int
    left_minor: int
    is_given_back: bool


class RedemptionsReply(Reply):
    """A page of redemptions. next_cursor: asks for the next; null after the last."""

    redemptions: list[RedemptionReply]
    next_cursor: str | None


class OfferReply(Reply):
    """An offer. account: its money and its uses, for keys that may define offers."""

    offer_id: str
    campaign_id: str | None
    version: int
    terms: dict[str, Any]
    account: dict[str, int] = {}


class OffersReply(Reply):
    """All offers that concern the key."""

    offers: list[OfferReply]
    next_cursor: str | None


class EventsReply(Reply):
    """How many events are new, and how many were known by their messageId."""

    taken: int
    repeated: int


class HaltReply(Reply):
    """A halt in force, or lifted."""

    kind: Literal["offer", "campaign", "store"]
    key: str
    is_halted: bool


class HaltInForceReply(Reply):
    """A halt in force: why, by whom and since when."""

    kind: Literal["offer", "campaign", "store"]
    key: str
    reason: str
    by: str
    at: str


class HaltsReply(Reply):
    """All halts in force that concern the key."""

    halts: list[HaltInForceReply]


class PingReply(Reply):
    """Whose key it is. is_sandbox: whether nothing it asks is kept."""

    till_id: str
    is_sandbox: bool
