"""Policies: ways to spend a budget that the learning loop compares with a plan of ours.

All keep the same total budget in expectation. Those that need to foretell who redeems, or what a voucher costs, are told it: the
truth given the facts of a profile, which is more than anybody could know. So their share is rather too good than too bad.
"""

import datetime as dt
from collections.abc import Callable, Mapping

import lightgbm as lgb
import numpy as np
import pyarrow as pa

from regulars.allocation import Limit, solve
from regulars.guests.facts import feature_names
from regulars.profiles import build
from regulars.rehearsal.days import FloatArray
from regulars.rehearsal.places import IntArray
from regulars.rehearsal.towns import Town
from regulars.rehearsal.truth import Truth

_FOLDS, _ROUNDS, _LEAST_COST = 4, 60, 1e-6
_TREES = {
    "objective": "l2", "num_leaves": 15, "learning_rate": 0.08, "min_data_in_leaf": 50, "max_bin": 63, "verbosity": -1,
    "num_threads": 1, "deterministic": True, "force_row_wise": True,
}  # fmt: skip


Policy = Callable[[Town, float, np.random.Generator], IntArray]
"""From a town, the budget in minor units, and chance, to the offer of each guest, -1 for nothing, shape (n,)."""


def profile_matrix(place: Town) -> FloatArray:
    """Every number of the profiles of all guests this morning, those of the planner, by guest; shape (n, p)."""
    profiles = build(place.orders, as_of=place.today - dt.timedelta(days=1))
    table = (profiles if isinstance(profiles, pa.Table) else pa.table(profiles)).sort_by("guest_id")
    columns = [table[name].to_numpy(zero_copy_only=False).astype(float) for name in feature_names(table)]
    return np.column_stack(columns)


def known_from_profiles(place: Town, values: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Regress a truth, shape (n, k), on the profiles: its mean over guests who look alike, each foretold from the others."""
    matrix = profile_matrix(place)
    return _foretold(matrix, values, rng.permutation(np.arange(len(matrix)) % _FOLDS))


def _foretold(matrix: FloatArray, values: FloatArray, fold: IntArray) -> FloatArray:
    data = lgb.Dataset(matrix, params=_TREES, free_raw_data=False).construct()
    found = np.empty_like(values)
    for part in range(_FOLDS):
        rest = np.flatnonzero(fold != part)
        for offer in range(values.shape[1]):
            taught = data.subset(rest.tolist()).construct().set_label(values[rest, offer])
            model = lgb.train(_TREES, taught, _ROUNDS)
            found[fold == part, offer] = np.asarray(model.predict(matrix[fold == part], num_threads=1))
    return found


def oracle(place: Town, budget: float, rng: np.random.Generator) -> IntArray:
    """The best allocation of true effects, given the profiles; nobody is held out."""
    truth, offers = place.truth, len(place.offers)
    known = known_from_profiles(place, np.column_stack([truth.gain, truth.cost]), rng)
    gain, cost = known[:, :offers], np.maximum(known[:, offers:], _LEAST_COST)
    return np.asarray(solve(gain, cost, [Limit.total(budget)], seed=0).choice, np.int64)


def send_to_all(place: Town, budget: float, rng: np.random.Generator) -> IntArray:
    """The first offer to everybody, as the list comes, while the money lasts."""
    return _in_order(rng.permutation(len(place)), np.zeros(len(place), np.int64), place.truth, budget)


def send_at_random(place: Town, budget: float, rng: np.random.Generator) -> IntArray:
    """Any offer to anybody."""
    return _in_order(rng.permutation(len(place)), rng.integers(0, len(place.offers), len(place)), place.truth, budget)


def top_rfm(place: Town, budget: float, rng: np.random.Generator) -> IntArray:
    """The first offer to the best guests by recency, frequency and money in fifths, best first."""
    profiles = build(place.orders, as_of=place.today - dt.timedelta(days=1))
    table = (profiles if isinstance(profiles, pa.Table) else pa.table(profiles)).sort_by("guest_id")
    recency, visits, spend = (table[name].to_numpy() for name in ("recency_days", "visits", "spend_minor"))
    score = _fifth(-recency) + _fifth(visits) + _fifth(spend)
    order = np.lexsort((rng.random(len(place)), -score))
    return _in_order(order, np.zeros(len(place), np.int64), place.truth, budget)


def top_response(place: Town, budget: float, rng: np.random.Generator) -> IntArray:
    """The offer each is likeliest to redeem, to those who are likeliest to redeem it."""
    redemption = known_from_profiles(place, place.truth.redemption, rng)
    order = np.argsort(-redemption.max(axis=1), kind="stable")
    return _in_order(order, redemption.argmax(axis=1).astype(np.int64), place.truth, budget)


def _fifth(values: np.ndarray) -> IntArray:
    ends = np.quantile(values, [0.2, 0.4, 0.6, 0.8])
    return np.searchsorted(ends, values, side="right").astype(np.int64)


def _in_order(order: IntArray, offer: IntArray, truth: Truth, budget: float) -> IntArray:
    """Give each their offer in this order until the budget is spent, in expectation; shape (n,)."""
    cost = truth.cost[order, offer[order]]
    served = order[np.cumsum(cost) <= budget]
    action = np.full(len(order), -1, np.int64)
    action[served] = offer[served]
    return action


POLICIES: Mapping[str, Policy] = {
    "oracle": oracle,
    "top response": top_response,
    "top RFM": top_rfm,
    "send to all": send_to_all,
    "random": send_at_random,
}
