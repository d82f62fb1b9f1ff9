"""The answer: who gets what, what it is worth, and what proves that nobody could do much better."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.allocation.limits import Limit
from regulars.allocation.problem import RETURN, Problem

if TYPE_CHECKING:
    from regulars.allocation.exploring import Experiment

# numba takes a second to load, so what needs them is imported when first solving, not with the room.


class Frontier(NamedTuple):
    """What each budget would bring; all arrays have the shape of the budgets asked for.

    price: the gain of the next unit of budget.
    """

    budget: NDArray[np.float64]
    gain: NDArray[np.float64]
    spend: NDArray[np.float64]
    price: NDArray[np.float64]


class Explanation(NamedTuple):
    """Why one guest gets what he gets; offers are column numbers, -1 is nothing.

    value: gain of the chosen offer less what it consumes of each limit at the prices.
    lost_by: how much less the runner-up is worth at the prices; below 0 if it was worth more but no longer fitted.
    """

    chosen: int
    runner_up: int
    value: float
    lost_by: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Allocation:
    """Who gets what.

    choice: the offer of each guest, -1 for nothing, shape (n,).
    gain, spend: totals over the choices.
    bound: no allocation that keeps the limits can bring more; certified in float64.
    prices: for each limit what one more unit of each of its amounts would bring, shape (groups,).
    used: for each limit what the choices consume, shape (groups,).
    """

    choice: NDArray[np.int16] = field(repr=False)
    gain: float
    spend: float
    bound: float
    prices: Mapping[str, NDArray[np.float64]] = field(repr=False)
    used: Mapping[str, NDArray[np.float64]] = field(repr=False)
    problem: Problem = field(repr=False)
    seed: int = field(repr=False)
    threads: int | None = field(repr=False)

    @property
    def gap(self) -> float:
        """The share of the bound that this allocation may have missed."""
        return max(0.0, 1.0 - self.gain / self.bound) if self.bound > 0 else 0.0

    def lines(self) -> Iterator[str]:
        """Each limit in words, such as `store 12: 83 of 100 used, the next unit brings 2.7`."""
        for limit in self.problem.limits:
            for group, amount in enumerate(limit.amounts):
                used, price = self.used[limit.name][group], self.prices[limit.name][group]
                more = f", the next unit brings {price:.3g}" if price > 0 else ""
                yield f"{limit.label(group)}: {used:,.10g} of {amount:,.10g} used{more}"
        if self.problem.min_roi is not None:
            reached = f"{self.gain / self.spend:.4g}" if self.spend > 0 else "nothing spent"
            yield f"{RETURN}: {reached}, at least {self.problem.min_roi:g} asked"

    def explain(self, guest: int) -> Explanation:
        """Why this guest gets what he gets, and what came second.

        >>> allocation = solve([[9.0, 8.0], [2.0, 1.0]], [[4.0, 1.0], [2.0, 1.0]], [Limit.total(3)])
        >>> allocation.explain(0).chosen, allocation.explain(0).runner_up
        (1, 0)
        """
        values = np.append(self._values(guest), 0.0)
        chosen = int(self.choice[guest])
        others = np.delete(np.arange(len(values)), chosen)
        second = int(others[np.argmax(values[others])])
        return Explanation(
            chosen=chosen,
            runner_up=second if second < len(values) - 1 else -1,
            value=float(values[chosen]),
            lost_by=float(values[chosen] - values[second]),
        )

    def _values(self, guest: int) -> NDArray[np.float64]:
        """What each offer is worth at this guest at the prices, shape (k,)."""
        offered = self.problem.offered
        weights = self.problem.weights(np.concatenate([[], *self.prices.values()]))
        ones = np.ones(len(offered.gain[guest]))
        resources = np.stack([offered.gain[guest], offered.cost[guest], ones, *offered.extra[guest].T], axis=1)
        offers = np.arange(len(ones))
        return np.asarray((weights[offered.cells[guest], offers] * resources).sum(axis=1))

    def frontier(self, budgets: ArrayLike) -> Frontier:
        """What each total budget would bring, all other limits staying as they are.

        Solves anew for each budget, beginning at the prices of the one before.
        """
        from regulars.allocation.settling import settle

        asked = np.atleast_1d(np.asarray(budgets, dtype=np.float64))
        if asked.ndim != 1 or not (asked >= 0).all():
            raise ValueError("budgets are amounts of 0 or more, one after the other")
        found = np.empty((3, len(asked)))
        start = None
        for at in np.argsort(-asked, kind="stable"):
            problem, row = self.problem.with_budget(float(asked[at]))
            settled = settle(problem, seed=self.seed, threads=self.threads, start=start)
            start = settled.prices
            found[:, at] = settled.gain, settled.spend, settled.prices[row]
        return Frontier(asked, *found)

    def explore(
        self,
        *,
        share: float,
        holdout: float = 0.0,
        rng: np.random.Generator | int = 0,
        arm: ArrayLike | None = None,
        allowed: ArrayLike | None = None,
    ) -> Experiment:
        """Mix this allocation with chance, so that what it brings can be known and others can be valued on it.

        What is guaranteed: limits on what offers take hold exactly for the actions drawn; the propensities are exact (see
        `exploring`); the same seed gives the same answer. A floor of return is kept by the treated in expectation alone.

        share, holdout: shares of the guests who explore and who are kept without contact; the rest are treated.
        arm: the arms, shape (n,), where they were drawn before with these shares, such as by measurement.
        allowed: which offers may be drawn in exploration, shape (n, k); all where not given.

        >>> experiment = solve([[3.0, 5.0]] * 8, [[1.0, 3.0]] * 8, [Limit.total(9)]).explore(share=0.5, holdout=0.25, rng=1)
        >>> sorted(set(experiment.arm.tolist()))
        ['explore', 'holdout', 'treated']
        """
        from regulars.allocation.exploring import explore

        return explore(
            self.problem,
            self.choice,
            share=share,
            holdout=holdout,
            arm=arm,
            allowed=allowed,
            rng=np.random.default_rng(rng),
        )


def solve(
    gain: ArrayLike,
    cost: ArrayLike,
    limits: Sequence[Limit] = (),
    *,
    min_roi: float | None = None,
    seed: int = 0,
    threads: int | None = None,
) -> Allocation:
    """Give each guest the offer, or nothing, so that the total gain is greatest and every limit is kept.

    gain: expected change in margin against nothing, after the discount, shape (n, k); float32 and float64 are read as they are.
    cost: expected subsidy, 0 or more, shape (n, k), in the unit of gain.
    min_roi: least total gain for each unit of total cost.
    threads: None uses every core on large problems; the answer does not depend on it.

    Raises ValueError naming the guest or limit that is wrong, BudgetError where groups and budgets do not match.

    >>> allocation = solve([[3.0, 5.0], [2.0, 4.5], [-1.0, -2.0]], [[1.0, 3.0], [1.0, 2.0], [1.0, 1.0]], [Limit.total(3)])
    >>> allocation.choice.tolist(), allocation.gain
    ([0, 1, -1], 7.5)
    """
    from regulars.allocation.posing import pose
    from regulars.allocation.settling import settle

    problem = pose(gain, cost, limits, min_roi=min_roi, threads=threads)
    settled = settle(problem, seed=seed, threads=threads)
    return Allocation(
        choice=settled.choice,
        gain=settled.gain,
        spend=settled.spend,
        bound=settled.bound,
        prices=problem.split(settled.prices),
        used=problem.split(settled.used),
        problem=problem,
        seed=seed,
        threads=threads,
    )
