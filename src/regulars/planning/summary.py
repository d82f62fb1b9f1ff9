"""The summary of a plan: what it comes to, for people and for whoever plans around it, as plain values."""

import math
from dataclasses import dataclass
from typing import Self

from regulars.measurement import Design
from regulars.planning.campaign import Campaign
from regulars.planning.decision import Certificate
from regulars.planning.limits import LimitUse
from regulars.planning.plan import Plan
from regulars.wording import Sentence

OUT_OF_REACH = 100
"""More than so many times the guests are not asked for: so small a change is better sought in another way."""
_NO_GAP = 5e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSummary:
    """What a plan comes to; amounts in minor units.

    versions: of the tables it was made from. audience: how many guests; left_out: how many more met the rule, by why not.
    basis: what the numbers rest on, None where nothing is known. campaigns, exposures: how many it learned from.
    arms, offers: how many guests are in each, get each. best_gain: were nobody held out and did nobody explore.
    """

    plan_id: str
    campaign: Campaign
    currency: str
    versions: dict[str, int]
    audience: int
    left_out: dict[str, int]
    basis: str | None
    campaigns: int
    exposures: int
    arms: dict[str, int]
    offers: dict[str, int]
    expected: Certificate
    best_gain: float
    limits: tuple[LimitUse, ...]
    design: Design | None
    warnings: tuple[Sentence, ...]

    @classmethod
    def of(cls, plan: Plan) -> Self:
        decision, audience, lessons = plan.decision, plan.audience, plan.lessons
        return cls(
            plan_id=plan.plan_id,
            campaign=plan.campaign,
            currency=plan.currency,
            versions=plan.versions,
            audience=len(audience),
            left_out={"staff": audience.staff, "held_back": audience.held_back, "rested": audience.rested},
            basis=lessons.basis,
            campaigns=lessons.campaigns,
            exposures=lessons.rows,
            arms=decision.arm_counts,
            offers=decision.offer_counts(plan.offer_ids),
            expected=decision.certificate,
            best_gain=float(decision.allocation.gain),
            limits=decision.limits,
            design=plan.design,
            warnings=plan.warnings,
        )

    @property
    def is_known(self) -> bool:
        """Whether any past campaign tells what the offers change."""
        return self.basis is not None

    @property
    def budget(self) -> LimitUse:
        """The total budget."""
        return next(use for use in self.limits if use.limit == "budget")

    @property
    def given(self) -> int:
        """How many guests get an offer."""
        return sum(self.offers.values())

    @property
    def per_guest(self) -> float:
        """What it is expected to change for each guest who is not held out."""
        return self.expected.gain / max(self.audience - self.arms["holdout"], 1)

    @property
    def has_interval(self) -> bool:
        """Whether the interval of the expected gain says anything."""
        return round(self.expected.gain_low) != round(self.expected.gain_high)

    @property
    def basis_words(self) -> Sentence:
        return Sentence(f"basis_{self.basis or 'unknown'}")

    @property
    def certificate(self) -> Sentence | None:
        """How much more any other plan could bring; None where nothing is known, for then no plan expects anything."""
        if not self.is_known:
            return None
        return (
            Sentence("certificate_best")
            if self.expected.gap < _NO_GAP
            else Sentence("certificate_gap", gap=self.expected.gap)
        )

    @property
    def verdict(self) -> tuple[Sentence, ...]:
        """What to make of it: whether to run it, and whether it can prove itself."""
        return self._whether_to_run, *([self._proof] if self.design is not None else [])

    @property
    def _whether_to_run(self) -> Sentence:
        expected = self.expected
        amounts = {
            "gain_minor": round(expected.gain),
            "low_minor": round(expected.gain_low),
            "cost_minor": round(expected.cost),
        }
        if not self.is_known:
            return Sentence("verdict_learn", **amounts)
        if expected.gain_low > 0:
            return Sentence("verdict_run", **amounts)
        return Sentence("verdict_do_not_run" if expected.gain_high < 0 else "verdict_cannot_tell", **amounts)

    @property
    def _proof(self) -> Sentence:
        """Whether the holdout can find a change as large as is expected, and what would."""
        assert self.design is not None
        finds = {"held_out": self.design.control, "finds_minor": round(self.design.effect)}
        if not self.is_known:
            return Sentence("proof_from", **finds)
        finds["expects_minor"] = round(self.per_guest)
        if abs(self.per_guest) >= self.design.effect:
            return Sentence("proof_can", **finds)
        times = (self.design.effect / self.per_guest) ** 2 if self.per_guest else math.inf
        if times > OUT_OF_REACH:
            return Sentence("proof_out_of_reach", **finds)
        return Sentence("proof_cannot", guests=math.ceil(times * self.audience), **finds)
