"""The compiled loops over guests. Everything here is one pass over rows; all decisions live in the modules that call it.

The arrays they share (n guests, k offers, m consumptions of their own beside the cost):

    weights   (cells, k, 3 + m)   factors of gain, cost, one and extra; their sum is the value of an offer at the prices
    sums      (cells, k, 3 + m)   totals of gain, cost, one and extra over the chosen
    left      (rows,)             what each row of each limit has left
    choice    (n,)                the offer of each guest, -1 for nothing
"""

from typing import Any

import numba
import numpy as np

from regulars.allocation.problem import Offered, Rules

FAR = np.inf
BLOCK = 512


@numba.njit(cache=True, nogil=True)
def value_of(offered: Offered, weights: Any, i: int, j: int, c: int) -> float:
    value = weights[c, j, 0] * offered.gain[i, j] + weights[c, j, 1] * offered.cost[i, j] + weights[c, j, 2]
    for e in range(offered.extra.shape[2]):
        value += weights[c, j, 3 + e] * offered.extra[i, j, e]
    return value  # type: ignore[no-any-return]


@numba.njit(cache=True, nogil=True)
def _pick_best(offered: Offered, weights: Any, start: int, stop: int, picks: Any) -> None:
    """Each guest's best offer from start to stop, -1 for nothing; without a branch that could be mispredicted."""
    gain, cost, extra, cells = offered
    pair = 1 if cells.shape[1] > 1 else 0
    for i in range(start, stop):
        best = 0.0
        pick = np.int16(-1)
        for j in range(gain.shape[1]):
            c = cells[i, j * pair]
            value = weights[c, j, 0] * gain[i, j] + weights[c, j, 1] * cost[i, j] + weights[c, j, 2]
            for e in range(extra.shape[2]):
                value += weights[c, j, 3 + e] * extra[i, j, e]
            is_better = value > best
            best = value if is_better else best
            pick = np.int16(j) if is_better else pick
        picks[i - start] = pick


@numba.njit(cache=True, nogil=True)
def respond(offered: Offered, weights: Any, start: int, stop: int, sums: Any) -> None:
    """Let each guest take the offer of highest value at the prices, and add up what they take.

    Picking and adding are loops of their own over a block that stays in the cache: together they run half as fast.
    """
    gain, cost, extra, cells = offered
    pair = 1 if cells.shape[1] > 1 else 0
    picks = np.empty(BLOCK, np.int16)
    for first in range(start, stop, BLOCK):
        last = min(first + BLOCK, stop)
        _pick_best(offered, weights, first, last, picks)
        for i in range(first, last):
            j = picks[i - first]
            if j >= 0:
                c = cells[i, j * pair]
                sums[c, j, 0] += gain[i, j]
                sums[c, j, 1] += cost[i, j]
                sums[c, j, 2] += 1.0
                for e in range(extra.shape[2]):
                    sums[c, j, 3 + e] += extra[i, j, e]


@numba.njit(cache=True, nogil=True)
def _pick_two(offered: Offered, weights: Any, start: int, stop: int, picks: Any, nexts: Any, margins: Any) -> None:
    """Each guest's best action and his next best from start to stop, -1 for nothing, and by how much the one beats the other."""
    gain, cost, extra, cells = offered
    pair = 1 if cells.shape[1] > 1 else 0
    for i in range(start, stop):
        best = 0.0
        second = -FAR
        pick = np.int16(-1)
        next_pick = np.int16(-1)
        for j in range(gain.shape[1]):
            c = cells[i, j * pair]
            value = weights[c, j, 0] * gain[i, j] + weights[c, j, 1] * cost[i, j] + weights[c, j, 2]
            for e in range(extra.shape[2]):
                value += weights[c, j, 3 + e] * extra[i, j, e]
            is_best = value > best
            is_second = value > second
            next_pick = pick if is_best else (np.int16(j) if is_second else next_pick)
            second = best if is_best else (value if is_second else second)
            pick = np.int16(j) if is_best else pick
            best = value if is_best else best
        picks[i - start] = pick
        nexts[i - start] = next_pick
        margins[i - start] = best - second


@numba.njit(cache=True, nogil=True)
def margins(offered: Offered, weights: Any, out: Any) -> None:
    """By how much each guest's best action, nothing included, beats his next."""
    picks, nexts = np.empty(BLOCK, np.int16), np.empty(BLOCK, np.int16)
    for first in range(0, len(out), BLOCK):
        last = min(first + BLOCK, len(out))
        _pick_two(offered, weights, first, last, picks, nexts, out[first:last])


@numba.njit(cache=True, nogil=True)
def respond_softly(offered: Offered, weights: Any, soft: float, start: int, stop: int, sums: Any) -> float:
    """As `respond`, but a guest whose best beats his next by less than `soft` is shared between the two.

    max(best, next) becomes best + (soft - margin)^2 / (4 soft) within `soft` (Huber), which has a continuous slope. Returns
    what this adds to the total value of the shared choices.
    """
    gain, cost, extra, cells = offered
    pair = 1 if cells.shape[1] > 1 else 0
    picks, nexts, margin = np.empty(BLOCK, np.int16), np.empty(BLOCK, np.int16), np.empty(BLOCK)
    added = 0.0
    for first in range(start, stop, BLOCK):
        last = min(first + BLOCK, stop)
        _pick_two(offered, weights, first, last, picks, nexts, margin)
        for i in range(first, last):
            at = i - first
            share = 0.0
            if margin[at] < soft:
                short = soft - margin[at]
                share = short / (2.0 * soft)
                added += short * short / (4.0 * soft) + share * margin[at]
            for is_next in range(2 if share > 0.0 else 1):
                j = nexts[at] if is_next else picks[at]
                if j >= 0:
                    part = share if is_next else 1.0 - share
                    c = cells[i, j * pair]
                    sums[c, j, 0] += part * gain[i, j]
                    sums[c, j, 1] += part * cost[i, j]
                    sums[c, j, 2] += part
                    for e in range(extra.shape[2]):
                        sums[c, j, 3 + e] += part * extra[i, j, e]
    return added


@numba.njit(cache=True, nogil=True)
def share_out(offered: Offered, weights: Any, soft: float, choice: Any, owed: Any) -> None:
    """Write choices that take best and next as often as `respond_softly` shares between them, over each cell.

    owed: scratch of shape (cells, k + 1, k + 1), 0 at first: how much of the next offer the guests so far still owe.
    """
    n = len(offered.gain)
    pair = 1 if offered.cells.shape[1] > 1 else 0
    nexts, margin = np.empty(n, np.int16), np.empty(n)
    _pick_two(offered, weights, 0, n, choice, nexts, margin)
    for i in range(n):
        if margin[i] < soft:
            c = offered.cells[i, max(choice[i], nexts[i], 0) * pair]
            best, second = choice[i] + 1, nexts[i] + 1
            owed[c, best, second] += (soft - margin[i]) / (2.0 * soft)
            if owed[c, best, second] > 0.5:
                owed[c, best, second] -= 1.0
                choice[i] = nexts[i]


@numba.njit(cache=True, nogil=True)
def choose(
    offered: Offered, weights: Any, start: int, stop: int, near: float, choice: Any, close: Any, sums: Any
) -> int:
    """Write each guest's best offer and add it up, but leave at -1 those whose best beats the next by less than `near`.

    They are listed in `close`; returns how many there are.
    """
    gain, cost, extra, cells = offered
    pair = 1 if cells.shape[1] > 1 else 0
    nexts, margin = np.empty(BLOCK, np.int16), np.empty(BLOCK)
    listed = 0
    for first in range(start, stop, BLOCK):
        last = min(first + BLOCK, stop)
        _pick_two(offered, weights, first, last, choice[first:last], nexts, margin)
        for i in range(first, last):
            j = choice[i]
            if margin[i - first] < near:
                close[listed] = i
                listed += 1
                choice[i] = -1
            elif j >= 0:
                c = cells[i, j * pair]
                sums[c, j, 0] += gain[i, j]
                sums[c, j, 1] += cost[i, j]
                sums[c, j, 2] += 1.0
                for e in range(extra.shape[2]):
                    sums[c, j, 3 + e] += extra[i, j, e]
    return listed


@numba.njit(cache=True, nogil=True)
def add_up(offered: Offered, choice: Any, start: int, stop: int, sums: Any) -> None:
    """Add up what the chosen offers bring and consume."""
    gain, cost, extra, cells = offered
    pair = 1 if cells.shape[1] > 1 else 0
    for i in range(start, stop):
        j = choice[i]
        if j >= 0:
            c = cells[i, j * pair]
            sums[c, j, 0] += gain[i, j]
            sums[c, j, 1] += cost[i, j]
            sums[c, j, 2] += 1.0
            for e in range(extra.shape[2]):
                sums[c, j, 3 + e] += extra[i, j, e]


@numba.njit(cache=True, nogil=True)
def inspect(offered: Offered, start: int, stop: int) -> tuple[int, int, float, bool, bool]:
    """Look for what cannot be right.

    Returns the first guest with a gain that is no number, the first with a cost that is none or below 0 (each -1 if
    there is none), the sum of best gains, and whether gains and costs are whole.
    """
    bad_gain = -1
    bad_cost = -1
    free = 0.0
    is_gain_whole = True
    is_cost_whole = True
    for i in range(start, stop):
        best = 0.0
        for j in range(offered.gain.shape[1]):
            g = offered.gain[i, j]
            q = offered.cost[i, j]
            if not np.isfinite(g) and bad_gain < 0:
                bad_gain = i
            if not (q >= 0 and q < FAR) and bad_cost < 0:
                bad_cost = i
            is_gain_whole = is_gain_whole and g == np.floor(g)
            is_cost_whole = is_cost_whole and q == np.floor(q)
            best = max(best, g)
        free += best
    return bad_gain, bad_cost, free, is_gain_whole, is_cost_whole


@numba.njit(cache=True, nogil=True)
def use(rules: Rules, limit: int, offered: Offered, i: int, j: int) -> float:
    use = (
        rules.takes[limit, j, 0] * offered.gain[i, j]
        + rules.takes[limit, j, 1] * offered.cost[i, j]
        + rules.takes[limit, j, 2]
    )
    for e in range(offered.extra.shape[2]):
        use += rules.takes[limit, j, 3 + e] * offered.extra[i, j, e]
    return use  # type: ignore[no-any-return]


@numba.njit(cache=True, nogil=True)
def _may_change(offered: Offered, rules: Rules, left: Any, i: int, old: int, new: int) -> bool:
    """Whether guest i may change his offer: no limit ends broken that was kept, and no broken one gets worse."""
    pair = 1 if offered.cells.shape[1] > 1 else 0
    for limit in range(rules.rows.shape[0]):
        row_old = rules.rows[limit, offered.cells[i, old * pair], old] if old >= 0 else -1
        row_new = rules.rows[limit, offered.cells[i, new * pair], new] if new >= 0 else -1
        freed = use(rules, limit, offered, i, old) if row_old >= 0 else 0.0
        taken = use(rules, limit, offered, i, new) if row_new >= 0 else 0.0
        if row_old == row_new:
            if row_new >= 0 and taken > freed and left[row_new] + (freed - taken) < 0.0:
                return False
        else:
            if row_new >= 0 and taken > 0.0 and left[row_new] - taken < 0.0:
                return False
            if row_old >= 0 and freed < 0.0 and left[row_old] + freed < 0.0:
                return False
    return True


@numba.njit(cache=True, nogil=True)
def _change(offered: Offered, rules: Rules, left: Any, choice: Any, i: int, new: int) -> None:
    pair = 1 if offered.cells.shape[1] > 1 else 0
    old = choice[i]
    for limit in range(rules.rows.shape[0]):
        if old >= 0 and rules.rows[limit, offered.cells[i, old * pair], old] >= 0:
            left[rules.rows[limit, offered.cells[i, old * pair], old]] += use(rules, limit, offered, i, old)
        if new >= 0 and rules.rows[limit, offered.cells[i, new * pair], new] >= 0:
            left[rules.rows[limit, offered.cells[i, new * pair], new]] -= use(rules, limit, offered, i, new)
    choice[i] = new


@numba.njit(cache=True, nogil=True)
def downgrades(
    offered: Offered, weights: Any, guests: Any, choice: Any, near: float, at: Any, offer: Any, loss: Any
) -> int:
    """List every other action, nothing included, of the guests that loses less than `near` at the prices; returns how many."""
    k = offered.gain.shape[1]
    pair = 1 if offered.cells.shape[1] > 1 else 0
    listed = 0
    for i in guests:
        now = choice[i]
        value_now = value_of(offered, weights, i, now, offered.cells[i, now * pair]) if now >= 0 else 0.0
        for j in range(-1, k):
            value = value_of(offered, weights, i, j, offered.cells[i, j * pair]) if j >= 0 else 0.0
            if j != now and value_now - value < near:
                at[listed] = i
                offer[listed] = j
                loss[listed] = value_now - value
                listed += 1
    return listed


@numba.njit(cache=True, nogil=True)
def _relieves(offered: Offered, rules: Rules, left: Any, i: int, old: int, new: int) -> bool:
    """Whether a limit that is broken is less so after the change."""
    pair = 1 if offered.cells.shape[1] > 1 else 0
    for limit in range(rules.rows.shape[0]):
        row_old = rules.rows[limit, offered.cells[i, old * pair], old] if old >= 0 else -1
        row_new = rules.rows[limit, offered.cells[i, new * pair], new] if new >= 0 else -1
        freed = use(rules, limit, offered, i, old) if row_old >= 0 else 0.0
        taken = use(rules, limit, offered, i, new) if row_new >= 0 else 0.0
        if row_old >= 0 and left[row_old] < 0.0 and freed > (taken if row_new == row_old else 0.0):
            return True
        if row_new >= 0 and row_new != row_old and left[row_new] < 0.0 and taken < 0.0:
            return True
    return False


@numba.njit(cache=True, nogil=True)
def relieve(offered: Offered, rules: Rules, left: Any, guests: Any, offer: Any, choice: Any) -> None:
    """In the order given, make the changes that relieve a broken limit and break no other."""
    for at in range(len(guests)):
        i = guests[at]
        new = offer[at]
        if _relieves(offered, rules, left, i, choice[i], new) and _may_change(offered, rules, left, i, choice[i], new):
            _change(offered, rules, left, choice, i, new)


@numba.njit(cache=True, nogil=True)
def place(offered: Offered, weights: Any, rules: Rules, left: Any, guests: Any, choice: Any) -> None:
    """In the order given, let each guest take the best offer of positive value that still fits."""
    pair = 1 if offered.cells.shape[1] > 1 else 0
    for i in guests:
        best = 0.0
        pick = -1
        for j in range(offered.gain.shape[1]):
            value = value_of(offered, weights, i, j, offered.cells[i, j * pair])
            if value > best and _may_change(offered, rules, left, i, choice[i], j):
                best = value
                pick = j
        if pick >= 0:
            _change(offered, rules, left, choice, i, pick)


@numba.njit(cache=True, nogil=True)
def upgrades(offered: Offered, weights: Any, guests: Any, choice: Any, loss: Any, offer: Any) -> None:
    """For each guest the change that brings more gain and loses least at the prices; loss inf where there is none."""
    pair = 1 if offered.cells.shape[1] > 1 else 0
    for at in range(len(guests)):
        i = guests[at]
        old = choice[i]
        gain_now = offered.gain[i, old] if old >= 0 else 0.0
        value_now = value_of(offered, weights, i, old, offered.cells[i, old * pair]) if old >= 0 else 0.0
        loss[at] = FAR
        offer[at] = -1
        for j in range(offered.gain.shape[1]):
            if offered.gain[i, j] > gain_now:
                lost = value_now - value_of(offered, weights, i, j, offered.cells[i, j * pair])
                if lost < loss[at]:
                    loss[at] = lost
                    offer[at] = j


@numba.njit(cache=True, nogil=True)
def upgrade(offered: Offered, rules: Rules, left: Any, guests: Any, offer: Any, choice: Any) -> None:
    """In the order given, make each change that still fits and still brings more."""
    for at in range(len(guests)):
        i = guests[at]
        new = offer[at]
        gain_now = offered.gain[i, choice[i]] if choice[i] >= 0 else 0.0
        if new >= 0 and offered.gain[i, new] > gain_now and _may_change(offered, rules, left, i, choice[i], new):
            _change(offered, rules, left, choice, i, new)


@numba.njit(cache=True, nogil=True)
def best_fits(offered: Offered, rules: Rules, left: Any, guests: Any, choice: Any, best: Any) -> int:
    """One round of the single change of most gain in each cell that fits what is left; returns how many were made.

    best: scratch of shape (cells, 3): gain, guest, offer.
    """
    best[:, 0] = 0.0
    for i in guests:
        c = offered.cells[i, 0]
        gain_now = offered.gain[i, choice[i]] if choice[i] >= 0 else 0.0
        for j in range(offered.gain.shape[1]):
            if offered.gain[i, j] - gain_now > best[c, 0] and _may_change(offered, rules, left, i, choice[i], j):
                best[c, 0] = offered.gain[i, j] - gain_now
                best[c, 1] = i
                best[c, 2] = j
    changed = 0
    for c in range(len(best)):
        if best[c, 0] > 0.0:
            i = int(best[c, 1])
            j = int(best[c, 2])
            if _may_change(offered, rules, left, i, choice[i], j):
                _change(offered, rules, left, choice, i, j)
                changed += 1
    return changed
