"""Stacking: the best combination is the best there is, nothing goes below zero, and the sentence says what was done."""

import itertools
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offers.examples import any_terms, bill, bills, terms
from regulars.ledger.refusals import Refusal
from regulars.offers.bill import Bill
from regulars.offers.discounts import discount
from regulars.offers.stacking import MOST_VOUCHERS, combine, go_together
from regulars.offers.terms import Terms

JOINT: dict[str, Any] = {"group": "a", "with_groups": ["a"]}


def hands(most: int) -> st.SearchStrategy[list[tuple[str, Terms]]]:
    """The vouchers somebody holds: of different offers, or several of one."""
    offers = st.lists(any_terms(), min_size=1, max_size=most)
    held = offers.flatmap(lambda some: st.lists(st.sampled_from(some), max_size=most))
    return held.map(lambda some: [(f"v{n}", offer) for n, offer in enumerate(some)])


def worth_in_turn(vouchers: tuple[tuple[str, Terms], ...], of: Bill) -> int | None:
    """What vouchers are worth in this very order; None where it is not allowed. Written without the house's own search."""
    left, worth = of, 0
    for ref, offer in vouchers:
        others = [other for name, other in vouchers if name != ref]
        if any(offer.group not in other.with_groups or other.group not in offer.with_groups for other in others):
            return None
        try:
            found = discount(offer, of, left=left)
        except Refusal:
            return None
        left, worth = found.left, worth + (found.amount_minor or offer.worst_minor)
    return worth if [offer.order for _, offer in vouchers] == sorted(offer.order for _, offer in vouchers) else None


def every_way(vouchers: list[tuple[str, Terms]]) -> list[tuple[tuple[str, Terms], ...]]:
    return [way for size in range(len(vouchers) + 1) for way in itertools.permutations(vouchers, size)]


@settings(max_examples=100, deadline=None)
@given(vouchers=hands(4), of=bills)
def test_the_best_is_the_best_of_all_subsets_in_all_orders(vouchers: list[tuple[str, Terms]], of: Bill) -> None:
    combined = combine(vouchers, of)
    worths = {way: worth for way in every_way(vouchers) if (worth := worth_in_turn(way, of)) is not None}
    best = max(worths.values())
    chosen = tuple((one.ref, one.terms) for one in combined.applied)
    assert worths[chosen] == best == sum(one.worth_minor for one in combined.applied)
    assert len(chosen) == min(len(way) for way, worth in worths.items() if worth == best)


@settings(max_examples=100, deadline=None)
@given(vouchers=hands(7), of=bills, mode=st.sampled_from(["best", "all"]))
def test_the_total_never_exceeds_the_bill_and_every_voucher_is_accounted_for(
    vouchers: list[tuple[str, Terms]], of: Bill, mode: str
) -> None:
    combined = combine(vouchers, of, mode=mode)  # type: ignore[arg-type]
    assert 0 <= combined.total_minor <= of.amount_minor
    assert all(0 <= one.discount_minor <= one.terms.worst_minor for one in combined.applied)
    assert all(go_together(one.terms, other.terms) for one, other in itertools.combinations(combined.applied, 2))
    refs = [one.ref for one in combined.applied] + [ref for ref, _ in combined.left_out]
    if mode == "best" or combined.applied:
        assert sorted(refs) == sorted(ref for ref, _ in vouchers)
    for language in ("en", "zh"):
        assert combined.words(language)


@settings(max_examples=100, deadline=None)
@given(vouchers=hands(4), of=bills)
def test_all_or_none_takes_all_where_any_order_does(vouchers: list[tuple[str, Terms]], of: Bill) -> None:
    combined = combine(vouchers, of, mode="all")
    worths = [worth for way in itertools.permutations(vouchers) if (worth := worth_in_turn(way, of)) is not None]
    if worths:
        assert len(combined.applied) == len(vouchers)
        assert sum(one.worth_minor for one in combined.applied) == max(worths)
        assert combined.left_out == ()
    else:
        assert combined.applied == ()
        assert combined.left_out


def test_five_vouchers_are_looked_at_in_325_ways() -> None:
    assert sum(math.perm(MOST_VOUCHERS, size) for size in range(1, MOST_VOUCHERS + 1)) == 325


def reasons(vouchers: list[tuple[str, Terms]], of: Bill, mode: str = "best") -> dict[str, str]:
    return {ref: refusal.code for ref, refusal in combine(vouchers, of, mode=mode).left_out}  # type: ignore[arg-type]


def taken(vouchers: list[tuple[str, Terms]], of: Bill) -> list[tuple[str, int]]:
    return [(one.ref, one.discount_minor) for one in combine(vouchers, of).applied]


def test_offers_go_alone_unless_they_say_otherwise() -> None:
    vouchers = [("small", terms(amount_minor=300)), ("big", terms(amount_minor=500))]
    assert taken(vouchers, bill()) == [("big", 500)]
    assert reasons(vouchers, bill()) == {"small": "cannot_be_combined"}
    assert combine(vouchers, bill()).left_out[0][1].words("en") == "It cannot be used together with big."


def test_both_must_name_the_others_group() -> None:
    one, other = terms(group="a", with_groups=["b"]), terms(group="b", with_groups=["c"])
    assert not go_together(one, other)
    assert go_together(one, terms(group="b", with_groups=["a"]))


def test_a_group_that_does_not_name_itself_gives_one_to_a_bill() -> None:
    lunch = terms(group="lunch", with_groups=["tea"])
    tea = terms("free_item", group="tea", with_groups=["lunch"])
    vouchers = [("l1", lunch), ("l2", lunch), ("t", tea)]
    assert taken(vouchers, bill(3000, ("tea", 1, 400))) == [("l1", 500), ("t", 400)]


def test_the_lower_order_is_taken_off_first() -> None:
    percent, amount = terms("percent_off", **JOINT, order=1), terms(**JOINT, order=2)
    assert taken([("amount", amount), ("percent", percent)], bill(3000)) == [("percent", 600), ("amount", 500)]
    late = terms("percent_off", **JOINT, order=3)
    assert taken([("percent", late), ("amount", amount)], bill(3000)) == [("amount", 500), ("percent", 500)]


def test_among_equals_the_order_that_serves_the_guest_is_taken() -> None:
    vouchers = [("amount", terms(**JOINT)), ("percent", terms("percent_off", **JOINT))]
    assert taken(vouchers, bill(3000)) == [("percent", 600), ("amount", 500)]


def test_among_equals_the_first_voucher_is_taken() -> None:
    offer, another = terms(), terms()
    assert taken([("first", offer), ("second", another), ("third", offer)], bill()) == [("first", 500)]
    assert taken([("first", another), ("second", offer), ("third", offer)], bill()) == [("first", 500)]


def test_a_voucher_that_adds_nothing_is_kept_for_another_day() -> None:
    vouchers = [("whole", terms(amount_minor=3000, **JOINT)), ("more", terms(**JOINT))]
    assert taken(vouchers, bill(3000)) == [("whole", 3000)]
    assert reasons(vouchers, bill(3000)) == {"more": "no_effect"}


def test_points_are_worth_what_they_cost() -> None:
    vouchers = [("points", terms("points", **JOINT)), ("amount", terms(**JOINT))]
    assert sorted(taken(vouchers, bill())) == [("amount", 500), ("points", 0)]


def test_a_voucher_that_is_refused_alone_keeps_its_reason() -> None:
    vouchers = [("good", terms()), ("small", terms(minimum_spend_minor=9000)), ("dish", terms("free_item"))]
    assert reasons(vouchers, bill()) == {"small": "minimum_spend_not_met", "dish": "item_not_on_bill"}


def test_all_or_none_says_which_one_stood_in_the_way() -> None:
    good, small = terms(**JOINT), terms(minimum_spend_minor=9000, **JOINT)
    assert reasons([("good", good), ("small", small)], bill(), "all") == {"small": "minimum_spend_not_met"}
    assert reasons([("good", good), ("alone", terms())], bill(), "all") == {"alone": "cannot_be_combined"}
    six = [(f"v{n}", good) for n in range(6)]
    assert reasons(six, bill(9000), "all") == {"v5": "too_many_vouchers"}


def test_of_many_the_most_valuable_five_are_taken() -> None:
    vouchers = [(f"v{n}", terms(amount_minor=n + 1, **JOINT)) for n in range(12)]
    assert {ref for ref, _ in taken(vouchers, bill())} == {f"v{n}" for n in range(7, 12)}
    assert set(reasons(vouchers, bill()).values()) == {"too_many_vouchers"}


def test_no_voucher_takes_nothing_off() -> None:
    assert combine([], bill()).words("zh") == "没有优惠，应付US$30.00。"


@pytest.mark.parametrize(
    ("currency", "language", "sentence"),
    [
        ("USD", "en", "20 percent takes $6.00 off, then Five off takes $5.00 off: $11.00 in all; $19.00 to pay."),
        ("CNY", "zh", "「八折」减¥6.00，再「立减五元」减¥5.00，共减¥11.00，应付¥19.00。"),
        ("JPY", "en", "20 percent takes ¥600 off, then Five off takes ¥500 off: ¥1,100 in all; ¥1,900 to pay."),
        (
            "KWD",
            "en",
            "20 percent takes KWD0.600 off, then Five off takes KWD0.500 off: KWD1.100 in all; KWD1.900 to pay.",
        ),
    ],
)
def test_the_sentence_says_what_was_taken_off(currency: str, language: str, sentence: str) -> None:
    percent = terms("percent_off", name="20 percent", name_zh="八折", currency=currency, **JOINT)
    vouchers = [("p", percent), ("a", terms(currency=currency, **JOINT))]
    assert combine(vouchers, bill(3000, currency=currency)).words(language) == sentence


def test_the_sentence_says_why_the_others_were_not() -> None:
    vouchers = [("BIG", terms()), ("POINTS", terms("points", name="Stars", name_zh="星星"))]
    assert combine(vouchers, bill()).words("en") == (
        "Five off takes $5.00 off; $25.00 to pay. POINTS: It cannot be used together with BIG."
    )
    assert combine(vouchers[1:], bill()).words("en") == "Stars gives 50 points; $30.00 to pay."
    assert combine(vouchers[1:], bill()).words("zh") == "「星星」送50积分，应付US$30.00。"


def test_a_long_bill_with_many_dishes_is_done_with_in_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """500 dishes on 500 lines under five vouchers: what cannot be better than the best so far is not worked out."""
    dishes = [f"dish-{n}" for n in range(500)]
    of = bill(500_000, *((dish, 1, 1_000) for dish in dishes))
    vouchers = [
        (f"v{n}", terms("percent_off", percent=5 + n, most_minor=5_000, scope="item", items=dishes, **JOINT))
        for n in range(5)
    ]
    asked: list[Terms] = []

    def counted(offer: Terms, *rest: Any, **more: Any) -> Any:
        asked.append(offer)
        return discount(offer, *rest, **more)

    monkeypatch.setattr("regulars.offers.stacking.discount", counted)
    assert combine(vouchers, of).total_minor == 25_000
    assert len(asked) <= 20
