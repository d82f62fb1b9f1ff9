"""Formulation: the problem laid out from what is given, every input checked once, with the guest, limit or shape named that is wrong."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, count
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.allocation.actions import patterns_of, possible_actions
from regulars.allocation.cells import compose
from regulars.allocation.limits import FloatArray, Limit
from regulars.allocation.matrices import as_array, as_matrices, shape_of
from regulars.allocation.options import Options
from regulars.allocation.passes import Inspection, inspect
from regulars.allocation.problem import COST, EXTRA, GAIN, ONE, Offered, Problem, Rules, guard_share


def formulate(gain: Any, cost: Any, limits: Sequence[Limit], options: Options, *, threads: int | None) -> Problem:
    """Check everything and lay it out.

    Raises ValueError naming the guest, limit or shape that is wrong, BudgetError where a limit cannot be held.
    """
    gains, costs = as_matrices(gain, cost)
    guests, offers = shape_of(gains)
    named = _with_own_names(limits)
    for limit in named:
        _check_shape(limit, guests, offers)
    actions = possible_actions(offers, options.most, options.exclusive)
    patterns = patterns_of(actions, guests, offers, forced=options.forced, forbidden=options.forbidden)
    cells = compose(named, guests, offers, pattern=patterns.index, patterns=len(patterns.bars))
    extra, takes, aim = _resources(named, options, guests, offers)
    seen = inspect(gains, costs, aim, guests=guests, offers=offers, threads=threads)
    if not seen.is_good:
        raise ValueError(_bad_guests(as_array(gains), as_array(costs)))
    amounts = np.concatenate([[], *(_amounts(limit) for limit in named)])
    return Problem(
        offered=Offered(gains, costs, extra, cells.index),
        limits=named,
        rules=Rules(
            np.ascontiguousarray(cells.rows), takes, actions, np.ascontiguousarray(patterns.bars[cells.pattern])
        ),
        aim=aim,
        amounts=amounts,
        guard=_guards(named, amounts, takes, seen, extra, guests),
        free_worth=seen.free_worth * options.most,
        is_cost_whole=seen.is_cost_whole,
    )


def _with_own_names(limits: Sequence[Limit]) -> tuple[Limit, ...]:
    """The limits, a second one of the same name being called `name 2`."""
    named: dict[str, Limit] = {}
    for limit in limits:
        if not isinstance(limit, Limit):
            raise TypeError(f"{limit!r} is no Limit; use Limit.total, Limit.per_group or Limit.per_offer")
        names = chain([limit.name], (f"{limit.name} {number}" for number in count(2)))
        name = next(name for name in names if name not in named)
        named[name] = limit if name == limit.name else replace(limit, name=name)
    return tuple(named.values())


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


def _resources(
    limits: Sequence[Limit], options: Options, guests: int, offers: int
) -> tuple[FloatArray, NDArray[np.float64], NDArray[np.float64]]:
    """The matrices beside gain and cost, what each row takes of each resource, and what each resource is worth."""
    own = [limit.consumption for limit in limits if _is_own_matrix(limit) and limit.consumption is not None]
    if options.gain_se is not None and options.caution:
        own.append(_as_errors(options.gain_se, guests, offers))
    wide = [np.broadcast_to(matrix, (guests, offers)) for matrix in own]
    extra = np.empty((guests, offers, 0)) if not wide else wide[0][:, :, None] if len(wide) == 1 else np.stack(wide, 2)
    aim = np.zeros(EXTRA + len(own))
    aim[GAIN], aim[ONE] = 1.0, -options.contact_price
    if options.gain_se is not None and options.caution:
        aim[-1] = -options.caution
    takes, place = [], EXTRA
    for limit in limits:
        takes.append(_takes(limit, offers, len(aim), place))
        place += _is_own_matrix(limit)
    return extra, np.concatenate([np.zeros((0, offers, len(aim))), *takes]), aim


def _as_errors(gain_se: ArrayLike, guests: int, offers: int) -> FloatArray:
    errors = np.asarray(gain_se, dtype=None if getattr(gain_se, "dtype", None) in (np.float32, np.float64) else float)
    if errors.shape != (guests, offers) or not (np.isfinite(errors) & (errors >= 0)).all():
        raise ValueError(
            f"gain_se of shape {errors.shape} must be finite numbers of 0 or more, shape {(guests, offers)}"
        )
    return errors


def _takes(limit: Limit, offers: int, resources: int, place: int) -> NDArray[np.float64]:
    """What each row of one limit takes, shape (rows, k, resources); what must be reached counts below 0."""
    take = np.zeros((len(limit.amounts), offers, resources))
    if limit.kind == "returns":
        take[..., GAIN], take[..., COST] = -1.0, limit.amounts[:, None]
        return take
    if limit.consumption is None:
        take[..., COST] = 1.0
    elif _is_own_matrix(limit):
        take[..., place] = 1.0
    else:
        take[..., ONE] = limit.consumption
    return take if limit.kind == "most" else -take


def _amounts(limit: Limit) -> NDArray[np.float64]:
    if limit.kind == "returns":
        return np.zeros_like(limit.amounts)
    return limit.amounts if limit.kind == "most" else -limit.amounts


def _guards(
    limits: Sequence[Limit], amounts: NDArray[np.float64], takes: NDArray[np.float64], seen: Inspection,
    extra: FloatArray, guests: int,
) -> NDArray[np.float64]:  # fmt: skip
    """What to keep back of each row: nothing where all that it takes is whole, so that sums are exact."""
    is_whole = np.array([seen.is_whole, seen.is_cost_whole, True, *map(_is_whole, np.moveaxis(extra, 2, 0))])
    touched = (takes != 0).any(axis=1)
    is_exact = (is_whole | ~touched).all(axis=1) & (takes * 1024 == np.floor(takes * 1024)).all(axis=(1, 2))
    is_return = np.repeat([limit.kind == "returns" for limit in limits], [len(limit.amounts) for limit in limits])
    size = np.where(is_return, 2 * seen.free_worth, np.where(np.isfinite(amounts), np.abs(amounts), 0.0))
    return np.where(is_exact, 0.0, guard_share(guests) * size)


def _is_whole(matrix: FloatArray) -> bool:
    return bool((matrix == np.floor(matrix)).all())


def _bad_guests(gain: FloatArray, cost: FloatArray) -> str:
    """Which guests have numbers that cannot be, the first ones by name."""
    is_bad = ~np.isfinite(gain)
    what, matrix, mend = "gain", gain, "not a finite number; impute it or leave the guest out"
    if not is_bad.any():
        is_bad = ~(np.isfinite(cost) & (cost >= 0))
        what, matrix, mend = "cost", cost, "not a finite number of 0 or more; an offer costs 0 or more"
    guests, offers = np.nonzero(is_bad)
    others = np.unique(guests)[1:]
    more = f" (and {len(others)} more guests: {_some(others)})" if len(others) else ""
    return f"{what} of guest {guests[0]}, offer {offers[0]} is {matrix[guests[0], offers[0]]:g}{more}: {mend}"


def _some(guests: NDArray[np.int64]) -> str:
    return ", ".join(str(guest) for guest in guests[:5]) + (", ..." if len(guests) > 5 else "")
