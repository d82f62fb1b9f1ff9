"""The plan that was run decides what is counted, whatever was planned beside it or later."""

import datetime as dt
import os
from pathlib import Path

import pyarrow as pa
import pytest

import regulars as rg
from regulars.planning import make_plan, parse_campaign, save
from regulars.results import measure_campaign
from worlds import CAMPAIGN, NOW, lived

LATE = dt.date(2026, 12, 31)
TEXT = CAMPAIGN.format(name="First", starts_on="2026-09-01")
WEEK = TEXT.replace("window_days = 28", "window_days = 7")


@pytest.fixture
def lake(tmp_path: Path) -> rg.Lake:
    return lived(tmp_path / "shop", "margin", guests=200)[0]


def without_plan(lake: rg.Lake, **more: object) -> None:
    """Load the exposures again, as from a tool that does not keep plan_id; `more` replaces columns."""
    rows = lake.read("exposures")
    for name, value in ({"plan_id": None} | more).items():
        field = rows.schema.field(name)
        rows = rows.set_column(rows.schema.get_field_index(name), field, pa.array([value] * len(rows), field.type))
    lake.load("exposures", rows, now=NOW)


def draft(lake: rg.Lake, text: str) -> str:
    plan = make_plan(lake, parse_campaign(text))
    os.utime(save(plan, lake.workspace))
    return plan.plan_id


@pytest.mark.parametrize("has_plan_id", [True, False])
def test_a_later_draft_changes_nothing(lake: rg.Lake, has_plan_id: bool) -> None:
    if not has_plan_id:
        without_plan(lake)
    before = measure_campaign(lake, as_of=LATE)
    draft(lake, WEEK)
    draft(lake, TEXT.replace("holdout = 0.3\n", "holdout = 0.05\n", 1))
    after = measure_campaign(lake, as_of=LATE)
    assert (after.last, after.plan_id, after.statement) == (dt.date(2026, 9, 28), before.plan_id, before.statement)


def test_a_draft_that_fits_as_well_is_asked_about(lake: rg.Lake) -> None:
    """The draft gives everybody the same and counts other days, and the exposures do not say until when the offer held."""
    without_plan(lake, ends_at=None)
    draft(lake, WEEK)
    with pytest.raises(rg.DesignError, match=r"fit 2 kept plans .* with the plan_id of the one that was run"):
        measure_campaign(lake, as_of=LATE)


def test_exposures_of_two_plans_are_refused(lake: rg.Lake) -> None:
    rows = lake.read("exposures").slice(0, 5)
    named = pa.array(["another"] * 5, pa.string())
    lake.load("exposures", rows.set_column(rows.schema.get_field_index("plan_id"), "plan_id", named), now=NOW)
    with pytest.raises(rg.DesignError, match="come from 2 plans"):
        measure_campaign(lake, as_of=LATE)


def test_a_plan_that_is_not_kept_here_is_said(lake: rg.Lake) -> None:
    without_plan(lake, plan_id="elsewhere")
    told = measure_campaign(lake, as_of=LATE)
    assert told.plan_id is None
    assert (told.first, told.last) == (dt.date(2026, 9, 1), dt.date(2026, 9, 28))
    assert any("elsewhere" in note for note in told.statement.notes)


def test_a_first_campaign_of_one_offer_is_measured(lake: rg.Lake) -> None:
    """Explorers who drew nothing are contacted like the others; the holdout are those who were held out."""
    told = measure_campaign(lake, as_of=LATE)
    arm = lake.read("exposures")["arm"].to_pylist()
    assert told.arms == {"contacted": arm.count("explore"), "holdout": arm.count("holdout")}
    assert told.statement.guests == len(arm)
    assert not any("plan" in note for note in told.statement.notes)
