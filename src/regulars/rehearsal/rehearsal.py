"""Rehearsal: a campaign file, planned by the real planner and lived in the town before any money is spent."""

import datetime as dt
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from regulars.errors import DesignError
from regulars.measurement import Design, Statement
from regulars.measurement.contrasts import holds
from regulars.planning import Campaign, Plan, make_plan
from regulars.rehearsal.contract_tables import ZONE
from regulars.rehearsal.redesigns import Known, Redesign, best_known, redesigns
from regulars.rehearsal.runs import HOLDOUT, Run
from regulars.rehearsal.towns import AVERAGE_CHECK, LATER_DAYS, Town, town
from regulars.rehearsal.vouchers import CURRENCY
from regulars.tables import Lake
from regulars.wording import Progress, Sentence

ABOUT = "Simulated: a town that never was. Its guests are made after real customers, but they are not yours."
_TABLES = ("stores", "guests", "menu_items", "orders", "order_items")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """A campaign lived in the town. plan: as the planner made it. run: what happened. measured: what the referee says of it.

    lessons: how many campaigns at random came before it. known: what could have been gained. redesigns: where it lost, with what
    other offers more could be.
    """

    plan: Plan
    run: Run[Town]
    measured: Statement | None
    lessons: int
    known: Known
    redesigns: tuple[Redesign, ...]

    @property
    def is_losing(self) -> bool:
        """Whether it would have been better to give nobody anything."""
        return self.run.true_gain_minor < 0

    @property
    def design(self) -> Design | None:
        """What the holdout could find out, as planned."""
        return self.plan.design

    @property
    def is_covered(self) -> bool:
        """Whether the measured interval holds the true gain of the guests who were contacted."""
        return self.measured is not None and holds(self.measured.gain_interval_minor, self.run.true_gain_minor)

    def summary(self) -> dict[str, Any]:
        """All of it as plain values; money in minor units."""
        run, told = self.run, self.measured
        cost = float(run.subsidy_minor.sum())
        return {
            "simulated": True,
            "about": ABOUT,
            "campaign_id": self.plan.campaign.identity,
            "name": self.plan.campaign.name,
            "currency": self.plan.currency,
            "town": {"guests": len(run.before), "stores": len(run.before.store_ids), "seed": run.before.seed},
            "lessons": self.lessons,
            "audience": len(self.plan.audience),
            "arms": self.plan.decision.arm_counts,
            "offers": self.plan.decision.offer_counts(self.plan.offer_ids),
            "budget_minor": self.plan.budget,
            "subsidy_minor": cost,
            "planned": {
                "gain_minor": self.plan.decision.certificate.gain,
                "cost_minor": self.plan.decision.certificate.cost,
            },
            "true": {
                "gain_minor": run.true_gain_minor,
                "return": run.true_gain_minor / cost if cost else None,
                "split": run.true_split,
            },
            "could_have_been": self.known._asdict(),
            "redesigns": [{"name": one.name, **one.known._asdict()} for one in self.redesigns],
            "design": None if self.design is None else self.design._asdict(),
            "measured": None if told is None else told.as_dict(),
            "is_covered": self.is_covered,
            "warnings": list(self.plan.warnings),
        }


def rehearse(
    campaign: Campaign,
    *,
    guests: int = 10_000,
    stores: int = 20,
    seed: int = 0,
    lessons: int = 1,
    pace: float = 1.0,
    average_check: float = AVERAGE_CHECK,
    progress: Progress | None = None,
) -> Rehearsal:
    """Plan a campaign in a town on its eve, live it, and judge it; `lessons` campaigns at random come before, to learn from.

    Amounts of the file are dollars; give `average_check` (minor units) where your checks are others. Dishes and stores that
    the file names are put into the town. Raises as `town` and `make_plan` do, and ValueError for lessons below 0.
    """
    if lessons < 0:
        raise ValueError(f"lessons is {lessons}; give 0 for a first campaign, or how many came before it")
    say = progress or (lambda step: None)
    say(Sentence("town_progress"))
    place = _town_for(campaign, guests, stores, seed, lessons, pace, average_check)
    with tempfile.TemporaryDirectory(prefix="regulars-rehearsal-") as folder:
        lake, before = _taught(place, campaign, lessons, Path(folder) / "town", say)
        plan = make_plan(lake, campaign, lambda step: say(Sentence("step_of_plan", step=step)))
    say(Sentence("step_lived"))
    run = before.run(_action(plan, before), campaign.window_days, later_days=LATER_DAYS)
    rows = _rows(plan)
    return Rehearsal(
        plan=plan, run=run, measured=_measured(plan, run), lessons=lessons,
        known=best_known(plan, campaign.offers, before, rows),
        redesigns=redesigns(plan, before, rows) if run.true_gain_minor < 0 else (),
    )  # fmt: skip


def _town_for(
    campaign: Campaign, guests: int, stores: int, seed: int, lessons: int, pace: float, average_check: float
) -> Town:
    wanted = [name for offer in campaign.offers for name in offer.stores]
    named = tuple(dict.fromkeys([*campaign.budget.per_store, *wanted]))
    past = dt.timedelta(days=lessons * (campaign.window_days + LATER_DAYS))
    return town(
        guests, max(stores, len(named)), seed,
        today=campaign.starts_on - past, pace=pace, offers=campaign.offers, store_ids=named,
        average_check=average_check,
    )  # fmt: skip


def _taught(place: Town, campaign: Campaign, lessons: int, folder: Path, say: Progress) -> tuple[Lake, Town]:
    """A lake that knows the town's past, with campaigns in which every guest got any offer or nothing, at equal chances."""
    rng = np.random.default_rng([place.seed, 5])
    options = len(campaign.offers) + 1
    told: dict[str, list[pa.Table]] = {"exposures": [], "redemptions": []}
    for number in range(lessons):
        say(Sentence("step_lesson", number=number + 1, of=lessons))
        run = place.run(rng.integers(-1, options - 1, len(place)), campaign.window_days, later_days=LATER_DAYS)
        told["exposures"].append(run.exposures(f"lesson-{number + 1}", np.full(len(place), 1 / options)))
        told["redemptions"].append(run.redemptions(f"lesson-{number + 1}"))
        place = run.after
    lake = Lake.create(folder, currency=CURRENCY, zone=ZONE, salt=f"rehearsal-{place.seed}")
    now = dt.datetime.combine(campaign.starts_on, dt.time(12), dt.UTC)
    say(Sentence("step_loads_past"))
    for table in _TABLES:
        lake.load(table, getattr(place, table), now=now)
    for table, parts in told.items():
        if parts:
            lake.load(table, pa.concat_tables(parts), now=now)
    return lake, place


def _rows(plan: Plan) -> np.ndarray:
    """The place in the town of each guest of the audience."""
    return np.array([int(name[1:]) for name in plan.audience.guest.tolist()])


def _action(plan: Plan, place: Town) -> np.ndarray:
    action = np.full(len(place), -1)
    action[_rows(plan)] = plan.decision.action
    return action


def _measured(plan: Plan, run: Run[Town]) -> Statement | None:
    """By assignment: everybody who was not held out against those who were; None where nobody was."""
    arm = np.full(len(run.assignment), "", dtype=object)
    arm[_rows(plan)] = np.where(plan.decision.arm == HOLDOUT, HOLDOUT, "contacted")
    try:
        return run.measured(arm.astype(str), run.before.spent(run.days + run.later_days))
    except DesignError:
        return None
