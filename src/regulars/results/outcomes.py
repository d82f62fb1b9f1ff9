"""Outcomes: what every guest of a past campaign brought in its window, and what their vouchers cost; a table of the lake."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from regulars.errors import DataError
from regulars.guests.facts import Facts, looked_up
from regulars.guests.redemptions import by_guest
from regulars.planning.history import PastCampaign, past_campaigns
from regulars.tables import Lake


def keep_outcomes(lake: Lake) -> int:
    """Work out the table `outcomes` anew from exposures, orders and redemptions; its number of rows.

    The window is from the first exposure of a campaign to the end of its offers, business dates both. Everybody who was
    exposed has a row, also those who brought nothing, and those who were given nothing.
    """
    campaigns = past_campaigns(lake)
    if not campaigns or not lake.has("orders"):
        return 0
    try:
        facts = Facts.of(lake)
    except DataError:
        return 0
    exposures = lake.collect(lake.scan("exposures").select("campaign_id", "guest_id"))
    costs = by_guest(facts.redemptions)
    table = pa.concat_tables([_of(campaign, facts, exposures, costs) for campaign in campaigns])
    file = lake.workspace.scratch / "outcomes.parquet"
    file.parent.mkdir(exist_ok=True)
    try:
        pq.write_table(table, file)
        lake.write("outcomes", lake.engine.scan([str(file)], table.schema))
    finally:
        file.unlink(missing_ok=True)
    return len(table)


def _of(campaign: PastCampaign, facts: Facts, exposures: pa.Table, costs: pa.Table) -> pa.Table:
    here = exposures.filter(pc.equal(exposures["campaign_id"], campaign.campaign_id))
    used = costs.filter(pc.equal(costs["campaign_id"], campaign.campaign_id))
    days = (campaign.ends_on - campaign.starts_on + dt.timedelta(days=1)).days
    brought = facts.outcomes(campaign.starts_on, days)
    guest = here["guest_id"].to_numpy()
    found = {
        name: looked_up(brought, brought[name], guest, 0).astype("int64")
        for name in ("orders", "amount_minor", "margin_minor")
    }
    subsidy = np.nan_to_num(looked_up(used, used["cost"], guest, 0.0)).round().astype("int64")
    return pa.table(
        {"campaign_id": here["campaign_id"], "guest_id": here["guest_id"], **found, "subsidy_minor": subsidy}
    )
