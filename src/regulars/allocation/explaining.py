"""Explaining: why a guest gets what he gets, and what each limit and each override costs."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from regulars.allocation.answer import Costs, Explanation, Frontier
from regulars.allocation.limits import Limit
from regulars.allocation.moves import value_of
from regulars.allocation.problem import COST, Problem, Rows
from regulars.allocation.settling import settle

if TYPE_CHECKING:
    from regulars.allocation.answer import Allocation


def explain(allocation: "Allocation", guest: int) -> Explanation:
    """See Allocation.explain."""
    problem = allocation.problem.take(np.array([guest]))
    chosen = int(allocation.problem.actions_of(allocation.choice[guest : guest + 1])[0])
    values = _values(problem, _rows(allocation), 0)
    others = np.delete(np.arange(len(values)), chosen)
    second = int(others[np.argmax(values[others])])
    return Explanation(
        chosen=_named(problem, chosen),
        runner_up=_named(problem, second),
        value=float(values[chosen]),
        lost_by=float(values[chosen] - values[second]),
    )


def frontier(allocation: "Allocation", budgets: ArrayLike) -> Frontier:
    """See Allocation.frontier."""
    asked = np.atleast_1d(np.asarray(budgets, dtype=np.float64))
    if asked.ndim != 1 or not (asked >= 0).all():
        raise ValueError("budgets are amounts of 0 or more, one after the other")
    problem, row = _with_budget(allocation.problem)
    found, start = np.empty((3, len(asked))), None
    for at in np.argsort(-asked, kind="stable"):
        settled = settle(
            problem.with_amount(row, float(asked[at])), seed=allocation.seed, threads=allocation.threads, start=start
        )
        is_kept, start = settled.sums is not None, settled.prices
        found[:, at] = (settled.gain, settled.spend, settled.prices[row]) if is_kept else np.nan
    return Frontier(asked, *found)


def costs(allocation: "Allocation") -> Costs:
    """See Allocation.costs."""
    problem, rows = allocation.problem, _rows(allocation)

    def without(other: Problem) -> float:
        settled = settle(other, seed=allocation.seed, threads=allocation.threads, start=rows)
        return max(0.0, settled.worth - allocation.worth)

    limits, first = {}, 0
    for limit in problem.limits:
        mine = slice(first, first + len(limit.amounts))
        first = mine.stop
        is_free = not (rows[mine] > 0).any()
        limits[limit.name] = 0.0 if is_free else without(_lifted(problem, mine))
    if not np.isinf(problem.rules.bars).any():
        return Costs(limits, 0.0, {})
    free = replace(problem, rules=problem.rules._replace(bars=np.zeros_like(problem.rules.bars)))
    return Costs(limits, without(free), _overridden(allocation, free))


def _overridden(allocation: "Allocation", free: Problem) -> dict[int, float]:
    """For each guest with forced or forbidden pairs what they lose him at the prices, if anything."""
    is_barred = np.isinf(allocation.problem.rules.bars).any(axis=1)
    guests = np.flatnonzero(is_barred[free.offered.cells[:, 0]])
    part = free.take(guests)
    chosen = allocation.problem.actions_of(allocation.choice[guests])
    lost = {}
    for at, guest in enumerate(guests):
        values = _values(part, _rows(allocation), at)
        if (loss := float(values.max() - values[chosen[at]])) > 0:
            lost[int(guest)] = loss
    return lost


def _values(problem: Problem, prices: Rows, guest: int) -> np.ndarray:
    """What each action and at last nothing is worth at this guest at the prices."""
    weights = problem.weights(prices)
    return np.array([value_of(problem.offered, problem.rules, weights, guest, a) for a in range(problem.nothing + 1)])


def _named(problem: Problem, action: int) -> int | tuple[int, ...]:
    if problem.is_single:
        return action if action < problem.nothing else -1
    return tuple(int(j) for j in problem.rules.actions[action] if j >= 0) if action < problem.nothing else ()


def _rows(allocation: "Allocation") -> Rows:
    return np.concatenate([[], *allocation.prices.values()])


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
