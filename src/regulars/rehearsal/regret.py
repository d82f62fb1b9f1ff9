"""Regret: how much of what could have been gained a policy misses, in one campaign of a town whose truth is known.

The best that anybody can do who knows no more of a guest than their profile is the oracle of `policies`. Ours knows only a history:
guests who were given any offer or nothing by lot, in the same season with other luck. It estimates gains and costs from that, by the
response or by the effects that plans use, and allocates the budget to them. All spend at most the same, ours by its own estimate.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from regulars import effects
from regulars.allocation import Limit, solve
from regulars.guests.facts import feature_names
from regulars.planning.history import History
from regulars.planning.response import Response
from regulars.profiles import build
from regulars.rehearsal.days import FloatArray
from regulars.rehearsal.policies import POLICIES, Policy
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
            f"{self.policy:<36}{self.gain.mean():>10.1f}{self.spend.mean():>10.1f}"
            f"{self.regret:>10.1f} +- {error:<6.1f}{self.share:>8.0%}"
        )


def regrets(
    places: Iterable[Town],
    *,
    sizes: tuple[int, ...] = SIZES,
    policies: Mapping[str, Policy] = POLICIES,
    budget_each: float = BUDGET_EACH,
) -> list[Regret]:
    """Let ours, with each size of history, and all policies, among them the oracle, spend a budget in each town.

    Raises ValueError where there is no town, or no oracle among the policies.
    """
    if "oracle" not in policies:
        raise ValueError("regret is against the oracle; give it among the policies")
    lived = [_gains(place, sizes, policies, budget_each) for place in places]
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
    place: Town, sizes: tuple[int, ...], policies: Mapping[str, Policy], budget_each: float
) -> dict[str, tuple[float, float]]:
    """The true gain and subsidy a guest of every policy."""
    budget = budget_each * len(place)
    actions = {name: policy(place, budget, np.random.default_rng([place.seed, 9])) for name, policy in policies.items()}
    profiles = _profiles(place)
    for size in sizes:
        history = _history(place, profiles, size)
        for name, learned in (("response", _by_response), ("effects", _by_effects)):
            gain, cost = learned(history, profiles, place)
            found = solve(gain, np.maximum(cost, _LEAST_COST), [Limit.total(budget)], seed=0)
            actions[f"ours, {name}, {size:,} exposures"] = np.asarray(found.choice, np.int64)
    truth, rows = place.truth, np.arange(len(place))
    return {
        name: (
            float(truth.gain_of(action).mean()),
            float(np.where(action >= 0, truth.cost[rows, action], 0.0).mean()),
        )
        for name, action in actions.items()
    }


def _by_response(history: History, profiles: pa.Table, place: Town) -> tuple[FloatArray, FloatArray]:
    """Gain and cost as a plan learns them from campaigns by lot, (n, k) each; what a dish adds is taken as unknown."""
    response = Response.fit(history, history.margin + history.cost, adds=np.zeros(len(history.offers)))
    gain, _, cost, _ = response.predict(profiles)
    return gain, cost


def _by_effects(history: History, profiles: pa.Table, place: Town) -> tuple[FloatArray, FloatArray]:
    """The same as a plan learns them where less is known: effects that may have any form, pooled where data are few."""
    model = effects.fit(
        history.features, history.action, history.margin, cost=history.cost, propensity=history.propensity,
        offers=history.offers, cluster=history.guest, seed=place.seed,
    )  # fmt: skip
    found = model.predict(profiles.select(history.features.column_names))
    return found.gain, found.cost


def _profiles(place: Town) -> pa.Table:
    """The profiles of all guests this morning, by guest."""
    built = build(place.orders, as_of=place.today - dt.timedelta(days=1))
    table = (built if isinstance(built, pa.Table) else pa.table(built)).sort_by("guest_id")
    return table.select(["guest_id", *feature_names(table)])


def _history(place: Town, profiles: pa.Table, size: int) -> History:
    """`size` exposures by lot, as many campaigns as it takes, each lived from the same morning with luck of its own."""
    rng = np.random.default_rng([place.seed, 10, size])
    parts: list[dict[str, np.ndarray]] = []
    for begin in range(0, size, len(place)):
        run = place.with_luck(int(rng.integers(2**31))).run(rng.integers(-1, len(place.offers), len(place)))
        who = rng.permutation(len(place))[: size - begin]
        told = {
            "guest": np.arange(len(place)),
            "action": run.assignment,
            "orders": run.orders_in_window,
            "amount": run.sales_minor - run.subsidy_minor,
            "margin": run.margin_minor,
            "cost": run.subsidy_minor,
            "redeemed": run.redeemed_minor > 0,
        }
        parts.append({name: values[who] for name, values in told.items()})
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return History(
        offers=place.offer_ids,
        features=profiles.drop_columns(["guest_id"]).take(pa.array(columns["guest"])),
        campaign=np.zeros(size, np.int64),
        propensity=np.full(size, 1 / (len(place.offers) + 1)),
        **columns,
    )
