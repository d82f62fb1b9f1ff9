"""The plan that was run: which of the kept plans the exposures of a campaign come from.

Exposures that carry a plan_id say it themselves. Others are held against the assignments of every kept plan of the campaign, and
against its window; the plan that was made last has no say in it.
"""

import datetime as dt
from typing import NamedTuple

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.errors import DesignError
from regulars.planning.history import PastCampaign
from regulars.planning.kept_plans import KeptPlan, kept_plans, read_assignments
from regulars.tables import Lake

_ALIKE = 0.95
"""The least share of exposures that have to be as assigned, for a plan to count as the one that was run."""


def plan_that_ran(lake: Lake, past: PastCampaign) -> KeptPlan | None:
    """The kept plan of a campaign that was run; None where it was not planned here.

    Raises DesignError where the exposures come from several plans, or fit several that do not count the same days and stores.
    """
    kept = [plan for plan in kept_plans(lake.workspace) if plan.campaign.identity == past.campaign_id]
    exposures = lake.scan("exposures").filter(nw.col("campaign_id") == past.campaign_id)
    rows = lake.collect(exposures.select("guest_id", "offer_id", "plan_id"))
    named = rows["plan_id"].drop_null().unique().to_pylist()
    if len(named) > 1:
        raise DesignError(
            f"campaign {past.campaign_id}: its exposures come from {len(named)} plans ({', '.join(sorted(named))}); "
            "load each under a campaign_id of its own"
        )
    if named:
        return next((plan for plan in kept if plan.plan_id == named[0]), None)
    return _likeliest([plan for plan in kept if _share_alike(plan, rows) >= _ALIKE], rows, past)


class _Fit(NamedTuple):
    """How well a plan fits exposures; the larger the better."""

    alike: float
    has_window: bool


def _likeliest(fitting: list[KeptPlan], rows: pa.Table, past: PastCampaign) -> KeptPlan | None:
    if not fitting:
        return None
    fits = [_Fit(_share_alike(plan, rows), _last_day(plan) == past.ends_on) for plan in fitting]
    best = [plan for plan, fit in zip(fitting, fits, strict=True) if fit == max(fits)]
    if len({_counted(plan) for plan in best}) > 1:
        raise DesignError(
            f"campaign {past.campaign_id}: its exposures fit {len(best)} kept plans ({', '.join(plan.plan_id for plan in best)}) that "
            "count other days or stores; load the exposures again with the plan_id of the one that was run"
        )
    return best[0]


def _share_alike(plan: KeptPlan, rows: pa.Table) -> float:
    """The share of exposed guests who were given what the plan gives them."""
    assigned = read_assignments(plan.folder)
    place = pc.index_in(rows["guest_id"], value_set=assigned["guest_id"].combine_chunks())
    planned = pc.fill_null(assigned["offer_id"].combine_chunks().take(place.combine_chunks()), "")
    given = pc.fill_null(rows["offer_id"].combine_chunks(), "")
    is_alike = pc.and_(pc.is_valid(place), pc.equal(planned, given))
    return float(np.mean(is_alike.to_numpy(zero_copy_only=False))) if len(rows) else 0.0


def _last_day(plan: KeptPlan) -> dt.date:
    return plan.campaign.starts_on + dt.timedelta(days=plan.campaign.window_days - 1)


def _counted(plan: KeptPlan) -> tuple[object, ...]:
    """What a statement takes from a plan: the days, the stores, the shares."""
    campaign = plan.campaign
    stores = tuple(offer.stores for offer in campaign.offers)
    return (
        campaign.window_days,
        campaign.after_days,
        stores,
        campaign.holdout,
        campaign.global_holdout,
        campaign.outcome,
    )
