"""What an operator would work out on paper: offers, vouchers, guests and stores, step by step, with no thought of speed.

It knows nothing of the ledger, and nothing of sweeps: whether one came by may change no answer.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

AMOUNT = 500
SKEW, OFFLINE = dt.timedelta(minutes=10), dt.timedelta(hours=72)
DAY = dt.timedelta(days=1)
STORES = {
    "S1": ("America/New_York", "04:00"), "S2": ("Asia/Shanghai", "00:00"), "S3": ("Pacific/Honolulu", "02:00"),
    "S4": ("Europe/Rome", "05:30"), "S5": ("Asia/Kolkata", "03:00"),
}  # fmt: skip
NAMES = {
    "guest_id": ("ann", "bob"), "phone": ("+8613800138000", "+442079460958"), "email": ("an@example.com", "bo@example.com"),
    "device": ("tablet-1", "tablet-2"), "card_hash": ("c4a1", "d5b2"),
}  # fmt: skip
"""Two of each kind; whoever comes names some of them."""

Name = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Promise:
    """What an offer says, and what a voucher of it keeps, but for caps and budget."""

    policy: str
    again: bool
    ends: dt.datetime
    cap: int
    budget: int
    audience: str = "anyone"
    minimum: int = 0
    valid_days: int | None = None
    stores: tuple[str, ...] = ()
    per_guest: int | None = None
    per_day: int | None = None
    per_store_hour: int | None = None
    share: str = "0"


@dataclass
class Paper:
    """One offer on paper. uses: redeemed and not wholly given back. kept: what stays reserved of used vouchers that may come back."""

    now: Promise
    halted: bool = False
    spent: int = 0
    platform: int = 0
    uses: int = 0
    kept: int = 0


@dataclass
class Hold:
    """A reservation: who it counts as, and what against."""

    name: str
    who: Name | None
    store: str
    until: dt.datetime
    discount: int
    counts: tuple[Any, ...]


@dataclass
class Sheet:
    """One voucher on paper."""

    offer: str
    promise: Promise
    owner: str | None
    issued_at: dt.datetime
    expires_at: dt.datetime
    state: str = "issued"
    held: Hold | None = None
    past_holds: dict[str, Hold] = field(default_factory=dict)


@dataclass
class Given:
    """One redemption on paper."""

    code: str
    left: int
    counts: tuple[Any, ...]
    is_over: bool = False


class NoError(Exception):
    """A refusal, with its code."""


def business_date(at: dt.datetime, store: str) -> dt.date:
    """On the clock of the wall, which is never put forward or back while the model lives."""
    zone, closes = STORES[store]
    hours, minutes = map(int, closes.split(":"))
    return (at.astimezone(ZoneInfo(zone)) - dt.timedelta(hours=hours, minutes=minutes)).date()


def end_in(promise: Promise, issued_at: dt.datetime, store: str) -> dt.datetime:
    if promise.valid_days is None:
        return promise.ends
    last = business_date(issued_at, store) + promise.valid_days * DAY
    zone, closes = STORES[store]
    return min(
        dt.datetime.combine(last + DAY, dt.time.fromisoformat(closes), ZoneInfo(zone)).astimezone(dt.UTC), promise.ends
    )


class Desk:
    """All of it together, at an hour."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now
        self.offers: dict[str, Paper] = {}
        self.vouchers: dict[str, Sheet] = {}
        self.redemptions: dict[str, Given] = {}
        self.people: list[set[Name]] = []

    # Guests

    def person(self, names: Iterable[Name]) -> set[Name]:
        """Everybody that these names were ever seen with."""
        there = set(names)
        return there.union(*(group for group in self.people if group & there))

    def meet(self, names: Iterable[Name]) -> None:
        there = self.person(names)
        self.people = [group for group in self.people if not group & there] + ([there] if there else [])

    def known(self, names: Iterable[Name]) -> list[set[Name]]:
        return [group for group in self.people if group & set(names)]

    # Money and uses

    def sheets(self, offer: str) -> Iterator[Sheet]:
        return (sheet for sheet in self.vouchers.values() if sheet.offer == offer)

    def set_aside(self, offer: str) -> int:
        """Vouchers whose worst case is kept: those that may still be used, or told of by a till that was offline."""
        if self.offers[offer].now.policy != "guaranteed":
            return 0
        return sum(sheet.state == "issued" and self.now < sheet.expires_at + OFFLINE for sheet in self.sheets(offer))

    def holds(self, offer: str) -> list[Hold]:
        if self.offers[offer].now.policy == "guaranteed":
            return []
        return [sheet.held for sheet in self.sheets(offer) if sheet.held]

    def free_minor(self, offer: str) -> int:
        paper = self.offers[offer]
        held = sum(hold.discount for hold in self.holds(offer))
        return paper.now.budget - paper.spent - self.set_aside(offer) * AMOUNT - paper.kept - held

    def free_uses(self, offer: str) -> int:
        paper = self.offers[offer]
        return paper.now.cap - paper.uses - self.set_aside(offer) - len(self.holds(offer))

    def counted(self) -> Iterator[Any]:
        """Whatever any use or hold counts against."""
        for given in self.redemptions.values():
            if not given.is_over:
                yield from given.counts
        for sheet in self.vouchers.values():
            if sheet.held:
                yield from sheet.held.counts

    # What happens by itself

    def settle(self) -> None:
        for sheet in self.vouchers.values():
            if sheet.held is not None and sheet.held.until <= self.now:
                sheet.past_holds[sheet.held.name] = sheet.held
                sheet.held = None

    # What may be done

    def issued(self, offer: str, owner: str | None) -> dt.datetime:
        """When a voucher that is issued now ends. Raises NoError."""
        paper = self.offers[offer]
        if paper.halted:
            raise NoError("offer_halted")
        if self.now >= paper.now.ends:
            raise NoError("voucher_expired")
        if paper.now.audience == "holders" and owner is None:
            raise NoError("guest_required")
        if paper.now.policy == "guaranteed":
            self._covers(self.free_minor(offer), self.free_uses(offer), AMOUNT)
        return max(end_in(paper.now, self.now, store) for store in paper.now.stores or STORES)

    def _covers(self, minor: int, uses: int, amount: int) -> None:
        if amount > minor:
            raise NoError("budget_exhausted")
        if uses < 1:
            raise NoError("quantity_exceeded")

    def admitted(
        self, code: str, store: str, at: dt.datetime, names: set[Name], bill: int, *, offline: bool, claim: str | None
    ) -> tuple[int, Name | None, set[Name], tuple[Any, ...]]:
        """The discount, who it counts as, who they turn out to be, and what it counts against. Raises NoError."""
        sheet = self.vouchers[code]
        paper, promise = self.offers[sheet.offer], sheet.promise
        if self.now - at > (OFFLINE if offline else SKEW):
            raise NoError("clock_wrong")
        if paper.halted:
            raise NoError("offer_halted")
        hold = self._claimed(sheet, store, claim)
        self._check_state(sheet, at, end_in(promise, sheet.issued_at, store), hold)
        if promise.stores and store not in promise.stores:
            raise NoError("store_not_allowed")
        who = self._person(sheet, names, hold)
        if bill < promise.minimum:
            raise NoError("minimum_spend_not_met")
        discount = min(AMOUNT, bill)
        primary = self._primary(who)
        counts = hold.counts if hold else tuple(self._counts(sheet.offer, store, at, primary, who))
        if promise.policy == "first_come":
            held = hold.discount if hold else 0
            self._covers(
                self.free_minor(sheet.offer) + held, self.free_uses(sheet.offer) + (hold is not None), discount
            )
        return discount, hold.who if hold else primary, who, counts

    def _claimed(self, sheet: Sheet, store: str, claim: str | None) -> Hold | None:
        if claim is None:
            return None
        hold = sheet.held if sheet.held and sheet.held.name == claim else sheet.past_holds.get(claim)
        if hold is None or hold.store != store:
            raise NoError("reservation_not_found")
        if hold.until <= self.now:
            raise NoError("reservation_expired")
        if hold is not sheet.held:
            raise NoError("reservation_not_found")
        return hold

    def _check_state(self, sheet: Sheet, at: dt.datetime, end: dt.datetime, hold: Hold | None) -> None:
        if sheet.state != "issued":
            raise NoError(f"voucher_{sheet.state}")
        if at < sheet.issued_at - SKEW:
            raise NoError("voucher_not_yet_valid")
        if at >= min(end, sheet.expires_at):
            raise NoError("voucher_expired")
        if hold is None and sheet.held is not None:
            raise NoError("voucher_reserved")

    def _person(self, sheet: Sheet, names: set[Name], hold: Hold | None) -> set[Name]:
        """The names that are one guest's if it is taken."""
        own = {("guest_id", sheet.owner)} if sheet.owner else set()
        is_personal = sheet.promise.audience == "holders"
        if is_personal and not names and hold is None:
            raise NoError("guest_required")
        if is_personal and names and not self._is_holder(names, own):
            raise NoError("guest_mismatch")
        who = (names | own if is_personal else names) or own
        is_known = bool(who) or (hold is not None and hold.who is not None)
        if not is_known and self.offers[sheet.offer].now.per_guest is not None:
            raise NoError("guest_required")
        return who

    def _is_holder(self, names: set[Name], own: set[Name]) -> bool:
        ids = {name for name in names if name[0] == "guest_id"}
        return ids == own if ids else bool(self.known(own)) and self.known(names) == self.known(own)

    def _primary(self, who: set[Name]) -> Name | None:
        return min(who, default=None)

    def _counts(self, offer: str, store: str, at: dt.datetime, primary: Name | None, who: set[Name]) -> Iterator[Any]:
        """What a use counts against. Raises NoError where one is used up."""
        bounds = self.offers[offer].now
        day, hour = business_date(at, store), at.astimezone(ZoneInfo(STORES[store][0])).strftime("%Y-%m-%d %H")
        everybody = self.person(who)
        for most, key, refusal in (
            (bounds.per_guest, ("guest", primary), "per_guest_exceeded"),
            (bounds.per_day, ("day", day), "per_day_exceeded"),
            (bounds.per_store_hour, ("hour", store, hour), "store_hour_exceeded"),
        ):
            if most is None or (key[0] == "guest" and primary is None):
                continue
            used = sum(
                one[0] == offer and (one[1] == key or (key[0] == one[1][0] == "guest" and one[1][1] in everybody))
                for one in self.counted()
            )
            if used >= most:
                raise NoError(refusal)
            yield offer, key
