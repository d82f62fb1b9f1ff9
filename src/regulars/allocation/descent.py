"""Descent: a smooth convex function of few variables, each 0 or more, by projected L-BFGS.

Variables at 0 that want to go lower are held (Bertsekas 1982, two-metric projection); the others move along the
quasi-Newton direction of the last steps (Nocedal 1980), the step halved until the function falls enough (Armijo).
Written out because the compiled L-BFGS-B waits a millisecond for its linear-algebra threads at every step, longer
than most of our functions take.
"""

from collections import deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Point = NDArray[np.float64]

MEMORY = 20
ARMIJO = 1e-4
HALVINGS = 25


def minimise(
    function: Callable[[Point], tuple[float, Point]], start: Point, *, steps: int, flat: float, precision: float
) -> Point:
    """The lowest point found from `start` on; `function` returns value and slope.

    Stops after `steps`, where no free slope exceeds `flat`, or where ten steps lower the function by less than `precision`.
    """
    point, (value, slope) = start, function(start)
    pairs: deque[tuple[Point, Point]] = deque(maxlen=MEMORY)
    values = deque([value], maxlen=10)
    for _ in range(steps):
        free = (point > 0) | (slope < 0)
        if not free.any() or np.abs(slope[free]).max() <= flat:
            break
        direction = np.where(free, -_inverse_curvature(pairs, np.where(free, slope, 0.0), free), 0.0)
        if direction @ slope >= 0:
            pairs.clear()
            direction = np.where(free, -slope, 0.0)
        reached = _step(function, point, value, slope, direction, is_first=not pairs)
        if reached is None and pairs:
            pairs.clear()
            continue
        if reached is None:
            break
        nearer, value, steeper = reached
        moved, bent = nearer - point, steeper - slope
        if moved @ bent > 1e-14 * np.sqrt((moved @ moved) * (bent @ bent)):
            pairs.append((moved, bent))
        point, slope = nearer, steeper
        if len(values) == values.maxlen and values[0] - value <= precision * abs(value):
            break
        values.append(value)
    return point


def _step(
    function: Callable[[Point], tuple[float, Point]],
    point: Point,
    value: float,
    slope: Point,
    direction: Point,
    *,
    is_first: bool,
) -> tuple[Point, float, Point] | None:
    """The first of ever shorter steps that falls enough, with its value and slope; None if none does."""
    length = min(1.0, 1.0 / np.abs(direction).sum()) if is_first else 1.0
    for _ in range(HALVINGS):
        there = np.maximum(point + length * direction, 0.0)
        found, steeper = function(there)
        promised = slope @ (there - point)
        if found <= value + ARMIJO * promised and promised < 0:
            return there, found, steeper
        curved = found - value - length * (slope @ direction)
        best = -0.5 * length * (slope @ direction) / curved * length if curved > 0 else 0.5 * length
        length = float(np.clip(best, 0.1 * length, 0.5 * length))
    return None


def _inverse_curvature(pairs: deque[tuple[Point, Point]], slope: Point, free: NDArray[np.bool_]) -> Point:
    """The two-loop recursion over the free variables (Nocedal and Wright, Numerical Optimization, 2006, algorithm 7.4)."""
    found = slope.copy()
    applied: list[tuple[Point, Point, float, float]] = []
    scale = 1.0
    for moved, bent in reversed(pairs):
        bend = float(moved[free] @ bent[free])
        if bend <= 0:
            continue
        part = float(moved[free] @ found[free]) / bend
        found[free] -= part * bent[free]
        if not applied:
            scale = bend / float(bent[free] @ bent[free])
        applied.append((moved, bent, bend, part))
    found *= scale
    for moved, bent, bend, part in reversed(applied):
        found[free] += (part - (bent[free] @ found[free]) / bend) * moved[free]
    return found
