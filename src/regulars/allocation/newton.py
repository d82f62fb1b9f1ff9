"""Newton: the dual of a problem that fits in memory, minimised over prices of 0 or more.

Where a guest's best action beats his next by less than `soft`, the corner between them is rounded off: max becomes
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

from regulars.allocation.moves import differ, value_of
from regulars.allocation.passes import Passes
from regulars.allocation.problem import Offered, Rows, Rules, Table

STEPS, FLAT, PRECISION, ARMIJO = 60, 1e-6, 1e-9, 1e-4
WINDOW, STALLED = 14, 1e-8
DAMPING, MOST_DAMPING = 1e-4, 1e8
TURNS, CONVERGED, FARTHEST = 60, 1e-8, 4.0


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
def best_two(offered: Offered, rules: Rules, weights: Table, i: int) -> tuple[int, int, float, float]:
    """Guest i's best action and his next, and their values."""
    nothing = len(rules.actions)
    is_single, pair = rules.actions.shape[1] == 1, 1 if offered.cells.shape[1] > 1 else 0
    pick, after, best, second = nothing, nothing, rules.bars[offered.cells[i, 0], nothing], -np.inf
    for a in range(nothing):
        if is_single and offered.extra.shape[2] == 0:
            w, c = weights[offered.cells[i, a * pair], a], offered.cells[i, 0]
            value = w[0] * offered.gain[i, a] + w[1] * offered.cost[i, a] + w[2] + rules.bars[c, a]
        else:
            value = value_of(offered, rules, weights, i, a)
        if value > best:
            pick, after, best, second = a, pick, value, best
        elif value > second:
            after, second = a, value
    return pick, after, best, second


@numba.njit(cache=True, nogil=True)
def _add(offered: Offered, rules: Rules, i: int, a: int, share: float, sums: Table) -> None:
    pair = 1 if offered.cells.shape[1] > 1 else 0
    if a >= len(rules.actions):
        return
    for s in range(rules.actions.shape[1]):
        j = rules.actions[a, s]
        if j >= 0:
            c = offered.cells[i, j * pair]
            sums[c, j, 0] += share * offered.gain[i, j]
            sums[c, j, 1] += share * offered.cost[i, j]
            sums[c, j, 2] += share
            for e in range(offered.extra.shape[2]):
                sums[c, j, 3 + e] += share * offered.extra[i, j, e]


@numba.njit(cache=True, nogil=True)
def _share(
    offered: Offered, rules: Rules, weights: Table, soft: float, guests: Any, sums: Table, rows: Any, changes: Any
) -> float:
    """Share each of these guests between his best action and his next, as far as these are close; returns their value."""
    total = 0.0
    more, row = np.empty(rows.shape[1]), np.empty(rows.shape[1], np.int64)
    for at in range(len(guests)):
        i = guests[at]
        pick, after, best, second = best_two(offered, rules, weights, i)
        short = max(soft - (best - second), 0.0)
        total += best + short * short / (4.0 * soft)
        _add(offered, rules, i, pick, 1.0 - short / (2.0 * soft), sums)
        _add(offered, rules, i, after, short / (2.0 * soft), sums)
        touched = differ(offered, rules, i, pick, after, row, more)
        for t in range(rows.shape[1]):
            rows[at, t] = row[t] if t < touched else -1
            changes[at, t] = more[t] if t < touched else 0.0
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
