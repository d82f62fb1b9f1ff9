"""Proposals: where day and month can be either way round, the closer dates win, and it is said."""

import os
from pathlib import Path

import pytest

from commands import run_command
from regulars.tables import open_source
from regulars.tables.proposal import propose


def till(folder: Path, days: list[str]) -> Path:
    rows = [f"{place},{day} 12:30,g{place},12.50" for place, day in enumerate(days)]
    file = folder / "till.csv"
    file.write_text("\n".join(["Check Number,Date,Guest Id,Amount", *rows]) + "\n", encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("days", "form"),
    [
        ([f"03/0{day}/2026" for day in range(1, 10)], "%m/%d/%Y %H:%M"),
        ([f"0{day}/03/2026" for day in range(1, 10)], "%d/%m/%Y %H:%M"),
    ],
)
def test_days_of_one_month_are_taken_for_days_and_both_readings_are_said(
    tmp_path: Path, days: list[str], form: str
) -> None:
    file = till(tmp_path, days)
    mapping = propose(open_source(file), "orders")
    assert mapping.columns["ordered_at"].format == form
    (doubt,) = mapping.doubts
    assert {doubt.facts["form"], doubt.facts["other"]} == {"%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M"}
    shown = run_command(("map", str(file), "--table", "orders"), folder=tmp_path, environment=dict(os.environ))
    assert "can be read as" in shown.stdout


def test_a_day_above_twelve_leaves_no_doubt(tmp_path: Path) -> None:
    file = till(tmp_path, ["03/01/2026", "03/13/2026", "03/14/2026"])
    mapping = propose(open_source(file), "orders")
    assert mapping.columns["ordered_at"].format == "%m/%d/%Y %H:%M"
    assert mapping.doubts == ()
