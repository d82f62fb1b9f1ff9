"""Stacking: which of the vouchers a guest holds go together on one bill, in which order, and why.

Two offers go together if each names the other's group. The lower `order` is taken off first; among equals, whichever order
is worth more to the guest. A voucher that would take nothing off is left for another day.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Literal

from regulars.ledger.refusals import Refusal
from regulars.offers.bill import Bill
from regulars.offers.discounts import Discount, discount
from regulars.offers.terms import Terms
from regulars.wording import Sentence, Voice, language_for

MOST_VOUCHERS = 5
"""So many on one bill: for these every combination in every order is looked at, 325 of them."""
_MOST_TITLE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """One voucher that is taken, and what it does. ref: the caller's name for it."""

    ref: str
    terms: Terms
    discount_minor: int
    points: int = 0

    @property
    def worth_minor(self) -> int:
        """What it is worth to the guest."""
        return self.terms.worst_minor if self.points else self.discount_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Combined:
    """The vouchers that are taken, in the order in which they are, and why the others are not."""

    bill: Bill
    applied: tuple[Applied, ...]
    left_out: tuple[tuple[str, Refusal], ...]

    @property
    def total_minor(self) -> int:
        """What they take off together, never more than the bill."""
        return sum(one.discount_minor for one in self.applied)

    def words(self, language: str) -> str:
        """The result as a guest may read it.

        >>> Combined(bill=Bill(amount_minor=1000, currency="USD"), applied=(), left_out=()).words("en")
        'Nothing is taken off; $10.00 to pay.'
        """
        voice = Voice(language=language_for(language), currency=self.bill.currency, most_echo=_MOST_TITLE)
        steps = reduce(_after, (_step(one, voice.language) for one in self.applied), None) or Sentence(
            "combined_nothing"
        )
        total = self.total_minor
        told = total if len(self.applied) > 1 else None
        said = Sentence("combined", steps=steps, total_minor=told, to_pay_minor=self.bill.amount_minor - total)
        for ref, refusal in self.left_out:
            said = Sentence("combined_and_left_out", so_far=said, ref=ref, why=refusal.sentence)
        return voice.say(said)


def combine(vouchers: Sequence[tuple[str, Terms]], bill: Bill, *, mode: Literal["best", "all"] = "best") -> Combined:
    """Take vouchers off a bill: those that are worth most to the guest together, or all of them or none.

    Worth is what is taken off, and of points what they cost us; among equals fewer vouchers win, then those that come first.
    The best is exact for up to 5 vouchers; of more, the 5 that are worth most alone are looked at. In mode `all`, nothing is
    applied if one cannot be, and `left_out` says which and why.
    """
    if len(vouchers) == 1:
        return _combined_alone(*vouchers[0], bill)
    alone = {ref: _alone(terms, bill) for ref, terms in vouchers}
    useful = {ref: worth for ref, worth in alone.items() if isinstance(worth, int)}
    looked_at = sorted(useful, key=lambda ref: -useful[ref])[:MOST_VOUCHERS]
    candidates = [(ref, terms) for ref, terms in vouchers if ref in looked_at]
    bounds = {ref: _bound(terms, useful[ref]) for ref, terms in candidates}
    taken = _Search(bill=bill, mode=mode, bounds=bounds).look((), candidates, lambda: bill)
    left = [(ref, terms) for ref, terms in vouchers if all(ref != one.ref for one in taken)]
    why = tuple((ref, _why_not(ref, terms, taken, alone, looked_at)) for ref, terms in left)
    return Combined(bill=bill, applied=() if mode == "all" and why else taken, left_out=why)


def _combined_alone(ref: str, terms: Terms, bill: Bill) -> Combined:
    """One voucher and no other: nearly every bill."""
    try:
        return Combined(bill=bill, applied=(_applied(ref, terms, discount(terms, bill)),), left_out=())
    except Refusal as refusal:
        return Combined(bill=bill, applied=(), left_out=((ref, refusal),))


def go_together(one: Terms, other: Terms) -> bool:
    """Whether two offers may be on one bill."""
    return one.group in other.with_groups and other.group in one.with_groups


@dataclass(slots=True, kw_only=True)
class _Search:
    """The best of all combinations in all orders. What cannot be better than the best so far is not looked at.

    mode: what is best. bounds: the most each voucher is worth on this bill, whatever was taken off before it.
    """

    bill: Bill
    mode: Literal["best", "all"]
    bounds: Mapping[str, int]
    best: tuple[Applied, ...] = ()

    def look(
        self, taken: tuple[Applied, ...], vouchers: Sequence[tuple[str, Terms]], left: Callable[[], Bill]
    ) -> tuple[Applied, ...]:
        """What is best of what is taken and all that may come after it. Vouchers of one offer are alike: the first stands for all."""
        if self._merit(_worth(taken), len(taken)) > self._merit(_worth(self.best), len(self.best)):
            self.best = taken
        most = _worth(taken) + sum(self.bounds[ref] for ref, _ in vouchers)
        if not vouchers or self._merit(most, len(taken) + len(vouchers)) <= self._merit(
            _worth(self.best), len(self.best)
        ):
            return self.best
        now, tried = left(), set[int]()
        for ref, terms in vouchers:
            if id(terms) in tried:
                continue
            tried.add(id(terms))
            try:
                found = discount(terms, self.bill, left=now)
            except Refusal:
                continue
            after = [one for one in vouchers if one[0] != ref and _may_follow(one[1], terms)]
            self.look((*taken, _applied(ref, terms, found)), after, found.rest)
        return self.best

    def _merit(self, worth: int, count: int) -> tuple[int, int]:
        return (count, worth) if self.mode == "all" else (worth, -count)


def _bound(terms: Terms, alone: int) -> int:
    """A dish, or one at a price, may be worth more where another offer lowered a cheaper piece; all others only lose."""
    return terms.worst_minor if terms.item_id is not None else alone


def _may_follow(one: Terms, before: Terms) -> bool:
    return before.order <= one.order and go_together(before, one)


def _worth(taken: Sequence[Applied]) -> int:
    return sum(one.worth_minor for one in taken)


def _alone(terms: Terms, bill: Bill) -> int | Refusal:
    """What a voucher is worth with no other beside it, or why it is not taken."""
    try:
        return _applied("", terms, discount(terms, bill)).worth_minor
    except Refusal as refusal:
        return refusal


def _applied(ref: str, terms: Terms, found: Discount) -> Applied:
    return Applied(ref=ref, terms=terms, discount_minor=found.amount_minor, points=found.points)


def _why_not(
    ref: str, terms: Terms, taken: Sequence[Applied], alone: Mapping[str, int | Refusal], looked_at: Sequence[str]
) -> Refusal:
    if isinstance(refusal := alone[ref], Refusal):
        return refusal
    if other := next((one for one in taken if not go_together(one.terms, terms)), None):
        return Refusal("cannot_be_combined", other=other.ref)
    if ref not in looked_at:
        return Refusal("too_many_vouchers", most=MOST_VOUCHERS)
    return Refusal("no_effect")


def _step(one: Applied, language: str) -> Sentence:
    title = one.terms.title(language)
    if one.points:
        return Sentence("combined_points", title=title, points=one.points)
    return Sentence("combined_off", title=title, off_minor=one.discount_minor)


def _after(first: Sentence | None, following: Sentence) -> Sentence:
    return Sentence("combined_after", first=first, next=following) if first else following
