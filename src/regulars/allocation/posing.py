"""Posing the problem: every input checked once, with the guest, limit or shape named that is wrong."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.allocation.cells import compose
from regulars.allocation.limits import FloatArray, Limit
from regulars.allocation.passes import Passes
from regulars.allocation.problem import COST, EPS, EXTRA, GAIN, ONE, RETURN, Offered, Problem, Rules


def pose(
    gain: ArrayLike, cost: ArrayLike, limits: Sequence[Limit], *, min_roi: float | None, threads: int | None
) -> Problem:
    """Check everything and lay it out.

    Raises ValueError naming the guest, limit or shape that is wrong, BudgetError where a limit cannot be held.
    """
    gains, costs = _as_matrices(gain, cost)
    named = _with_own_names(limits)
    for limit in named:
        _check_shape(limit, *gains.shape)
    cells = compose(named, *gains.shape)
    extra, takes = _consumptions(named, gains)
    offered = Offered(gains, costs, extra, cells.index)
    seen = Passes(offered, (*cells.rows.shape[1:], takes.shape[2]), threads=threads).inspect()
    if seen.bad_gain >= 0:
        raise ValueError(_bad_guests("gain", gains, "not a finite number; impute it or leave the guest out"))
    if seen.bad_cost >= 0:
        raise ValueError(_bad_guests("cost", costs, "not a finite number of 0 or more; an offer costs 0 or more"))
    rows, amounts = cells.rows, np.concatenate([[], *(limit.amounts for limit in named)])
    whole = [_is_whole(take, seen.is_cost_whole, extra) for take in takes]
    guard = np.repeat([0.0 if w else 4 * EPS * len(gains) for w in whole], [len(limit.amounts) for limit in named])
    guard = guard * np.where(np.isfinite(amounts), amounts, 0.0)
    if min_roi is not None:
        rows, takes = _with_floor(rows, takes, min_roi, len(amounts))
        is_exact = seen.is_gain_whole and seen.is_cost_whole and float(min_roi * 1024).is_integer()
        guard = np.append(guard, 0.0 if is_exact else 8 * EPS * len(gains) * seen.free_gain)
        amounts = np.append(amounts, 0.0)
    return Problem(
        offered=offered,
        limits=named,
        rules=Rules(np.ascontiguousarray(rows), takes),
        amounts=amounts,
        guard=guard,
        free_gain=seen.free_gain,
        is_cost_whole=seen.is_cost_whole,
        min_roi=min_roi,
    )


def _as_matrices(gain: ArrayLike, cost: ArrayLike) -> tuple[FloatArray, FloatArray]:
    gains, costs = (_as_floats(array) for array in (gain, cost))
    if gains.ndim != 2 or gains.shape != costs.shape:
        raise ValueError(f"gain has shape {gains.shape} and cost {costs.shape}; both are (guests, offers)")
    if gains.shape[1] > np.iinfo(np.int16).max:
        raise ValueError(f"{gains.shape[1]} offers are more than a choice can name; at most {np.iinfo(np.int16).max}")
    common = np.result_type(gains, costs)
    return gains.astype(common, copy=False), costs.astype(common, copy=False)


def _as_floats(values: ArrayLike) -> FloatArray:
    array = np.asarray(values)
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    return array if array.flags.c_contiguous or array.flags.f_contiguous else np.ascontiguousarray(array)


def _with_own_names(limits: Sequence[Limit]) -> tuple[Limit, ...]:
    """The limits, a second one of the same name being called `name 2`."""
    seen: dict[str, int] = {RETURN: 1}
    named = []
    for limit in limits:
        if not isinstance(limit, Limit):
            raise TypeError(f"{limit!r} is no Limit; use Limit.total, Limit.per_group or Limit.per_offer")
        seen[limit.name] = seen.get(limit.name, 0) + 1
        named.append(limit if seen[limit.name] == 1 else replace(limit, name=f"{limit.name} {seen[limit.name]}"))
    return tuple(named)


def _check_shape(limit: Limit, guests: int, offers: int) -> None:
    group = limit.group.shape
    if len(group) == 1 and group != (guests,):
        raise ValueError(f"limit {limit.name!r} groups {group[0]} guests, but there are {guests}")
    if len(group) == 2 and (group[0] not in (1, guests) or group[1] not in (1, offers)):
        what = (
            f"has {group[1]} amounts, but there are {offers} offers"
            if group[0] == 1
            else f"has groups of shape {group}"
        )
        raise ValueError(f"limit {limit.name!r} {what}; the problem is {guests} guests by {offers} offers")
    if limit.scope is not None and limit.scope.shape != (guests,):
        raise ValueError(f"limit {limit.name!r} has a scope over {len(limit.scope)} guests, but there are {guests}")
    if limit.consumption is not None:
        try:
            np.broadcast_to(limit.consumption, (guests, offers))
        except ValueError as error:
            raise ValueError(
                f"limit {limit.name!r} has consumption of shape {limit.consumption.shape}, "
                f"which does not broadcast to {(guests, offers)}"
            ) from error


def _is_own_matrix(limit: Limit) -> bool:
    """Whether consumption differs between guests, so that it has to be read row by row."""
    return limit.consumption is not None and limit.consumption.ndim == 2 and limit.consumption.shape[0] > 1


def _consumptions(limits: Sequence[Limit], gains: FloatArray) -> tuple[FloatArray, NDArray[np.float64]]:
    """The matrices beside the cost, shape (n, k, m), and what each limit takes of each resource."""
    own = [limit for limit in limits if _is_own_matrix(limit)]
    matrices = [np.broadcast_to(limit.consumption, gains.shape) for limit in own if limit.consumption is not None]
    extra = np.stack(matrices, axis=2) if own else np.zeros((*gains.shape, 0), gains.dtype)
    takes = np.zeros((len(limits), gains.shape[1], EXTRA + len(own)))
    place = EXTRA
    for take, limit in zip(takes, limits, strict=True):
        if limit.consumption is None:
            take[:, COST] = 1.0
        elif not _is_own_matrix(limit):
            take[:, ONE] = limit.consumption
        else:
            take[:, place] = 1.0
            place += 1
    return extra, takes


def _is_whole(take: NDArray[np.float64], is_cost_whole: bool, extra: FloatArray) -> bool:
    matrices = np.flatnonzero(take[:, EXTRA:].any(axis=0))
    return bool(
        (is_cost_whole or not take[:, COST].any())
        and (take[:, ONE] == np.floor(take[:, ONE])).all()
        and all((extra[..., m] == np.floor(extra[..., m])).all() for m in matrices)
    )


def _with_floor(
    rows: NDArray[np.int32], takes: NDArray[np.float64], min_roi: float, row: int
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """One more row: min_roi times the cost less the gain may not exceed 0."""
    if not (np.isfinite(min_roi) and min_roi >= 0):
        raise ValueError(f"min_roi is {min_roi}; give a finite return of 0 or more, such as 1.5")
    floor = np.zeros((1, *takes.shape[1:]))
    floor[..., GAIN], floor[..., COST] = -1.0, min_roi
    everybody = np.full((1, *rows.shape[1:]), row, np.int32)
    return np.concatenate([rows, everybody]), np.concatenate([takes, floor])


def _bad_guests(what: str, matrix: FloatArray, mend: str) -> str:
    bad = ~np.isfinite(matrix) if what == "gain" else ~((matrix >= 0) & (matrix < np.inf))
    guests, offers = np.nonzero(bad)
    others = len(np.unique(guests)) - 1
    more = f" (and {others} more guests)" if others else ""
    return f"{what} of guest {guests[0]}, offer {offers[0]} is {matrix[guests[0], offers[0]]:g}{more}: {mend}"
