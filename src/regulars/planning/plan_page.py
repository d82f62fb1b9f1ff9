"""What a page shows of a plan besides its summary: worked out once, when it is planned, and kept with it."""

from dataclasses import dataclass
from typing import NamedTuple, Self

from regulars.effects import AverageEffect
from regulars.guests import Everybody, profiles_with_taste
from regulars.planning.plan import Plan
from regulars.planning.samples import Sample, samples
from regulars.profiles import STAGES
from regulars.tables import Lake


class FrontierPoint(NamedTuple):
    """What a budget would bring, minor units, were nobody held out."""

    budget: float
    gain: float


class StageShare(NamedTuple):
    """How many guests of one stage of life get one offer, by its title; None is nothing."""

    stage: str
    offer: str | None
    guests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPage:
    """everybody: all guests on the eve. averages: what past offers changed. frontier: what other budgets would bring; both empty
    where nothing is known. who_gets_what: by stage of life. samples: some guests, and why each gets what they get."""

    everybody: Everybody
    averages: tuple[AverageEffect, ...]
    frontier: tuple[FrontierPoint, ...]
    who_gets_what: tuple[StageShare, ...]
    samples: tuple[Sample, ...]

    @classmethod
    def of(cls, plan: Plan, lake: Lake) -> Self:
        """Fits the effects of past offers and solves for other budgets, which takes about as long as planning.

        lake: the one the plan was made from.
        """
        model = plan.lessons.model
        points = plan.frontier() if model is not None else None
        return cls(
            everybody=Everybody.of(lake.collect(profiles_with_taste(lake, plan.campaign.decided_on))),
            averages=tuple(model.averages) if model is not None else (),
            frontier=() if points is None else tuple(map(FrontierPoint, points.budget.tolist(), points.gain.tolist())),
            who_gets_what=_who_gets_what(plan),
            samples=samples(plan),
        )


def _who_gets_what(plan: Plan) -> tuple[StageShare, ...]:
    stage, action = plan.audience.stage, plan.decision.action
    titles = [*enumerate(offer.title for offer in plan.campaign.offers), (-1, None)]
    return tuple(
        StageShare(name, title, int(((stage == name) & (action == place)).sum()))
        for name in STAGES
        if (stage == name).any()
        for place, title in titles
    )
