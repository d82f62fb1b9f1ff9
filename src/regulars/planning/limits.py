"""Limits of a campaign: its budgets, caps and stocks, as allocation understands them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from regulars.allocation import Limit
from regulars.errors import BudgetError
from regulars.money import exponent_of, to_minor
from regulars.planning.campaign import Campaign
from regulars.wording import Sentence

MONEY_LIMITS = ("budget", "store")
EACH = 100
"""What more of a budget brings is said for so many major units of it."""


class LimitUse(NamedTuple):
    """One line of a certificate: what may be used, what the plan is expected to use, and what one more unit would bring."""

    limit: str
    group: str
    amount: float
    used: float
    price: float
    is_money: bool

    def next_units(self, currency: str) -> Sentence:
        """What more of it would bring; for a budget, so many major units more."""
        if self.price <= 0:
            return Sentence("limit_not_scarce")
        if not self.is_money:
            return Sentence("limit_brings", brings_minor=round(self.price))
        each = EACH * 10 ** exponent_of(currency)
        return Sentence("brings_for_each", brings_minor=round(each * self.price), each_minor=each)


def limits_of(campaign: Campaign, store: np.ndarray, currency: str) -> list[Limit]:
    """The total budget, the budgets of the stores, the most messages, the stocks; each in the unit it is counted in.

    store: (n,) the home store of each guest. Raises BudgetError where a store of the file is nobody's home store.
    """
    offers, budget = campaign.offers, campaign.budget
    limits = [Limit.total(float(to_minor(budget.total, currency)), name="budget")]
    if budget.per_store or budget.each_store is not None:
        limits.append(_per_store(campaign, store, currency))
    if campaign.caps.messages is not None:
        limits.append(Limit.total(float(campaign.caps.messages), consumption=1.0, name="messages"))
    if any(offer.stock is not None for offer in offers):
        stock = [np.inf if offer.stock is None else float(offer.stock) for offer in offers]
        limits.append(Limit.per_offer(stock, name="stock", labels=[offer.offer_id for offer in offers]))
    return limits


def _per_store(campaign: Campaign, store: np.ndarray, currency: str) -> Limit:
    names, group = np.unique(store.astype(str), return_inverse=True)
    budget = campaign.budget
    if unknown := sorted(set(budget.per_store) - set(names)):
        raise BudgetError(
            f"budget.per_store names {', '.join(unknown)}, which is nobody's home store in this audience; remove it"
        )
    rest = np.inf if budget.each_store is None else float(to_minor(budget.each_store, currency))
    amounts = [
        float(to_minor(budget.per_store[name], currency)) if name in budget.per_store else rest for name in names
    ]
    return Limit.per_group(group, amounts, name="store", labels=list(names))


def one_hot(action: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """1 where a guest gets an offer, shape (n, k); action: (n,), -1 for nothing."""
    weight = np.zeros(shape)
    given = np.flatnonzero(action >= 0)
    weight[given, action[given]] = 1.0
    return weight


def consumed(limit: Limit, cost: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """What is consumed of a limit when each offer goes to each guest with a probability, shape (groups,).

    cost, weight: (n, k), subsidy and probability.
    """
    take = np.broadcast_to(cost if limit.consumption is None else limit.consumption, weight.shape)
    group = limit.group[:, None] if limit.group.ndim == 1 else limit.group
    flat = np.broadcast_to(group, weight.shape).ravel()
    return np.bincount(flat, weights=(take * weight).ravel(), minlength=len(limit.amounts))


def uses(
    limits: Sequence[Limit], cost: np.ndarray, weight: np.ndarray, prices: Mapping[str, np.ndarray]
) -> tuple[LimitUse, ...]:
    """The lines of the certificate, limits without amount left away."""
    lines = []
    for limit in limits:
        used = consumed(limit, cost, weight)
        for place in np.flatnonzero(np.isfinite(limit.amounts)):
            label = "" if limit.labels is None else limit.labels[place]
            price = float(prices[limit.name][place]) if limit.name in prices else 0.0
            is_money = limit.name in MONEY_LIMITS
            lines.append(LimitUse(limit.name, label, float(limit.amounts[place]), float(used[place]), price, is_money))
    return tuple(lines)
