"""`regulars measure` on campaigns that cannot be judged, or hardly, as its user sees it."""

import datetime as dt
import json
import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pyarrow as pa
import pytest

import regulars as rg
from commands import run_command

NOW = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
GUESTS = 40
HALF, TEA = ["holdout", "treated"] * 20, [None, "tea"] * 20
SOON, LATER = "2026-09-07 04:00:00", "2026-09-20 04:00:00"


def plain(number: int, day: str) -> dict[str, Any]:
    return {"store_id": "S1", "amount_minor": 2_000 + 10 * number}


def whale(number: int, day: str) -> dict[str, Any]:
    """The offer brought five dollars to each; and one who got it gave a feast."""
    more = 500 * (number % 2) + 2_997_000 * (number == 1) if day == "09-10" else 0
    return {"store_id": "S1", "amount_minor": 2_000 + (37 * number) % 200 + more}


def losing(number: int, day: str) -> dict[str, Any]:
    return plain(number, day) | {"margin_minor": -500 - number - 100 * (number % 2)}


def given_three_off(number: int, day: str) -> dict[str, Any]:
    return plain(number, day) | {"discount_minor": 300 * ((number, day) == (1, "09-10"))}


def by_store(number: int, day: str) -> dict[str, Any]:
    return plain(number, day) | {"store_id": "S2" if number % 2 else "S1"}


def by_four_stores(number: int, day: str) -> dict[str, Any]:
    return plain(number, day) | {"store_id": f"S{number % 4 + 1}"}


@pytest.fixture
def workspace(tmp_path: Path) -> Callable[..., rg.Lake]:
    """A workspace in which 40 guests had a campaign in September."""

    def made(
        arm: list[str | None] | None = None,
        offer: list[str | None] | None = None,
        *,
        order: Callable[[int, str], dict[str, Any]] = plain,
        days: tuple[str, ...] = ("08-20", "09-10", "11-30"),
        start: list[str] | None = None,
        **more: object,
    ) -> rg.Lake:
        lake = rg.Lake.create(tmp_path / "shop", currency="USD", zone="America/New_York", margin_rate=0.6, salt="s")
        lake.load("stores", pa.table({"store_id": ["S1", "S2", "S3", "S4"]}), now=NOW)
        orders = [
            {"order_id": f"{i}-{day}", "guest_id": f"G{i:02d}", "ordered_at": f"2026-{day} 12:00:00", **order(i, day)}
            for i in range(GUESTS)
            for day in days
        ]
        lake.load("orders", pa.Table.from_pylist(orders), now=NOW)
        rows = {
            "campaign_id": ["autumn"] * GUESTS, "guest_id": [f"G{i:02d}" for i in range(GUESTS)],
            "offer_id": pa.array(offer or TEA, pa.string()), "arm": pa.array(arm or HALF, pa.string()),
            "exposed_at": start or [SOON] * GUESTS, "ends_at": ["2026-09-30 04:00:00"] * GUESTS,
        }  # fmt: skip
        lake.load("exposures", pa.table(rows | more), now=NOW)
        return lake

    return made


def measure(lake: rg.Lake, *arguments: str) -> "CompletedProcess[str]":
    return run_command(("measure", *arguments), folder=lake.workspace.path, environment=os.environ | {"COLUMNS": "400"})


REFUSED = {
    "everybody treated": ({"arm": ["treated"] * 40, "offer": ["tea"] * 40}, "everybody was treated (arms treated)"),
    "no arm is the control": ({"arm": ["A", "B"] * 20, "offer": ["tea"] * 40}, "no exposures, so no campaign to measure"),
    "everybody held out": ({"arm": ["holdout"] * 40, "offer": [None] * 40}, "everybody was held out"),
    "one guest held out": ({"arm": ["holdout"] + ["treated"] * 39, "offer": [None] + ["tea"] * 39}, "arm 'holdout' has 1"),
    "one store for each arm": ({"order": by_store}, "guests of one store, S2, so what it was given cannot be told from how it fares"),
    "changed midway": (
        {"arm": ["holdout"] * 20 + ["treated"] * 20, "offer": [None] * 20 + ["tea"] * 20, "start": [SOON] * 20 + [LATER] * 20},
        "the assignment was changed midway",
    ),
    "window not over": ({"days": ("08-20", "09-10")}, "are not over at 2026-09-11 00:00; look again in 48 days"),
    "nobody came": ({"days": ("06-01", "12-30")}, "every guest is 0: cannot know yet"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_judged_is_refused_in_a_sentence(workspace: Callable[..., rg.Lake], case: str) -> None:
    arguments, sentence = REFUSED[case]
    shown = measure(workspace(**arguments))
    assert shown.returncode == 1
    assert sentence in shown.stderr
    assert shown.stdout == ""


CAUTIONS = {
    "a whale": ({"order": whale}, "decides this: without it the change per guest is $"),
    "stores treated whole": ({"order": by_four_stores}, "(2 contacted, 2 held out), so the intervals are those of stores, not of guests"),
    "no redemptions": ({}, "No redemption of this campaign is known: its subsidy counts as 0; load redemptions"),
    "no checks with a voucher": ({}, "the spend is all that contacted guests spent"),
    "arms not logged": ({"arm": [None] * 40}, "No arm is called holdout: those who were given nothing are taken for it"),
    "chances not logged": ({}, "The chances of the assignment were not logged"),
}  # fmt: skip


@pytest.mark.parametrize("case", CAUTIONS)
def test_what_can_hardly_be_judged_is_said_beside_the_figures(workspace: Callable[..., rg.Lake], case: str) -> None:
    arguments, sentence = CAUTIONS[case]
    shown = measure(workspace(**arguments))
    assert shown.returncode == 0
    assert sentence in shown.stdout


def test_a_sound_campaign_gets_no_such_cautions(workspace: Callable[..., rg.Lake]) -> None:
    lake = workspace(order=given_three_off, propensity=[0.5] * GUESTS)
    used = {
        "redemption_id": ["R1"],
        "campaign_id": ["autumn"],
        "guest_id": ["G01"],
        "offer_id": ["tea"],
        "cost_minor": [300],
    }
    lake.load(
        "redemptions", pa.table(used | {"order_id": ["1-09-10"], "redeemed_at": ["2026-09-10 16:00:00"]}), now=NOW
    )
    notes = json.loads(measure(lake, "--json").stdout)["notes"]
    assert len(notes) == 1
    assert notes[0].startswith("Sister stores were not looked at")


def test_margins_below_zero_are_a_loss_like_others(workspace: Callable[..., rg.Lake]) -> None:
    told = json.loads(measure(workspace(order=losing), "--json").stdout)
    assert told["gain_minor"] < 0
    assert told["advice"] == "Stop it: the campaign cost more margin than it brought."


def test_a_guest_in_two_arms_is_rejected_and_the_first_assignment_stays(workspace: Callable[..., rg.Lake]) -> None:
    lake = workspace()
    again = {"campaign_id": ["autumn"] * 2, "guest_id": ["G00", "G01"], "exposed_at": [LATER] * 2}
    second = pa.table(again | {"offer_id": ["tea", "tea"], "arm": ["treated", "treated"]})
    report = lake.load("exposures", second, now=NOW)
    assert (report.accepted, report.rejected, report.changed) == (1, 1, 1)
    (kept,) = lake.collect(lake.rejects()).to_pylist()
    assert (kept["line"], kept["column"]) == (1, "offer_id, arm")
    assert kept["reason"].startswith(
        "this was loaded before with offer_id none arm holdout, and stays so; take this row out"
    )
    assert lake.read("exposures").sort_by("guest_id")["arm"][0].as_py() == "holdout"
    assert measure(lake).returncode == 0
