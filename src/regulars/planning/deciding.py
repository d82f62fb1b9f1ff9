"""Deciding: from expected effects to an action, an arm and a propensity for each guest.

Arms are drawn first, sticky and split evenly within each stage of life. The allocation is solved for everybody under the
limits of the whole campaign; the treated get what it gives them, so they stay within the limits, and those who explore
draw among nothing and the offers that still fit in what the others leave (`regulars.allocation.exploring`). Where nothing
is known, no offer is expected to gain anything, and everybody who is not held out explores.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from regulars.allocation import Allocation, solve
from regulars.measurement import assign
from regulars.planning.audience import Audience
from regulars.planning.campaign import Campaign
from regulars.planning.learning import Lessons
from regulars.planning.limits import LimitUse, limits_of, one_hot, uses

CONFIDENT = 1.96


class Certificate(NamedTuple):
    """What the plan is expected to bring, minor units.

    gain, cost: over all guests who get an offer. gain_low, gain_high: 95 % interval of the gain, as wide as it can be: as if
    the errors of all guests went the same way. bound: what no allocation to the whole audience under these limits can beat;
    gap: the share of it that the allocation may have missed. roi: gain per cost.
    """

    gain: float
    gain_low: float
    gain_high: float
    cost: float
    bound: float
    gap: float
    roi: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One action for each of n guests.

    action: (n,) offer index, -1 for nothing. arm: (n,) treated, explore or holdout. propensity: (n,) of the action taken.
    allocation: what each guest would get if treated, and why.
    """

    action: np.ndarray
    arm: np.ndarray
    propensity: np.ndarray
    allocation: Allocation
    certificate: Certificate
    limits: tuple[LimitUse, ...]

    @property
    def arm_counts(self) -> dict[str, int]:
        return {arm: int((self.arm == arm).sum()) for arm in ("treated", "explore", "holdout")}

    def offer_counts(self, offer_ids: Sequence[str]) -> dict[str, int]:
        """How many guests get each offer."""
        return {offer: int((self.action == index).sum()) for index, offer in enumerate(offer_ids)}


def decide(lessons: Lessons, audience: Audience, campaign: Campaign, *, currency: str, salt: str) -> Decision:
    """Draw the arms, allocate, and give each guest an action. salt: the workspace's secret.

    Raises BudgetError where limits and audience do not fit together.
    """
    holdout = campaign.holdout
    explore = campaign.exploration if lessons.model is not None else 1.0 - holdout
    shares = {"treated": max(1.0 - explore - holdout, 0.0), "explore": explore, "holdout": holdout}
    key = f"{campaign.identity}/{campaign.seed}"
    arm = assign(audience.guest, campaign_id=key, salt=salt, shares=shares, strata=audience.stage).arm
    limits = limits_of(campaign, audience.store, currency)
    allowed = _allowed(audience, campaign)
    worth = np.where(allowed, lessons.gain, -1.0 - np.abs(lessons.gain))
    allocation = solve(worth, lessons.cost, limits, min_roi=campaign.min_roi, seed=campaign.seed)
    lottery = np.random.default_rng(list(blake2b(f"{salt}/{key}".encode(), digest_size=16).digest()))
    drawn = allocation.explore(share=explore, holdout=holdout, arm=arm, allowed=allowed, rng=lottery)
    action = drawn.action.astype(np.int64)
    return Decision(
        action=action,
        arm=drawn.arm,
        propensity=drawn.propensity,
        allocation=allocation,
        certificate=_certificate(lessons, action, allocation),
        limits=uses(limits, lessons.cost, one_hot(action, lessons.cost.shape), allocation.prices),
    )


def _allowed(audience: Audience, campaign: Campaign) -> np.ndarray:
    """Which offers hold at the home store of each guest, shape (n, k)."""
    everywhere = np.ones(len(audience), dtype=bool)
    columns = [np.isin(audience.store, offer.stores) if offer.stores else everywhere for offer in campaign.offers]
    return np.stack(columns, axis=1)


def _certificate(lessons: Lessons, action: np.ndarray, allocation: Allocation) -> Certificate:
    weight = one_hot(action, lessons.cost.shape)
    gain, cost = float((weight * lessons.gain).sum()), float((weight * lessons.cost).sum())
    doubt = CONFIDENT * float((weight * np.nan_to_num(lessons.gain_se)).sum())
    return Certificate(
        gain=gain,
        gain_low=gain - doubt,
        gain_high=gain + doubt,
        cost=cost,
        bound=allocation.bound,
        gap=allocation.gap,
        roi=gain / cost if cost > 0 else 0.0,
    )
