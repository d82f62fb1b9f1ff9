"""Benefits: what each kind of offer takes off, against decimals, and that both files know every kind."""

from decimal import ROUND_HALF_UP, Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.examples import terms
from regulars.benefits import KINDS, AmountOff, Kind, PercentOff, needs
from regulars.planning.campaign import Offer, Planned, needed

MAJOR = {"amount": "5", "percent": 12.5, "most": "3", "item_id": "tea"}
MINOR = {"amount_minor": 500, "percent": 12.5, "most_minor": 300, "item_id": "tea", "worth_minor": 900, "points": 10}


def test_there_is_a_class_for_every_kind() -> None:
    assert set(KINDS) == set(get_args(Kind))
    assert set(get_args(Planned)) == set(KINDS) - {"points"}


@given(amount=st.integers(0, 10**12), percent=st.decimals("0.0001", 100, places=4), most=st.integers(1, 10**12))
def test_a_percentage_is_rounded_halves_to_the_guest_and_capped(amount: int, percent: Decimal, most: int) -> None:
    exact = (Decimal(amount) * percent / 100).quantize(Decimal(1), ROUND_HALF_UP)
    assert PercentOff(percent=percent, most_minor=most).off(amount) == min(int(exact), most, amount)


@given(amount=st.integers(0, 10**12), off=st.integers(1, 10**12))
def test_an_amount_off_never_takes_more_than_there_is(amount: int, off: int) -> None:
    assert AmountOff(amount_minor=off).off(amount) == min(off, amount)


@pytest.mark.parametrize("kind", get_args(Planned))
def test_the_campaign_file_and_the_till_mean_the_same(kind: Kind) -> None:
    planned = Offer.model_validate({"offer_id": "o", "kind": kind} | {name: MAJOR[name] for name in needed(kind)})
    benefit = planned.benefit("USD", lambda item: 1400.0 if kind == "fixed_price" else 900.0)
    at_till = terms(kind, **{"amount_minor": None} | {name: MINOR[name] for name in needs(kind)}).benefit
    assert benefit == at_till
    assert benefit.worst_minor > 0
