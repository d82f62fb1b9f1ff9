"""Planning: the campaign file, and the plan that answers it.

campaign        the file an operator writes
audience        who this campaign is about
global_holdout  whom no campaign of the quarter contacts
history         past campaigns as rows to learn from
baseline        what guests bring without an offer, and who redeems
response        what a voucher changes, from few exposures
lessons         what each offer would change and cost
limits          its budgets, caps and stocks
decision        an action, an arm and a propensity for each guest
plan            all of it, immutable
samples         some guests of a plan, and why each gets what they get
summary         what a plan comes to, and whether to run it
plan_page       what a page shows besides
values          such values on disk
kept_plans      plans on disk, and the same plan again
"""

from regulars.planning.campaign import Campaign, Offer, parse_campaign, read_campaign
from regulars.planning.kept_plans import (
    find,
    read_assignments,
    read_page,
    read_summary,
    remake,
    replay,
    save,
    save_page,
)
from regulars.planning.plan import Plan, make_plan
from regulars.planning.plan_page import PlanPage
from regulars.planning.summary import PlanSummary

__all__ = [
    "Campaign",
    "Offer",
    "Plan",
    "PlanPage",
    "PlanSummary",
    "find",
    "make_plan",
    "parse_campaign",
    "read_assignments",
    "read_campaign",
    "read_page",
    "read_summary",
    "remake",
    "replay",
    "save",
    "save_page",
]
