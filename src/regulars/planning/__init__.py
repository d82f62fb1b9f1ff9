"""Planning: the campaign file, and the plan that answers it.

campaign    the file an operator writes
facts       what is known of every guest on a date
crowd       all guests, and the parts of them that have names
dishes      what guests have as a rule, and what to offer them next
portrait    one guest
history     past campaigns as rows to learn from
outcomes    what past campaigns brought, guest by guest, as a table
audience    who this campaign is about
anyway      what guests bring without an offer, and who redeems
response    what a voucher changes, from few exposures
learning    what each offer would change and cost
limits      its budgets, caps and stocks
deciding    an action, an arm and a propensity for each guest
plan        all of it, immutable
archive     plans on disk, and the same plan again
measuring   what a campaign brought
doctor      what is wrong with a workspace
"""

from regulars.planning.archive import find, read_assignments, read_summary, remake, replay, save, summary
from regulars.planning.backtest import Backtest, backtest, middle_date
from regulars.planning.campaign import Campaign, Offer, parse_campaign, read_campaign
from regulars.planning.crowd import (
    Counted,
    Found,
    Moved,
    count_segments,
    find_segment,
    keep_profiles,
    moved,
    rule_of,
)
from regulars.planning.dishes import NextDishes, next_dishes
from regulars.planning.doctor import Finding, examine
from regulars.planning.facts import Facts, profiles_with_taste
from regulars.planning.measuring import Measured, measure_campaign
from regulars.planning.outcomes import keep_outcomes
from regulars.planning.plan import Plan, make_plan
from regulars.planning.portrait import Portrait, portrait
from regulars.planning.seasons import Season, measure_season

__all__ = [
    "Backtest",
    "Campaign",
    "Counted",
    "Facts",
    "Finding",
    "Found",
    "Measured",
    "Moved",
    "NextDishes",
    "Offer",
    "Plan",
    "Portrait",
    "Season",
    "backtest",
    "count_segments",
    "examine",
    "find",
    "find_segment",
    "keep_outcomes",
    "keep_profiles",
    "make_plan",
    "measure_campaign",
    "measure_season",
    "middle_date",
    "moved",
    "next_dishes",
    "parse_campaign",
    "portrait",
    "profiles_with_taste",
    "read_assignments",
    "read_campaign",
    "read_summary",
    "remake",
    "replay",
    "rule_of",
    "save",
    "summary",
]
