"""Books: all that the commands of one transaction may touch, held in memory while they are decided, under the offers' locks."""

import datetime as dt
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import models

from regulars.clock import StoreClock
from regulars.offers import sql
from regulars.offers.caps import Key
from regulars.offers.codes import read
from regulars.offers.commands import Command, HaltKind, Validate
from regulars.offers.identity import Guest
from regulars.offers.models import Alias, Entry, Halt, Offer, Person, Receipt, Reservation, Store, Usage, Voucher, Watch
from regulars.offers.refusals import Refusal
from regulars.offers.terms import Terms


class Redemption(NamedTuple):
    """A redemption, its voucher, how much of it was given back so far, and whether the use was, too."""

    entry: Entry
    voucher: Voucher
    returned_minor: int
    is_returned: bool


@dataclass(slots=True, kw_only=True)
class Books:
    """The rows, by what commands call them; what was changed; and what is new.

    secret: keys the tokens of guests. zone: of vouchers that name no store. receipts: what was said before, by till and key.
    vouchers: by code. reservations: the open ones, by id; overdue: those whose time is up, by code. people: who stands behind
    a token; families: all he was ever taken for, by his id. orders: how often each of them used something on an order, and the
    orders we were told of, where a first order counts. issued: offers that have vouchers, where terms may change. halts: by
    kind and whose. revoked: tills that may ask no more. alarms: what was used too often in a minute, and why. changed, new: rows
    to be written, each once.
    """

    now: dt.datetime
    secret: bytes = b""
    zone: str = "UTC"
    offers: dict[str, Offer] = field(default_factory=dict)
    vouchers: dict[str, Voucher] = field(default_factory=dict)
    reservations: dict[str, list[Reservation]] = field(default_factory=dict)
    overdue: dict[str, list[Reservation]] = field(default_factory=dict)
    redemptions: dict[str, Redemption] = field(default_factory=dict)
    usages: dict[Key, Usage] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    families: dict[str, list[Person]] = field(default_factory=dict)
    stores: dict[str, Store] = field(default_factory=dict)
    orders: dict[str, Counter[str | None]] = field(default_factory=dict)
    issued: set[str] = field(default_factory=set)
    receipts: dict[tuple[str, str], Receipt] = field(default_factory=dict)
    halts: dict[tuple[str, str], Halt] = field(default_factory=dict)
    watches: dict[tuple[str, str], Watch] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    alarms: dict[tuple[HaltKind, str], str] = field(default_factory=dict)
    changed: dict[int, models.Model] = field(default_factory=dict)
    new: list[models.Model] = field(default_factory=list)
    _undo: list[tuple[models.Model, str, Any]] = field(default_factory=list)

    @contextmanager
    def trial(self, *, is_kept: bool = True) -> Iterator[None]:
        """All or nothing: what was changed inside is undone where it is refused, or is not to be kept."""
        mark = len(self._undo), len(self.new), dict(self.people), dict(self.families)
        try:
            yield
        except Exception:
            self._back_to(*mark)
            raise
        if not is_kept:
            self._back_to(*mark)

    def _back_to(self, changes: int, added: int, people: dict[str, Person], families: dict[str, list[Person]]) -> None:
        for row, name, value in reversed(self._undo[changes:]):
            setattr(row, name, value)
        for row in self.new[added:]:
            self._forget(row)
            self.changed.pop(id(row), None)
        del self._undo[changes:], self.new[added:]
        self.people, self.families = people, families

    def change(self, row: models.Model, **values: Any) -> None:
        """Set fields of a row that was read."""
        for name, value in values.items():
            self._undo.append((row, name, getattr(row, name)))
            setattr(row, name, value)
        self.changed[id(row)] = row

    def add(self, row: models.Model) -> None:
        """A new row, found again under its name at once."""
        self.new.append(row)
        match row:
            case Usage():
                self.usages[row.offer_id, row.kind, row.key] = row
            case Voucher():
                self.vouchers[row.code] = row
            case Reservation():
                self.reservations.setdefault(row.reservation_id, []).append(row)
            case Person():
                self.families[row.person_id] = [row]
            case Alias():
                self.people[row.token] = row.person
            case Offer():
                self.offers[row.offer_id] = row
            case Receipt():
                self.receipts[row.till, row.key] = row
            case Halt():
                self.halts[row.kind, row.key] = row
            case Entry(verb="redeemed" | "rolled_back", person_id=str(person_id)):
                self.orders.setdefault(person_id, Counter())[row.order_id] += row.spent_uses

    def _forget(self, row: models.Model) -> None:
        match row:
            case Usage():
                del self.usages[row.offer_id, row.kind, row.key]
            case Voucher():
                del self.vouchers[row.code]
            case Reservation():
                self.reservations[row.reservation_id].remove(row)
            case Offer():
                del self.offers[row.offer_id]
            case Halt():
                del self.halts[row.kind, row.key]
            case Entry(verb="redeemed" | "rolled_back", person_id=str(person_id)):
                self.orders[person_id][row.order_id] -= row.spent_uses

    def move(
        self, verb: str, offer: Offer, voucher: Voucher | None, command: Command | None, *,
        minor: tuple[int, int, int] = (0, 0, 0), uses: tuple[int, int, int] = (0, 0, 0), **facts: Any,
    ) -> Entry:  # fmt: skip
        """Move money and uses between free, reserved and spent, on the offer's account and in the ledger.

        Raises Refusal budget_exhausted or quantity_exceeded where more would be taken than is there.
        """
        self.account(offer, minor, uses)
        entry = sql.made(
            Entry, reference=facts.pop("reference", None) or name(self.now), verb=verb, offer_id=offer.offer_id,
            voucher_id=voucher and voucher.pk, at=command.at if command else self.now, noted_at=self.now,
            till_id=command.till if command else None,
            budget_minor=sum(minor), free_minor=minor[0], reserved_minor=minor[1], spent_minor=minor[2],
            cap=sum(uses), free_uses=uses[0], reserved_uses=uses[1], spent_uses=uses[2], **facts,
        )  # fmt: skip
        if voucher is not None and voucher.pk is None:
            entry.voucher = voucher
        self.add(entry)
        return entry

    def account(self, offer: Offer, minor: tuple[int, int, int], uses: tuple[int, int, int]) -> None:
        """Move on the account alone, where the entries are written elsewhere."""
        self._account(offer, "minor", minor, "budget_exhausted")
        self._account(offer, "uses", uses, "quantity_exceeded")

    def _account(self, offer: Offer, unit: str, moved: tuple[int, int, int], refusal: str) -> None:
        if not any(moved):
            return
        names = [f"{account}_{unit}" for account in ("free", "reserved", "spent")]
        after = [getattr(offer, name) + change for name, change in zip(names, moved, strict=True)]
        if after[0] < 0 and moved[0] < 0:
            raise Refusal(refusal, offer=offer.offer_id)
        whole = "budget_minor" if unit == "minor" else "cap"
        self.change(offer, **dict(zip(names, after, strict=True)), **{whole: sum(after)})

    def use(self, key: Key, most: int, refusal: str, *, also: Sequence[Key] = ()) -> None:
        """Take one of a cap. also: what else counts against it, such as the same guest under other names."""
        used = sum(self.usages[other].used for other in (key, *also) if other in self.usages)
        if used >= most:
            raise Refusal(refusal, offer=key[0], most=most)
        if (usage := self.usages.get(key)) is None:
            self.add(Usage(offer_id=key[0], kind=key[1], key=key[2], used=1, most=most))
        else:
            self.change(usage, used=usage.used + 1, most=max(most, usage.used + 1))

    def give_back(self, key: Key) -> None:
        """Give one of a cap back, where it was taken."""
        if (usage := self.usages.get(key)) is not None and usage.used > 0:
            self.change(usage, used=usage.used - 1)

    def tokens_of(self, command: Command) -> set[str]:
        """Every name of a guest that a command may be about."""
        if not isinstance(command, Validate):
            return set()
        holders = {voucher.guest_id for code in command.codes if (voucher := self.voucher(code)) is not None}
        named = [Guest(guest_id=holder) for holder in holders if holder]
        return {token for guest in (command.guest, *named) for token in guest.tokens(self.secret)}

    def voucher(self, text: str) -> Voucher | None:
        """The voucher of a code as somebody wrote it."""
        return self.vouchers.get(canonical(text) or "")

    def held(self) -> Iterator[Reservation]:
        """Every reservation at hand."""
        for rows in (*self.reservations.values(), *self.overdue.values()):
            yield from rows

    def clock(self, store_id: str) -> StoreClock:
        """The clock of a store. Raises Refusal store_unknown."""
        if (store := self.stores.get(store_id)) is None:
            raise Refusal("store_unknown", store=store_id)
        return StoreClock(store.zone, store.day_closes_at)

    def is_halted(self, kind: str, whose: str | None) -> bool:
        """Whether an offer, a campaign or a store is stopped."""
        return (halt := self.halts.get((kind, whose or ""))) is not None and halt.lifted_at is None

    def has_ordered(self, person: Person, *, besides: str | None) -> bool:
        """Whether somebody had another order than this one, under whatever name."""
        family = self.families.get(person.person_id, [person])
        orders = [self.orders[member.person_id] for member in family if member.person_id in self.orders]
        return any(uses > 0 and (known is None or known != besides) for some in orders for known, uses in some.items())

    def family(self, token: str) -> list[Person]:
        """All that the person behind a token was ever taken for."""
        person = self.people.get(token)
        return self.families.get(person.person_id, [person]) if person else []

    def who(self, tokens: Sequence[str]) -> Person | None:
        """Who goes by these names; names seen together are one person's from now on."""
        known = {self.people[token].person_id: self.people[token] for token in tokens if token in self.people}
        if not tokens:
            return None
        if not known:
            person = Person(person_id=secrets.token_hex(12))
            self.add(person)
        else:
            person = known[min(known)]
            for other in (other for other in known.values() if other is not person):
                self._merge(other, person)
        for token in tokens:
            if token not in self.people:
                self.add(Alias(token=token, person=person))
        return person

    def _merge(self, one: Person, into: Person) -> None:
        family = self.families.pop(one.person_id, [one])
        for member in family:
            self.change(member, root_id=into.person_id)
        self.families[into.person_id] = [*self.families.get(into.person_id, [into]), *family]
        for token, person in self.people.items():
            if person.person_id == one.person_id:
                self.people[token] = into


@lru_cache(maxsize=4096)
def canonical(text: str) -> str | None:
    """A code as it is kept, None where it is none."""
    try:
        return read(text)
    except Refusal:
        return None


def name(now: dt.datetime) -> str:
    """A name nobody else has, that sorts by time: 12 hexadecimal digits of milliseconds and 16 of chance."""
    return f"{int(now.timestamp() * 1000):012x}{secrets.token_hex(8)}"


@lru_cache(maxsize=10_000)
def terms_of(text: str) -> Terms:
    """The terms as an offer keeps them, read once."""
    return Terms.model_validate_json(text)
