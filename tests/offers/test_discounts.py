"""Discounts: what an offer takes off, never more than the bill, the dishes or its worst case."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offers.examples import any_terms, bill, bills, terms
from regulars.ledger.refusals import Refusal
from regulars.offers.bill import MOST_MINOR, Bill
from regulars.offers.discounts import Discount, discount
from regulars.offers.terms import Terms


def taken(offer: Terms, of: Bill, left: Bill | None = None) -> Discount | None:
    try:
        return discount(offer, of, left=left)
    except Refusal:
        return None


def why_not(offer: Terms, of: Bill) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        discount(offer, of)
    return refusal.value


@settings(max_examples=150, deadline=None)
@given(offer=any_terms(), of=bills, rest=st.one_of(st.none(), bills))
def test_a_discount_never_exceeds_the_bill_nor_the_worst_case(offer: Terms, of: Bill, rest: Bill | None) -> None:
    left = of if rest is None else rest
    if (found := taken(offer, of, rest)) is None:
        return
    assert 0 <= found.amount_minor <= min(left.amount_minor, offer.worst_minor)
    assert found.amount_minor > 0 or found.points > 0
    assert found.left.amount_minor == left.amount_minor - found.amount_minor
    assert of.amount_minor >= offer.minimum_spend_minor


@settings(max_examples=150, deadline=None)
@given(offer=any_terms(), of=bills)
def test_an_offer_for_dishes_takes_no_more_than_they_cost_and_no_others_change(offer: Terms, of: Bill) -> None:
    wanted = (offer.item_id,) if offer.item_id else offer.items
    if not wanted or (found := taken(offer, of)) is None:
        return
    before = sum(line.amount_minor for line in of.lines if line.item_id in wanted)
    after = sum(line.amount_minor for line in found.left.lines if line.item_id in wanted)
    assert found.amount_minor <= before - after
    assert [line for line in of.lines if line.item_id not in wanted] == [
        line for line in found.left.lines if line.item_id not in wanted
    ]
    if offer.scope == "item":
        assert found.amount_minor == before - after


@settings(max_examples=150, deadline=None)
@given(amount=st.integers(0, MOST_MINOR), percent=st.decimals("0.0001", 100, places=4), most=st.integers(1, MOST_MINOR))
def test_a_percentage_is_rounded_half_up_and_capped(amount: int, percent: Decimal, most: int) -> None:
    exact = (Decimal(amount) * percent / 100).quantize(Decimal(1), ROUND_HALF_UP)
    found = taken(terms("percent_off", percent=percent, most_minor=most), bill(amount))
    assert (found.amount_minor if found else 0) == min(int(exact), most)


@pytest.mark.parametrize(("amount", "off"), [(9, 1), (10, 1), (14, 1), (15, 2), (25, 3), (8000, 800), (9000, 800)])
def test_half_a_cent_is_the_guests_and_the_cap_holds(amount: int, off: int) -> None:
    assert discount(terms("percent_off", percent=10, most_minor=800), bill(amount)).amount_minor == off


def test_a_percentage_of_what_is_left_is_less() -> None:
    offer = terms("percent_off", percent=10, minimum_spend_minor=3000)
    assert discount(offer, bill(3000), left=bill(2000)).amount_minor == 200


def test_the_minimum_is_measured_before_anything_is_taken_off() -> None:
    offer = terms(minimum_spend_minor=3000)
    assert discount(offer, bill(3000), left=bill(100)).amount_minor == 100
    refusal = why_not(offer, bill(2999))
    assert refusal.code == "minimum_spend_not_met"
    assert refusal.words("en") == "The bill is too small for this offer: it takes $30.00, $0.01 more than there is."


@pytest.mark.parametrize("kind", ["amount_off", "percent_off", "free_item", "fixed_price", "points"])
def test_the_minimum_and_the_currency_hold_for_every_kind(kind: str) -> None:
    dishes = [("tea", 1, 500), ("noodles", 1, 1500)]
    assert why_not(terms(kind, minimum_spend_minor=3000), bill(2000, *dishes)).code == "minimum_spend_not_met"
    assert why_not(terms(kind), bill(2000, *dishes, currency="CNY")).code == "currency_mismatch"
    assert taken(terms(kind), bill(2000, *dishes)) is not None


def test_an_amount_off_dishes_is_taken_off_once_and_shared_by_price() -> None:
    offer = terms(amount_minor=700, scope="item", items=["tea", "soup"])
    found = discount(offer, bill(5000, ("tea", 2, 1000), ("noodles", 1, 2000), ("soup", 1, 1333)))
    assert found.amount_minor == 700
    assert [line.amount_minor for line in found.left.lines] == [700, 2000, 933]


def test_an_amount_above_the_price_of_the_dishes_takes_their_price() -> None:
    assert discount(terms(scope="item", items=["tea"]), bill(5000, ("tea", 2, 300))).amount_minor == 300


def test_a_percentage_off_dishes_leaves_the_others_alone() -> None:
    offer = terms("percent_off", percent=50, scope="item", items=["tea"])
    assert discount(offer, bill(5000, ("tea", 1, 301), ("soup", 1, 900))).amount_minor == 151


def test_the_cheapest_piece_is_free() -> None:
    found = discount(
        terms("free_item", worth_minor=5000), bill(3000, ("tea", 2, 1000), ("tea", 3, 1000), ("soup", 1, 5))
    )
    assert found.amount_minor == 333
    assert [(line.quantity, line.amount_minor) for line in found.left.lines] == [(2, 1000), (2, 667), (1, 5)]


def test_two_free_dishes_are_two_pieces() -> None:
    offer, whole = terms("free_item"), bill(3000, ("tea", 2, 1000))
    first = discount(offer, whole)
    second = discount(offer, whole, left=first.left)
    assert (first.amount_minor, second.amount_minor, second.left.lines[0].amount_minor) == (500, 500, 0)
    with pytest.raises(Refusal) as refusal:
        discount(offer, whole, left=second.left)
    assert refusal.value.code == "no_effect"


def test_a_free_dish_is_free_up_to_its_worth() -> None:
    assert discount(terms("free_item", worth_minor=600), bill(3000, ("tea", 1, 900))).amount_minor == 600


def test_a_fixed_price_takes_what_the_cheapest_dearer_piece_costs_above_it() -> None:
    offer = terms("fixed_price", amount_minor=900, worth_minor=5000)
    found = discount(offer, bill(9000, ("noodles", 1, 800), ("noodles", 2, 3000), ("noodles", 1, 1200)))
    assert found.amount_minor == 300
    assert [line.amount_minor for line in found.left.lines] == [800, 3000, 0]


def test_a_dish_that_is_not_dearer_than_its_fixed_price_gains_nothing() -> None:
    assert why_not(terms("fixed_price"), bill(3000, ("noodles", 1, 900))).code == "no_effect"


@pytest.mark.parametrize(
    "offer", [terms("free_item"), terms("fixed_price", item_id="tea"), terms(scope="item", items=["tea"])]
)
def test_a_dish_that_is_not_on_the_bill_is_named(offer: Terms) -> None:
    for of in (bill(3000), bill(3000, ("soup", 1, 500))):
        assert why_not(offer, of).words("en") == "No dish this offer is for is on the bill: tea."


def test_points_take_nothing_off() -> None:
    found = discount(terms("points"), bill(0))
    assert (found.amount_minor, found.points, found.left) == (0, 50, bill(0))


def test_a_voucher_is_not_used_up_for_nothing() -> None:
    assert why_not(terms(), bill(0)).code == "no_effect"
    assert why_not(terms("percent_off", percent=1), bill(49)).code == "no_effect"
    assert why_not(terms("free_item"), bill(0, ("tea", 1, 500))).code == "no_effect"


def test_dishes_that_cost_more_than_the_bill_do_not_make_it_negative() -> None:
    """As when the till has already taken something off itself."""
    assert discount(terms(scope="item", items=["tea"]), bill(200, ("tea", 1, 900))).left.amount_minor == 0
    assert discount(terms("free_item"), bill(200, ("tea", 1, 500))).left.amount_minor == 0


def test_dishes_that_are_excluded_do_not_count_towards_the_minimum_spend() -> None:
    offer = terms(minimum_spend_minor=2000, minimum_excludes=["card"])
    assert discount(offer, bill(7000, ("card", 1, 5000))).amount_minor == 500
    assert discount(offer, bill(2000)).amount_minor == 500
    refusal = why_not(offer, bill(6999, ("card", 1, 5000)))
    assert (refusal.code, refusal.facts["missing_minor"]) == ("minimum_spend_not_met", 1)
    assert why_not(offer, bill(100, ("card", 1, 5000))).facts["missing_minor"] == 2000


def test_an_exclusion_without_a_minimum_is_refused() -> None:
    with pytest.raises(ValueError, match="minimum_excludes says nothing"):
        terms(minimum_spend_minor=0, minimum_excludes=["card"])
