"""Rehearsal: a simulated town whose truth is known.

days            how busy each day is
places          own stores, rivals, dishes
guests          what each guest is like
vouchers        what an offer is worth, where and when
visits          who ate where; a past without offers
windows         a campaign's days, and how often each guest comes in them
truth           what each offer would change in each guest, exactly
simulation      a campaign, lived
runs            what it brought, as measured and in truth
contract_tables all of it as tables in our contracts
towns           the town
realism         the town beside real customers
rehearsal       a campaign file, planned and lived in it
redesigns       what else a campaign that loses could have given
policies        ways to spend a budget, to compare with ours
loop            campaign after campaign, planned by ours and by others
estimators      each way of the referee to judge, tried on guests drawn from a town
referee_grades  how often the referee is right
regret          what policies miss of what could have been gained
streams         order lines for benchmarks of scale
"""

from regulars.rehearsal.loop import Loop, learning_loop
from regulars.rehearsal.realism import Figure, calibration
from regulars.rehearsal.referee_grades import Grade, grades
from regulars.rehearsal.regret import Regret, regrets
from regulars.rehearsal.rehearsal import Rehearsal, rehearse
from regulars.rehearsal.runs import Run
from regulars.rehearsal.streams import Batch, stream
from regulars.rehearsal.towns import OFFERS, Town, town
from regulars.rehearsal.truth import Truth

__all__ = [
    "OFFERS",
    "Batch",
    "Figure",
    "Grade",
    "Loop",
    "Regret",
    "Rehearsal",
    "Run",
    "Town",
    "Truth",
    "calibration",
    "grades",
    "learning_loop",
    "regrets",
    "rehearse",
    "stream",
    "town",
]
