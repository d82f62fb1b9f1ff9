"""The plan: who gets what in a campaign, at which propensity, and the certificate that goes with it."""

import datetime as dt
import hashlib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from regulars import __version__
from regulars.allocation import Frontier
from regulars.errors import DesignError
from regulars.guests.facts import Facts
from regulars.guests.segments import rule_of
from regulars.measurement import Design, Noise, minimum_detectable_effect
from regulars.planning.audience import Audience, find_audience
from regulars.planning.campaign import Campaign
from regulars.planning.decision import Decision, decide
from regulars.planning.history import History, build_history, past_campaigns
from regulars.planning.lessons import Lessons, apply_lessons, first_costs
from regulars.tables import Lake
from regulars.wording import Progress, Sentence

MOST_DAYS_WITHOUT_ORDERS = 7
"""After so many days without an order in the lake, orders are missing and not guests."""
INPUT_TABLES = ("guests", "stores", "orders", "order_items", "menu_items", "exposures", "redemptions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The immutable answer for one campaign: n guests, k offers; amounts in minor units.

    versions: the version of each table it was made from. lessons: what is expected. decision: who gets what, and the
    certificate. design: what the holdout can find out, None where it can find nothing.
    """

    plan_id: str
    campaign: Campaign
    currency: str
    versions: dict[str, int]
    audience: Audience
    lessons: Lessons
    decision: Decision
    design: Design | None
    warnings: tuple[Sentence, ...]

    @property
    def offer_ids(self) -> tuple[str, ...]:
        return tuple(offer.offer_id for offer in self.campaign.offers)

    @property
    def budget(self) -> float:
        """The total budget, minor units."""
        return next(use.amount for use in self.decision.limits if use.limit == "budget")

    def frontier(self, points: int = 16, reach: float = 2.0) -> Frontier:
        """What budgets from nothing to `reach` times this one would bring, were nobody held out; solved anew for each."""
        return self.decision.allocation.frontier(np.linspace(0.0, reach * self.budget, points))

    def assignments(self) -> pa.Table:
        """One row per guest, by guest_id: offer_id (none: nothing), arm, propensity, and what is expected of it."""
        action = self.decision.action
        rows, is_given = np.arange(len(action)), action >= 0
        offers = np.array([*self.offer_ids, None], dtype=object)

        def chosen(values: np.ndarray) -> pa.Array:
            return pa.array(np.where(is_given, values[rows, action], 0.0), pa.float64())

        return pa.table(
            {
                "plan_id": pa.array([self.plan_id] * len(action), pa.string()),
                "guest_id": pa.array(self.audience.guest, pa.string()),
                "offer_id": pa.array(offers[action], pa.string()),
                "arm": pa.array(self.decision.arm, pa.string()),
                "propensity": pa.array(self.decision.propensity, pa.float64()),
                "gain_minor": chosen(self.lessons.gain),
                "gain_se_minor": chosen(self.lessons.gain_se),
                "cost_minor": chosen(self.lessons.cost),
                "redemption": chosen(self.lessons.redemption),
            }
        )

    def exposures(self) -> pa.Table:
        """The plan as rows of the table exposures, to be loaded when it is run: who was assigned what, from when until when."""
        assigned, first = self.assignments(), self.campaign.starts_on
        last = first + dt.timedelta(days=self.campaign.window_days - 1)
        spans = {
            "campaign_id": self.campaign.identity,
            "exposed_at": f"{first} 00:00:00",
            "ends_at": f"{last} 23:59:59",
        }
        rows = assigned.select(["guest_id", "offer_id", "arm", "propensity", "plan_id"])
        for name, value in spans.items():
            rows = rows.append_column(name, pa.array([value] * len(rows), pa.string()))
        return rows


def make_plan(lake: Lake, campaign: Campaign, progress: Progress | None = None) -> Plan:
    """Plan a campaign from what the lake knew on its eve. The same inputs and seed give the same plan.

    Where the audience is the name of a saved segment, the plan keeps the rule that it stood for.
    progress: told what is being done. Raises DataError for a rule that names unknown facts, DesignError where nobody is
    left or nothing could be learned, BudgetError where the limits clash.
    """
    say = progress or (lambda step: None)
    say(Sentence("step_margins"))
    campaign = campaign.model_copy(update={"audience": rule_of(lake, campaign.audience)})
    facts = Facts.of(lake)
    say(Sentence("step_audience"))
    audience = find_audience(facts, campaign)
    say(Sentence("step_past"))
    history = build_history(
        facts, past_campaigns(lake), window_days=campaign.counted_days, known_until=campaign.decided_on
    )
    say(Sentence("step_effects"))
    lessons = _lessons(lake, history, audience, campaign)
    say(Sentence("step_allocation"))
    settings = lake.settings
    decision = decide(lessons, audience, campaign, currency=settings.currency, salt=settings.salt)
    say(Sentence("step_design"))
    design, doubts = _design(facts, audience, decision, campaign)
    return Plan(
        plan_id=_identity(campaign, audience, history, lake),
        campaign=campaign,
        currency=settings.currency,
        versions={table: lake.version(table) for table in INPUT_TABLES},
        audience=audience,
        lessons=lessons,
        decision=decision,
        design=design,
        warnings=(
            *_old_orders(facts, campaign),
            *lessons.warnings,
            *doubts,
            *_empty_hands(lessons, decision, campaign),
        ),
    )


def _old_orders(facts: Facts, campaign: Campaign) -> tuple[Sentence, ...]:
    """A warning where the orders end long before the eve of the campaign: guests look as if they had stayed away since."""
    last = facts.span()[1]
    days = (campaign.decided_on - last).days
    if days <= MOST_DAYS_WITHOUT_ORDERS:
        return ()
    return (Sentence("orders_end_early", last=last, starts_on=campaign.starts_on, days=days),)


def _lessons(lake: Lake, history: History | None, audience: Audience, campaign: Campaign) -> Lessons:
    if history is None or not (history.action >= 0).any():
        cost = first_costs(lake, campaign)
        return Lessons.none(np.broadcast_to(cost, (len(audience), len(cost))).copy())
    return apply_lessons(lake, history, audience, campaign)


def _design(
    facts: Facts, audience: Audience, decision: Decision, campaign: Campaign
) -> tuple[Design | None, tuple[Sentence, ...]]:
    """What the holdout can find out, judged by a window as long as the campaign's just before it."""
    length = dt.timedelta(days=campaign.window_days)
    before = [facts.brought(audience.guest, campaign.starts_on - n * length, campaign.window_days) for n in (1, 2)]
    held, given = int((decision.arm == "holdout").sum()), int((decision.action >= 0).sum())
    try:
        noise = Noise.of(before[0], covariate=before[1])
        return minimum_detectable_effect(noise, treated=given, control=held), ()
    except DesignError as error:
        return None, (Sentence("proves_nothing", why=str(error)),)


def _empty_hands(lessons: Lessons, decision: Decision, campaign: Campaign) -> tuple[Sentence, ...]:
    idle = [o.offer_id for index, o in enumerate(campaign.offers) if not (decision.treatment.choice == index).any()]
    if not lessons.is_known or not idle:
        return ()
    return (Sentence("offers_idle", offers=tuple(idle)),)


def _identity(campaign: Campaign, audience: Audience, history: History | None, lake: Lake) -> str:
    """A hash of everything the plan was made from: the same id, the same plan."""
    digest = hashlib.sha256(f"{__version__}\0{campaign.model_dump_json()}\0{lake.settings.model_dump_json()}".encode())
    for table in (audience.profiles, *([history.table()] if history else [])):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table.combine_chunks())
        digest.update(sink.getvalue())
    return digest.hexdigest()[:16]
