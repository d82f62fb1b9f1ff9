"""Exploring: an allocation mixed with chance, within the same limits, so that the propensity of every action is known
exactly.

Each guest is treated, explores or is held out, with shares t, e and h. The treated get what the allocation gives
them, so they stay within its limits; what the others leave is there to explore with. Guests who explore come in
random order, and each draws among nothing and the offers that still fit, so no limit is ever broken and nothing is
taken back afterwards. With c the choice of the allocation for guest i and q(a) his chance of drawing a when his turn
comes, he gets

    an offer a   with probability   t [a = c] + e q(a)
    nothing      with probability   t [c = nothing] + e q(nothing) + h

q is computed for everybody, as if he were the one to explore. It depends on the arms of the others and on draws
before his, never on his own, so 1 / propensity weights are unbiased, as in any sequentially randomised experiment
(van der Laan 2008; Hadad et al. 2021).
"""

from dataclasses import dataclass, replace
from typing import Any

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.allocation.matrices import as_array
from regulars.allocation.moves import use
from regulars.allocation.problem import Choice, Guests, Offered, Problem, Rows, Rules, Table

ARMS = ("treated", "explore", "holdout")
TREATED, EXPLORE, HOLDOUT = range(3)
RESERVE = 0.9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Experiment:
    """What each guest gets and how probable that was; every array has shape (n,).

    arm: treated, explore or holdout.
    action: the offer, -1 for nothing.
    propensity: the probability of that action, given what was drawn before.
    """

    arm: NDArray[np.str_]
    action: Choice
    propensity: NDArray[np.float64]


def explore(
    problem: Problem,
    choice: Choice,
    *,
    share: float,
    holdout: float,
    arm: ArrayLike | None,
    allowed: ArrayLike | None,
    rng: np.random.Generator,
) -> Experiment:
    """Mix the choices with chance; see Allocation.explore. choice: offers, -1 for nothing, shape (n,)."""
    if not problem.is_single:
        raise ValueError("guests may get several offers here; exploring draws one, so solve with most=1 to explore")
    offered = problem.offered
    problem = replace(problem, offered=offered._replace(gain=as_array(offered.gain), cost=as_array(offered.cost)))
    shares = _shares(share, holdout)
    may = _as_allowed(allowed, problem)
    arms = _draw_arms(problem.guests, shares, rng) if arm is None else _as_arms(arm, problem.guests)
    action = np.where(arms == TREATED, choice, -1).astype(np.int16)
    left = problem.amounts - problem.guard - problem.used(_totals(problem, action))
    factor = _factors(problem, choice, may, shares)
    propensity = np.empty(problem.guests)
    order, luck = rng.permutation(problem.guests), rng.random(problem.guests)
    _draw(problem.offered, problem.rules, order, luck, arms, choice, may, factor, shares, left, action, propensity)
    return Experiment(arm=np.asarray(ARMS)[arms], action=action, propensity=propensity)


def _shares(share: float, holdout: float) -> NDArray[np.float64]:
    if not (share >= 0 and holdout >= 0 and share + holdout <= 1):
        raise ValueError(
            f"share {share} and holdout {holdout} are parts of one whole; give two numbers of 0 or more, together at most 1"
        )
    return np.array([1.0 - share - holdout, share, holdout])


def _as_allowed(allowed: ArrayLike | None, problem: Problem) -> NDArray[np.bool_]:
    offers = problem.offers
    is_open = problem.rules.bars[:, :-1] == 0
    if allowed is None and is_open.all():
        return np.ones((1, offers), np.bool_)
    if allowed is None:
        return np.ascontiguousarray(is_open[problem.offered.cells[:, 0]])
    array = np.asarray(allowed)
    if array.dtype != np.bool_ or array.shape != (problem.guests, offers):
        raise ValueError(
            f"allowed is {array.dtype} of shape {array.shape}; give true or false, shape {(problem.guests, offers)}"
        )
    return np.ascontiguousarray(array & is_open[problem.offered.cells[:, 0]])


def _draw_arms(guests: int, shares: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int8]:
    return np.minimum(np.searchsorted(np.cumsum(shares), rng.random(guests), side="right"), HOLDOUT).astype(np.int8)


def _as_arms(arm: ArrayLike, guests: int) -> NDArray[np.int8]:
    array = np.asarray(arm)
    codes = np.full(array.shape, -1, np.int8)
    for code, name in enumerate(ARMS):
        codes[array == name] = code
    if array.shape != (guests,) or (codes < 0).any():
        raise ValueError(f"arm of shape {array.shape} must name one of {', '.join(ARMS)} for each of {guests} guests")
    return codes


def _totals(problem: Problem, action: Choice) -> Table:
    sums = np.zeros(problem.table_shape)
    _add_shares(problem.offered, action[:, None] == np.arange(problem.offered.gain.shape[1]), sums, 0.0)
    return sums


def _factors(problem: Problem, choice: Choice, may: NDArray[np.bool_], shares: NDArray[np.float64]) -> Table:
    """How much rarer than even an offer is drawn so that exploration is expected to fit, shape (cells, k)."""
    even = np.zeros(problem.table_shape)
    _add_shares(problem.offered, may, even, 1.0)
    free = problem.amounts - shares[TREATED] * problem.used(_totals(problem, choice))
    asked = shares[EXPLORE] * problem.used(even)
    spare = RESERVE * np.maximum(free, 0.0)
    part = np.divide(spare, asked, out=np.ones_like(free), where=asked > spare)
    part[~_is_consumed(problem)] = 1.0
    factors: Table = np.concatenate([[1.0], part])[problem.rules.rows + 1].min(axis=0, initial=1.0)
    return factors


def _is_consumed(problem: Problem) -> NDArray[np.bool_]:
    """Rows that choices only take from, unlike a floor of return that good choices also add to, shape (rows,)."""
    is_consumed: NDArray[np.bool_] = (problem.rules.takes >= 0).all(axis=(1, 2))
    return is_consumed


@numba.njit(cache=True, nogil=True)
def _add_shares(offered: Offered, given: Any, sums: Any, nothing: float) -> None:
    """Add up the offers each guest is given, in equal shares; `nothing` counts as so many offers more."""
    pair = 1 if offered.cells.shape[1] > 1 else 0
    own = 1 if given.shape[0] > 1 else 0
    for i in range(len(offered.gain)):
        count = nothing
        for j in range(given.shape[1]):
            count += 1.0 if given[i * own, j] else 0.0
        for j in range(given.shape[1]):
            if given[i * own, j]:
                c = offered.cells[i, j * pair]
                sums[c, j, 0] += offered.gain[i, j] / count
                sums[c, j, 1] += offered.cost[i, j] / count
                sums[c, j, 2] += 1.0 / count
                for e in range(offered.extra.shape[2]):
                    sums[c, j, 3 + e] += offered.extra[i, j, e] / count


@numba.njit(cache=True, nogil=True)
def _fits(offered: Offered, rules: Rules, left: Any, i: int, j: int, own: int) -> bool:
    """Whether offer j still fits at guest i, once his own treatment (offer `own`, -1 for none) is given back."""
    pair = 1 if offered.cells.shape[1] > 1 else 0
    for limit in range(rules.rows.shape[0]):
        row = rules.rows[limit, offered.cells[i, j * pair], j]
        taken = use(offered, rules, row, i, j) if row >= 0 else 0.0
        if taken <= 0.0 or rules.takes[row].min() < 0.0:
            continue
        back = 0.0
        if own >= 0 and rules.rows[limit, offered.cells[i, own * pair], own] == row:
            back = use(offered, rules, row, i, own)
        if taken > left[row] + back:
            return False
    return True


@numba.njit(cache=True, nogil=True)
def _picked(chance: Any, luck: float) -> int:
    """Which of the options a number in [0, 1) falls on."""
    pick = 0
    while pick < len(chance) - 1 and luck >= chance[pick]:
        luck -= chance[pick]
        pick += 1
    return pick


@numba.njit(cache=True, nogil=True)
def _draw(
    offered: Offered,
    rules: Rules,
    order: Guests,
    luck: Any,
    arms: Any,
    choice: Choice,
    may: Any,
    factor: Table,
    shares: Any,
    left: Rows,
    action: Choice,
    propensity: Any,
) -> None:
    """Let those who explore draw in this order, and write everybody's action and its probability."""
    k = offered.gain.shape[1]
    pair = 1 if offered.cells.shape[1] > 1 else 0
    own = 1 if may.shape[0] > 1 else 0
    chance = np.empty(k + 1)
    for i in order:
        treatment = choice[i] if arms[i] == TREATED else -1
        even = 1.0 / (1.0 + may[i * own].sum())
        chance[k] = 1.0
        for j in range(k):
            is_open = may[i * own, j] and _fits(offered, rules, left, i, j, treatment)
            chance[j] = even * factor[offered.cells[i, j * pair], j] if is_open else 0.0
            chance[k] -= chance[j]
        if arms[i] == EXPLORE:
            pick = _picked(chance, luck[i])
            if pick < k:
                action[i] = pick
                for limit in range(rules.rows.shape[0]):
                    row = rules.rows[limit, offered.cells[i, pick * pair], pick]
                    if row >= 0:
                        left[row] -= use(offered, rules, row, i, pick)
        given = action[i]
        propensity[i] = shares[EXPLORE] * chance[given if given >= 0 else k]
        propensity[i] += shares[TREATED] if given == choice[i] else 0.0
        propensity[i] += shares[HOLDOUT] if given < 0 else 0.0
