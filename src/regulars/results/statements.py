"""Statements: what a campaign that was run brought, from the tables of the lake.

The plan that was run says how long its window was, where the campaign's stores are and how many were to be held out; where it was
not planned here, the window is that of the exposures and all stores count.
"""

import datetime as dt
from dataclasses import dataclass, replace

import narwhals as nw
import numpy as np
import pyarrow as pa

from regulars.errors import DataError
from regulars.guests.facts import Facts
from regulars.measurement import Statement, statement_of
from regulars.planning.history import PastCampaign, past_campaigns
from regulars.planning.kept_plans import KeptPlan
from regulars.results.arms import HOLDOUT, Drawn, arms_of, check_arms, check_over, has_holdout, planned_shares
from regulars.results.brought import Brought, Window
from regulars.results.plan_run import plan_that_ran
from regulars.tables import Lake
from regulars.wording import Sentence

AFTER_DAYS = 28
"""So many days after the window are looked at for what was only pulled forward, unless said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a campaign brought. first, last: business dates of its window; after_days: how many days after it were looked at.

    plan_id: of the kept plan that was run, None where it was not planned here. arms: how many guests each had.
    statement: minor units of the workspace's currency.
    """

    campaign_id: str
    plan_id: str | None
    currency: str
    first: dt.date
    last: dt.date
    after_days: int
    arms: dict[str, int]
    statement: Statement


def measure_campaign(
    lake: Lake, campaign_id: str | None = None, *, as_of: dt.date, after_days: int | None = None
) -> Measured:
    """The statement of a campaign of the exposures; None takes the latest.

    as_of: the last business date that is known. after_days: days after the window in which what was pulled forward is missing;
    those of the plan that was run, or 28, where not given. Raises DataError where there is no such campaign or no orders, DesignError
    where it cannot be judged: nobody held out, everybody held out, the window not over, arms that differ from their lot, exposures
    of several plans.
    """
    if after_days is not None and after_days < 0:
        raise ValueError(f"after_days is {after_days}; give 0 or more")
    past = _found(lake, campaign_id)
    plan = plan_that_ran(lake, past)
    window = _window(past, plan, after_days)
    rows = lake.collect(lake.scan("exposures").filter(nw.col("campaign_id") == past.campaign_id)).sort_by("guest_id")
    arm = arms_of(rows)
    check_arms(past.campaign_id, rows, arm)
    check_over(len(arm), window.first, window.days + window.after, as_of)
    guest = rows["guest_id"].to_numpy(zero_copy_only=False)
    brought = Brought(Facts.of(lake), guest, plan.campaign if plan else None)
    drawn = Drawn.of(guest, brought.home_stores(past.starts_on), arm)
    did = brought.sums(past.campaign_id, window)
    statement = statement_of(
        drawn.arm, sales_minor=did.sales_minor, margin_minor=did.margin_minor, subsidy_minor=did.subsidy_minor,
        redeemed_minor=did.redeemed_minor, later_minor=did.later_minor, sister_minor=did.sister_minor, covariate=did.covariate,
        cluster=drawn.store, control=HOLDOUT,
        shares=planned_shares(drawn.arm, brought.plan) if drawn.store is None else None,
        guests_per_week=7.0 * len(arm) / (window.days + window.after),
    )  # fmt: skip
    notes = (*brought.notes(past.campaign_id), *_notes(rows, past, plan), *drawn.notes)
    names, counts = np.unique(drawn.arm, return_counts=True)
    return Measured(
        campaign_id=past.campaign_id,
        plan_id=plan.plan_id if plan else None,
        currency=lake.settings.currency,
        first=window.first,
        last=window.first + dt.timedelta(days=window.days - 1),
        after_days=window.after,
        arms=dict(zip(names.tolist(), counts.tolist(), strict=True)),
        statement=replace(statement, notes=(*statement.notes, *notes)),
    )


def _window(past: PastCampaign, plan: KeptPlan | None, after_days: int | None) -> Window:
    """The days of the plan that was run; of the exposures where it was not planned here."""
    if plan is None:
        days = (past.ends_on - past.starts_on).days + 1
        return Window(past.starts_on, days, AFTER_DAYS if after_days is None else after_days)
    planned = plan.campaign.after_days or AFTER_DAYS
    return Window(past.starts_on, plan.campaign.window_days, planned if after_days is None else after_days)


def _found(lake: Lake, campaign_id: str | None) -> PastCampaign:
    campaigns = {past.campaign_id: past for past in past_campaigns(lake)}
    if not campaigns:
        raise DataError(f"{lake.workspace.path}: no exposures, so no campaign to measure; load exposures, or run one")
    if campaign_id is None:
        return list(campaigns.values())[-1]
    if campaign_id not in campaigns:
        raise DataError(f"no campaign '{campaign_id}' in the exposures; there are {', '.join(campaigns)}")
    return campaigns[campaign_id]


def _notes(rows: pa.Table, past: PastCampaign, plan: KeptPlan | None) -> tuple[Sentence, ...]:
    notes = []
    if not has_holdout(rows):
        notes.append(Sentence("no_arm_is_holdout"))
    if rows["propensity"].null_count:
        notes.append(Sentence("chances_not_logged"))
    if plan is None and (named := rows["plan_id"].drop_null().unique().to_pylist()):
        notes.append(Sentence("plan_not_kept", plan=named[0], first=past.starts_on, last=past.ends_on))
    return tuple(notes)
