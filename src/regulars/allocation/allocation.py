"""The allocation: who gets what, what it is worth, and what proves that nobody could do much better."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from regulars.allocation.explanation import Explanation, explain
from regulars.allocation.exploration import Experiment, explore
from regulars.allocation.formulation import formulate
from regulars.allocation.infeasibility import infeasibility
from regulars.allocation.limits import Limit
from regulars.allocation.options import Options
from regulars.allocation.passes import Passes
from regulars.allocation.problem import Problem
from regulars.allocation.sensitivity import Costs, Frontier, costs, frontier
from regulars.allocation.solver import Solver
from regulars.tabular import Tabular
from regulars.wording import Sentence

_TYPES = {"limit": pa.string(), "kind": pa.string()}

Columns = Mapping[str, ArrayLike] | tuple[ArrayLike, ...]
"""One array for each offer."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Allocation(Tabular):
    """Who gets what.

    choice: the offer of each guest, -1 for nothing, shape (n,); shape (n, most) where a guest may get several.
    gain, spend, contacts: totals over the choices. worth: what was made greatest, gain less the price of contacts and caution.
    bound: no allocation that keeps the limits can be worth more; certified in float64.
    prices: for each limit what one more unit of each of its amounts would bring, or cost where it must be reached, shape (groups,).
    used: for each limit what the choices consume, or the return they reach, shape (groups,).
    """

    choice: NDArray[np.int16]
    gain: float
    spend: float
    contacts: int
    worth: float
    bound: float
    prices: Mapping[str, NDArray[np.float64]]
    used: Mapping[str, NDArray[np.float64]]
    problem: Problem
    solver: Solver

    @property
    def gap(self) -> float:
        """The share of the bound that this allocation may have missed."""
        return max(0.0, 1.0 - self.worth / self.bound) if self.bound > 0 else 0.0

    def sentences(self) -> Iterator[Sentence]:
        """How far each limit is used, such as `store 12: 83 of 100 used, the next unit brings 2.7`."""
        for limit in self.problem.limits:
            for group, (used, price) in enumerate(zip(self.used[limit.name], self.prices[limit.name], strict=True)):
                yield limit.told(group, used=float(used), price=float(price))

    def to_arrow(self) -> pa.Table:
        """One row for each amount of each limit: limit, kind (most, least, returns), amount, used, price."""
        limits = self.problem.limits
        columns = {
            "limit": [limit.label(group) for limit in limits for group in range(len(limit.amounts))],
            "kind": [limit.kind for limit in limits for _ in limit.amounts],
            "amount": np.concatenate([[], *(limit.amounts for limit in limits)]),
            "used": self.problem.joined(self.used),
            "price": self.problem.joined(self.prices),
        }
        return pa.table({name: pa.array(column, _TYPES.get(name, pa.float64())) for name, column in columns.items()})

    @property
    def headline(self) -> str:
        return (
            f"Allocation: gain {self.gain:,.6g}, spend {self.spend:,.6g}, {self.contacts:,} contacts, "
            f"worth {self.worth:,.6g}, at most {self.gap:.2g} of the bound missed"
        )

    def explain(self, guest: int) -> Explanation:
        """Why this guest gets what they get, and what came second; where a guest may get several offers, offers are sets.

        >>> allocation = solve([[9.0, 8.0], [2.0, 1.0]], [[4.0, 1.0], [2.0, 1.0]], [Limit.total(3)])
        >>> allocation.explain(0).chosen, allocation.explain(0).runner_up
        (1, 0)
        """
        return explain(self.problem, self.choice, self.problem.joined(self.prices), guest)

    def costs(self) -> Costs:
        """What each limit and each manual override costs: what the allocation would bring more without it.

        Solves anew without each limit that has a price, and without all forced and forbidden pairs.
        """
        prices = self.problem.joined(self.prices)
        return costs(self.problem, self.solver, choice=self.choice, prices=prices, worth=self.worth)

    def frontier(self, budgets: ArrayLike) -> Frontier:
        """What each total budget would bring, all other limits staying as they are.

        Solves anew for each budget, beginning at the prices of the one before.
        """
        return frontier(self.problem, self.solver, budgets)

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
        `exploration`); the same seed gives the same answer. A floor of return is kept by the treated in expectation alone.

        share, holdout: shares of the guests who explore and who are kept without contact; the rest are treated.
        arm: the arms, shape (n,), where they were drawn before with these shares, such as by measurement.
        What is drawn is no more forced or forbidden than in the allocation; where a guest may get several, sets of offers are drawn.

        >>> experiment = solve([[3.0, 5.0]] * 8, [[1.0, 3.0]] * 8, [Limit.total(9)]).explore(share=0.5, holdout=0.25, rng=1)
        >>> sorted(set(experiment.arm.tolist()))
        ['explore', 'holdout', 'treated']
        """
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
    options = Options(
        most=most,
        exclusive=exclusive,
        forced=forced,
        forbidden=forbidden,
        contact_price=contact_price,
        gain_se=gain_se,
        caution=caution,
    )
    floor = [] if min_roi is None else [_overall(min_roi)]
    return allocate(
        formulate(gain, cost, [*limits, *floor], options, threads=threads), Solver(seed=seed, threads=threads)
    )


def allocate(problem: Problem, solver: Solver) -> Allocation:
    """The allocation of a problem as it was formulated.

    Raises BudgetError naming the limits that cannot hold together.
    """
    solution = solver.solve(problem)
    if solution.sums is None:
        raise infeasibility(problem, seed=solver.seed, threads=solver.threads)
    return Allocation(
        choice=Passes(problem, threads=solver.threads).offers_of(solution.choice),
        gain=solution.gain,
        spend=solution.spend,
        contacts=solution.contacts,
        worth=solution.worth,
        bound=solution.bound,
        prices=problem.split(solution.prices),
        used=problem.split(problem.reached(problem.counts(solution.sums))),
        problem=problem,
        solver=solver,
    )


def _overall(min_roi: float) -> Limit:
    if not (np.isfinite(min_roi) and min_roi >= 0):
        raise ValueError(f"min_roi is {min_roi}; give a finite return of 0 or more, such as 1.5")
    return Limit.returns(min_roi)
