"""Rehearsal: a simulated town whose truth is known.

days        how busy each day is
places      own stores, rivals, dishes
guests      what each guest is like
vouchers    what an offer is worth, where and when
visits      who ate where; a past without offers
truth       what each offer would change in each guest, exactly
windows     a campaign, lived
runs        what it brought, as measured and in truth
books       all of it as tables in our contracts
town        the town
calibration the town beside real customers
rehearsing  a campaign file, planned and lived in it
"""

from regulars.rehearsal.calibration import Figure, calibration
from regulars.rehearsal.rehearsing import Rehearsal, rehearse
from regulars.rehearsal.runs import Run
from regulars.rehearsal.town import OFFERS, Town, town
from regulars.rehearsal.truth import Truth

__all__ = ["OFFERS", "Figure", "Rehearsal", "Run", "Town", "Truth", "calibration", "rehearse", "town"]
