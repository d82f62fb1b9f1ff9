"""Terms: what is missing, contradicts itself or hides something is refused in a sentence with its mend."""

import contextlib
import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offers.examples import BENEFITS, PLAIN, any_terms, terms
from regulars.documents import parse
from regulars.errors import DataError
from regulars.offers import terms as page
from regulars.offers.bill import MOST_MINOR
from regulars.offers.terms import Terms, read


def refused(**changes: Any) -> str:
    """What is said of the plain offer with these changes; None leaves a field out."""
    values = {**PLAIN, **changes}
    with pytest.raises(DataError) as error:
        read({field: value for field, value in values.items() if value is not None})
    return str(error.value)


def test_the_offer_at_the_top_of_the_page_is_accepted() -> None:
    example = "\n".join(line for line in (page.__doc__ or "").splitlines() if line.startswith("    "))
    assert parse(example, Terms, name="offer.toml").worst_minor == 500


@pytest.mark.parametrize("field", ["kind", "name", "currency", "audience", "ends_at", "cap", "budget_minor", "policy"])
def test_what_every_offer_must_say_has_no_default(field: str) -> None:
    assert refused(**{field: None}) == f"{field}: is missing; add it"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"amount_minor": None}, "terms: an offer of kind amount_off needs amount_minor; add it"),
        (
            {"kind": "percent_off", "amount_minor": None, "percent": 10},
            "terms: an offer of kind percent_off needs most_minor; add it",
        ),
        (
            {"kind": "free_item", "amount_minor": None},
            "terms: an offer of kind free_item needs item_id and worth_minor; add it",
        ),
        (
            {"kind": "points", "amount_minor": None, "points": 5},
            "terms: an offer of kind points needs worth_minor; add it",
        ),
        ({"percent": 10}, "terms: percent says nothing in an offer of kind amount_off; leave it out"),
        ({"scope": "item"}, "terms: scope = item and items belong together; give both or neither"),
        ({"items": ["tea"]}, "terms: scope = item and items belong together; give both or neither"),
        (
            {**BENEFITS["free_item"], "kind": "free_item", "scope": "item", "items": ["tea"]},
            "terms: scope = item is for amount_off and percent_off; free_item does not need it, leave it out",
        ),
        (
            {"starts_at": "2027-01-01T00:00:00Z"},
            "terms: ends_at 2027-01-01T00:00:00+00:00 is not after starts_at 2027-01-01T00:00:00+00:00; swap them",
        ),
        ({"per_code": 101}, "terms: per_code 101 is more than cap 100, the uses of all codes; lower it to 100"),
        (
            {"with_groups": ["lunch"]},
            "terms: with_groups is given but no group, so no other offer could name this one; give it a group",
        ),
    ],
)
def test_what_does_not_hold_together_is_said_with_its_mend(changes: dict[str, Any], sentence: str) -> None:
    assert refused(**changes) == sentence


def test_a_guarantee_the_budget_cannot_keep_says_how_many_uses_fit() -> None:
    assert refused(policy="guaranteed", budget_minor=49_999) == (
        "terms: budget_minor 49999 guarantees 99 uses of 500 each, not 100; lower cap to 99, raise budget_minor to 50000,"
        " or say policy = first_come"
    )
    assert terms(policy="guaranteed", budget_minor=50_000).policy == "guaranteed"


def test_all_that_does_not_hold_together_is_said_at_once() -> None:
    assert refused(amount_minor=None, per_code=101).count(";") == 3


@pytest.mark.parametrize("amount", [5.0, 5.5, "5", True, -1, 0, MOST_MINOR + 1, 10**400, float("nan"), [5]])
def test_money_is_a_whole_number_of_minor_units_above_nothing(amount: Any) -> None:
    assert refused(amount_minor=amount).startswith("amount_minor: ")


def test_a_float_is_told_how_money_is_written() -> None:
    expected = (
        "amount_minor: '5.5': input should be a valid integer; give a whole number, money in minor units (550 for 5.50)"
    )
    assert refused(amount_minor=5.5) == expected


@pytest.mark.parametrize(
    "field", ["cap", "per_code", "per_guest", "per_day", "per_store_hour", "per_minute", "budget_minor", "minimum_spend_minor"]
)  # fmt: skip
def test_counts_are_never_negative_nor_above_what_json_keeps(field: str) -> None:
    for number in (-1, MOST_MINOR + 1, 2.0, "3", False):
        assert refused(**{field: number}).startswith(f"{field}: ")


@pytest.mark.parametrize("percent", [0, -1, 100.5, float("nan"), float("inf"), "1e400", True, "ten"])
def test_a_percentage_is_above_0_and_at_most_100(percent: Any) -> None:
    assert refused(kind="percent_off", amount_minor=None, percent=percent, most_minor=5).startswith("percent: ")


@pytest.mark.parametrize(
    ("ends_at", "sentence"),
    [
        ("2027-01-01T00:00:00", "input should have timezone info; say in which zone, such as 2027-01-01T00:00:00Z"),
        (5, "it is no time; write one such as 2027-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59-14:00", "the year 9999 is too far away; give one from 2000 to 2199"),
        ("2026-02-30T00:00:00Z", "input should be a valid datetime"),
    ],
)
def test_an_end_is_an_instant_that_will_come(ends_at: Any, sentence: str) -> None:
    assert sentence in refused(ends_at=ends_at)


def test_instants_are_kept_in_utc() -> None:
    assert terms(ends_at="2027-01-01T08:00:00+08:00").ends_at == dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
    assert terms(ends_at="2027-01-01T08:00:00+08:00").ends_at.tzinfo is dt.UTC


def test_an_unknown_currency_and_an_unknown_field_are_named() -> None:
    assert (
        refused(currency="XYZ")
        == "currency: no currency is called 'XYZ'; write an ISO 4217 code such as USD, CNY or JPY"
    )
    assert refused(per_gest=2) == "per_gest: no such field (did you mean 'per_guest'?)"
    assert refused(**{"\x00" * 1000: 2}).endswith(": no such field")


@pytest.mark.parametrize("field", ["name", "name_zh", "group"])
@pytest.mark.parametrize("hidden", ["\x00", "a\x00b", "a\x1b[31m", "a\nb", "a\u2028b", "a\x7f"])
def test_characters_that_hide_are_refused_with_their_place(field: str, hidden: str) -> None:
    assert "is a control character" in refused(**{field: f"x{hidden}y"})


def test_text_that_only_looks_dangerous_is_kept_as_text() -> None:
    for text in (
        "'; DROP TABLE offers; --",
        "<script>alert(1)</script>",
        "{{7*7}}",
        "=1+1",
        "👨‍👩‍👧 家庭套餐　八折",
        "{braces}",
    ):
        assert terms(name=text, stores=[text], group=text[:64]).name == text


def test_text_beyond_unicode_is_refused() -> None:
    assert refused(name="a\ud800b").startswith("name: ")


@pytest.mark.parametrize("body", ["text", 5, None, [], [1], True])
def test_what_is_no_document_is_refused(body: Any) -> None:
    with pytest.raises(DataError, match="terms: "):
        read(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None)
@given(changes=st.dictionaries(st.sampled_from(sorted(Terms.model_fields)) | st.text(), json_values, max_size=4))
def test_any_document_is_terms_or_is_refused(changes: dict[str, Any]) -> None:
    with contextlib.suppress(DataError):
        found = read({**PLAIN, **changes})
        assert Terms.model_validate_json(found.model_dump_json()) == found


@settings(max_examples=100, deadline=None)
@given(any_terms())
def test_terms_come_back_from_json_as_they_were(offer: Terms) -> None:
    assert Terms.model_validate_json(offer.model_dump_json()) == offer
    assert read(json.loads(offer.model_dump_json(exclude_defaults=True))) == offer


@settings(max_examples=100, deadline=None)
@given(cost=st.integers(0, MOST_MINOR), part=st.integers(0, MOST_MINOR), share=st.decimals(0, 1, places=4))
def test_a_cost_is_split_without_a_remainder(cost: int, part: int, share: Decimal) -> None:
    offer = terms(platform_share=share)
    merchant, platform = offer.split(cost)
    assert merchant + platform == cost
    assert 0 <= platform <= cost
    assert abs(platform - cost * share) <= Decimal("0.5")
    assert offer.split(min(part, cost))[1] <= platform


def test_half_a_cent_is_the_platforms() -> None:
    assert terms(platform_share=0.5).split(5) == (2, 3)


@pytest.mark.parametrize(
    ("kind", "worst"),
    [("amount_off", 500), ("percent_off", 800), ("free_item", 600), ("fixed_price", 700), ("points", 40)],
)
def test_the_worst_case_is_known_for_every_kind(kind: str, worst: int) -> None:
    assert terms(kind).worst_minor == worst


def test_an_offer_has_a_name_for_everybody() -> None:
    assert (terms().title("en"), terms().title("zh"), terms(name_zh=None).title("zh")) == (
        "Five off",
        "立减五元",
        "Five off",
    )


def test_terms_never_change() -> None:
    with pytest.raises(pydantic.ValidationError):
        terms().cap = 5  # type: ignore[misc]
