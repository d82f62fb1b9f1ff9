"""The compiled passes: each reads every guest once and keeps nothing of them but sums.

The arrays they share (n guests, k offers, r resources: gain, cost, one and what else is counted):

    weights   (cells, k, r)       factors of the resources; their sum is the value of an offer at the prices
    bars      (cells, actions + 1)  0, or -inf where an action is out of the question; the last is nothing
    sums      (cells, k + 1, r)   totals of the resources over the chosen; the last offer is nothing
    actions   None where actions are offers, else (actions, most)
    lanes     as many entries as there are offers: a tuple, so that loops over offers are unrolled, or an array

Guests who share cells over all offers have cells of shape (n,), and where nothing extra is counted extra is None: what is
known when compiling costs nothing when running. Indices are unsigned, because a signed one is tested for being negative at
every access, which costs a third of the time.

What belongs together is handed over as a named tuple, which the compiler takes apart. Arrays for results are handed over
too, for making new ones in every block would cost more than the pass; and what may be None is an argument of its own, for
among arguments alone the compiler leaves out what can never run. So kernels take more arguments than other functions.
"""

from typing import Any, NamedTuple

import numba
import numpy as np
from numba.core import types
from numba.extending import overload

from regulars.allocation.problem import Offered

BLOCK = 512
unsigned = np.uint64


class Valuation(NamedTuple):
    """What makes an action worth more than another at some prices: see above."""

    weights: Any
    bars: Any
    actions: Any
    lanes: Any


class Aside(NamedTuple):
    """Where each guest's choice goes, and whom to list: those whose best action beats the next by at most `near`."""

    near: Any
    choice: Any
    close: Any


def _block(matrix: Any, first: int, last: int) -> Any:
    """Rows of a matrix, copied into a small one where each offer has an array of its own; None of None."""


@overload(_block)
def _block_in_numba(matrix, first, last):  # type: ignore[no-untyped-def]
    if isinstance(matrix, types.Array):
        return lambda matrix, first, last: matrix[first:last]
    if isinstance(matrix, types.NoneType):
        return lambda matrix, first, last: None

    def copied(matrix, first, last):  # type: ignore[no-untyped-def]
        rows = np.empty((last - first, len(matrix)), matrix[0].dtype)
        for j in range(len(matrix)):
            column = matrix[j]
            for i in range(last - first):
                rows[unsigned(i), unsigned(j)] = column[unsigned(first + i)]
        return rows

    return copied


@numba.njit(cache=True, nogil=True)
def _blocks(offered: Offered, first: int, last: int) -> Offered:
    gain, cost, extra, cells = offered
    return Offered(
        _block(gain, first, last), _block(cost, first, last), _block(extra, first, last), _block(cells, first, last)
    )


@numba.njit(cache=True, nogil=True)
def _cell(cells: Any, i: Any, j: Any) -> Any:
    if cells.ndim == 1:
        return unsigned(cells[i])
    return unsigned(cells[i, j])


@numba.njit(cache=True, nogil=True)
def _value(gain: Any, cost: Any, extra: Any, weights: Any, i: Any, j: Any, c: Any) -> float:
    value = (
        weights[c, j, unsigned(0)] * gain[i, j] + weights[c, j, unsigned(1)] * cost[i, j] + weights[c, j, unsigned(2)]
    )
    return value + _value_more(extra, weights, i, j, c)  # type: ignore[no-any-return]


@numba.njit(cache=True, nogil=True)
def _value_more(extra: Any, weights: Any, i: Any, j: Any, c: Any) -> float:
    value = 0.0
    if extra is not None:
        for e in range(extra.shape[2]):
            value += weights[c, j, unsigned(3 + e)] * extra[i, j, unsigned(e)]
    return value


@numba.njit(cache=True, nogil=True)
def _pick_one(block: Offered, valuation: Valuation, picks: Any) -> None:
    """Each guest's best offer or nothing; without a branch that could be mispredicted."""
    gain, cost, extra, cells = block
    weights, bars, _, lanes = valuation
    k = len(lanes)
    for at in range(len(cells)):
        i = unsigned(at)
        best = bars[_cell(cells, i, unsigned(0)), unsigned(k)]
        pick = np.int64(k)
        for j in range(k):
            value = _value(gain, cost, extra, weights, i, unsigned(j), _cell(cells, i, unsigned(j)))
            is_best = value > best
            best = value if is_best else best
            pick = np.int64(j) if is_best else pick
        picks[i] = pick


@numba.njit(cache=True, nogil=True)
def _pick_two(block: Offered, valuation: Valuation, picks: Any, margins: Any) -> None:
    """As `_pick_one`, and by how much it beats the next."""
    gain, cost, extra, cells = block
    weights, bars, _, lanes = valuation
    k = len(lanes)
    for at in range(len(cells)):
        i = unsigned(at)
        best = bars[_cell(cells, i, unsigned(0)), unsigned(k)]
        second = -np.inf
        pick = np.int64(k)
        for j in range(k):
            value = _value(gain, cost, extra, weights, i, unsigned(j), _cell(cells, i, unsigned(j)))
            is_best = value > best
            second = max(second, min(best, value))
            best = max(best, value)
            pick = np.int64(j) if is_best else pick
        picks[i] = pick
        margins[i] = best - second


@numba.njit(cache=True, nogil=True)
def _pick_sets(block: Offered, valuation: Valuation, picks: Any, margins: Any) -> None:
    """As `_pick_two`, over actions of several offers."""
    gain, cost, extra, cells = block
    weights, bars, actions, lanes = valuation
    k, count = len(lanes), len(actions)
    values = np.empty(k)
    for at in range(len(cells)):
        i = unsigned(at)
        for j in range(k):
            values[j] = _value(gain, cost, extra, weights, i, unsigned(j), _cell(cells, i, unsigned(j)))
        c = _cell(cells, i, unsigned(0))
        best, second, pick = bars[c, unsigned(count)], -np.inf, np.int64(count)
        for a in range(count):
            value = bars[c, unsigned(a)]
            for s in range(actions.shape[1]):
                if actions[a, s] >= 0:
                    value += values[actions[a, s]]
            if value > best:
                best, second, pick = value, best, np.int64(a)
            else:
                second = max(second, value)
        picks[i] = pick
        margins[i] = best - second


@numba.njit(cache=True, nogil=True)
def _pick_best(block: Offered, valuation: Valuation, actions: Any, picks: Any, margins: Any) -> None:
    if actions is None:
        _pick_one(block, valuation, picks)
    else:
        _pick_sets(block, valuation, picks, margins)


@numba.njit(cache=True, nogil=True)
def _pick(block: Offered, valuation: Valuation, actions: Any, picks: Any, margins: Any) -> None:
    """As `_pick_best`, and always by how much it beats the next."""
    if actions is None:
        _pick_two(block, valuation, picks, margins)
    else:
        _pick_sets(block, valuation, picks, margins)


@numba.njit(cache=True, nogil=True)
def _add(block: Offered, actions: Any, lanes: Any, picks: Any, sums: Any) -> None:
    """Add up what the picked actions bring and take; nothing is an offer more, so that there is no branch."""
    gain, cost, extra, cells = block
    k = len(lanes)
    for at in range(len(cells)):
        i = unsigned(at)
        if actions is None:
            _add_offer(gain, cost, extra, cells, i, picks[i], k, sums)
        else:
            for s in range(actions.shape[1]):
                offer = np.int64(actions[picks[i], s]) if picks[i] < len(actions) else np.int64(-1)
                _add_offer(gain, cost, extra, cells, i, np.int64(k) if offer < 0 else offer, k, sums)


@numba.njit(cache=True, nogil=True)
def _add_offer(gain: Any, cost: Any, extra: Any, cells: Any, i: Any, offer: Any, k: int, sums: Any) -> None:
    j, read = unsigned(offer), unsigned(min(offer, k - 1))
    c = _cell(cells, i, read)
    sums[c, j, unsigned(0)] += gain[i, read]
    sums[c, j, unsigned(1)] += cost[i, read]
    sums[c, j, unsigned(2)] += 1.0
    _add_more(extra, i, read, c, j, sums)


@numba.njit(cache=True, nogil=True)
def _add_more(extra: Any, i: Any, read: Any, c: Any, j: Any, sums: Any) -> None:
    if extra is not None:
        for e in range(extra.shape[2]):
            sums[c, j, unsigned(3 + e)] += extra[i, read, unsigned(e)]


@numba.njit(cache=True, nogil=True)
def respond(offered: Offered, valuation: Valuation, start: int, stop: int, sums: Any) -> None:
    """Let each guest take the action of highest value at the prices, and add up what they take.

    Picking and adding are loops of their own over a block that stays in the cache: together they run half as fast.
    """
    picks, margins = np.empty(BLOCK, np.int64), np.empty(BLOCK)
    for first in range(start, stop, BLOCK):
        block = _blocks(offered, first, min(first + BLOCK, stop))
        _pick_best(block, valuation, valuation.actions, picks, margins)
        _add(block, valuation.actions, valuation.lanes, picks, sums)


@numba.njit(cache=True, nogil=True)
def choose(offered: Offered, valuation: Valuation, aside: Aside, start: int, stop: int, sums: Any) -> int:
    """Write each guest's best action and add it up, but list whom to set aside.

    Those are given nothing for now; returns how many there are.
    """
    near, choice, close = aside
    picks, margins = np.empty(BLOCK, np.int64), np.empty(BLOCK)
    nothing, listed = valuation.bars.shape[1] - 1, 0
    for first in range(start, stop, BLOCK):
        last = min(first + BLOCK, stop)
        block = _blocks(offered, first, last)
        _pick(block, valuation, valuation.actions, picks, margins)
        for i in range(last - first):
            close[listed] = first + i
            is_close = margins[i] <= near
            listed += 1 if is_close else 0
            picks[i] = nothing if is_close else picks[i]
            choice[first + i] = picks[i]
        _add(block, valuation.actions, valuation.lanes, picks, sums)
    return listed


@numba.njit(cache=True, nogil=True)
def margins(offered: Offered, valuation: Valuation, start: int, stop: int, out: Any) -> None:
    """By how much each guest's best action beats their next."""
    picks = np.empty(BLOCK, np.int64)
    for first in range(start, stop, BLOCK):
        last = min(first + BLOCK, stop)
        _pick(_blocks(offered, first, last), valuation, valuation.actions, picks, out[first:last])


@numba.njit(cache=True, nogil=True)
def add_up(offered: Offered, actions: Any, lanes: Any, choice: Any, start: int, stop: int, sums: Any) -> None:
    """Add up what the chosen actions bring and take."""
    for first in range(start, stop, BLOCK):
        last = min(first + BLOCK, stop)
        block = _blocks(offered, first, last)
        _add(block, actions, lanes, choice[first:last].astype(np.int64), sums)


@numba.njit(cache=True, nogil=True)
def name_nothing(choice: Any, nothing: int, start: int, stop: int) -> None:
    """Write -1 where a choice is nothing."""
    for at in range(start, stop):
        i = unsigned(at)
        choice[i] = -1 if choice[i] == nothing else choice[i]


@numba.njit(cache=True, nogil=True)
def _is_whole(block: Any) -> bool:
    for i in range(len(block)):
        for j in range(block.shape[1]):
            if block[i, j] != np.floor(block[i, j]):
                return False
    return True


def _good(gains: Any, costs: Any) -> Any:
    """How many gains are finite with a cost that is finite and 0 or more."""


@overload(_good)
def _good_in_numba(gains, costs):  # type: ignore[no-untyped-def]
    if gains.layout == costs.layout == "C":
        return lambda gains, costs: _good_row(gains.reshape(-1), costs.reshape(-1))

    def by_column(gains, costs):  # type: ignore[no-untyped-def]
        count = 0
        for j in range(gains.shape[1]):
            count += _good_row(gains[:, j], costs[:, j])
        return count

    return by_column


@numba.njit(cache=True, nogil=True)
def _good_row(gains: Any, costs: Any) -> int:
    """As `_good`; without a branch, so that many numbers are looked at together."""
    count = np.int32(0)
    for at in range(len(gains)):
        gain, cost = gains[unsigned(at)], costs[unsigned(at)]
        is_good = (abs(gain) < np.inf) & (cost >= 0) & (cost < np.inf)
        count += np.int32(1) if is_good else np.int32(0)
    return int(count)


@numba.njit(cache=True, nogil=True)
def _free_worth(gains: Any, slope: Any, level: Any, lanes: Any) -> float:
    """The largest worth of each guest, whatever its sign, added up; in the type of the gains."""
    free = 0.0
    for at in range(len(gains)):
        best = slope - slope  # 0 in their type
        for j in range(len(lanes)):
            best = max(best, abs(slope * gains[unsigned(at), unsigned(j)] + level))
        free += best
    return free


@numba.njit(cache=True, nogil=True)
def inspect(
    gain: Any, cost: Any, slope: Any, level: Any, lanes: Any, start: int, stop: int
) -> tuple[bool, bool, bool, float]:
    """Whether all gains are finite and all costs finite and 0 or more, whether both and costs alone are whole, and the free worth.

    slope, level: what a unit of gain and an offer are worth, in the type of the gains; extra resources are not counted.
    """
    good, free = 0, 0.0
    is_gain_whole, is_cost_whole = True, True
    for first in range(start, stop, BLOCK):
        last = min(first + BLOCK, stop)
        gains, costs = _block(gain, first, last), _block(cost, first, last)
        is_gain_whole = is_gain_whole and _is_whole(gains)
        is_cost_whole = is_cost_whole and _is_whole(costs)
        good += _good(gains, costs)
        free += _free_worth(gains, slope, level, lanes)
    return good == (stop - start) * len(lanes), is_gain_whole and is_cost_whole, is_cost_whole, free
