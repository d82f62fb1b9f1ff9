"""Search: what prices cannot decide when guests are few.

A choice at the prices loses, against the dual, each guest's regret (their best value less the value of what they get)
and the price of all that is left over. So an allocation that beats the one at hand has regrets below the gap, and a
depth-first search over a few guests that stops there is short. Where they are not all guests, neighbourhoods of
guests are searched one after the other, close calls more often (large neighbourhood search: Shaw 1998).
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numba
import numpy as np

from regulars.allocation.limits import FloatArray
from regulars.allocation.moves import Touched, differ, make, room, value_of
from regulars.allocation.passes import Passes
from regulars.allocation.problem import Choice, Guests, Offered, Problem, Rows, Rules, Table

FEW, MANY, TOGETHER = 1 << 16, 64, 24
GOOD_ENOUGH = 1e-4
NODES, ALL_NODES = 20_000, 6_000_000
NEIGHBOURHOODS, ROUNDS = 64, 4


class Ranked(NamedTuple):
    """The actions of some guests, best at the prices first, and how much less each is valued than the best, shape (n, actions + 1)."""

    action: Any
    regret: Any


class Held(NamedTuple):
    """The choices at hand: of each guest the action and its place among the ranked, shape (n,); what is left, shape (rows,)."""

    choice: Choice
    place: Any
    left: Rows


class Floors(NamedTuple):
    """What must be left of each row, shape (rows,); is_final: rows that are only taken from, so that nothing later can mend them."""

    least: Rows
    is_final: Any


def improve(problem: Problem, prices: Rows, choice: Choice, *, seed: int) -> Choice:
    """Search around `choice`, which keeps the limits, and change it where something better is found."""
    if problem.guests > FEW or not problem.guests or problem.nothing > MANY:
        return choice
    sums, priced = Passes(problem).add_up(choice), np.where(prices > 0, prices, 0.0)
    ranked = Ranked(*_rank(problem.offered, problem.rules, problem.weights(prices)))
    place = np.argmax(ranked.action == choice[:, None], axis=1)
    held = Held(choice, place, problem.amounts - problem.guard - problem.used(sums))
    gap = float(_regret(ranked, place).sum() + priced @ np.where(prices > 0, held.left, 0.0))
    enough = GOOD_ENOUGH * abs(float((sums @ problem.aim).sum()))
    floors = _floors(problem, held.left)
    closeness = 1e-9 + 1.0 / (1e-9 + ranked.regret[:, 1] + gap / problem.guests)
    for some in _neighbourhoods(problem, closeness, np.random.default_rng(seed)):
        gap -= _improve(problem, priced, ranked, held, floors, some[np.argsort(-ranked.regret[some, 1], kind="stable")])
        if gap <= enough:
            break
    return choice


def _improve(problem: Problem, prices: Rows, ranked: Ranked, held: Held, floors: Floors, guests: Guests) -> float:
    """Search among these guests; returns by how much the worth grew."""
    offered, rules = problem.offered, problem.rules
    rows = np.unique(rules.rows[:, offered.cells[guests], np.arange(problem.offers)])
    rows = rows[(rows >= 0) & (prices[rows] > 0)]
    here = Ranked(ranked.action[guests], ranked.regret[guests])
    gap = float(_regret(here, held.place[guests]).sum() + prices[rows] @ held.left[rows])
    worth = _worths(offered, rules, problem.weights(np.zeros_like(prices)), guests, here.action)
    nodes = ALL_NODES if problem.guests <= TOGETHER else NODES
    return float(_search(offered, rules, guests, here, worth, held, floors, (gap, nodes)))


def _regret(ranked: Ranked, place: Any) -> FloatArray:
    """How much less what these guests have is valued than the best."""
    return np.asarray(ranked.regret[np.arange(len(place)), place])


def _floors(problem: Problem, left: Rows) -> Floors:
    """What is only taken from must not fall below 0, the rest not below what is kept back; where it is there now, no further."""
    is_final = (problem.rules.takes >= 0).all(axis=(1, 2))
    return Floors(np.minimum(left, np.where(is_final, 0.0, -1.01 * problem.guard)), is_final)


def _neighbourhoods(problem: Problem, closeness: FloatArray, rng: np.random.Generator) -> Iterator[Guests]:
    """Guests to search among: some of all, and then again and again some of each cell with some of another; close calls more often.

    Guests of one cell compete for its budgets; those of another can give back what both take of the limits on everybody.
    """
    if problem.guests <= TOGETHER:
        yield np.arange(problem.guests)
        return
    for _ in range(NEIGHBOURHOODS):
        yield rng.choice(problem.guests, TOGETHER, replace=False, p=closeness / closeness.sum())
    cells = problem.offered.cells[:, 0]
    for _ in range(ROUNDS if np.ptp(cells) else 0):
        cell = rng.permutation(int(cells.max()) + 1)[cells]
        order = np.lexsort((rng.exponential(1.0 / closeness), cell))  # the first of a cell are drawn by closeness
        place = np.arange(problem.guests) - np.searchsorted(cell[order], cell[order])
        order = order[place < TOGETHER // 2]
        yield from np.split(order, range(TOGETHER, len(order), TOGETHER))


@numba.njit(cache=True, nogil=True)
def _rank(offered: Offered, rules: Rules, weights: Table) -> tuple[Any, Any]:
    """See Ranked. Each action is put in its place among those before, which is faster than sorting so few."""
    kinds = len(rules.actions) + 1
    actions, regrets = np.empty((len(offered.cells), kinds), np.int16), np.empty((len(offered.cells), kinds))
    values = np.empty(kinds)
    for i in range(len(regrets)):
        for a in range(kinds):
            value, at = value_of(offered, rules, weights, i, a), a
            while at > 0 and values[at - 1] < value:
                values[at], actions[i, at] = values[at - 1], actions[i, at - 1]
                at -= 1
            values[at], actions[i, at] = value, a
        for at in range(kinds):
            regrets[i, at] = values[0] - values[at]
    return actions, regrets


@numba.njit(cache=True, nogil=True)
def _worths(offered: Offered, rules: Rules, aims: Table, guests: Any, actions: Any) -> Any:
    """What each action of these guests is worth, of those that are not nothing."""
    worths = np.zeros(actions.shape)
    for at in range(len(guests)):
        for place in range(actions.shape[1]):
            if actions[at, place] < len(rules.actions):
                worths[at, place] = value_of(offered, rules, aims, guests[at], actions[at, place])
    return worths


@numba.njit(cache=True, nogil=True)
def _is_beyond(left: Any, touched: Touched, found: int, is_final: Any) -> bool:
    """Whether a move breaks a limit that nothing later can mend."""
    for t in range(found):  # noqa: SIM110
        if is_final[touched.row[t]] and touched.more[t] > left[touched.row[t]]:
            return True
    return False


@numba.njit(cache=True, nogil=True)
def _give_back(offered: Offered, rules: Rules, guests: Any, worth: Any, held: Held, left: Any) -> float:
    """Give back to what is left what these guests have; returns the worth that goes with it."""
    touched, gone = room(rules), 0.0
    for at in range(len(guests)):
        i = guests[at]
        gone += worth[at, held.place[i]]
        make(left, touched, differ(offered, rules, i, held.choice[i], len(rules.actions), touched))
    return gone


@numba.njit(cache=True, nogil=True)
def _search(
    offered: Offered, rules: Rules, guests: Any, ranked: Ranked, worth: Any, held: Held, floors: Floors, most: Any
) -> float:
    """Depth-first over the actions of these guests, all others staying; returns by how much the worth grew.

    ranked, worth: of these guests. most: how far below the best values to look, and how many nodes.
    """
    nothing, end, (gap, nodes) = len(rules.actions), len(guests), most
    lefts, spent, brought = np.empty((end + 1, len(held.left))), np.empty(end + 1), np.empty(end + 1)
    place, best_place = np.full(end, -1), np.full(end, -1)
    touched = room(rules)
    lefts[0], brought[0] = held.left, 0.0
    now = _give_back(offered, rules, guests, worth, held, lefts[0])
    spent[0], best, depth = 0.0, now, 0
    while depth >= 0 and nodes > 0:
        if depth == end:
            if brought[depth] > best + 1e-12 * abs(best) and (lefts[depth] >= floors.least).all():
                best = brought[depth]
                best_place[:] = place
            depth -= 1
            continue
        nodes -= 1
        place[depth] += 1
        at = place[depth]
        if at > nothing or spent[depth] + ranked.regret[depth, at] >= gap - (best - now):
            place[depth] = -1
            depth -= 1
            continue
        found = differ(offered, rules, guests[depth], nothing, ranked.action[depth, at], touched)
        if _is_beyond(lefts[depth], touched, found, floors.is_final):
            continue
        lefts[depth + 1] = lefts[depth]
        make(lefts[depth + 1], touched, found)
        spent[depth + 1] = spent[depth] + ranked.regret[depth, at]
        brought[depth + 1] = brought[depth] + worth[depth, at]
        depth += 1
    if best > now:
        _move(offered, rules, guests, ranked, best_place, held)
    return best - now


@numba.njit(cache=True, nogil=True)
def _move(offered: Offered, rules: Rules, guests: Any, ranked: Ranked, place: Any, held: Held) -> None:
    """Give these guests the actions at these places, and keep the book of what is left."""
    touched = room(rules)
    for at in range(len(guests)):
        i, a = guests[at], ranked.action[at, place[at]]
        make(held.left, touched, differ(offered, rules, i, held.choice[i], a, touched))
        held.choice[i], held.place[i] = a, place[at]
