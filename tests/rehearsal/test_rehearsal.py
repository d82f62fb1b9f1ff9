"""A campaign file, planned by the real planner and lived in the town, in Python and on the command line."""

import io
import json
import os
from pathlib import Path

import pytest
from rich.console import Console

import regulars as rg
from commands import run_command
from regulars.cli.screens import rehearsal as screens
from regulars.planning import Campaign, parse_campaign
from regulars.rehearsal import rehearse
from regulars.rehearsal.rehearsal import ABOUT
from regulars.wording import Voice

CAMPAIGN = """
name = "First try"
audience = "visits >= 1 and recency_days <= 300"
starts_on = 2026-07-01
holdout = 0.3
exploration = 0.2

[budget]
total = 400
per_store = { Harbour = 100 }

[[offers]]
offer_id = "five"
kind = "amount_off"
amount = 5
stores = ["Harbour", "Hill", "S01"]

[[offers]]
offer_id = "tea"
kind = "free_item"
item_id = "tea"
"""


@pytest.fixture(scope="module")
def campaign() -> Campaign:
    return parse_campaign(CAMPAIGN)


@pytest.fixture(scope="module", params=[0, 1], ids=["first campaign", "second campaign"])
def lived(request: pytest.FixtureRequest, campaign: Campaign) -> rg.rehearsal.Rehearsal:
    return rehearse(campaign, guests=900, stores=3, lessons=request.param, pace=4, seed=3)


def test_the_plan_is_what_is_lived(lived: rg.rehearsal.Rehearsal) -> None:
    given = lived.run.exposures("c").to_pylist()
    planned = {row["guest_id"]: row["offer_id"] for row in lived.plan.assignments().to_pylist()}
    assert {row["guest_id"]: row["offer_id"] for row in given} == {row["guest_id"]: None for row in given} | planned
    assert lived.run.before.today == lived.plan.campaign.starts_on
    assert lived.run.subsidy_minor.sum() > 0


def test_the_stores_and_dishes_of_the_file_are_in_the_town(lived: rg.rehearsal.Rehearsal) -> None:
    assert lived.run.before.store_ids == ("Harbour", "Hill", "S01")
    assert "tea" in lived.run.before.menu_items["item_id"].to_pylist()


def test_lessons_teach_the_plan(lived: rg.rehearsal.Rehearsal) -> None:
    learned = lived.plan.lessons
    assert learned.campaigns == lived.lessons
    assert (learned.model is None) == (lived.lessons == 0)


def test_nobody_does_better_than_one_who_knows_the_truth(lived: rg.rehearsal.Rehearsal) -> None:
    """With the same audience and the same limits; the plan's own cost in truth may lie above its budget, so both are scaled."""
    assert lived.run.true_gain_minor <= lived.known.gain_minor
    assert lived.known.cost_minor <= lived.plan.budget + 1e-6


def test_the_summary_is_plain_and_says_that_it_is_simulated(lived: rg.rehearsal.Rehearsal) -> None:
    told = json.loads(json.dumps(lived.summary(), default=repr))
    assert told["simulated"] is True
    assert told["measured"]["spend_minor"] == sum(part["amount_minor"] for part in told["measured"]["parts"])
    assert sum(told["arms"].values()) == told["audience"] == len(lived.plan.audience)
    assert told["true"]["gain_minor"] == pytest.approx(lived.run.true_gain_minor)


def test_the_same_seed_rehearses_the_same(campaign: Campaign) -> None:
    first, again = (rehearse(campaign, guests=100, stores=3, lessons=0, pace=4, seed=1) for _ in range(2))
    assert first.summary() == again.summary()


def test_lessons_below_none_are_refused(campaign: Campaign) -> None:
    with pytest.raises(ValueError, match="lessons is -1"):
        rehearse(campaign, lessons=-1)


def test_the_screen_says_first_that_it_is_simulated(lived: rg.rehearsal.Rehearsal) -> None:
    console = Console(record=True, width=140, file=io.StringIO())
    console.print(screens.rehearsal(lived, Voice(currency="USD")))
    shown = console.export_text()
    assert shown.startswith("SIMULATED\nFirst try in a town of 900 guests")
    assert "gain, true" in shown
    assert ABOUT[:40] in shown


def test_the_command_answers_as_json_and_refuses_in_sentences(tmp_path: Path) -> None:
    (tmp_path / "first.toml").write_text(CAMPAIGN)
    small = ("rehearse", "first.toml", "--guests", "300", "--stores", "3", "--lessons", "0", "--pace", "4")
    run = {"folder": tmp_path, "environment": os.environ | {"COLUMNS": "140"}}
    plain = run_command((*small, "--json"), **run)
    assert json.loads(plain.stdout)["simulated"] is True
    for wrong, status, words in (
        ((*small[:2], "--guests", "0"), 2, "--guests"),
        (("rehearse", "none.toml"), 1, "no such file"),
    ):
        refused = run_command(wrong, **run)
        assert refused.returncode == status
        assert words in refused.stderr
        assert "Traceback" not in refused.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.toml"]


def test_a_campaign_that_loses_proposes_designs_that_would_gain() -> None:
    """25.00 off any check: nearly all of it goes to those who come anyway."""
    text = CAMPAIGN.replace("amount = 5\n", "amount = 25\nminimum_spend = 26\n").replace("total = 400", "total = 4000")
    lost = rehearse(parse_campaign(text), guests=900, stores=3, lessons=0, pace=4, seed=3)
    assert lost.is_losing
    assert lost.redesigns
    gains = [one.known.gain_minor for one in lost.redesigns]
    assert gains == sorted(gains, reverse=True)
    assert min(gains) > 0
    console = Console(file=io.StringIO(), width=80)
    console.print(screens.rehearsal(lost, Voice(language="zh", currency="USD")))
    assert "谁都不送反而更好" in console.file.getvalue()  # type: ignore[attr-defined]


def test_a_campaign_that_gains_proposes_nothing_else(lived: rg.rehearsal.Rehearsal) -> None:
    assert bool(lived.redesigns) <= lived.is_losing
