"""The learning loop: campaign after campaign in the same town, from no history, planned by us and by others.

Ours is the real planner on a real lake: the first campaign explores, each one is measured, and the next learns from all before it.
Each policy lives in a town of its own from the same first morning, with the same luck, so the towns differ by what was given.
What a campaign brings is its true gain: the expected margin after the subsidy over its window and the four weeks after it, against
giving nobody anything.
"""

import datetime as dt
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from regulars.planning import Campaign, Plan, make_plan
from regulars.rehearsal.contract_tables import ZONE
from regulars.rehearsal.days import FloatArray
from regulars.rehearsal.places import IntArray
from regulars.rehearsal.policies import POLICIES, Policy
from regulars.rehearsal.runs import Run
from regulars.rehearsal.towns import LATER_DAYS, WINDOW_DAYS, Town, town
from regulars.rehearsal.vouchers import CURRENCY
from regulars.tables import Lake
from regulars.wording import Progress, Sentence

OURS = "ours"
PACE = 4.0
BUDGET_EACH = 0.10
"""Dollars of subsidy for each guest of the town and campaign: scarce, so that it matters who gets it."""
_EXPLORATION = 0.05
_HOLDOUT = 0.10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loop:
    """What each policy brought in c campaigns, minor units. gain: name -> (c,) true gain. cost: name -> (c,) subsidy really paid.
    promised: (c,) what our plans expected of what they gave. seed: of the town."""

    seed: int
    guests: int
    budget_minor: float
    gain: Mapping[str, FloatArray]
    cost: Mapping[str, FloatArray]
    promised: FloatArray

    def total(self, policy: str) -> float:
        """The true gain of all campaigns, minor units."""
        return float(self.gain[policy].sum())

    @property
    def last_of_oracle(self) -> float:
        """What our last campaign brought as a share of what the oracle's last did."""
        return float(self.gain[OURS][-1] / self.gain["oracle"][-1])

    def times(self, policy: str) -> float:
        """How many times as much as another policy ours brought over all; endless where that brought nothing."""
        other = self.total(policy)
        return self.total(OURS) / other if other > 0 else float("inf")


def learning_loop(
    *,
    campaigns: int = 10,
    guests: int = 10_000,
    stores: int = 20,
    seed: int = 0,
    pace: float = PACE,
    budget_each: float = BUDGET_EACH,
    policies: Mapping[str, Policy] = POLICIES,
    progress: Progress | None = None,
) -> Loop:
    """Live `campaigns` campaigns in a row, ours and the policies'. budget_each: dollars a guest and campaign.

    Raises ValueError for fewer than 2 campaigns, or a town without guests or stores.
    """
    if campaigns < 2:
        raise ValueError(f"{campaigns} campaigns teach nothing; give at least 2")
    say = progress or (lambda step: None)
    place = town(guests, stores, seed, pace=pace)
    budget = 100.0 * budget_each * guests
    ours, promised = _live_ours(place, campaigns, budget, say)
    runs = {OURS: ours} | {
        name: _live(place, name, policy, campaigns, budget, say) for name, policy in policies.items()
    }
    return Loop(
        seed=seed,
        guests=guests,
        budget_minor=budget,
        gain={name: np.array([run.true_gain_minor for run in lived]) for name, lived in runs.items()},
        cost={name: np.array([run.subsidy_minor.sum() for run in lived]) for name, lived in runs.items()},
        promised=np.array(promised),
    )


def _live(place: Town, name: str, policy: Policy, campaigns: int, budget: float, say: Progress) -> list[Run[Town]]:
    runs: list[Run[Town]] = []
    for number in range(campaigns):
        say(Sentence("step_of_policy", policy=name, number=number + 1, of=campaigns))
        runs.append(place.run(policy(place, budget, np.random.default_rng([place.seed, 9, number]))))
        place = runs[-1].after
    return runs


def _live_ours(place: Town, campaigns: int, budget: float, say: Progress) -> tuple[list[Run[Town]], list[float]]:
    """The runs, and what each plan promised, minor units."""
    runs: list[Run[Town]] = []
    promised = []
    with tempfile.TemporaryDirectory(prefix="regulars-loop-") as folder:
        lake = opened_lake(place, Path(folder) / "town")
        for number in range(campaigns):
            say(Sentence("step_of_policy", policy=OURS, number=number + 1, of=campaigns))
            campaign = campaign_of(place, number, budget)
            plan = make_plan(lake, campaign)
            run = place.run(planned_action(plan, place), campaign.window_days, later_days=campaign.after_days)
            keep(lake, run, plan)
            runs.append(run)
            promised.append(plan.decision.certificate.gain)
            place = run.after
    return runs, promised


def campaign_of(place: Town, number: int, budget: float, *, name: str = "Loop") -> Campaign:
    """The file of the campaign that begins this morning: everybody, all offers of the town, one budget (minor units)."""
    offers = [offer.model_dump(exclude_none=True) for offer in place.offers]
    return Campaign.model_validate(
        {
            "name": f"{name} {number + 1}",
            "audience": "visits >= 1",
            "starts_on": place.today,
            "window_days": WINDOW_DAYS,
            "after_days": LATER_DAYS,
            "expected_redemption": 0.1,
            "holdout": _HOLDOUT / (number + 1) ** 0.5,  # whoever was held out before teaches still
            "global_holdout": 0.0,  # each campaign is judged by its own, and the others hold nobody back
            "exploration": _EXPLORATION / (number + 1),
            "seed": number,
            "budget": {"total": budget / 100},
            "offers": offers,
        }
    )


def opened_lake(place: Town, folder: Path) -> Lake:
    """A new workspace that knows the town's past."""
    lake = Lake.create(folder, currency=CURRENCY, zone=ZONE, salt=f"rehearsal-{place.seed}")
    load_past(lake, place)
    return lake


def load_past(lake: Lake, place: Town) -> None:
    """Load what happened in the town before this morning; what was on each plate is left out, for the loop learns from orders."""
    for table in ("stores", "guests", "menu_items", "orders"):
        lake.load(table, getattr(place, table), now=_noon(place.today))


def keep(lake: Lake, run: Run[Town], plan: Plan) -> None:
    """Load what happened in a campaign: the orders, who was given what with which chance, and what was redeemed."""
    rows = planned_rows(plan)
    chance, arm = np.full(len(run.assignment), np.nan), np.full(len(run.assignment), "", dtype=object)
    chance[rows], arm[rows] = plan.decision.propensity, plan.decision.arm
    name, now = plan.campaign.identity, _noon(run.after.today)
    exposures = run.exposures(name, chance, arm, plan.plan_id).take(pa.array(np.sort(rows)))
    for table, part in (("orders", run.orders), ("exposures", exposures), ("redemptions", run.redemptions(name))):
        if len(part):
            lake.load(table, part, now=now)


def planned_rows(plan: Plan) -> IntArray:
    """The place in the town of each guest of the audience."""
    return np.array([int(name[1:]) for name in plan.audience.guest.tolist()], np.int64)


def planned_action(plan: Plan, place: Town) -> IntArray:
    """What the plan gives to each guest of the town, -1 for nothing."""
    action = np.full(len(place), -1, np.int64)
    action[planned_rows(plan)] = plan.decision.action
    return action


def _noon(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(12), dt.UTC)
