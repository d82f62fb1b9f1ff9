"""The doctor: what is missing in a workspace, and what is old."""

import datetime as dt
from pathlib import Path

import regulars as rg
from regulars.doctor import examine
from shops import NOW


def test_the_doctor_says_what_is_missing_and_what_is_old(tmp_path: Path, shop: rg.Lake) -> None:
    empty = rg.Lake.create(tmp_path / "empty")
    states = {finding.subject: finding.state for finding in examine(empty, NOW)}
    assert states["orders"] == "wrong"
    seen = {finding.subject: finding for finding in examine(shop, NOW + dt.timedelta(days=100))}
    assert seen["orders"].state == "good"
    assert "days ago" in seen["freshness"].words
    assert "logged propensity" in seen["past campaigns"].words


def test_the_doctor_sees_unlogged_propensities(targeted: rg.Lake) -> None:
    seen = {finding.subject: finding for finding in examine(targeted, NOW)}
    assert seen["past campaigns"].state == "look"
