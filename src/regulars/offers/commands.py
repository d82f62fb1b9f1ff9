"""Commands: what a till, an operator or a clock may ask of the ledger; each is one value, answered once."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from regulars.offers.bill import Bill
from regulars.offers.identity import Guest
from regulars.offers.reach import Own
from regulars.offers.refusals import Refusal
from regulars.offers.terms import Terms

HaltKind = Literal["offer", "campaign", "store"]
NOBODY = Guest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What all commands say.

    key: the sender's own name for it; the same key from the same till is answered from memory. fingerprint: a digest of what
    was asked, so that the key cannot stand for something else. till: who asks, None for the house itself. stores: where the
    till may act, None for everywhere. at: when it happened, an instant in UTC; the house's clock unless a till was offline.
    """

    key: str
    fingerprint: str = ""
    till: str | None = None
    stores: Own = None
    at: dt.datetime
    language: str = "en"

    def may_act_at(self, store_id: str) -> bool:
        return self.stores is None or store_id in self.stores


@dataclass(frozen=True, slots=True, kw_only=True)
class Validate(Command):
    """Would these vouchers be taken for this bill, and for how much? Changes nothing.

    is_best: take those that serve the guest best and leave the others; otherwise all or none. reservation_id: the vouchers
    were reserved under it.
    """

    codes: tuple[str, ...]
    store_id: str
    bill: Bill
    guest: Guest = NOBODY
    order_id: str | None = None
    reservation_id: str | None = None
    is_best: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve(Validate):
    """Keep these vouchers for this bill, for so many seconds."""

    seconds: int = 600

    @property
    def until(self) -> dt.datetime:
        return self.at + dt.timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeem(Validate):
    """Use these vouchers on this bill. is_offline: it happened at `at`, while the till could not reach the house."""

    is_offline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(Command):
    """Let reserved vouchers go."""

    reservation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBack(Command):
    """Give back a redemption, wholly (amount_minor None) or in part."""

    redemption_id: str
    amount_minor: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue(Command):
    """Issue one voucher of an offer, to a guest if one is named; `code` only for a generic one that people will read aloud."""

    offer_id: str
    guest_id: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel(Command):
    """Take back a voucher that was not used."""

    code: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expire(Command):
    """End a voucher whose time is over."""

    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Define(Command):
    """Make an offer with its account, or change its terms."""

    offer_id: str
    terms: Terms
    campaign_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(Command):
    """Halt an offer, a campaign or a store at once. by: who does it, for people to read."""

    kind: HaltKind
    whose: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume(Command):
    """Lift a halt."""

    kind: HaltKind
    whose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a command: a plain document, or why it was refused; and what was said of it, to the byte.

    status: as HTTP has it. text: what was said the first time, which is said again whenever the key comes again.
    """

    said: dict[str, Any] | None = None
    refusal: Refusal | None = None
    status: int = 200
    text: str = ""
    is_repeated: bool = False


Speaker = Callable[[Command, "dict[str, Any] | Refusal"], tuple[int, str]]
"""How an answer is said: the command and its outcome -> a status and a text that is kept."""
