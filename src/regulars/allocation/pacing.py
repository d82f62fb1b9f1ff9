"""Pacing: prices found anew during a campaign on what is left of budgets, time and guests, so that spend lands on target.

A plan is made for the guests that are expected. They come earlier, later, more or fewer. Before each batch of arrivals the
dual of the plan is minimised again with what is left of each amount, spread over the guests still to come: those of the batch
and, for the rest of the time, as many in each period as came of late. Guests are then decided at these prices one by one,
within what is left, so that no limit is ever broken.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regulars.allocation.allocation import Allocation
from regulars.allocation.formulation import formulate
from regulars.allocation.limits import Limit
from regulars.allocation.options import Options
from regulars.allocation.passes import Passes
from regulars.allocation.prices import SHARP, descend, sample
from regulars.allocation.problem import Choice, Problem, Rows
from regulars.allocation.rounding import keep_within

RECENT = 0.5
"""How much the latest period counts for what the next will bring, all before it counting for the rest."""


@dataclass(slots=True, kw_only=True)
class Pacer:
    """A campaign under way: what is left, and the prices at which it is spent.

    left: of each row of the limits. prices: of each row. arrived: guests of each period that is over.
    """

    plan: Problem = field(repr=False)
    options: Options = field(repr=False)
    periods: int
    guests: int
    prices: Rows
    left: Rows
    arrived: list[int] = field(default_factory=list)
    today: int = 0

    @classmethod
    def of(cls, allocation: Allocation, *, periods: int, options: Options | None = None) -> "Pacer":
        """Begin the campaign that an allocation plans, over as many periods, such as days, of about as many guests each.

        options: what else was asked when solving.
        """
        if periods < 1:
            raise ValueError(f"periods is {periods}; a campaign runs for at least 1")
        problem = allocation.problem
        plan = problem.take(sample(problem, allocation.solver.seed))
        prices = problem.joined(allocation.prices)
        return cls(
            plan=plan,
            options=options or Options(),
            periods=periods,
            guests=problem.guests,
            prices=prices,
            left=problem.amounts.copy(),
        )

    @property
    def rate(self) -> float:
        """Guests expected in a period: those of the plan, more and more those that came of late."""
        expected = self.guests / self.periods
        for came in self.arrived:
            expected += RECENT * (came - expected)
        return expected

    def offer(self, gain: Any, cost: Any, limits: Sequence[Limit], *, still_to_come: float = 0.0) -> NDArray[np.int16]:
        """Decide for guests who arrive now; as `solve`, within what is left.

        limits: as those of the plan, over these guests; their amounts are not read.
        still_to_come: the share of this period's guests that will arrive after these, 0 to 1.
        """
        if not 0 <= still_to_come <= 1:
            raise ValueError(f"still_to_come is {still_to_come}; give a share of the period from 0 to 1")
        if len(self.arrived) >= self.periods:
            raise ValueError(f"the {self.periods} periods are over; begin another campaign")
        here = replace(formulate(gain, cost, limits, self.options, threads=None), amounts=self.left)
        if here.table_shape[1:] != self.plan.table_shape[1:] or len(here.rules.takes) != len(self.left):
            raise ValueError(
                f"limits have {len(here.rules.takes)} amounts, those of the plan {len(self.left)}; give the same"
            )
        ahead = here.guests + self.rate * (still_to_come + self.periods - len(self.arrived) - 1)
        self._price(max(1.0, ahead))
        choice = self._choose(here)
        self.left = self.left - here.used(Passes(here).add_up(choice))
        self.today += here.guests
        return here.offers_of(choice)

    def spent(self, name: str, more: ArrayLike) -> None:
        """Say by how much a limit was used more, or less, than expected, such as when vouchers are redeemed; shape (groups,)."""
        rows = self.plan.split(np.arange(len(self.left), dtype=np.float64))
        if name not in rows:
            raise ValueError(f"no limit is called {name!r}; there is {', '.join(map(repr, rows))}")
        self.left[rows[name].astype(np.int64)] -= np.asarray(more, dtype=np.float64)

    def end_period(self) -> None:
        """The period is over: what came counts for what will come."""
        self.arrived.append(self.today)
        self.today = 0

    def _price(self, ahead: float) -> None:
        rest = replace(self.plan, amounts=self.left * (self.plan.guests / ahead))
        self.prices, _ = descend(rest, self.prices, SHARP)

    def _choose(self, here: Problem) -> Choice:
        chosen = Passes(here).choose(self.prices, -1.0)
        return keep_within(here, chosen.choice, self.prices)
