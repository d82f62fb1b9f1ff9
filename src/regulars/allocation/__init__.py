"""Who gets what under the budget.

limits      what an allocation may not exceed, and what it must reach
bundles     which offers a guest may get together, must or must not get
cells       guests in the same groups of all limits, so that prices are small tables
matrices    gains and costs, taken as they are
problem     matrices by guest, limits as rows, tables by cell
posing      every input checked
kernels     the compiled passes over all guests
passes      one read of all guests, in threads
moves       the compiled loops that change one guest after the other
newton      the dual, minimised on what fits in memory
prices      the dual: a sample, corrected on full passes
rounding    choices that keep every limit exactly
search      what prices cannot decide when guests are few
settling    prices, then choices, then their totals
clash       which limits cannot hold together
answer      the allocation: certificate, prices
chance      budgets that hold with a probability
streaming   the same over the batches of a frame
pacing      prices found anew while a campaign runs
explaining  why, what limits and overrides cost, frontier
exploring   an allocation mixed with chance, its propensities known
"""

from regulars.allocation.answer import Allocation, Costs, Explanation, Frontier, solve
from regulars.allocation.limits import Limit

__all__ = ["Allocation", "Costs", "Explanation", "Frontier", "Limit", "solve"]
