"""Sensitivity: what each limit and each manual override costs, and what other budgets would bring."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from regulars.allocation.explanation import action_values
from regulars.allocation.limits import Limit
from regulars.allocation.problem import COST, Choice, Problem, Rows
from regulars.allocation.solver import Solver
from regulars.tabular import Tabular
from regulars.wording import Voice


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Costs(Tabular):
    """What would be worth more without each limit, and without all forced and forbidden pairs.

    limits: for each limit by name. overrides: all pairs together. pairs: each guest whose pairs cost something, and how much
    at the prices.
    """

    limits: Mapping[str, float]
    overrides: float
    pairs: Mapping[int, float]

    def to_arrow(self) -> pa.Table:
        """One row for each limit: limit, cost."""
        return pa.table(
            {"limit": pa.array(self.limits, pa.string()), "cost": pa.array(self.limits.values(), pa.float64())}
        )

    @property
    def headline(self) -> str:
        return f"Costs: overrides {self.overrides:,.6g}, of {len(self.pairs):,} guests"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Frontier(Tabular):
    """What each budget would bring; all arrays have the shape of the budgets asked for.

    price: the gain of the next unit of budget. All but the budget is nan where other limits cannot hold within it.
    """

    budget: NDArray[np.float64]
    gain: NDArray[np.float64]
    spend: NDArray[np.float64]
    price: NDArray[np.float64]

    def to_arrow(self) -> pa.Table:
        """One row for each budget, missing where other limits cannot hold: budget, gain, spend, price."""
        columns = {"budget": self.budget, "gain": self.gain, "spend": self.spend, "price": self.price}
        return pa.table({name: pa.array(column, from_pandas=True) for name, column in columns.items()})

    def plot(self, voice: Voice | None = None, chosen: tuple[float, float] | None = None) -> Any:
        """An Altair chart of what other budgets would bring, minor units. chosen: a budget and its gain, to be marked."""
        from regulars.charts import plans  # Altair takes a second to load

        points = list(zip(self.budget.tolist(), self.gain.tolist(), strict=True))
        return plans.frontier(points, chosen, voice or Voice())


def costs(problem: Problem, solver: Solver, *, choice: Choice, prices: Rows, worth: float) -> Costs:
    """See Allocation.costs. choice: offers; worth: what they are worth."""

    def without(other: Problem) -> float:
        return max(0.0, solver.solve(other, prices).worth - worth)

    limits = {
        name: without(_lifted(problem, rows)) if (prices[rows] > 0).any() else 0.0
        for name, rows in problem.rows_by_limit.items()
    }
    if not np.isinf(problem.rules.bars).any():
        return Costs(limits=limits, overrides=0.0, pairs={})
    free = replace(problem, rules=problem.rules._replace(bars=np.zeros_like(problem.rules.bars)))
    return Costs(limits=limits, overrides=without(free), pairs=_lost_to_pairs(problem, free, choice, prices))


def frontier(problem: Problem, solver: Solver, budgets: ArrayLike) -> Frontier:
    """See Allocation.frontier."""
    asked = np.atleast_1d(np.asarray(budgets, dtype=np.float64))
    if asked.ndim != 1 or not (asked >= 0).all():
        raise ValueError("budgets are amounts of 0 or more, one after the other")
    problem, row = _with_budget(problem)
    found, start = np.empty((3, len(asked))), None
    for at in np.argsort(-asked, kind="stable"):
        solution = solver.solve(problem.with_amount(row, float(asked[at])), start)
        is_kept, start = solution.sums is not None, solution.prices
        found[:, at] = (solution.gain, solution.spend, solution.prices[row]) if is_kept else np.nan
    gain, spend, price = found
    return Frontier(budget=asked, gain=gain, spend=spend, price=price)


def _lost_to_pairs(problem: Problem, free: Problem, choice: Choice, prices: Rows) -> dict[int, float]:
    """For each guest with forced or forbidden pairs what they lose by them at the prices, if anything."""
    is_barred = np.isinf(problem.rules.bars).any(axis=1)
    guests = np.flatnonzero(is_barred[free.offered.cells[:, 0]])
    part, chosen = free.take(guests), problem.actions_of(choice[guests])
    lost = {}
    for at, guest in enumerate(guests):
        values = action_values(part, prices, at)
        if (loss := float(values.max() - values[chosen[at]])) > 0:
            lost[int(guest)] = loss
    return lost


def _lifted(problem: Problem, rows: slice) -> Problem:
    """The problem without what one limit asks."""
    takes, amounts, guard = problem.rules.takes.copy(), problem.amounts.copy(), problem.guard.copy()
    takes[rows], amounts[rows], guard[rows] = 0.0, np.inf, 0.0
    return replace(problem, rules=problem.rules._replace(takes=takes), amounts=amounts, guard=guard)


def _with_budget(problem: Problem) -> tuple[Problem, int]:
    """The problem with a total budget, and its row; a new one comes last."""
    if (row := problem.budget_row()) is not None:
        return problem, row
    row = len(problem.amounts)
    takes = np.zeros((1, problem.offers, problem.rules.takes.shape[2]))
    takes[..., COST] = 1.0
    rows = np.concatenate([problem.rules.rows, np.full((1, *problem.rules.rows.shape[1:]), row, np.int32)])
    rules = problem.rules._replace(rows=rows, takes=np.concatenate([problem.rules.takes, takes]))
    limits = (*problem.limits, Limit.total(np.inf, name="budget asked for"))
    amounts, guard = np.append(problem.amounts, np.inf), np.append(problem.guard, 0.0)
    return replace(problem, limits=limits, rules=rules, amounts=amounts, guard=guard), row
