"""The answer: who gets what, what it is worth, and what proves that nobody could do much better."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.allocation.limits import Limit

if TYPE_CHECKING:
    from regulars.allocation.exploring import Experiment
    from regulars.allocation.problem import Problem, Rows

Columns = Mapping[str, ArrayLike] | tuple[ArrayLike, ...]
"""One array for each offer."""

# numba takes a second to load, so what needs them is imported when first solving, not with the room.


class Frontier(NamedTuple):
    """What each budget would bring; all arrays have the shape of the budgets asked for.

    price: the gain of the next unit of budget. All but the budget is nan where other limits cannot hold within it.
    """

    budget: NDArray[np.float64]
    gain: NDArray[np.float64]
    spend: NDArray[np.float64]
    price: NDArray[np.float64]


class Costs(NamedTuple):
    """What would be worth more without each limit, and without all forced and forbidden pairs.

    limits: for each limit by name. overrides: all pairs together. pairs: each guest whose pairs cost something, and how much
    at the prices.
    """

    limits: Mapping[str, float]
    overrides: float
    pairs: Mapping[int, float]


class Explanation(NamedTuple):
    """Why one guest gets what he gets; offers are column numbers, -1 is nothing, several offers are a tuple.

    value: gain of the chosen offer less what it consumes of each limit at the prices.
    lost_by: how much less the runner-up is worth at the prices; below 0 if it was worth more but no longer fitted.
    """

    chosen: int | tuple[int, ...]
    runner_up: int | tuple[int, ...]
    value: float
    lost_by: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Allocation:
    """Who gets what.

    choice: the offer of each guest, -1 for nothing, shape (n,); shape (n, most) where a guest may get several.
    gain, spend, contacts: totals over the choices. worth: what was made greatest, gain less the price of contacts and caution.
    bound: no allocation that keeps the limits can be worth more; certified in float64.
    prices: for each limit what one more unit of each of its amounts would bring, or cost where it must be reached, shape (groups,).
    used: for each limit what the choices consume, or the return they reach, shape (groups,).
    """

    choice: NDArray[np.int16] = field(repr=False)
    gain: float
    spend: float
    contacts: int
    worth: float
    bound: float
    prices: Mapping[str, NDArray[np.float64]] = field(repr=False)
    used: Mapping[str, NDArray[np.float64]] = field(repr=False)
    problem: Problem = field(repr=False)
    seed: int = field(repr=False)
    threads: int | None = field(repr=False)

    @property
    def gap(self) -> float:
        """The share of the bound that this allocation may have missed."""
        return max(0.0, 1.0 - self.worth / self.bound) if self.bound > 0 else 0.0

    def lines(self) -> Iterator[str]:
        """Each limit in words, such as `store 12: 83 of 100 used, the next unit brings 2.7`."""
        for limit in self.problem.limits:
            for group, amount in enumerate(limit.amounts):
                used, price = self.used[limit.name][group], self.prices[limit.name][group]
                yield f"{limit.label(group)}: {_line(limit.kind, used, amount, price)}"

    def explain(self, guest: int) -> Explanation:
        """Why this guest gets what he gets, and what came second; where a guest may get several offers, offers are sets.

        >>> allocation = solve([[9.0, 8.0], [2.0, 1.0]], [[4.0, 1.0], [2.0, 1.0]], [Limit.total(3)])
        >>> allocation.explain(0).chosen, allocation.explain(0).runner_up
        (1, 0)
        """
        from regulars.allocation.explaining import explain

        return explain(self, guest)

    def costs(self) -> Costs:
        """What each limit and each manual override costs: what the allocation would bring more without it.

        Solves anew without each limit that has a price, and without all forced and forbidden pairs.
        """
        from regulars.allocation.explaining import costs

        return costs(self)

    def frontier(self, budgets: ArrayLike) -> Frontier:
        """What each total budget would bring, all other limits staying as they are.

        Solves anew for each budget, beginning at the prices of the one before.
        """
        from regulars.allocation.explaining import frontier

        return frontier(self, budgets)

    def explore(
        self,
        *,
        share: float,
        holdout: float = 0.0,
        rng: np.random.Generator | int = 0,
        arm: ArrayLike | None = None,
    ) -> Experiment:
        """Mix this allocation with chance, so that what it brings can be known and others can be valued on it.

        What is guaranteed: limits on what offers take hold exactly for the actions drawn; the propensities are exact (see
        `exploring`); the same seed gives the same answer. A floor of return is kept by the treated in expectation alone.

        share, holdout: shares of the guests who explore and who are kept without contact; the rest are treated.
        arm: the arms, shape (n,), where they were drawn before with these shares, such as by measurement.
        What is drawn is no more forced or forbidden than in the allocation; where a guest may get several, sets of offers are drawn.

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
            rng=np.random.default_rng(rng),
        )


def solve(
    gain: ArrayLike | Columns,
    cost: ArrayLike | Columns,
    limits: Sequence[Limit] = (),
    *,
    min_roi: float | None = None,
    most: int = 1,
    exclusive: Sequence[Sequence[int]] = (),
    forced: ArrayLike | None = None,
    forbidden: ArrayLike | None = None,
    contact_price: float = 0.0,
    gain_se: ArrayLike | None = None,
    caution: float = 0.0,
    seed: int = 0,
    threads: int | None = None,
) -> Allocation:
    """Give each guest the offer, or nothing, so that the total gain is greatest and every limit is kept.

    gain: expected change in margin against nothing, after the discount, shape (n, k), or a tuple of one array for each offer,
        or an Arrow table; float32 and float64 are read where they lie.
    cost: expected subsidy, 0 or more, as gain and in its unit.
    min_roi: least total gain for each unit of total cost.
    most: offers a guest may get at most, 1 to 3. exclusive: sets of offers of which a guest gets one at most.
    forced, forbidden: pairs of guest and offer, shape (p, 2), or true or false for each, shape (n, k).
    contact_price: what each offer sent costs in attention, in the unit of gain.
    gain_se, caution: standard errors of gain, shape (n, k), and how many of them gain counts less: what is made greatest is
        the sum of lower bounds.
    threads: None uses every core on large problems; the answer does not depend on it.

    Raises ValueError naming the guest or limit that is wrong, BudgetError where groups and budgets do not match or where
    limits cannot hold together.

    >>> allocation = solve([[3.0, 5.0], [2.0, 4.5], [-1.0, -2.0]], [[1.0, 3.0], [1.0, 2.0], [1.0, 1.0]], [Limit.total(3)])
    >>> allocation.choice.tolist(), allocation.gain
    ([0, 1, -1], 7.5)
    """
    from regulars.allocation.posing import Wishes, pose

    wishes = Wishes(
        most=most,
        exclusive=exclusive,
        forced=forced,
        forbidden=forbidden,
        contact_price=contact_price,
        gain_se=gain_se,
        caution=caution,
    )
    floor = [] if min_roi is None else [_overall(min_roi)]
    return answer(pose(gain, cost, [*limits, *floor], wishes, threads=threads), seed=seed, threads=threads)


def answer(problem: Problem, *, seed: int, threads: int | None, start: Rows | None = None) -> Allocation:
    """The allocation of a problem that was posed; `start` are prices known to be near.

    Raises BudgetError naming the limits that cannot hold together.
    """
    from regulars.allocation.clash import clash
    from regulars.allocation.passes import Passes
    from regulars.allocation.settling import settle

    settled = settle(problem, seed=seed, threads=threads, start=start)
    if settled.sums is None:
        raise clash(problem, seed=seed, threads=threads)
    return Allocation(
        choice=Passes(problem, threads=threads).offers_of(settled.choice),
        gain=settled.gain,
        spend=settled.spend,
        contacts=settled.contacts,
        worth=settled.worth,
        bound=settled.bound,
        prices=problem.split(settled.prices),
        used=problem.split(problem.reached(settled.sums)),
        problem=problem,
        seed=seed,
        threads=threads,
    )


def _overall(min_roi: float) -> Limit:
    if not (np.isfinite(min_roi) and min_roi >= 0):
        raise ValueError(f"min_roi is {min_roi}; give a finite return of 0 or more, such as 1.5")
    return Limit.returns(min_roi)


def _line(kind: str, used: float, amount: float, price: float) -> str:
    if kind == "returns":
        return (
            f"{used:.4g}, at least {amount:g} asked"
            if np.isfinite(used)
            else f"nothing spent, at least {amount:g} asked"
        )
    if kind == "least":
        more = f", the last unit costs {price:.3g}" if price > 0 else ""
        return f"{used:,.10g}, at least {amount:,.10g} asked{more}"
    more = f", the next unit brings {price:.3g}" if price > 0 else ""
    return f"{used:,.10g} of {amount:,.10g} used{more}"
