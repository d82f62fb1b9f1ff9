"""Who gets what under the budget.

limits          what an allocation may not exceed, and what it must reach
options         what is asked of it beside limits
actions         which offers a guest may get together, must or must not get
cells           guests in the same groups of all limits, so that prices are small tables
matrices        gains and costs, taken as they are
problem         matrices by guest, limits as rows, tables by cell
formulation     every input checked, and laid out as a problem
kernels         the compiled passes over all guests
intrinsics      instructions on vectors, for the compiler
vectors         the compiled passes, many guests at a time
passes          one read of all guests, in threads
moves           the compiled loops that change one guest after the other
newton          the dual, minimised on what fits in memory
prices          the dual: a sample, corrected on full passes
search          what prices cannot decide when guests are few
rounding        choices that keep every limit exactly
solver          prices, then choices, then their totals
infeasibility   which limits cannot hold together
explanation     why a guest gets what they get
sensitivity     what limits and overrides cost, what other budgets would bring
exploration     an allocation mixed with chance, its propensities known
allocation      the answer: certificate, prices
chance          budgets that hold with a probability
streaming       the same over the batches of a frame
pacing          prices found anew while a campaign runs
"""

from regulars.allocation.allocation import Allocation, solve
from regulars.allocation.explanation import Explanation
from regulars.allocation.limits import Limit
from regulars.allocation.sensitivity import Costs, Frontier

__all__ = ["Allocation", "Costs", "Explanation", "Frontier", "Limit", "solve"]
