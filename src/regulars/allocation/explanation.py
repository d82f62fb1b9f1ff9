"""Explanation: why a guest gets what they get, and what came second."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from regulars.allocation.moves import value_of
from regulars.allocation.problem import Choice, Problem, Rows
from regulars.wording import Sentence


class Explanation(NamedTuple):
    """Why one guest gets what they get; offers are column numbers, -1 is nothing, several offers are a tuple.

    value: gain of the chosen offer less what it consumes of each limit at the prices.
    lost_by: how much less the runner-up is worth at the prices; below 0 if it was worth more but no longer fitted.
    """

    chosen: int | tuple[int, ...]
    runner_up: int | tuple[int, ...]
    value: float
    lost_by: float

    def sentence(self, offers: Sequence[str] | None = None) -> Sentence:
        """The same to be said, with the names of the offers, their numbers where there are none."""
        rival = None if math.isinf(self.lost_by) else _said(self.runner_up, offers)
        lost_by = None if rival is None else self.lost_by
        if self.chosen in (-1, ()):
            return Sentence("allocation_left_out", runner_up=rival, lost_by=lost_by)
        chosen = _said(self.chosen, offers)
        if self.lost_by < 0:
            more = -self.lost_by
            return Sentence("allocation_chosen_as_it_fits", chosen=chosen, value=self.value, runner_up=rival, more=more)
        return Sentence("allocation_chosen", chosen=chosen, value=self.value, runner_up=rival, lost_by=lost_by)


def _said(some: int | tuple[int, ...], offers: Sequence[str] | None) -> Any:
    """Offers as facts of a sentence."""
    given = [offer for offer in (some if isinstance(some, tuple) else (some,)) if offer >= 0]
    if not given:
        return Sentence("nothing")
    return tuple(Sentence("allocation_offer", number=j) if offers is None else offers[j] for j in given)


def explain(problem: Problem, choice: Choice, prices: Rows, guest: int) -> Explanation:
    """See Allocation.explain. choice: offers."""
    if not 0 <= guest < problem.guests:
        raise ValueError(f"guest {guest} is not here; {problem.guests} guests count from 0")
    one = problem.take(np.array([guest]))
    chosen = int(problem.actions_of(choice[guest : guest + 1])[0])
    values = action_values(one, prices, 0)
    others = np.delete(np.arange(len(values)), chosen)
    second = int(others[np.argmax(values[others])])
    return Explanation(
        chosen=_named(one, chosen),
        runner_up=_named(one, second),
        value=float(values[chosen]),
        lost_by=float(values[chosen] - values[second]),
    )


def action_values(problem: Problem, prices: Rows, guest: int) -> NDArray[np.float64]:
    """What each action and at last nothing is worth at this guest at the prices."""
    weights = problem.weights(prices)
    return np.array([value_of(problem.offered, problem.rules, weights, guest, a) for a in range(problem.nothing + 1)])


def _named(problem: Problem, action: int) -> int | tuple[int, ...]:
    if problem.is_single:
        return action if action < problem.nothing else -1
    return tuple(int(j) for j in problem.rules.actions[action] if j >= 0) if action < problem.nothing else ()
