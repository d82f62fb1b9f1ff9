"""Versions: an offer's terms as they are, and as they were when a voucher was issued, which it keeps."""

from collections.abc import Collection
from functools import lru_cache

from regulars.ledger.books import Books
from regulars.offers.models import OFFERS, VERSIONS, Voucher
from regulars.offers.terms import Terms
from regulars.records.shelves import Need


@lru_cache(maxsize=10_000)
def terms_of(text: str) -> Terms:
    """The terms as an offer keeps them, read once."""
    return Terms.model_validate_json(text)


_AT_ONCE = ("cap", "budget_minor", "per_guest", "per_day", "per_store_hour", "per_minute")


@lru_cache(maxsize=10_000)
def _terms_kept(then: str, today: str) -> Terms:
    """What was promised then, within the caps and the budget of today."""
    if then == today:
        return terms_of(then)
    promised, bounds = terms_of(then), terms_of(today)
    kept = {name: getattr(bounds if name in _AT_ONCE else promised, name) for name in Terms.model_fields}
    return Terms.model_construct(**kept)


def versions_of(books: Books, vouchers: Collection[Voucher]) -> tuple[Need, ...]:
    """The terms that vouchers keep, where their offer has others now."""
    older = [voucher for voucher in vouchers if voucher.version != books[OFFERS][voucher.offer_id].version]
    if not older:
        return ()
    offers, numbers = {voucher.offer_id for voucher in older}, {voucher.version for voucher in older}
    return (VERSIONS.where("offer_id {} and number {}", offers, numbers),)


def promised(books: Books, voucher: Voucher) -> Terms:
    """The terms of a voucher: those of the day it was issued; caps and budget act at once."""
    offer = books[OFFERS][voucher.offer_id]
    if voucher.version == offer.version:
        return terms_of(offer.terms)
    kept = books[VERSIONS].get((voucher.offer_id, voucher.version))
    return _terms_kept(kept.terms if kept else offer.terms, offer.terms)
