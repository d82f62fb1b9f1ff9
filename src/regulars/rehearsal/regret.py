"""Regret: how much of what could have been gained a policy misses, in one campaign of a town whose truth is known.

The best that anybody can do who knows no more of a guest than his profile is the oracle of `contestants`. Ours knows only a history:
guests who were given any offer or nothing by lot, in the same season with other luck. It estimates gains and costs from that, and
allocates the budget to them. All spend at most the same, ours by its own estimate of what a voucher costs.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np

from regulars import effects
from regulars.allocation import Limit, solve
from regulars.rehearsal.contestants import CONTESTANTS, Contestant, profile_matrix
from regulars.rehearsal.days import FloatArray
from regulars.rehearsal.places import IntArray
from regulars.rehearsal.towns import Town

BUDGET_EACH = 10.0
"""Minor units of subsidy for each guest: scarce, so that it matters who gets it."""
SIZES = (1_000, 3_000, 10_000, 30_000)
_LEAST_COST = 1e-6


class Regret(NamedTuple):
    """What a policy gained in each of several towns, minor units a guest of the town, shape (towns,).

    gain: true, expected, after the subsidy. oracle: what the oracle gained there. spend: the subsidy that it truly costs.
    """

    policy: str
    gain: FloatArray
    oracle: FloatArray
    spend: FloatArray

    @property
    def share(self) -> float:
        """The part of the oracle's gain that was reached, over all towns; below 0 where the policy lost money."""
        return float(self.gain.sum() / self.oracle.sum())

    @property
    def regret(self) -> float:
        """Minor units a guest that were missed, on average."""
        return float((self.oracle - self.gain).mean())

    @property
    def words(self) -> str:
        error = float((self.oracle - self.gain).std(ddof=1) / np.sqrt(len(self.gain))) if len(self.gain) > 1 else np.nan
        return (
            f"{self.policy:<34}{self.gain.mean():>10.1f}{self.spend.mean():>10.1f}"
            f"{self.regret:>10.1f} +- {error:<6.1f}{self.share:>8.0%}"
        )


def regrets(
    places: Iterable[Town],
    *,
    sizes: tuple[int, ...] = SIZES,
    contestants: Mapping[str, Contestant] = CONTESTANTS,
    budget_each: float = BUDGET_EACH,
) -> list[Regret]:
    """Let ours, with each size of history, and all contestants, among them the oracle, spend a budget in each town.

    Raises ValueError where there is no town, or no oracle among the contestants.
    """
    if "oracle" not in contestants:
        raise ValueError("regret is against the oracle; give it among the contestants")
    lived = [_gains(place, sizes, contestants, budget_each) for place in places]
    if not lived:
        raise ValueError("no town to be regretted in; give at least one")
    oracle = np.array([found["oracle"][0] for found in lived])
    return [
        Regret(
            name, np.array([found[name][0] for found in lived]), oracle, np.array([found[name][1] for found in lived])
        )
        for name in lived[0]
    ]


def _gains(
    place: Town, sizes: tuple[int, ...], contestants: Mapping[str, Contestant], budget_each: float
) -> dict[str, tuple[float, float]]:
    """The true gain and subsidy a guest of every policy."""
    budget = budget_each * len(place)
    known = profile_matrix(place)
    actions = {
        name: policy(place, budget, np.random.default_rng([place.seed, 9])) for name, policy in contestants.items()
    }
    actions |= {f"ours, {size:,} exposures": _ours(place, known, size, budget) for size in sizes}
    truth, rows = place.truth, np.arange(len(place))
    return {
        name: (
            float(truth.gain_of(action).mean()),
            float(np.where(action >= 0, truth.cost[rows, action], 0.0).mean()),
        )
        for name, action in actions.items()
    }


def _ours(place: Town, known: FloatArray, size: int, budget: float) -> IntArray:
    """The allocation of gains that were estimated from `size` exposures; known: the profiles, shape (n, p)."""
    who, action, margin, cost = _history(place, size)
    chance = np.full(size, 1 / (len(place.offers) + 1))
    model = effects.fit(
        known[who], action, margin, cost=cost, propensity=chance, offers=place.offer_ids, cluster=who, seed=place.seed
    )
    found = model.predict(known)
    expected = np.maximum(found.cost, _LEAST_COST)
    return np.asarray(solve(found.gain, expected, [Limit.total(budget)], seed=0).choice, np.int64)


def _history(place: Town, size: int) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Guests, what each was given by lot, what he brought after the subsidy, and that subsidy; each of shape (size,)."""
    rng = np.random.default_rng([place.seed, 10, size])
    parts: list[tuple[np.ndarray, ...]] = []
    for begin in range(0, size, len(place)):
        run = place.with_luck(int(rng.integers(2**31))).run(rng.integers(-1, len(place.offers), len(place)))
        who = rng.permutation(len(place))[: size - begin]
        parts.append((who, run.assignment[who], run.margin_minor[who], run.subsidy_minor[who]))
    who, action, margin, cost = (np.concatenate(column) for column in zip(*parts, strict=True))
    return who, action, margin, cost
