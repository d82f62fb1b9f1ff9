"""Files of offers: of every kind, each field missing, written twice, of another type: refused in a sentence with its place."""

import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest

from offers.examples import BENEFITS, PLAIN
from regulars.benefits import Kind, needs
from regulars.documents import parse
from regulars.errors import DataError
from regulars.offers.terms import Terms
from regulars.planning.campaign import Planned, needed, parse_campaign

CAMPAIGN = 'name = "Autumn"\naudience = "visits >= 3"\nstarts_on = 2026-10-05\n[budget]\ntotal = 100\n\n[[offers]]\noffer_id = "one"\n'
PLANNED: dict[str, str] = {"amount": "5", "percent": "12.5", "most": "3", "item_id": '"tea"'}
OTHER_TYPES = ("[1]", "{ a = 1 }", "2026-10-05", "nan", "-1", '""', "true")


def written(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def planned_lines(kind: str) -> dict[str, str]:
    return {"kind": f'"{kind}"'} | {field: PLANNED[field] for field in needed(kind)}  # type: ignore[arg-type]


def terms_lines(kind: str) -> dict[str, str]:
    values = {**PLAIN, "kind": kind, **BENEFITS[kind]}
    return {field: written(value) for field, value in values.items() if value is not None}


def campaign(lines: dict[str, str], *more: str) -> None:
    parse_campaign(
        CAMPAIGN + "\n".join([*(f"{field} = {value}" for field, value in lines.items()), *more]), name="a.toml"
    )


def offer(lines: dict[str, str], *more: str) -> None:
    parse("\n".join([*(f"{field} = {value}" for field, value in lines.items()), *more]), Terms, name="a.toml")


CAMPAIGN_FIELDS = [(kind, field) for kind in get_args(Planned) for field in planned_lines(kind)]
TERMS_FIELDS = [(kind, field) for kind in get_args(Kind) for field in ("kind", *needs(kind))]


@pytest.mark.parametrize("kind", get_args(Planned))
def test_a_campaign_of_every_kind_is_read(kind: str) -> None:
    campaign(planned_lines(kind))


@pytest.mark.parametrize("kind", get_args(Kind))
def test_terms_of_every_kind_are_read(kind: str) -> None:
    offer(terms_lines(kind))


@pytest.mark.parametrize(("kind", "field"), CAMPAIGN_FIELDS)
def test_a_field_that_a_campaign_lacks_or_has_twice_is_named(kind: str, field: str) -> None:
    lines = planned_lines(kind)
    with pytest.raises(
        DataError, match=rf"^a\.toml line \d+, offers\.0.*(needs {field}|kind: is missing); add it|needs .*{field}"
    ):
        campaign({name: value for name, value in lines.items() if name != field})
    with pytest.raises(
        DataError, match=rf"^a\.toml line \d+, .*{field}: is written twice, first on line \d+; keep one"
    ):
        campaign(lines, f"{field} = {lines[field]}")


@pytest.mark.parametrize(("kind", "field"), CAMPAIGN_FIELDS)
@pytest.mark.parametrize("other", OTHER_TYPES)
def test_a_field_of_a_campaign_of_another_type_is_named(kind: str, field: str, other: str) -> None:
    with pytest.raises(DataError, match=rf"^a\.toml line \d+, offers\.0\.{field}"):
        campaign({**planned_lines(kind), field: other})


@pytest.mark.parametrize(("kind", "field"), TERMS_FIELDS)
def test_a_field_that_terms_lack_or_have_twice_is_named(kind: str, field: str) -> None:
    lines = terms_lines(kind)
    with pytest.raises(DataError, match=rf"^a\.toml line 1, .*({field}: is missing|{field}.*; add it)"):
        offer({name: value for name, value in lines.items() if name != field})
    with pytest.raises(
        DataError, match=rf"^a\.toml line \d+, .*{field}: is written twice, first on line \d+; keep one"
    ):
        offer(lines, f"{field} = {lines[field]}")


@pytest.mark.parametrize(("kind", "field"), TERMS_FIELDS)
@pytest.mark.parametrize("other", OTHER_TYPES)
def test_a_field_of_terms_of_another_type_is_named(kind: str, field: str, other: str) -> None:
    with pytest.raises(DataError, match=rf"^a\.toml line \d+, {field}: "):
        offer({**terms_lines(kind), field: other})


@pytest.mark.parametrize("kind", get_args(Planned))
@pytest.mark.parametrize("field", PLANNED)
def test_a_field_that_says_nothing_in_a_campaign_is_named(kind: Kind, field: str) -> None:
    if field in needed(kind):
        return
    with pytest.raises(DataError, match=rf"{field} says nothing in an offer of kind {kind}; leave it out"):
        campaign({**planned_lines(kind), field: PLANNED[field]})


@pytest.mark.parametrize("hours", ["11:00-24:30", "24:00-02:00", "9:00-11:00", "11:00-11:00"])
def test_hours_are_refused_alike_in_both_files(hours: str) -> None:
    with pytest.raises(DataError, match=r"a\.toml line \d+, offers\.0\.hours\.0: .*(hours; write them|whole day)"):
        campaign(planned_lines("amount_off"), f'hours = ["{hours}"]')
    with pytest.raises(DataError, match=r"a\.toml line \d+, hours\.0: .*(hours; write them|whole day)"):
        offer(terms_lines("amount_off"), f'hours = ["{hours}"]')


def test_points_are_given_at_the_till_but_not_planned() -> None:
    with pytest.raises(DataError, match=r"a\.toml line 9, offers\.0\.kind: 'points': input should be 'amount_off'"):
        campaign({"kind": '"points"', "points": "5"})


def test_the_examples_of_the_readme_are_of_our_kinds() -> None:
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    example = text.split("```toml campaign\n")[1].split("```")[0]
    assert {one["kind"] for one in tomllib.loads(example)["offers"]} <= set(get_args(Planned))
