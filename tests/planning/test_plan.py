"""The plan: limits kept, arms by lot with exact propensities, immutable, and the same again to the byte."""

import datetime as dt
import json
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import regulars as rg
from regulars import segments
from regulars.planning import Campaign, Plan, PlanSummary, find, make_plan, read_assignments, read_summary, replay, save
from regulars.planning.decision import decide
from regulars.planning.kept_plans import assignment_bytes
from shops import NOW, make_lake

Made = Callable[..., Campaign]


@pytest.fixture(scope="module")
def plan(shop: rg.Lake) -> Plan:
    from regulars.planning import parse_campaign
    from shops import CAMPAIGN

    return make_plan(shop, parse_campaign(CAMPAIGN))


def test_everybody_in_the_audience_has_one_row(plan: Plan) -> None:
    rows = plan.assignments()
    assert len(rows) == len(plan.audience) == len(set(rows["guest_id"].to_pylist()))
    assert min(plan.decision.arm_counts.values()) > 0
    assert plan.lessons.basis == "randomised"


def test_a_plan_keeps_the_rule_that_a_saved_segment_stood_for(plan: Plan, campaign: Made, tmp_path: Path) -> None:
    lake = make_lake(tmp_path / "shop")
    often = plan.campaign.audience
    segments.save(lake.workspace, "often", often, now=NOW)
    named = make_plan(lake, campaign((f'"{often}"', '"@often"')))
    segments.save(lake.workspace, "often", "visits >= 99", now=NOW)
    assert named.campaign == plan.campaign
    assert assignment_bytes(named) == assignment_bytes(plan)
    with pytest.raises(rg.DataError, match="there is no segment @seldom"):
        make_plan(lake, campaign((f'"{often}"', '"@seldom"')))


def test_a_held_out_guest_gets_nothing(plan: Plan) -> None:
    held = plan.decision.arm == "holdout"
    assert 0.15 < held.mean() < 0.25
    assert (plan.decision.action[held] == -1).all()


def test_every_limit_is_kept(plan: Plan) -> None:
    assert {use.limit for use in plan.decision.limits} == {"budget", "store", "stock"}
    for use in plan.decision.limits:
        assert use.used <= use.amount * (1 + 1e-9)
    assert plan.decision.offer_counts(plan.offer_ids)["free-tea"] <= 50


def test_propensities_are_those_of_the_draw(plan: Plan, campaign: Made) -> None:
    """Over many draws the share of guests who get an action agrees with its propensity (Horvitz and Thompson 1952)."""
    totals = []
    for seed in range(40):
        drawn = campaign(("seed = 3", f"seed = {seed}"))
        decision = decide(plan.lessons, plan.audience, drawn, currency="USD", salt="s")
        totals.append([((decision.action == a) / decision.propensity).mean() for a in (-1, 0, 1)])
    error = np.std(totals, axis=0, ddof=1) / np.sqrt(len(totals))
    assert (np.abs(np.mean(totals, axis=0) - 1.0) < 4 * error).all()


def test_the_same_inputs_give_the_same_bytes_in_another_workspace(plan: Plan, tmp_path: Path) -> None:
    again = make_plan(make_lake(tmp_path / "other"), plan.campaign)
    assert again.plan_id == plan.plan_id
    assert assignment_bytes(again) == assignment_bytes(plan)


def test_another_seed_gives_another_plan(plan: Plan, shop: rg.Lake, campaign: Made) -> None:
    other = make_plan(shop, campaign(("seed = 3", "seed = 4")))
    assert other.plan_id != plan.plan_id
    assert assignment_bytes(other) != assignment_bytes(plan)


def test_a_kept_plan_is_never_changed_and_comes_out_the_same_after_more_orders(tmp_path: Path, campaign: Made) -> None:
    lake = make_lake(tmp_path / "workspace", guests=300)
    made = make_plan(lake, campaign())
    folder = save(made, lake.workspace)
    assert find(lake.workspace, made.plan_id[:6]) == find(lake.workspace) == folder
    assert all(not path.stat().st_mode & stat.S_IWUSR for path in folder.iterdir())
    assert read_assignments(folder).equals(made.assignments())
    late = {
        "order_id": ["late"], "guest_id": ["G0001"], "store_id": ["S1"],
        "ordered_at": [dt.datetime(2026, 5, 5, 16, tzinfo=dt.UTC)], "amount_minor": [9_000],
    }  # fmt: skip
    lake.load("orders", pa.table(late), now=NOW)
    assert make_plan(lake, campaign()).plan_id != made.plan_id
    assert replay(lake, made.plan_id)


def test_a_summary_comes_back_from_disk_as_it_was(plan: Plan, shop: rg.Lake) -> None:
    told = PlanSummary.of(plan)
    assert read_summary(save(plan, shop.workspace)) == told
    assert told.expected.gain_low < told.expected.gain < told.expected.gain_high
    assert told.audience == sum(told.arms.values())
    assert told.design is not None
    assert told.design.effect > 0


def test_a_plan_that_an_earlier_version_kept_is_refused_with_the_mend(plan: Plan, tmp_path: Path) -> None:
    earlier = {
        "plan_id": plan.plan_id,
        "name": "Old",
        "warnings": ["nothing is known yet"],
        "limits": [{"limit": "budget"}],
    }
    (tmp_path / "plan.json").write_text(json.dumps(earlier), encoding="utf-8")
    with pytest.raises(
        rg.DataError, match=r"plan\.json: .*; another version of regulars wrote it: plan its campaign again"
    ):
        read_summary(tmp_path)


@pytest.mark.parametrize(
    ("gain", "finds", "says"),
    [(50_000.0, 40.0, "proof_can"), (50_000.0, 400.0, "proof_cannot"), (50_000.0, 4_000.0, "proof_out_of_reach"),
     (0.0, 400.0, "proof_out_of_reach")],
)  # fmt: skip
def test_the_verdict_says_whether_it_can_prove_itself(plan: Plan, gain: float, finds: float, says: str) -> None:
    made = PlanSummary.of(plan)
    assert made.design is not None
    contacted = made.audience - made.arms["holdout"]
    told = replace(
        made, expected=made.expected._replace(gain=gain * contacted / 1_000), design=made.design._replace(effect=finds)
    )
    assert told.verdict[-1].code == says
    if says == "proof_cannot":
        assert told.verdict[-1].facts["guests"] == pytest.approx(64 * made.audience, rel=0.01)


def test_a_certificate_that_misses_nothing_gives_no_percentage(plan: Plan) -> None:
    made = PlanSummary.of(plan)
    told = [replace(made, expected=made.expected._replace(gap=gap)).certificate for gap in (1e-9, 0.01)]
    assert [sentence and sentence.code for sentence in told] == ["certificate_best", "certificate_gap"]


def test_without_any_past_everybody_who_is_not_held_out_explores(tmp_path: Path, campaign: Made) -> None:
    lake = make_lake(tmp_path / "workspace", guests=300)
    first = make_plan(lake, campaign(("2026-10-05", "2026-06-01")))
    assert first.lessons.model is None
    assert first.decision.arm_counts["treated"] == 0
    assert first.decision.arm_counts["explore"] > 0
    assert (first.decision.action >= 0).any()
    assert first.decision.certificate.cost <= 6_000
    assert "nothing is known yet" in first.warnings[0]


def test_a_plan_from_targeted_campaigns_says_so_and_must_learn(targeted: rg.Lake, campaign: Made) -> None:
    made = make_plan(targeted, campaign())
    assert made.lessons.basis == "adjusted"
    with pytest.raises(rg.DesignError, match="must learn: set holdout and exploration above 0"):
        make_plan(targeted, campaign(("exploration = 0.2", "exploration = 0")))


def test_an_offer_nobody_was_ever_given_borrows_and_says_so(shop: rg.Lake, campaign: Made) -> None:
    made = make_plan(shop, campaign(('offer_id = "five-off"', 'offer_id = "six-off"')))
    averages = made.lessons.model.averages if made.lessons.model else ()
    assert [a.offer for a in averages if a.is_borrowed] == ["six-off"]


def test_rest_days_leave_recent_guests_in_peace(shop: rg.Lake, campaign: Made) -> None:
    rested = make_plan(shop, campaign(("[budget]", "[caps]\nrest_days = 70\n\n[budget]")))
    audience = rested.audience
    assert audience.rested > 0
    assert audience.met_rule == len(audience) + audience.held_back + audience.rested


def test_the_global_holdout_is_the_same_for_all_campaigns_of_a_quarter_and_then_another(
    shop: rg.Lake, campaign: Made
) -> None:
    def audience(day: str, share: float) -> set[str]:
        changes = ("2026-10-05", day), ("[budget]", f"global_holdout = {share}\n\n[budget]")
        return set(make_plan(shop, campaign(*changes)).audience.guest)

    def held_back(day: str) -> set[str]:
        return audience(day, 0) - audience(day, 0.1)

    autumn = held_back("2026-10-05")
    assert 0.06 < len(autumn) / len(audience("2026-10-05", 0)) < 0.15
    assert held_back("2026-10-12") >= autumn
    assert len(held_back("2026-09-30") & autumn) < 0.5 * len(autumn)


def test_staff_is_in_no_audience(campaign: Made, tmp_path: Path) -> None:
    lake = make_lake(tmp_path / "shop")
    cook, waiter, guest = make_plan(lake, campaign()).audience.guest[:3]
    tags = ["Staff; kitchen", "staff", "staffed table"]
    lake.load("guests", pa.table({"guest_id": [cook, waiter, guest], "tags": tags}))
    audience = make_plan(lake, campaign()).audience
    assert audience.staff == 2
    assert set(audience.guest) & {cook, waiter, guest} == {guest}


def test_an_offer_stays_at_its_stores(shop: rg.Lake, campaign: Made) -> None:
    made = make_plan(shop, campaign(("amount = 5\n", 'amount = 5\nstores = ["S2"]\n')))
    assert set(made.audience.store[made.decision.action == 0]) <= {"S2"}


def test_an_audience_of_nobody_is_refused(shop: rg.Lake, campaign: Made) -> None:
    with pytest.raises(rg.DesignError, match="the rule fits nobody"):
        make_plan(shop, campaign(("visits >= 2", "visits >= 2000")))


def test_a_rule_over_an_unknown_fact_is_refused_with_the_nearest(shop: rg.Lake, campaign: Made) -> None:
    with pytest.raises(rg.DataError, match="visits"):
        make_plan(shop, campaign(("visits >= 2", "visit >= 2")))


def test_a_budget_for_a_store_nobody_calls_home_is_refused(shop: rg.Lake, campaign: Made) -> None:
    with pytest.raises(rg.BudgetError, match="names S9"):
        make_plan(shop, campaign(("each_store = 40", "per_store = { S9 = 10 }")))


def test_a_budget_of_nothing_gives_nothing(shop: rg.Lake, campaign: Made) -> None:
    made = make_plan(shop, campaign(("total = 60", "total = 0")))
    assert (made.decision.action == -1).all()


def test_a_plan_on_orders_that_end_long_before_says_to_load_newer_ones(
    shop: rg.Lake, campaign: Made, plan: Plan
) -> None:
    late = make_plan(shop, campaign(("starts_on = 2026-10-05", "starts_on = 2026-12-05")))
    assert "load newer orders" in late.warnings[0]
    assert not any("load newer orders" in warning for warning in plan.warnings)
