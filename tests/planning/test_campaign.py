"""The campaign file: what is wrong in it is refused with line, field and mend."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

import regulars as rg
from regulars.planning import Campaign, parse_campaign, read_campaign

GOOD = """\
name = "Autumn"
audience = "visits >= 3"
starts_on = 2026-10-05

[budget]
total = 100

[[offers]]
offer_id = "five"
kind = "amount_off"
amount = 5

[[offers]]
offer_id = "tenth"
kind = "percent_off"
percent = 10
most = 4
hours = ["17:00-22:00"]
"""

WRONG = {
    ("name =", "nam ="): ["line 1, nam: no such field (did you mean 'name'?)", "name: is missing; add it"],
    ('"visits >= 3"', '"visits >= "'): ["line 2, audience: "],
    ("2026-10-05", '"soon"'): ["line 3, starts_on: 'soon'"],
    ("total = 100", "total = -1"): ["line 6, budget.total: -1: input should be greater than or equal to 0"],
    ("total = 100", "total = nan"): ["line 6, budget.total: "],
    ("[budget]\ntotal = 100", "budget = 100"): ["line 5, budget: "],
    ('kind = "amount_off"', 'kind = "amount"'): ["line 10, offers.0.kind: 'amount': input should be 'amount_off'"],
    ("amount = 5", "amont = 5"): ["line 11, offers.0.amont: no such field (did you mean 'amount'?)"],
    ("percent = 10", "percent = 101"): ["line 16, offers.1.percent: 101: input should be less than or equal to 100"],
    ("most = 4\n", ""): ["line 13, offers.1: an offer of kind percent_off needs most; add it"],
    ("17:00-22:00", "5 pm"): ["line 18, offers.1.hours.0: '5 pm'"],
    ('"tenth"', '"five"'): ["'five' stands twice; give each offer an offer_id of its own"],
    ("[[offers]]", "[[offers]"): ["not TOML"],
    ("starts_on", "holdout = 0.0\nexploration = 0.0\nstarts_on"): ["nobody could ever know what it brought"],
    ("starts_on", "holdout = 0.6\nexploration = 0.6\nstarts_on"): ["leave nobody to treat"],
    ("starts_on", "window_days = 0\nstarts_on"): ["line 3, window_days: 0: input should be greater than or equal to 1"],
}


def test_a_good_file_is_read_with_its_defaults() -> None:
    campaign = parse_campaign(GOOD)
    assert (campaign.identity, campaign.decided_on) == ("autumn-20261005", dt.date(2026, 10, 4))
    assert (campaign.window_days, campaign.holdout, campaign.exploration, campaign.outcome) == (28, 0.1, 0.05, "margin")
    assert campaign.offers[1].learns_from == "tenth"


@pytest.mark.parametrize("change", WRONG)
def test_a_wrong_file_is_refused_with_line_field_and_mend(change: tuple[str, str]) -> None:
    assert change[0] in GOOD
    with pytest.raises(rg.DataError) as refusal:
        parse_campaign(GOOD.replace(*change), name="autumn.toml")
    for words in WRONG[change]:
        assert words in str(refusal.value)
    assert str(refusal.value).startswith("autumn.toml")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(rg.DataError, match=r"gone\.toml: no such file"):
        read_campaign(tmp_path / "gone.toml")


def test_a_campaign_survives_being_kept(campaign: Callable[..., Campaign]) -> None:
    kept = campaign()
    assert Campaign.model_validate_json(kept.model_dump_json()) == kept
