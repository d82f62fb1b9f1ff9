"""One convention of margin: the same world gives the same answers, whichever way its files say what an order left."""

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

import regulars as rg
from regulars.guests import Facts
from regulars.planning import Plan, make_plan, parse_campaign
from regulars.planning.history import build_history, past_campaigns
from regulars.planning.lessons import learn
from regulars.results import measure_campaign, measure_season
from worlds import CAMPAIGN, lived

LATE = dt.date(2026, 12, 31)
NEXT = parse_campaign(CAMPAIGN.format(name="Next", starts_on="2026-12-01"))
Worlds = dict[str, tuple[rg.Lake, Plan]]


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    """The same campaign, by the till's own margins, by menu costs, and by the rate. Read them; do not load into them."""
    root: Path = tmp_path_factory.mktemp("worlds")
    return {name: lived(root / name, name) for name in ("margin", "menu", "rate")}


def test_the_subsidy_is_taken_off_once(worlds: Worlds) -> None:
    """What contacted guests brought in margin, added up by hand from what each paid and what their dishes cost."""
    lake, plan = worlds["margin"]
    arm = dict(zip(plan.audience.guest.tolist(), plan.decision.arm.tolist(), strict=True))
    first, end = dt.date(2026, 9, 1), dt.date(2026, 10, 27)
    sums = {"holdout": 0, "others": 0}
    counts = {"holdout": 0, "others": 0}
    for side in ("holdout" if one == "holdout" else "others" for one in arm.values()):
        counts[side] += 1
    for row in lake.read("orders").to_pylist():
        if first <= row["business_date"] < end and row["guest_id"] in arm:
            price = row["amount_minor"] + row["discount_minor"]
            side = "holdout" if arm[row["guest_id"]] == "holdout" else "others"
            sums[side] += row["amount_minor"] - price * 2 // 5
    plain = (sums["others"] / counts["others"] - sums["holdout"] / counts["holdout"]) * counts["others"]
    found = Facts.of(lake).brought(plan.audience.guest, first, 56)
    is_held = plan.decision.arm == "holdout"
    assert found[~is_held].sum() == sums["others"]
    assert (found[~is_held].mean() - found[is_held].mean()) * counts["others"] == pytest.approx(plain)


def test_statements_are_the_same(worlds: Worlds) -> None:
    told = [measure_campaign(lake, as_of=LATE).statement for lake, _ in worlds.values()]
    assert told[0].subsidy_minor > 0
    assert told[1:] == told[:1] * 2


def test_quarters_are_the_same(worlds: Worlds) -> None:
    told = [measure_season(lake, "2026Q3", as_of=LATE).lift for lake, _ in worlds.values()]
    assert told[1:] == told[:1] * 2


def test_history_and_what_it_teaches_are_the_same(worlds: Worlds) -> None:
    learned = []
    for lake, _ in worlds.values():
        history = build_history(Facts.of(lake), past_campaigns(lake), window_days=28, known_until=LATE)
        assert history is not None
        learned.append((history.margin.tolist(), history.cost.tolist(), learn(history, NEXT).averages[0].gain))
    assert learned[1:] == learned[:1] * 2


def test_plans_expect_the_same(worlds: Worlds) -> None:
    gains = [make_plan(lake, NEXT).lessons for lake, _ in worlds.values()]
    assert gains[0].is_known
    for other in gains[1:]:
        assert np.array_equal(gains[0].gain, other.gain)
        assert np.array_equal(gains[0].cost, other.cost)
