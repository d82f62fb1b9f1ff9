"""A second, slow way to the same answer: the problem written out for HiGHS, row by row."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

from regulars.allocation import Limit

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One small problem."""

    gain: FloatArray
    cost: FloatArray
    limits: list[Limit] = field(default_factory=list)
    min_roi: float | None = None


def random_case(seed: int, guests: int, offers: int, *, is_whole: bool = False) -> Case:
    """A problem with a random mix of every kind of limit."""
    rng = np.random.default_rng(seed)
    cost = rng.uniform(0.5, 5, (guests, offers))
    if is_whole:
        cost = np.ceil(cost)
    gain = rng.gamma(2, 0.5, (guests, 1)) * np.sqrt(cost) * rng.uniform(0.5, 1.5, (guests, offers)) - 0.3
    stores = int(rng.integers(1, max(2, min(8, guests // 3)) + 1))
    store = rng.integers(0, stores, guests)
    per_store = rng.uniform(0.2, 0.9, stores) * np.maximum(np.bincount(store, cost.max(1), stores), 5)
    kinds = [
        Limit.total(0.4 * cost.max(1).sum()),
        Limit.per_group(store, np.round(per_store) if is_whole else per_store),
        Limit.per_offer(rng.integers(0, max(2, guests // 2), offers)),
        Limit.per_group(
            rng.integers(0, 2, (guests, offers)), rng.uniform(0.1, 0.5, 2) * cost.sum() / offers, name="kitchen"
        ),
        Limit.total(guests * 0.4, consumption=rng.uniform(0, 1, (guests, offers)), name="minutes"),
        Limit.total(guests // 4, consumption=1.0, scope=rng.random(guests) < 0.5, name="messages"),
    ]
    chosen = [limit for limit in kinds if rng.random() < 0.55]
    return Case(
        gain=gain, cost=cost, limits=chosen, min_roi=float(rng.uniform(0.5, 1.5)) if rng.random() < 0.4 else None
    )


def taken(limit: Limit, case: Case) -> FloatArray:
    """What each row of a limit takes of each guest and offer, shape (rows, n, k)."""
    shape = case.gain.shape
    use = np.broadcast_to(case.cost if limit.consumption is None else limit.consumption, shape)
    group = np.broadcast_to(limit.group[:, None] if limit.group.ndim == 1 else limit.group, shape)
    scope = np.ones((shape[0], 1), bool) if limit.scope is None else limit.scope[:, None]
    return np.stack([np.where((group == row) & scope, use, 0.0) for row in range(len(limit.amounts))])


def best_gain(case: Case, *, is_relaxed: bool = False) -> float:
    """The optimum by HiGHS, as a mixed-integer or a linear programme."""
    guests, offers = case.gain.shape
    one_each = np.kron(np.eye(guests), np.ones((1, offers)))
    limits = [(taken(limit, case).reshape(len(limit.amounts), -1), limit.amounts) for limit in case.limits]
    constraints = [LinearConstraint(rows, ub=most) for rows, most in [(one_each, np.ones(guests)), *limits]]
    if case.min_roi is not None:
        constraints.append(LinearConstraint((case.min_roi * case.cost - case.gain).reshape(1, -1), ub=0))
    found = milp(
        -case.gain.ravel(),
        constraints=constraints,
        bounds=Bounds(0, 1),
        integrality=0 if is_relaxed else 1,
        options={"mip_rel_gap": 0, "time_limit": 60},
    )
    assert found.success, found.message
    return -float(found.fun)


def broken(case: Case, choice: NDArray[np.int16]) -> list[str]:
    """The limits that a choice breaks, in words."""
    picked = choice[:, None] == np.arange(case.gain.shape[1])
    said = []
    for limit in case.limits:
        used = (taken(limit, case) * picked).sum(axis=(1, 2))
        said += [
            f"{limit.label(g)}: {u!r} of {a!r}"
            for g, (u, a) in enumerate(zip(used, limit.amounts, strict=True))
            if u > a
        ]
    gain, spend = float(case.gain[picked].sum()), float(case.cost[picked].sum())
    if case.min_roi is not None and gain < case.min_roi * spend:
        said.append(f"return: {gain} for {spend}")
    return said
