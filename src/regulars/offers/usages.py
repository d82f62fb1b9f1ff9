"""Usages: how much of each cap is used, taken and given back."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from regulars.access.stores import STORES
from regulars.clock import StoreClock
from regulars.ledger.books import Books
from regulars.ledger.refusals import Refusal
from regulars.offers.caps import ALARM, Cap, Key, caps_of
from regulars.offers.models import OFFERS, USAGES, Usage
from regulars.offers.versions import terms_of
from regulars.records.shelves import Need


class Use(NamedTuple):
    """A use that counts: of which offer, where, when, and whose, under all the names they go by."""

    offer_id: str
    store_id: str
    at: dt.datetime
    persons: Sequence[str]


def clock_of(books: Books, store_id: str) -> StoreClock:
    """The clock of a store. Raises Refusal store_unknown."""
    if (store := books[STORES].get(store_id)) is None:
        raise Refusal("store_unknown", store=store_id)
    return StoreClock(store.zone, store.day_closes_at)


def caps_for(books: Books, use: Use) -> list[Cap]:
    """The caps that a use counts against."""
    terms = terms_of(books[OFFERS][use.offer_id].terms)
    return list(caps_of(use.offer_id, terms, use.store_id, clock_of(books, use.store_id), use.at, use.persons))


def usages_for(books: Books, uses: Iterable[Use]) -> Need:
    """The rows of the caps that these uses count against, at the stores that are known."""
    keys = [cap.key for use in uses if use.store_id in books[STORES] for cap in caps_for(books, use)]
    return USAGES.where("offer_id {} and key {}", {key[0] for key in keys}, {key[2] for key in keys})


def take(books: Books, cap: Cap, *, also: Sequence[Key] = ()) -> None:
    """Take one of a cap. also: what else counts against it, such as the same guest under other names."""
    usages = books[USAGES]
    used = sum(usages[key].used for key in (cap.key, *also) if key in usages)
    if used >= cap.most:
        raise Refusal(cap.refusal, offer=cap.key[0], most=cap.most)
    if (usage := usages.get(cap.key)) is None:
        offer_id, kind, key = cap.key
        books.add(Usage(offer_id=offer_id, kind=kind, key=key, used=1, most=cap.most))
    else:
        books.change(usage, used=usage.used + 1, most=max(cap.most, usage.used + 1))


def counts_of(caps: Iterable[Cap]) -> str:
    """What a use counts against, a line each, as it is kept with it; but not the rate of uses in a minute, which is no stock."""
    return "\n".join(f"{cap.key[1]} {cap.key[2]}" for cap in caps if cap.key[1] != ALARM)


def keys_of(offer_id: str, counts: str) -> Iterator[Key]:
    """The usages that something kept counts against."""
    for line in counts.splitlines():
        kind, _, key = line.partition(" ")
        yield offer_id, kind, key


class Kept(NamedTuple):
    """A use or a hold as it was kept. counts: None where it was kept before they were, so that the terms of today have to say."""

    use: Use
    counts: str | None


def keys_kept(books: Books, kept: Kept) -> list[Key]:
    """The usages that it counts against, whatever the offer says now."""
    if kept.counts is not None:
        return list(keys_of(kept.use.offer_id, kept.counts))
    if kept.use.store_id not in books[STORES]:
        return []
    return [cap.key for cap in caps_for(books, kept.use) if cap.key[1] != ALARM]


def usages_kept(books: Books, some: Iterable[Kept]) -> Need:
    """The usages that these count against."""
    keys = [key for kept in some for key in keys_kept(books, kept)]
    return USAGES.where("offer_id {} and key {}", {key[0] for key in keys}, {key[2] for key in keys})


def give_back(books: Books, kept: Kept) -> None:
    """Give back what a use took."""
    for key in keys_kept(books, kept):
        usage = books[USAGES].get(key)
        if usage is not None and usage.used > 0:
            books.change(usage, used=usage.used - 1)
