"""Who gets what under the budget.

limits      what an allocation may not exceed
cells       guests in the same groups of all limits, so that prices are small tables
problem     matrices by guest, limits as rows, tables by cell
posing      every input checked
kernels     the compiled loops over guests
passes      one read of all guests, in threads
prices      the dual: a sample, corrected on full passes
rounding    choices that keep every limit exactly
settling    prices, then choices, then their totals
answer      the allocation: certificate, prices, explanations, frontier
"""

from regulars.allocation.answer import Allocation, Explanation, Frontier, solve
from regulars.allocation.limits import Limit

__all__ = ["Allocation", "Explanation", "Frontier", "Limit", "solve"]
