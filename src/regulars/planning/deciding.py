"""Deciding: from expected effects to an action, an arm and a propensity for each guest.

The policy (which offer, if any, at these limits) is worked out for everybody before anybody's arm is looked at, so each
propensity is known exactly: with shares t (treated), e (explore) and h (holdout), and q the chance of any of the k offers
in the explore arm, a guest whom the policy gives c gets

    an offer a   with probability   t [a = c] + e q / k
    nothing      with probability   t [c = nothing] + e (1 - q) + h

The limits are those of the whole campaign: what exploration is expected to use is set aside first. Should the arms, once
drawn, use more of a limit than there is, the policy is tightened there and worked out again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from regulars.allocation import Allocation, Frontier, Limit, solve
from regulars.errors import BudgetError
from regulars.measurement import assign
from regulars.planning.audience import Audience
from regulars.planning.campaign import Campaign
from regulars.planning.learning import Lessons
from regulars.planning.limits import LimitUse, consumed, limits_of, one_hot, uses, with_amounts

EXPLORATION_PART = 0.5
SMALL_GROUP = 30
MOST_ROUNDS = 12
FRONTIER_POINTS = 16
FRONTIER_REACH = 2.0


class Certificate(NamedTuple):
    """What the plan is expected to bring, minor units.

    gain, cost: over all guests who get an offer. gain_low, gain_high: 95 % interval of the gain, as wide as it can be: as if
    the errors of all guests went the same way. bound: no policy under these limits could bring more; gap: the share of it
    that may have been missed. roi: gain per cost.
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
    policy: (n,) what each guest would get if treated. allocation: where the policy comes from; None where nothing is known.
    """

    action: np.ndarray
    arm: np.ndarray
    propensity: np.ndarray
    policy: np.ndarray
    allocation: Allocation | None
    certificate: Certificate
    limits: tuple[LimitUse, ...]
    frontier: Frontier | None

    @property
    def arm_counts(self) -> dict[str, int]:
        return {arm: int((self.arm == arm).sum()) for arm in ("treated", "explore", "holdout")}

    def offer_counts(self, offer_ids: Sequence[str]) -> dict[str, int]:
        """How many guests get each offer."""
        return {offer: int((self.action == index).sum()) for index, offer in enumerate(offer_ids)}


class _Draw(NamedTuple):
    """The arms as drawn. shares: of treated, explore, holdout. chance: (n,) of any offer in the explore arm, q above."""

    arm: np.ndarray
    explored: np.ndarray
    chance: np.ndarray
    shares: dict[str, float]


def decide(lessons: Lessons, audience: Audience, campaign: Campaign, *, currency: str, salt: str) -> Decision:
    """Draw the arms, work out the policy, and give each guest an action; where nothing is known, everybody who is not
    held out explores.

    Raises BudgetError where the limits cannot be kept.
    """
    gain, cost, knows = lessons.gain, lessons.cost, lessons.model is not None
    limits = limits_of(campaign, audience.store, currency)
    allowed = _allowed(audience, campaign)
    draw = _draw_arms(cost, allowed, limits, audience, campaign, salt=salt, knows=knows)
    if not knows:
        return _assemble(lessons, np.full(len(gain), -1), None, draw, limits, campaign)
    worth = np.where(allowed, gain, -1.0 - np.abs(gain))
    policy, allocation = _policy(worth, cost, draw, limits, campaign)
    return _assemble(lessons, policy, allocation, draw, limits, campaign)


def _allowed(audience: Audience, campaign: Campaign) -> np.ndarray:
    """Which offers hold at the home store of each guest, shape (n, k)."""
    columns = [
        np.isin(audience.store, offer.stores) if offer.stores else np.ones(len(audience), bool)
        for offer in campaign.offers
    ]
    return np.stack(columns, axis=1)


def _draw_arms(
    cost: np.ndarray, allowed: np.ndarray, limits: list[Limit], audience: Audience, campaign: Campaign, *, salt: str, knows: bool
) -> _Draw:  # fmt: skip
    explore = campaign.exploration if knows else 1.0 - campaign.holdout
    shares = {
        "treated": 1.0 - explore - campaign.holdout if knows else 0.0,
        "explore": explore,
        "holdout": campaign.holdout,
    }
    key = f"{campaign.identity}/{campaign.seed}"
    arm = assign(audience.guest, campaign_id=key, salt=salt, shares=shares, strata=audience.stage).arm
    chance = np.where(allowed.all(axis=1), _chance(arm == "explore", cost, limits), 0.0)
    lottery = np.random.default_rng(list(blake2b(f"{salt}/{key}".encode(), digest_size=16).digest()))
    offer = lottery.integers(cost.shape[1], size=len(cost))
    return _Draw(arm, np.where(lottery.random(len(cost)) < chance, offer, -1), chance, shares)


def _chance(is_explored: np.ndarray, cost: np.ndarray, limits: list[Limit]) -> np.ndarray:
    """The chance of any offer in the explore arm, shape (n,): that of nothing is the same as that of each offer, unless
    exploration would use more than half of a limit; then less, and none at all where only few guests share a limit."""
    offers = cost.shape[1]
    even = offers / (offers + 1)
    weight = np.repeat(is_explored[:, None] * even / offers, offers, axis=1)
    chance = np.full(len(cost), even)
    for limit in limits:
        load, crowd = consumed(limit, cost, weight), consumed(limit, np.ones_like(cost), weight > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.where(load > 0, np.minimum(1.0, EXPLORATION_PART * limit.amounts / load), 1.0)
        factor[(factor < 1.0) & (crowd < SMALL_GROUP)] = 0.0
        place = limit.group if limit.group.ndim == 1 else np.broadcast_to(limit.group, cost.shape)
        chance = np.minimum(chance, even * (factor[place] if place.ndim == 1 else factor[place].min(axis=1)))
    return chance


def _policy(
    worth: np.ndarray, cost: np.ndarray, draw: _Draw, limits: list[Limit], campaign: Campaign
) -> tuple[np.ndarray, Allocation]:
    """The policy for everybody, tightened until the guests who are treated keep every limit."""
    explored = one_hot(np.where(draw.arm == "explore", draw.explored, -1), cost.shape)
    left = [np.maximum(limit.amounts - consumed(limit, cost, explored), 0.0) for limit in limits]
    asked = [amounts / draw.shares["treated"] for amounts in left]
    for _ in range(MOST_ROUNDS):
        given = [with_amounts(limit, amounts) for limit, amounts in zip(limits, asked, strict=True)]
        allocation = solve(worth, cost, given, min_roi=campaign.min_roi, seed=campaign.seed)
        policy = allocation.choice.astype(np.int64)
        treated = one_hot(np.where(draw.arm == "treated", policy, -1), cost.shape)
        used = [consumed(limit, cost, treated) for limit in limits]
        if all((now <= most * (1 + 1e-9)).all() for now, most in zip(used, left, strict=True)):
            return policy, allocation
        asked = [_tightened(*amounts) for amounts in zip(asked, used, left, strict=True)]
    raise BudgetError(
        f"campaign {campaign.identity}: the arms cannot be drawn so that every limit is kept; "
        "raise the smallest budgets or stocks, or lower exploration"
    )


def _tightened(asked: np.ndarray, used: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Less where more was used than is left, by as much as it was too much and a little more."""
    return np.where(used > left, asked * left / np.maximum(used, 1e-300) * 0.999, asked)


def _assemble(
    lessons: Lessons, policy: np.ndarray, allocation: Allocation | None, draw: _Draw,
    limits: list[Limit], campaign: Campaign,
) -> Decision:  # fmt: skip
    cost = lessons.cost
    action = np.where(draw.arm == "treated", policy, np.where(draw.arm == "explore", draw.explored, -1))
    weight = one_hot(action, cost.shape)
    share = draw.shares["treated"]
    total, spent = float((weight * lessons.gain).sum()), float((weight * cost).sum())
    doubt = 1.96 * float(np.where(weight > 0, np.nan_to_num(lessons.gain_se), 0.0).sum())
    certificate = Certificate(
        gain=total,
        gain_low=total - doubt,
        gain_high=total + doubt,
        cost=spent,
        bound=allocation.bound * share if allocation else 0.0,
        gap=allocation.gap if allocation else 0.0,
        roi=total / spent if spent > 0 else 0.0,
    )
    return Decision(
        action=action,
        arm=draw.arm,
        propensity=_propensity(action, policy, draw, cost.shape[1]),
        policy=policy,
        allocation=allocation,
        certificate=certificate,
        limits=uses(limits, cost, weight, dict(allocation.prices) if allocation else {}),
        frontier=_frontier(allocation, limits[0], share) if allocation else None,
    )


def _propensity(action: np.ndarray, policy: np.ndarray, draw: _Draw, offers: int) -> np.ndarray:
    """The probability of the action taken, by the formula at the top; shape (n,)."""
    by_policy = draw.shares["treated"] * (action == policy)
    by_chance = draw.shares["explore"] * np.where(action >= 0, draw.chance / offers, 1.0 - draw.chance)
    propensity: np.ndarray = by_policy + by_chance + draw.shares["holdout"] * (action < 0)
    return propensity


def _frontier(allocation: Allocation, budget: Limit, share: float) -> Frontier:
    """What other budgets would bring to the treated guests, all other limits as they are."""
    asked = np.linspace(0.0, FRONTIER_REACH * float(budget.amounts[0]), FRONTIER_POINTS)
    found = allocation.frontier(asked / share)
    return Frontier(budget=asked, gain=found.gain * share, spend=found.spend * share, price=found.price)
