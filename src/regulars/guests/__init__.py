"""Guests: what a workspace knows of them, from its lake.

facts       every guest's profile on a date, and what they brought in a window after it
redemptions what every used voucher cost, whose it was, and on which check
snapshot    the profiles of all guests, kept as a table
everybody   all guests in a few rows
segments    who meets a rule, how many, who entered and who left
dishes      what guests have as a rule, and what to offer them next
portrait    one guest
staff       who works here and is no guest
words       facts of a profile as people say them
"""

from regulars.guests.dishes import NextDishes, next_dishes
from regulars.guests.everybody import Everybody
from regulars.guests.facts import Facts, known_span, profiles_with_taste
from regulars.guests.portrait import Portrait, portrait
from regulars.guests.segments import Counted, Found, Moved, Segments, count_segments, find_segment, moved, rule_of
from regulars.guests.snapshot import Snapshot, keep_profiles, kept_profiles, snapshot
from regulars.guests.staff import staff

__all__ = [
    "Counted",
    "Everybody",
    "Facts",
    "Found",
    "Moved",
    "NextDishes",
    "Portrait",
    "Segments",
    "Snapshot",
    "count_segments",
    "find_segment",
    "keep_profiles",
    "kept_profiles",
    "known_span",
    "moved",
    "next_dishes",
    "portrait",
    "profiles_with_taste",
    "rule_of",
    "snapshot",
    "staff",
]
