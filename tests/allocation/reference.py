"""A second, slow way to the same answer: the problem written out for HiGHS, row by row."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

from regulars.allocation import Allocation, Limit, solve

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One small problem."""

    gain: FloatArray
    cost: FloatArray
    limits: list[Limit] = field(default_factory=list)
    min_roi: float | None = None
    most: int = 1
    exclusive: Sequence[Sequence[int]] = ()
    forced: NDArray[np.int64] | None = None
    forbidden: NDArray[np.bool_] | None = None
    contact_price: float = 0.0
    gain_se: FloatArray | None = None
    caution: float = 0.0

    def solve(self, **options: Any) -> Allocation:
        own = {name: getattr(self, name) for name in self.__slots__ if name not in ("gain", "cost", "limits")}
        return solve(self.gain, self.cost, self.limits, **own, **options)

    @property
    def worth(self) -> FloatArray:
        """What each pair is worth."""
        return self.gain - self.contact_price - (0.0 if self.gain_se is None else self.caution * self.gain_se)


def random_case(seed: int, guests: int, offers: int, *, is_whole: bool = False) -> Case:
    """A problem with a random mix of limits of the plainer kinds."""
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


def mixed_case(seed: int, guests: int, offers: int) -> Case:
    """A problem with every kind of limit and option, each there with some probability."""
    plain, rng = random_case(seed, guests, offers, is_whole=seed % 2 == 0), np.random.default_rng((seed, 1))
    limits = list(plain.limits)
    if rng.random() < 0.4:
        scope = rng.random(guests) < 0.4
        reachable = plain.cost[scope].min(axis=1).sum() if scope.any() else 0.0
        limits.append(Limit.at_least(0.1 * reachable, scope=scope, name="new guests"))
    if rng.random() < 0.3:
        limits.append(Limit.returns(rng.uniform(0.3, 1.2, 2), group=rng.integers(0, 2, guests), name="return of town"))
    forced = np.array([[int(rng.integers(guests)), int(rng.integers(offers))]]) if rng.random() < 0.3 else None
    forbidden = rng.random((guests, offers)) < 0.2 if rng.random() < 0.4 else None
    if forced is not None and forbidden is not None:
        forbidden[forced[0, 0]] = False
    return Case(
        gain=plain.gain,
        cost=plain.cost,
        limits=limits,
        min_roi=plain.min_roi,
        most=int(rng.integers(1, 4)),
        exclusive=[(0, 1)] if rng.random() < 0.5 else (),
        forced=forced,
        forbidden=forbidden,
        contact_price=float(rng.choice([0.0, 0.2])),
        gain_se=rng.uniform(0, 0.3, (guests, offers)),
        caution=float(rng.choice([0.0, 1.0])),
    )


def taken(limit: Limit, case: Case) -> FloatArray:
    """What each row of a limit takes of each guest and offer, shape (rows, n, k)."""
    shape = case.gain.shape
    use = np.broadcast_to(case.cost if limit.consumption is None else limit.consumption, shape)
    group = np.broadcast_to(limit.group[:, None] if limit.group.ndim == 1 else limit.group, shape)
    scope = np.ones((shape[0], 1), bool) if limit.scope is None else limit.scope[:, None]
    if limit.kind == "returns":
        uses = [floor * case.cost - case.gain for floor in limit.amounts]
    else:
        uses = [use if limit.kind == "most" else -use] * len(limit.amounts)
    return np.stack([np.where((group == row) & scope, use, 0.0) for row, use in enumerate(uses)])


def amounts(limit: Limit) -> FloatArray:
    return {"most": limit.amounts, "least": -limit.amounts, "returns": 0.0 * limit.amounts}[limit.kind]


def all_limits(case: Case) -> list[Limit]:
    return [*case.limits, *([] if case.min_roi is None else [Limit.returns(case.min_roi)])]


def best_worth(case: Case, *, is_relaxed: bool = False) -> float | None:
    """The optimum by HiGHS, as a mixed-integer or a linear programme; None where there is no solution."""
    guests, offers = case.gain.shape
    rows = [(np.kron(np.eye(guests), np.ones((1, offers))), np.full(guests, float(case.most)))]
    rows += [
        (np.kron(np.eye(guests), np.isin(np.arange(offers), some)[None, :].astype(float)), np.ones(guests))
        for some in case.exclusive
    ]
    rows += [(taken(limit, case).reshape(len(limit.amounts), -1), amounts(limit)) for limit in all_limits(case)]
    lower, upper = np.zeros((guests, offers)), np.ones((guests, offers))
    if case.forbidden is not None:
        upper[case.forbidden] = 0.0
    if case.forced is not None:
        lower[case.forced[:, 0], case.forced[:, 1]] = 1.0
    found = milp(
        -case.worth.ravel(),
        constraints=[LinearConstraint(row, ub=most) for row, most in rows],
        bounds=Bounds(lower.ravel(), upper.ravel()),
        integrality=0 if is_relaxed else 1,
        options={"mip_rel_gap": 0, "time_limit": 60},
    )
    return -float(found.fun) if found.success else None


def best_gain(case: Case, *, is_relaxed: bool = False) -> float:
    """As `best_worth`, where there surely is a solution."""
    worth = best_worth(case, is_relaxed=is_relaxed)
    assert worth is not None
    return worth


def picked(case: Case, choice: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Whether each guest gets each offer, shape (n, k)."""
    some = choice[:, None] if choice.ndim == 1 else choice
    return np.asarray((some[:, :, None] == np.arange(case.gain.shape[1])).any(axis=1))


def broken(case: Case, choice: NDArray[np.int16]) -> list[str]:
    """The limits and options that a choice breaks, in words."""
    has = picked(case, choice)
    said = [f"guest {i} gets {has[i].sum()}" for i in np.flatnonzero(has.sum(axis=1) > case.most)]
    said += [f"{some} go together" for some in case.exclusive if (has[:, list(some)].sum(axis=1) > 1).any()]
    if case.forbidden is not None and (has & case.forbidden).any():
        said.append("forbidden")
    if case.forced is not None and not has[case.forced[:, 0], case.forced[:, 1]].all():
        said.append("not forced")
    for limit in all_limits(case):
        used = (taken(limit, case) * has).sum(axis=(1, 2))
        most = amounts(limit) + (1e-9 if limit.kind == "returns" else 0.0)
        said += [f"{limit.label(g)}: {u!r} of {a!r}" for g, (u, a) in enumerate(zip(used, most, strict=True)) if u > a]
    return said
