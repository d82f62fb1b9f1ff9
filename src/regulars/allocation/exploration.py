"""Exploration: an allocation mixed with chance, within the same limits, so that the propensity of every action is known
exactly.

Each guest is treated, explores or is held out, with shares t, e and h. The treated get what the allocation gives
them, so they stay within its limits; what the others leave is there to explore with. Guests who explore come in
random order, and each draws among nothing and the actions that still fit, an action being an offer, or a set of them where a
guest may get several. So no limit is ever broken and nothing is taken back afterwards. With c the choice of the allocation
for guest i and q(a) their chance of drawing a when their turn comes, they get

    an action a  with probability   t [a = c] + e q(a)
    nothing      with probability   t [c = nothing] + e q(nothing) + h

q is computed for everybody, as if they were the one to explore. It depends on the arms of the others and on draws
before theirs, never on their own, so 1 / propensity weights are unbiased, as in any sequentially randomised experiment
(van der Laan 2008; Hadad et al. 2021).
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numba
import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from regulars.allocation.matrices import as_array, kinds_of
from regulars.allocation.moves import Touched, count, differ, make, room
from regulars.allocation.passes import Passes
from regulars.allocation.problem import Choice, Guests, Offered, Problem, Rows, Rules, Table
from regulars.tabular import Tabular

ARMS = ("treated", "explore", "holdout")
TREATED, EXPLORE, HOLDOUT = range(3)
RESERVE = 0.9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Experiment(Tabular):
    """What each guest gets and how probable that was.

    arm: treated, explore or holdout, shape (n,).
    action: the offer, -1 for nothing, shape (n,); shape (n, most) where a guest may get several.
    propensity: the probability of that action, given what was drawn before, shape (n,).
    """

    arm: NDArray[np.str_]
    action: Choice
    propensity: NDArray[np.float64]

    def to_arrow(self) -> pa.Table:
        """One row for each guest, in order: arm, action (a list where a guest may get several), propensity."""
        action = (
            pa.array(self.action) if self.action.ndim == 1 else pa.array(self.action.tolist(), pa.list_(pa.int16()))
        )
        return pa.table(
            {"arm": pa.array(self.arm.tolist(), pa.string()), "action": action, "propensity": self.propensity}
        )


class Eligible(NamedTuple):
    """What may be drawn: guests of one kind may draw the same. kind: of each guest, shape (n,); is_open: shape (kinds, actions)."""

    kind: NDArray[np.int64]
    is_open: NDArray[np.bool_]


class Spare(NamedTuple):
    """What exploration may use up.

    left: of each row, shape (rows,). is_spent: rows that choices only take from, unlike a floor of return that good choices
    also add to, shape (rows,). factor: how much rarer than even an offer is drawn, shape (cells, k).
    """

    left: Rows
    is_spent: NDArray[np.bool_]
    factor: Table


class Lottery(NamedTuple):
    """What was drawn by lot before anybody explores, each of shape (n,); luck: numbers in [0, 1). shares: of the arms."""

    arm: NDArray[np.int8]
    order: Guests
    luck: NDArray[np.float64]
    shares: NDArray[np.float64]


def explore(
    problem: Problem,
    choice: Choice,
    *,
    share: float,
    holdout: float,
    arm: ArrayLike | None,
    rng: np.random.Generator,
) -> Experiment:
    """Mix the choices with chance; see Allocation.explore. choice: offers as the allocation has them."""
    offered = problem.offered
    problem = replace(problem, offered=offered._replace(gain=as_array(offered.gain), cost=as_array(offered.cost)))
    shares, eligible = _shares(share, holdout), _eligible(problem)
    arms = _draw_arms(problem.guests, shares, rng) if arm is None else _as_arms(arm, problem.guests)
    lottery = Lottery(arms, rng.permutation(problem.guests), rng.random(problem.guests), shares)
    chosen = problem.actions_of(choice)
    action = np.where(arms == TREATED, chosen, problem.nothing).astype(np.int16)
    propensity = np.empty(problem.guests)
    spare = _spare(problem, action, chosen, eligible, shares)
    _draw(problem.offered, problem.rules, lottery, eligible, spare, chosen, action, propensity)
    return Experiment(arm=np.asarray(ARMS)[arms], action=problem.offers_of(action), propensity=propensity)


def _shares(share: float, holdout: float) -> NDArray[np.float64]:
    if not (share >= 0 and holdout >= 0 and share + holdout <= 1):
        raise ValueError(
            f"share {share} and holdout {holdout} are parts of one whole; give two numbers of 0 or more, together at most 1"
        )
    return np.array([max(0.0, 1.0 - share - holdout), share, holdout])


def _eligible(problem: Problem) -> Eligible:
    """What is not barred."""
    kind, is_open = kinds_of(problem.rules.bars[:, :-1] == 0)
    return Eligible(kind[problem.offered.cells[:, 0]], is_open)


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


def _used(problem: Problem, action: Choice) -> Rows:
    return problem.used(Passes(problem).add_up(action))


def _spare(problem: Problem, action: Choice, chosen: Choice, eligible: Eligible, shares: NDArray[np.float64]) -> Spare:
    """What the treated leave; offers are drawn so much rarer than even that exploration is expected to fit."""
    is_spent: NDArray[np.bool_] = (problem.rules.takes >= 0).all(axis=(1, 2))
    even: Table = np.zeros(problem.table_shape)
    drawn = (eligible.is_open @ problem.holds.astype(float)) / (1.0 + eligible.is_open.sum(axis=1, keepdims=True))
    _count_shares(problem.offered, eligible.kind, drawn, even)
    free = RESERVE * np.maximum(problem.amounts - shares[TREATED] * _used(problem, chosen), 0.0)
    asked = shares[EXPLORE] * problem.used(even)
    part = np.divide(free, asked, out=np.ones_like(free), where=asked > free)
    part[~is_spent] = 1.0
    factor: Table = np.concatenate([[1.0], part])[problem.rules.rows + 1].min(axis=0, initial=1.0)
    return Spare(problem.amounts - problem.guard - _used(problem, action), is_spent, factor)


@numba.njit(cache=True, nogil=True)
def _count_shares(offered: Offered, kind: Any, drawn: Table, sums: Table) -> None:
    """Count what all guests take on average where those of a kind draw each offer so often; drawn: shape (kinds, k)."""
    for i in range(len(offered.gain)):
        for j in range(drawn.shape[1]):
            if drawn[kind[i], j] > 0.0:
                count(offered, i, j, drawn[kind[i], j], sums)


@numba.njit(cache=True, nogil=True)
def _chances(
    offered: Offered, rules: Rules, i: int, own: int, is_open: Any, spare: Spare, touched: Touched, chance: Any
) -> None:
    """How probable each action, and at last nothing, is where guest i draws and their own treatment is given back."""
    pair, nothing = 1 if offered.cells.shape[1] > 1 else 0, len(rules.actions)
    even = 1.0 / (1.0 + is_open.sum())
    chance[nothing] = 1.0
    for a in range(nothing):
        chance[a] = 0.0
        if is_open[a]:
            found, fits, part = differ(offered, rules, i, own, a, touched), True, 1.0
            for t in range(found):
                row = touched.row[t]
                fits = fits and (touched.more[t] <= max(spare.left[row], 0.0) or not spare.is_spent[row])
            for s in range(rules.actions.shape[1]):
                j = rules.actions[a, s]
                part = min(part, spare.factor[offered.cells[i, j * pair], j]) if j >= 0 else part
            chance[a] = even * part if fits else 0.0
            chance[nothing] -= chance[a]


@numba.njit(cache=True, nogil=True)
def _picked(chance: Any, luck: float) -> int:
    """Which of the actions a number in [0, 1) falls on."""
    pick = 0
    while pick < len(chance) - 1 and luck >= chance[pick]:
        luck -= chance[pick]
        pick += 1
    return pick


@numba.njit(cache=True, nogil=True)
def _draw(
    offered: Offered, rules: Rules, lottery: Lottery, eligible: Eligible, spare: Spare, chosen: Choice, action: Choice,
    propensity: Any,
) -> None:  # fmt: skip
    """Let those who explore draw in their order, and write everybody's action and its probability."""
    nothing, shares = len(rules.actions), lottery.shares
    chance, touched = np.empty(nothing + 1), room(rules)
    for i in lottery.order:
        own = chosen[i] if lottery.arm[i] == TREATED else nothing
        _chances(offered, rules, i, own, eligible.is_open[eligible.kind[i]], spare, touched, chance)
        if lottery.arm[i] == EXPLORE:
            action[i] = _picked(chance, lottery.luck[i])
            make(spare.left, touched, differ(offered, rules, i, nothing, action[i], touched))
        propensity[i] = shares[EXPLORE] * chance[action[i]]
        propensity[i] += shares[TREATED] if action[i] == chosen[i] else 0.0
        propensity[i] += shares[HOLDOUT] if action[i] == nothing else 0.0
