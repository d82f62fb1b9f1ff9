"""Newton: the dual of a problem that fits in memory, minimised over prices of 0 or more.

Where a guest's best action beats their next by less than `soft`, the corner between them is rounded off: max becomes
best + (soft - margin)^2 / (4 soft) (Huber 1964), and the guest is shared between the two. The dual is then smooth, and
its curvature is the sum over those guests of what changes if they change their minds, squared:

    H = 1 / (2 soft) sum over close guests of d d',   d = takes of the best less takes of the next

which is nothing but the list of the d, whatever the number of limits. Newton's equations are solved on it by conjugate
gradients over the prices that are free to move (Bertsekas 1982; Qi and Sun 1993), damped as Levenberg and Marquardt do.
"""

from collections import deque
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from regulars.allocation.kernels import unsigned
from regulars.allocation.moves import count, differ, room, value_of
from regulars.allocation.passes import Passes
from regulars.allocation.problem import Guests, Offered, Rows, Rules, Table

STEPS, FLAT, PRECISION, ARMIJO = 60, 1e-6, 1e-9, 1e-4
WINDOW, STALLED = 14, 1e-8
DAMPING, MOST_DAMPING = 1e-4, 1e8
TURNS, CONVERGED, FARTHEST = 60, 1e-8, 4.0
BLOCK = 64


class Bend(NamedTuple):
    """The smooth dual at some prices: its value, what is used, its slope, and the changes of mind that make up its curvature."""

    value: float
    used: Rows
    slope: Rows
    rows: NDArray[np.int32]
    changes: NDArray[np.float64]

    def change(self) -> Rows:
        """How much of each row a change of mind takes or gives on average."""
        at = self.rows + 1
        sizes = np.bincount(at.ravel(), np.abs(self.changes).ravel(), len(self.used) + 1)[1:]
        counts = np.bincount(at.ravel(), minlength=len(self.used) + 1)[1:]
        return np.asarray(np.divide(sizes, counts, out=np.full(len(sizes), np.inf), where=(counts > 0) & (sizes > 0)))


def minimise(
    passes: Passes,
    prices: Rows,
    *,
    soft: float,
    unit: Rows,
    size: float,
    reach: Rows | float = np.inf,
    ceiling: Rows | None = None,
) -> Rows:
    """Prices near the lowest smooth dual, found from these on.

    unit: the size each price is likely to have; size: that of the dual. Both only say what counts as small.
    reach: how far each price may move. ceiling: the most it may be.
    """
    has_end = np.isfinite(passes.problem.amounts)
    damping, here = DAMPING, bend(passes, prices, soft)
    values = deque([here.value], maxlen=WINDOW)
    least, most = np.maximum(prices - reach, 0.0), prices + reach if ceiling is None else ceiling
    for _ in range(STEPS):
        slope = np.where(has_end, here.slope * unit, 0.0)
        free = has_end & ((prices > least) | (slope < 0)) & ((prices < most) | (slope > 0))
        if np.abs(slope[free]).max(initial=0.0) <= FLAT * size:
            break
        step = -solve_for(here, slope, free, unit, soft, damping)
        step /= max(1.0, float((np.abs(step) / (FARTHEST + prices / unit)).max()))
        if damping <= 1.0 and -float(slope @ step) <= PRECISION * size:
            break
        there = np.clip(prices + step * unit, least, most)
        found = bend(passes, there, soft)
        if found.value <= here.value + ARMIJO * float(here.slope[free] @ (there - prices)[free]):
            prices, here, damping = there, found, max(damping / 8, DAMPING)
        elif damping > MOST_DAMPING:
            break
        else:
            damping *= 16
        if len(values) == WINDOW and values[0] - here.value <= STALLED * size:
            break
        values.append(here.value)
    return prices


def bend(passes: Passes, prices: Rows, soft: float) -> Bend:
    """The smooth dual at these prices."""
    problem = passes.problem
    weights, chosen = problem.weights(prices), passes.choose(prices, soft)
    sums = chosen.sums.copy()
    width = 2 * problem.rules.rows.shape[0] * problem.rules.actions.shape[1]
    rows, changes = np.empty((len(chosen.close), width), np.int32), np.empty((len(chosen.close), width))
    value = float(np.vdot(weights, chosen.sums))
    value += _share(problem.offered, problem.rules, weights, soft, chosen.close, sums, rows, changes)
    has_end = np.isfinite(problem.amounts)
    payable = np.where(has_end, problem.amounts, 0.0)
    return Bend(value + float(prices @ payable), problem.used(sums), payable - problem.used(sums), rows, changes)


def solve_for(here: Bend, slope: Rows, free: NDArray[np.bool_], unit: Rows, soft: float, damping: float) -> Rows:
    """The Newton step on the free prices, in units of the prices."""
    return np.asarray(_solve(here.rows, here.changes, slope, free, unit, 1.0 / (2.0 * soft), damping))


@numba.njit(cache=True, nogil=True)
def best_two(offered: Offered, rules: Rules, weights: Table, guests: Guests) -> tuple[Any, Any, Any, Any]:
    """The best action of each of these guests, their next, and the values of both.

    Values are worked out in a loop of their own, and no branch depends on them: in one loop they take three times as long.
    """
    nothing = len(rules.actions)
    pick, after = np.full(len(guests), nothing), np.full(len(guests), nothing)
    best, second = np.empty(len(guests)), np.full(len(guests), -np.inf)
    values = np.empty((BLOCK, nothing))
    for first in range(0, len(guests), BLOCK):
        last = min(first + BLOCK, len(guests))
        _value_all(offered, rules, weights, guests[first:last], values)
        for at in range(first, last):
            high, next_high = rules.bars[offered.cells[guests[at], 0], nothing], -np.inf
            chosen, beaten = nothing, nothing
            for a in range(nothing):
                value = values[unsigned(at - first), unsigned(a)]
                is_best, is_next = value > high, value > next_high
                beaten = chosen if is_best else a if is_next else beaten
                next_high = high if is_best else value if is_next else next_high
                chosen = a if is_best else chosen
                high = value if is_best else high
            pick[at], after[at], best[at], second[at] = chosen, beaten, high, next_high
    return pick, after, best, second


@numba.njit(cache=True, nogil=True)
def _value_all(offered: Offered, rules: Rules, weights: Table, guests: Guests, values: Table) -> None:
    """The value of every action of these guests."""
    gain, cost, cells, bars = offered.gain, offered.cost, offered.cells, rules.bars
    pair = unsigned(1 if cells.shape[1] > 1 else 0)
    is_plain = rules.actions.shape[1] == 1 and offered.extra.shape[2] == 0
    for at in range(len(guests)):
        i = unsigned(guests[at])
        for action in range(len(rules.actions)):
            a = unsigned(action)
            if is_plain:
                c = unsigned(cells[i, a * pair])
                value = weights[c, a, unsigned(0)] * gain[i, a] + weights[c, a, unsigned(1)] * cost[i, a]
                value += weights[c, a, unsigned(2)] + bars[unsigned(cells[i, unsigned(0)]), a]
            else:
                value = value_of(offered, rules, weights, guests[at], action)
            values[unsigned(at), a] = value


@numba.njit(cache=True, nogil=True, inline="always")
def _add(offered: Offered, rules: Rules, i: int, a: int, share: float, sums: Table) -> None:
    if a < len(rules.actions):
        for s in range(rules.actions.shape[1]):
            if rules.actions[a, s] >= 0:
                count(offered, i, rules.actions[a, s], share, sums)


@numba.njit(cache=True, nogil=True)
def _share(
    offered: Offered, rules: Rules, weights: Table, soft: float, guests: Any, sums: Table, rows: Any, changes: Any
) -> float:
    """Share each of these guests between their best action and their next, as far as these are close; returns their value."""
    total = 0.0
    touched = room(rules)
    pick, after, best, second = best_two(offered, rules, weights, guests)
    for at in range(len(guests)):
        i = guests[at]
        short = max(soft - (best[at] - second[at]), 0.0)
        total += best[at] + short * short / (4.0 * soft)
        _add(offered, rules, i, pick[at], 1.0 - short / (2.0 * soft), sums)
        _add(offered, rules, i, after[at], short / (2.0 * soft), sums)
        found = differ(offered, rules, i, pick[at], after[at], touched)
        for t in range(rows.shape[1]):
            rows[at, t] = touched.row[t] if t < found else -1
            changes[at, t] = touched.more[t] if t < found else 0.0
    return total


@numba.njit(cache=True, nogil=True)
def _curve(rows: Any, changes: Any, unit: Any, free: Any, steep: float, direction: Any, curved: Any) -> None:
    """The curvature along a direction, both in units of the prices."""
    curved[:] = 0.0
    for i in range(len(rows)):
        along = 0.0
        for t in range(rows.shape[1]):
            row = rows[i, t]
            if row < 0:
                break
            along += changes[i, t] * unit[row] * direction[row]
        if along != 0.0:
            for t in range(rows.shape[1]):
                row = rows[i, t]
                if row < 0:
                    break
                if free[row]:
                    curved[row] += steep * along * changes[i, t] * unit[row]


@numba.njit(cache=True, nogil=True)
def _diagonal(rows: Any, changes: Any, unit: Any, steep: float) -> Any:
    diagonal = np.zeros(len(unit))
    for i in range(len(rows)):
        for t in range(rows.shape[1]):
            row = rows[i, t]
            if row < 0:
                break
            diagonal[row] += steep * (changes[i, t] * unit[row]) ** 2
    return diagonal


@numba.njit(cache=True, nogil=True)
def _solve(rows: Any, changes: Any, slope: Any, free: Any, unit: Any, steep: float, damping: float) -> Any:
    """(H + damping) x = slope on the free prices, by conjugate gradients preconditioned with the diagonal."""
    diagonal = _diagonal(rows, changes, unit, steep)
    ridge = damping * (diagonal + 0.1 * diagonal.max() + 0.01 * np.abs(slope).max() + 1e-300)
    diagonal += ridge
    x, residual = np.zeros(len(slope)), np.where(free, slope, 0.0)
    direction = residual / diagonal
    curved, size = np.empty(len(slope)), residual @ direction
    end = CONVERGED * size
    for _ in range(TURNS):
        if size <= end:
            break
        _curve(rows, changes, unit, free, steep, direction, curved)
        curved += ridge * direction
        length = size / (direction @ curved)
        x += length * direction
        residual -= length * curved
        smoothed = residual / diagonal
        before, size = size, residual @ smoothed
        direction = smoothed + size / before * direction
    return x
