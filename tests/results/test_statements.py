"""The statement of a campaign from the lake: it adds up, it holds the truth, and it refuses what cannot be judged."""

import datetime as dt
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import regulars as rg
from commands import run_command
from regulars.cli import as_json
from regulars.planning import make_plan, save
from regulars.rehearsal.loop import campaign_of, keep, opened_lake, planned_action
from regulars.rehearsal.runs import Run
from regulars.results import Measured, measure_campaign
from regulars.wording import Voice

NOW = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
LATE = dt.date(2026, 12, 31)
Lived = tuple[rg.Lake, Run, Measured]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """One campaign of the town, planned, lived, loaded and measured. Read it; do not load into it."""
    place = rg.rehearsal.town(guests=1_500, stores=3, seed=4, pace=4, history_days=200)
    lake = opened_lake(place, tmp_path_factory.mktemp("measured") / "shop")
    plan = make_plan(lake, campaign_of(place, 0, 60_000.0))
    save(plan, lake.workspace)
    run = place.run(planned_action(plan, place))
    keep(lake, run, plan)
    return lake, run, measure_campaign(lake, as_of=run.after.today)


@pytest.fixture
def bare(tmp_path: Path) -> Callable[..., rg.Lake]:
    """A lake with orders of 40 guests, and one campaign of these exposures."""

    def made(
        arm: list[str],
        offer: list[str | None],
        *,
        start: list[str] | None = None,
        days: tuple[str, ...] = ("08-20", "09-10", "11-30"),
        **more: object,
    ) -> rg.Lake:
        lake = rg.Lake.create(tmp_path / "bare", currency="USD", zone="America/New_York", margin_rate=0.6, salt="s")
        guest = [f"G{i:02d}" for i in range(len(arm))]
        orders = [
            {"order_id": f"{g}-{d}", "guest_id": g, "store_id": "S1", "ordered_at": f"2026-{d} 12:00:00", "amount_minor": 2_000 + 10 * i}
            for i, g in enumerate(guest) for d in days
        ]  # fmt: skip
        lake.load("stores", pa.table({"store_id": ["S1"]}), now=NOW)
        lake.load("orders", pa.Table.from_pylist(orders), now=NOW)
        rows = {
            "campaign_id": ["autumn"] * len(arm), "guest_id": guest, "offer_id": pa.array(offer, pa.string()), "arm": arm,
            "exposed_at": start or ["2026-09-07 04:00:00"] * len(arm), "ends_at": ["2026-09-30 04:00:00"] * len(arm),
        }  # fmt: skip
        lake.load("exposures", pa.table(rows | more), now=NOW)
        return lake

    return made


def test_the_parts_add_up_and_are_those_of_the_books(lived: Lived) -> None:
    _, run, told = lived
    made = told.statement
    assert sum(part.amount_minor for part in made.parts) == made.spend_minor == round(run.redeemed_minor.sum())
    assert made.subsidy_minor == run.subsidy_minor.sum() > 0
    assert sum(told.arms.values()) == len(run.assignment)


def test_it_is_the_statement_that_the_town_makes_of_the_same_rows(lived: Lived) -> None:
    """Read from the lake by queries, or added up in the town: the same gain to the cent, when offers are arms of their own."""
    lake, run, told = lived
    arm = lake.read("exposures").sort_by("guest_id")["arm"].to_numpy(zero_copy_only=False)
    labels = np.where(arm == "holdout", "holdout", np.array([*run.before.offer_ids, "nothing"])[run.assignment])
    by_town = run.measured(labels, run.before.spent(56))
    assert set(told.arms) == set(labels)
    assert told.statement.gain_minor == by_town.gain_minor
    assert told.statement.parts == by_town.parts


def test_it_says_whether_it_is_known_and_what_to_do(lived: Lived) -> None:
    told = as_json.measured(lived[2], Voice(currency="USD"))
    assert json.loads(json.dumps(told))["advice"] == told["advice"]
    assert told["advice"].startswith(("Run it again", "Stop it", "Cannot know yet"))
    if not told["is_known"] and told["more_guests"] is not None:
        assert told["more_weeks"] >= 1


def test_a_window_that_is_not_over_is_not_judged(lived: Lived) -> None:
    lake, run, told = lived
    with pytest.raises(rg.DesignError, match=r"cannot know yet.*look again in 1 days"):
        measure_campaign(lake, as_of=run.after.today - dt.timedelta(days=2))
    assert measure_campaign(lake, as_of=told.last, after_days=0).after_days == 0


def test_everybody_treated_is_refused_and_so_is_everybody_held_out(bare: Callable[..., rg.Lake]) -> None:
    lake = bare(["treated"] * 40, ["tea"] * 40)
    with pytest.raises(rg.DesignError, match="everybody was treated"):
        measure_campaign(lake, as_of=LATE)
    everybody = lake.read("exposures").drop_columns(["campaign_id", "arm", "offer_id"])
    held = {"campaign_id": ["winter"] * 40, "arm": ["holdout"] * 40, "offer_id": pa.nulls(40, pa.string())}
    for name, values in held.items():
        everybody = everybody.append_column(name, pa.array(values))
    lake.load("exposures", everybody, now=NOW)
    with pytest.raises(rg.DesignError, match="everybody was held out"):
        measure_campaign(lake, "winter", as_of=LATE)


def test_shares_that_changed_midway_are_refused(bare: Callable[..., rg.Lake]) -> None:
    arm = ["holdout"] * 20 + ["treated"] * 20
    start = ["2026-09-07 04:00:00"] * 20 + ["2026-09-20 04:00:00"] * 20
    lake = bare(arm, [None] * 20 + ["tea"] * 20, start=start)
    with pytest.raises(rg.DesignError, match="changed midway"):
        measure_campaign(lake, as_of=LATE)


def test_chances_that_were_not_logged_are_said(bare: Callable[..., rg.Lake]) -> None:
    lake = bare(["holdout", "treated"] * 20, [None, "tea"] * 20)
    told = measure_campaign(lake, "autumn", as_of=LATE)
    assert any(note.code == "chances_not_logged" for note in told.statement.notes)
    assert told.arms == {"contacted": 20, "holdout": 20}


def test_nobody_came_at_all(bare: Callable[..., rg.Lake]) -> None:
    """Nothing was spent in the window, nor in the four weeks after it: nobody can know anything yet."""
    lake = bare(["holdout", "treated"] * 20, [None, "tea"] * 20, days=("06-01", "12-30"))
    with pytest.raises(rg.DesignError, match="every guest is 0: cannot know yet"):
        measure_campaign(lake, "autumn", as_of=LATE)


def test_a_campaign_that_is_not_there_is_named_with_those_that_are(
    bare: Callable[..., rg.Lake], tmp_path: Path
) -> None:
    lake = bare(["holdout", "treated"] * 20, [None, "tea"] * 20)
    with pytest.raises(rg.DataError, match=r"no campaign 'spring'.*there are autumn"):
        measure_campaign(lake, "spring", as_of=LATE)
    with pytest.raises(ValueError, match="after_days is -1"):
        measure_campaign(lake, as_of=LATE, after_days=-1)
    empty = rg.Lake.create(tmp_path / "empty", currency="USD", zone="America/New_York")
    with pytest.raises(rg.DataError, match="no campaign to measure"):
        measure_campaign(empty, as_of=LATE)


def test_the_command_says_it_on_the_screen_and_as_json(lived: Lived) -> None:
    run = {"folder": lived[0].workspace.path, "environment": os.environ | {"COLUMNS": "140"}}
    shown = run_command(("measure",), **run)
    assert shown.returncode == 0
    assert "spent on checks with a voucher" in shown.stdout
    assert "together" in shown.stdout
    told = json.loads(run_command(("measure", "--json"), **run).stdout)
    assert told["spend_minor"] == sum(part["amount_minor"] for part in told["parts"])
    refused = run_command(("measure", "--until", "soon"), **run)
    assert refused.returncode == 2
    assert "no date" in refused.stderr
