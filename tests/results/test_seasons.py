"""Seasons: one holdout for all campaigns of a quarter, and what they brought together."""

import datetime as dt
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import regulars as rg
from commands import run_command
from regulars.planning import Campaign, Plan, make_plan, save
from regulars.planning.global_holdout import is_held_back, season_of
from regulars.results import measure_season
from regulars.wording import Voice
from shops import NOW, make_lake

Made = Callable[..., Campaign]
SHARE = ("[budget]", "global_holdout = 0.3\n\n[budget]")
CHECK = 1_000


def run_as_planned(lake: rg.Lake, plan: Plan) -> None:
    save(plan, lake.workspace)
    rows = plan.assignments().select(["guest_id", "offer_id", "arm", "propensity"])
    start = dt.datetime.combine(plan.campaign.starts_on, dt.time(12), tzinfo=dt.UTC)
    for name, value in (
        ("campaign_id", pa.scalar(plan.campaign.identity)),
        ("exposed_at", pa.scalar(start)),
        ("ends_at", pa.scalar(start + dt.timedelta(days=plan.campaign.window_days))),
    ):
        rows = rows.append_column(name, pa.repeat(value, len(rows)))
    lake.load("exposures", rows, now=NOW)


@pytest.fixture
def lived(tmp_path: Path, campaign: Made) -> rg.Lake:
    """A shop with an autumn of one campaign, in which each guest open to it brought $30.00 of margin more."""
    lake = make_lake(tmp_path / "shop")
    made = make_plan(lake, campaign(SHARE))
    run_as_planned(lake, made)
    names = np.array([f"G{i:04d}" for i in range(900)], dtype=object)
    held = is_held_back(names, made.campaign, "s")
    orders = {
        "order_id": [f"autumn-{name}" for name in names],
        "guest_id": names,
        "store_id": ["S1"] * 900,
        "ordered_at": pa.array([dt.datetime(2026, 10, 20, 16, tzinfo=dt.UTC)] * 900, pa.timestamp("us", "UTC")),
        "amount_minor": np.where(held, CHECK, CHECK + 5_000) + np.arange(900) % 7 * 100,
    }
    lake.load("orders", pa.table(orders), now=NOW)
    return lake


@pytest.mark.parametrize(
    ("day", "season"), [("2026-01-01", "2026Q1"), ("2026-06-30", "2026Q2"), ("2026-12-31", "2026Q4")]
)
def test_a_season_is_a_quarter(day: str, season: str) -> None:
    assert season_of(dt.date.fromisoformat(day)) == season


def test_what_all_campaigns_brought_is_found(lived: rg.Lake) -> None:
    found = measure_season(lived, as_of=dt.date(2026, 12, 31))
    assert (found.season, found.is_over, len(found.campaigns)) == ("2026Q4", True, 1)
    low, high = found.lift.interval
    assert low < 3_000 < high
    assert found.lift.is_conclusive
    assert 0.25 < found.lift.n_control / 900 < 0.35


def test_who_looks_before_the_quarter_is_over_gets_intervals_that_hold_on_every_day(lived: rg.Lake) -> None:
    whole = measure_season(lived, as_of=dt.date(2026, 12, 31)).lift.interval
    early = measure_season(lived, as_of=dt.date(2026, 12, 30))
    assert not early.is_over
    assert early.lift.interval[1] - early.lift.interval[0] > whole[1] - whole[0]


def test_offers_to_the_global_holdout_are_told(lived: rg.Lake, campaign: Made) -> None:
    assert all(
        note.code != "held_back_were_given" for note in measure_season(lived, as_of=dt.date(2026, 12, 31)).lift.notes
    )
    names = np.array([f"G{i:04d}" for i in range(900)], dtype=object)
    held = names[is_held_back(names, campaign(SHARE), "s")][:5]
    flyer = {"campaign_id": ["flyer"] * 5, "guest_id": held, "offer_id": ["free-tea"] * 5}
    loaded = lived.load("exposures", pa.table(flyer | {"exposed_at": ["2026-10-21 12:00:00"] * 5}), now=NOW)
    assert loaded.rejected == 0
    (note,) = measure_season(lived, as_of=dt.date(2026, 12, 31)).lift.notes[-1:]
    assert re.match(
        r"[1-5] guests? of the global holdout were given an offer all the same, by flyer", Voice().say(note)
    )


def test_the_command_line_shows_it(lived: rg.Lake) -> None:
    def told(*more: str) -> str:
        asked = ("measure", "--season", "2026Q4", "--until", "2026-12-31", *more)
        done = run_command(asked, folder=lived.workspace.path, environment=os.environ | {"COLUMNS": "200"})
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "1 campaign," in told()
    plain = json.loads(told("--json"))
    assert plain["is_known"]
    assert plain["gain_minor"] == pytest.approx(plain["per_guest_minor"] * plain["guests"])


def test_campaigns_that_held_back_different_guests_are_refused(lived: rg.Lake, campaign: Made) -> None:
    other = campaign(("Autumn regulars", "Other"), ("[budget]", "global_holdout = 0.1\n\n[budget]"))
    save(make_plan(lived, other), lived.workspace)  # a draft that was never run is in nobody's way
    assert measure_season(lived, as_of=dt.date(2026, 12, 31)).campaigns == ("autumn-regulars-20261005",)
    run_as_planned(lived, make_plan(lived, other))
    with pytest.raises(rg.DesignError, match="held back different shares"):
        measure_season(lived, as_of=dt.date(2026, 12, 31))


@pytest.mark.parametrize(
    ("season", "as_of", "error", "words"),
    [
        ("2026Q3", "2026-12-31", rg.DataError, "no campaign of 2026Q3 that was planned and run; there are 2026Q4"),
        ("autumn", "2026-12-31", rg.DataError, "'autumn' is no season"),
        ("2026Q4", "2026-09-30", rg.DesignError, "cannot know yet"),
    ],
)
def test_what_cannot_be_known_is_refused(
    lived: rg.Lake, season: str, as_of: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        measure_season(lived, season, as_of=dt.date.fromisoformat(as_of))


def test_a_quarter_in_which_nobody_was_held_back_is_refused(tmp_path: Path, campaign: Made) -> None:
    lake = make_lake(tmp_path / "shop")
    run_as_planned(lake, make_plan(lake, campaign(("[budget]", "global_holdout = 0\n\n[budget]"))))
    with pytest.raises(rg.DesignError, match="held anybody back"):
        measure_season(lake, as_of=dt.date(2026, 12, 31))
