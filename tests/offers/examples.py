"""Offers and bills for tests: a plain one to change, and any at all."""

from typing import Any

from hypothesis import strategies as st

from regulars.offers.bill import MOST_MINOR, Bill, Line
from regulars.offers.terms import Terms

DISHES = ("soup", "noodles", "tea")
PLAIN = {
    "kind": "amount_off",
    "name": "Five off",
    "name_zh": "立减五元",
    "amount_minor": 500,
    "currency": "USD",
    "audience": "anyone",
    "ends_at": "2027-01-01T00:00:00Z",
    "cap": 100,
    "budget_minor": 50_000,
    "policy": "first_come",
}
BENEFITS: dict[str, dict[str, Any]] = {
    "amount_off": {"amount_minor": 500},
    "percent_off": {"amount_minor": None, "percent": 20, "most_minor": 800},
    "free_item": {"amount_minor": None, "item_id": "tea", "worth_minor": 600},
    "fixed_price": {"amount_minor": 900, "item_id": "noodles", "worth_minor": 700},
    "points": {"amount_minor": None, "points": 50, "worth_minor": 40},
}


def terms(kind: str = "amount_off", **changes: Any) -> Terms:
    """A plain offer of a kind, with changes; None leaves a field out."""
    values = {**PLAIN, "kind": kind, **BENEFITS[kind], **changes}
    return Terms.model_validate({field: value for field, value in values.items() if value is not None})


def bill(amount_minor: int = 3000, *lines: tuple[str, int, int], currency: str = "USD") -> Bill:
    """A bill with dishes, each as its id, its pieces and what they cost together."""
    dishes = (Line(item_id=item, quantity=pieces, amount_minor=minor) for item, pieces, minor in lines)
    return Bill(amount_minor=amount_minor, currency=currency, lines=tuple(dishes))


amounts = st.one_of(st.integers(0, 20), st.integers(0, 10_000), st.integers(0, MOST_MINOR))
counts = amounts.map(lambda amount: max(amount, 1))
dishes = st.sampled_from(DISHES)
lines = st.tuples(dishes, st.integers(1, 4), amounts)
bills = st.builds(lambda amount, dishes: bill(amount, *dishes), amounts, st.lists(lines, max_size=5))
_percents = st.decimals("0.0001", 100, places=4)
_benefits = st.one_of(
    st.fixed_dictionaries({"kind": st.just("amount_off"), "amount_minor": counts}),
    st.fixed_dictionaries({"kind": st.just("percent_off"), "percent": _percents, "most_minor": counts}),
    st.fixed_dictionaries({"kind": st.just("free_item"), "item_id": dishes, "worth_minor": counts}),
    st.fixed_dictionaries(
        {"kind": st.just("fixed_price"), "item_id": dishes, "amount_minor": counts, "worth_minor": counts}
    ),
    st.fixed_dictionaries({"kind": st.just("points"), "points": counts, "worth_minor": counts}),
)
_groups = st.sampled_from(("a", "b", "c"))
_stacking = st.fixed_dictionaries(
    {"group": _groups, "with_groups": st.sets(_groups).map(sorted), "order": st.integers(0, 2)}
)
_minimum = st.fixed_dictionaries({"minimum_spend_minor": st.one_of(st.just(0), amounts)})


@st.composite
def any_terms(draw: st.DrawFn) -> Terms:
    """Any offer, as far as bills and other offers are concerned."""
    values: dict[str, Any] = {**PLAIN, "amount_minor": None, **draw(_benefits), **draw(_stacking), **draw(_minimum)}
    if values["kind"] in ("amount_off", "percent_off") and draw(st.booleans()):
        values |= {"scope": "item", "items": draw(st.lists(dishes, min_size=1, max_size=2))}
    return Terms.model_validate({field: value for field, value in values.items() if value is not None})
