"""Halts: stop an offer, a campaign or a store, by hand or by the velocity alarm, and let it go on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from regulars.access.scopes import may_see
from regulars.access.stores import STORES
from regulars.ledger.accounts import ACCOUNTS
from regulars.ledger.books import Books
from regulars.ledger.commands import Command, Concerned
from regulars.ledger.refusals import Refusal
from regulars.offers.definition import OF_OFFERS, demand_own
from regulars.offers.models import HALTS, OFFERS, WATCHES, Halt
from regulars.offers.versions import terms_of
from regulars.records.shelves import Need

HaltKind = Literal["offer", "campaign", "store"]
IN_FORCE = HALTS.where("lifted_at is null")
_FINDING = {
    "offer": lambda whose: OFFERS.where("offer_id {}", {whose}),
    "campaign": lambda whose: OFFERS.where(
        "offer_id in (select min(offer_id) from offers_offer where campaign_id {} group by campaign_id)", {whose}
    ),
    "store": lambda whose: STORES.where("store_id {}", {whose}),
}
_OF_CAMPAIGNS = "kind = 'campaign' and key in (select campaign_id from offers_offer where account_id {})"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Governing(Command):
    """What stops something or lets it go on. whose: the id of the offer, the campaign or the store."""

    kind: HaltKind
    whose: str

    def accounts(self) -> Iterator[Concerned]:
        yield Concerned(OF_OFFERS, {self.whose} if self.kind == "offer" else ())

    def needs(self, books: Books) -> Iterator[tuple[Need, ...]]:
        yield IN_FORCE, _FINDING[self.kind](self.whose)

    def check_known(self, books: Books) -> None:
        """Raises Refusal offer_not_found, campaign_not_found or store_unknown, so that nobody believes in a halt of a typing error."""
        if self.kind == "store" and self.whose not in books[STORES]:
            raise Refusal("store_unknown", store=self.whose)
        if self.kind == "offer" and self.whose not in books[OFFERS]:
            raise Refusal("offer_not_found", offer=self.whose)
        if self.kind == "campaign" and all(offer.campaign_id != self.whose for offer in books[OFFERS].values()):
            raise Refusal("campaign_not_found", campaign=self.whose)

    def check_own(self, books: Books) -> None:
        """A store is its own; an offer is where it holds; a campaign is everywhere."""
        if self.kind == "store":
            demand_own(self, (self.whose,))
        elif self.kind == "offer" and self.stores is not None:
            offer = books[OFFERS].get(self.whose)
            stores = terms_of(offer.terms).stores if offer else ()
            if offer is None or not may_see(self.stores, stores):
                raise Refusal("offer_not_found", offer=self.whose)
            demand_own(self, stores)
        else:
            demand_own(self, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(_Governing):
    """Halt it until the halt is lifted; once more changes nothing. by: who does it, for people to read."""

    reason: str
    by: str

    def decide(self, books: Books) -> dict[str, Any]:
        self.check_own(books)
        self.check_known(books)
        if not is_halted(books, self.kind, self.whose):
            books.add(Halt(kind=self.kind, key=self.whose, reason=self.reason, by=self.by, at=books.now))
        return {"kind": self.kind, "key": self.whose, "is_halted": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume(_Governing):
    """Lift a halt."""

    def decide(self, books: Books) -> dict[str, Any]:
        self.check_own(books)
        if not is_halted(books, self.kind, self.whose):
            raise Refusal("halt_not_found", kind=self.kind, whose=self.whose)
        books.change(books[HALTS][self.kind, self.whose], lifted_at=books.now)
        return {"kind": self.kind, "key": self.whose, "is_halted": False}


def is_halted(books: Books, kind: str, whose: str | None) -> bool:
    """Whether an offer, a campaign or a store is stopped."""
    return (halt := books[HALTS].get((kind, whose))) is not None and halt.lifted_at is None


def check_halts(books: Books, **whose: str | None) -> None:
    """Raises Refusal offer_halted, campaign_halted or store_halted where one of them is stopped."""
    halts = books[HALTS]
    for kind, key in whose.items():
        if (halt := halts.get((kind, key))) is not None and halt.lifted_at is None:
            raise Refusal(f"{kind}_halted", **{kind: key})


def raise_alarm(books: Books, kind: HaltKind, whose: str, reason: str) -> None:
    """Whoever raised it is refused, and nobody else uses what it is about until a person has looked."""
    if not is_halted(books, kind, whose):
        books.keep(Halt(kind=kind, key=whose, reason=reason, by="velocity alarm", at=books.now))


def standing(books: Books, store_id: str) -> tuple[Need, ...]:
    """What is halted, and the watches that a use may count for: their meters belong to many offers, so they are locked."""
    watches = WATCHES.where(_OF_CAMPAIGNS, books[ACCOUNTS]), WATCHES.where("kind = 'store' and key {}", {store_id})
    return IN_FORCE, *watches


def count_use(books: Books, **whose: str | None) -> None:
    """Count the use of this minute for its store and its campaign, where somebody set a limit. Raises Refusal at one too many."""
    minute = f"{books.now:%Y-%m-%dT%H:%M}"
    for kind, key in whose.items():
        if key is None or (watch := books[WATCHES].get((kind, key))) is None:
            continue
        used = watch.used if watch.minute == minute else 0
        if used >= watch.per_minute:
            raise_alarm(books, kind, key, f"more than {watch.per_minute} uses in the minute {minute}")  # type: ignore[arg-type]
            raise Refusal(f"{kind}_halted", **{kind: key})
        books.change(watch, minute=minute, used=used + 1)
