"""Deciding: from expected effects to an action, an arm and a propensity for each guest.

Arms are drawn first, sticky and split evenly within each stage of life. The allocation is solved for everybody under limits
as much wider as fewer are treated, so that the treated, who get what it gives them, use what the others leave; but never more
than the limits of the campaign less the share of those who explore, who draw among nothing and the offers that still fit
(`regulars.allocation.exploration`). Where nothing is known, no offer is expected to gain anything, and everybody who is not held
out explores.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from regulars.allocation import Allocation, Limit, solve
from regulars.measurement import assign
from regulars.planning.audience import Audience
from regulars.planning.campaign import Campaign
from regulars.planning.lessons import Lessons
from regulars.planning.limits import LimitUse, consumed, limits_of, one_hot, uses

CONFIDENT = 1.96
_TRIES = 6


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
    allocation: the best for the whole audience under these limits, for the certificate. treatment: what each guest gets if
    treated, and why.
    """

    action: np.ndarray
    arm: np.ndarray
    propensity: np.ndarray
    allocation: Allocation
    treatment: Allocation
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
    explore = campaign.exploration if lessons.is_known else 1.0 - holdout
    shares = {"treated": max(1.0 - explore - holdout, 0.0), "explore": explore, "holdout": holdout}
    key = f"{campaign.identity}/{campaign.seed}"
    arm = assign(audience.guest, campaign_id=key, salt=salt, shares=shares, strata=audience.stage).arm
    limits = limits_of(campaign, audience.store, currency)
    give = partial(
        solve,
        lessons.gain,
        lessons.cost,
        min_roi=campaign.min_roi,
        forbidden=_away(audience, campaign),
        seed=campaign.seed,
    )
    allocation = give(limits)
    lottery = np.random.default_rng(list(blake2b(f"{salt}/{key}".encode(), digest_size=16).digest()))
    treatment = _treatment(allocation, give, lessons.cost, limits, arm == "treated", shares)
    mixed = replace(allocation, choice=treatment.choice)
    drawn = mixed.explore(share=explore, holdout=holdout, arm=arm, rng=lottery)
    action = drawn.action.astype(np.int64)
    return Decision(
        action=action,
        arm=drawn.arm,
        propensity=drawn.propensity,
        allocation=allocation,
        treatment=treatment,
        certificate=_certificate(lessons, action, allocation),
        limits=uses(limits, lessons.cost, one_hot(action, lessons.cost.shape), allocation.prices),
    )


def _treatment(
    allocation: Allocation,
    give: Callable[[Sequence[Limit]], Allocation],
    cost: np.ndarray,
    limits: Sequence[Limit],
    is_treated: np.ndarray,
    shares: Mapping[str, float],
) -> Allocation:
    """An allocation to everybody of which the treated, shape (n,), alone use the limits, less the part of those who explore.

    The widening is that of the shares; only where the draw of the arms would break a limit is it less.
    """
    kept = 1.0 - shares["explore"]
    wider = kept / shares["treated"] if shares["treated"] > 0 else 1.0
    for _ in range(_TRIES):
        if wider <= 1.0:
            break
        wide = [replace(limit, amounts=limit.amounts * wider) for limit in limits]
        found = give(wide)
        action = np.where(is_treated, found.choice, -1)
        fullest = max(_fullness(limit, cost, one_hot(action, cost.shape)) for limit in limits)
        if fullest <= kept:
            return found
        wider *= 0.999 * kept / fullest
    return allocation


def _fullness(limit: Limit, cost: np.ndarray, weight: np.ndarray) -> float:
    """The largest share of an amount of a limit that is used; a limit of 0 that is kept counts as empty."""
    used = consumed(limit, cost, weight)
    share = np.divide(used, limit.amounts, out=np.where(used > 0, np.inf, 0.0), where=limit.amounts > 0)
    return float(share.max())


def _away(audience: Audience, campaign: Campaign) -> np.ndarray:
    """Which offers do not hold at the home store of each guest, shape (n, k)."""
    nowhere = np.zeros(len(audience), dtype=bool)
    columns = [~np.isin(audience.store, offer.stores) if offer.stores else nowhere for offer in campaign.offers]
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
