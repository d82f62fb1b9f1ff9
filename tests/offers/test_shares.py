"""Shares: what lines bear adds up, no line bears more than it has, and nothing lies where the offer does not reach."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from offers.examples import bill, bills, dishes, terms
from offers.test_stacking import JOINT, hands
from regulars.offers.bill import Bill
from regulars.offers.shares import shares, told
from regulars.offers.stacking import Applied, combine
from regulars.offers.terms import Terms

little, orders = st.integers(1, 60), st.integers(0, 2)
offer = st.one_of(
    st.builds(lambda amount, order: terms(amount_minor=amount, order=order, **JOINT), little, orders),
    st.builds(
        lambda amount, dish, order: terms(amount_minor=amount, order=order, scope="item", items=[dish], **JOINT),
        little, dishes, orders,
    ),
    st.builds(
        lambda dish, worth, order: terms("free_item", item_id=dish, worth_minor=worth, order=order, **JOINT),
        dishes, little, orders,
    ),
    st.builds(lambda percent, order: terms("percent_off", percent=percent, order=order, **JOINT), little, orders),
)  # fmt: skip
joint = st.lists(offer, min_size=2, max_size=4).map(lambda held: [(f"v{n}", one) for n, one in enumerate(held)])
"""Vouchers that all go together."""
small = st.lists(st.tuples(dishes, st.integers(1, 3), st.integers(0, 60)), min_size=1, max_size=4)
tight = st.builds(lambda lines, more: bill(sum(line[2] for line in lines) + more, *lines), small, st.integers(0, 30))
"""Bills of which vouchers may take all."""
any_bill = st.one_of(tight, bills)


def is_for_all(one: Applied) -> bool:
    return one.terms.item_id is None and one.terms.scope == "order"


def in_turn(one: Applied, free: list[int], of: Bill) -> list[Fraction]:
    """The second way, of one voucher: the cheapest piece that gains, or exact parts of what is free, with nothing rounded."""
    at = [line.item_id in one.terms.dishes for line in of.lines]
    if one.terms.item_id is not None:
        price = one.terms.benefit.price_minor  # type: ignore[union-attr]
        units = [line.amount_minor // line.quantity if here else 0 for line, here in zip(of.lines, at, strict=True)]
        cheapest = units.index(min(unit for unit in units if unit > price))
        return [Fraction(one.discount_minor * (place == cheapest)) for place in range(len(free))]
    over = free if is_for_all(one) else [part * here for part, here in zip(free, [*at, False], strict=True)]
    return [Fraction(one.discount_minor * part, sum(over) or 1) for part in over]


def what_is_there(of: Bill) -> list[int]:
    """The lines, and the part of the bill that is on none."""
    lines = [line.amount_minor for line in of.lines]
    return [*lines, max(of.amount_minor - sum(lines), 0)]


@settings(max_examples=400, deadline=None)
@given(vouchers=st.one_of(joint, hands(4)), of=any_bill, mode=st.sampled_from(["best", "all"]))
def test_shares_add_up_and_no_line_bears_more_than_it_has(
    vouchers: list[tuple[str, Terms]], of: Bill, mode: str
) -> None:
    applied = combine(vouchers, of, mode=mode).applied  # type: ignore[arg-type]
    borne = shares(of, applied)
    assert [sum(parts) for parts in borne] == [one.discount_minor for one in applied]
    assert all(part >= 0 for parts in borne for part in parts)
    for place, limit in enumerate(what_is_there(of)):
        assert sum(parts[place] for parts in borne) <= limit
    for one, parts in zip(applied, borne, strict=True):
        if not is_for_all(one):
            assert parts[-1] == 0
            assert all(
                not part or line.item_id in one.terms.dishes for line, part in zip(of.lines, parts, strict=False)
            )


@settings(max_examples=400, deadline=None)
@given(vouchers=hands(1), of=any_bill)
def test_one_voucher_is_split_by_amounts_to_less_than_a_minor_unit(vouchers: list[tuple[str, Terms]], of: Bill) -> None:
    for one, parts in zip(taken := combine(vouchers, of).applied, shares(of, taken), strict=True):
        exact = in_turn(one, what_is_there(of), of)
        assert all(abs(part - whole) < 1 for part, whole in zip(parts, exact, strict=True))


@settings(max_examples=400, deadline=None)
@given(vouchers=st.one_of(joint, hands(4)), of=any_bill)
def test_what_is_for_the_order_is_split_by_what_the_dishes_own_vouchers_leave(
    vouchers: list[tuple[str, Terms]], of: Bill
) -> None:
    free, both = what_is_there(of), list(zip(taken := combine(vouchers, of).applied, shares(of, taken), strict=True))
    for one, parts in sorted(both, key=lambda pair: is_for_all(pair[0])):
        exact = in_turn(one, free, of) if is_for_all(one) else parts
        assert all(abs(part - whole) < 1 for part, whole in zip(parts, exact, strict=True))
        free = [have - part for have, part in zip(free, parts, strict=True)]


def test_an_order_is_split_over_what_dishes_have_left() -> None:
    """By hand: the soup's own voucher takes 500 of its 1000; the other 300 lie on 500, 2000 and the 500 that are on no line."""
    of = bill(3500, ("soup", 1, 1000), ("noodles", 2, 2000))
    soup = terms(scope="item", items=["soup"], order=1, **JOINT)
    order = terms(amount_minor=300, order=0, **JOINT)
    assert shares(of, combine([("o", order), ("s", soup)], of).applied) == [[50, 200, 50], [500, 0, 0]]


def test_an_offer_for_a_dish_finds_its_line_free_whatever_was_taken_off_the_order_before() -> None:
    of = bill(3000, ("soup", 1, 1000), ("noodles", 1, 2000))
    order, soup = (
        terms(amount_minor=2500, **JOINT),
        terms(amount_minor=900, scope="item", items=["soup"], order=1, **JOINT),
    )
    assert shares(of, combine([("o", order), ("s", soup)], of).applied) == [[500, 2000, 0], [500, 0, 0]]


def test_two_free_pieces_lie_on_the_lines_they_stand_on() -> None:
    of = bill(1000, ("tea", 1, 300), ("soup", 1, 500), ("tea", 1, 200))
    tea = terms("free_item", **JOINT)
    assert shares(of, combine([("a", tea), ("b", tea)], of).applied) == [[0, 0, 200, 0], [300, 0, 0, 0]]


def test_what_is_said_names_the_line_by_its_place_and_dish() -> None:
    of = bill(3500, ("soup", 1, 1000), ("tea", 1, 0), ("noodles", 1, 2000))
    assert told(of, [50, 0, 200, 50]) == [
        {"line": 0, "item_id": "soup", "discount_minor": 50},
        {"line": 2, "item_id": "noodles", "discount_minor": 200},
        {"line": None, "item_id": None, "discount_minor": 50},
    ]
