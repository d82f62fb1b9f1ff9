"""Redemptions: what every used voucher cost, whose it was, and on which check.

A redemption without a guest is the guest's of its check. One without a cost counts as the mean of the same offer, else as the mean
of all; where no redemption has one, the cost stays unknown (NaN).
"""

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from regulars.clock import StoreClock
from regulars.clock.arrays import trading_day
from regulars.tables import Lake
from regulars.tables.engines import Frame
from regulars.tables.engines.frames import completed

_KINDS = {
    "campaign_id": pa.string(), "guest_id": pa.string(), "offer_id": pa.string(), "order_id": pa.string(), "day": pa.date32(),
    "cost": pa.float64(), "is_guessed": pa.bool_(), "beside": pa.float64(), "check": pa.int64(), "discount": pa.int64(),
}  # fmt: skip
_NO_CHECK = pa.schema(
    [("check_guest", pa.string()), ("check_day", pa.date32()), ("check", pa.int64()), ("discount", pa.int64())]
)


def redemptions(lake: Lake) -> pa.Table:
    """One row for each used voucher, by its redemption_id.

    campaign_id, guest_id, offer_id, order_id. day: business date. cost: minor units; is_guessed where the file has none.
    beside: the part of it by which no amount paid is lower. check, discount: of the order, before its discount and that itself; null
    where it is not known.
    """
    if not lake.has("redemptions"):
        return pa.schema(list(_KINDS.items())).empty_table()
    rows = lake.collect(_with_checks(lake, lake.scan("redemptions"))).sort_by("redemption_id")
    cost, beside = rows["cost_minor"].cast(pa.float64()), rows["beside_check_minor"].cast(pa.float64())
    found = {
        "guest_id": pc.coalesce(rows["guest_id"], rows["check_guest"]),
        "day": pc.coalesce(rows["check_day"], _days(lake, rows["redeemed_at"])),
        "cost": pa.array(_filled(cost, rows["offer_id"])),
        "is_guessed": pc.is_null(cost),
        "beside": pc.fill_null(beside, 0.0),
    }
    return pa.table(
        {name: found[name] if name in found else rows[name] for name in _KINDS}, schema=pa.schema(list(_KINDS.items()))
    )


def by_guest(rows: pa.Table) -> pa.Table:
    """Redemptions summed up for each campaign and guest: campaign_id, guest_id, cost, beside, n."""
    keys = ["campaign_id", "guest_id"]
    sums = rows.group_by(keys).aggregate([("cost", "sum"), ("beside", "sum"), ("cost", "count")])
    return sums.rename_columns([*keys, "cost", "beside", "n"])


def checks_once(rows: pa.Table) -> pa.Table:
    """The known checks among redemptions, each once, whatever number of vouchers it has: order_id, guest_id, check, discount."""
    known = rows.filter(pc.is_valid(rows["check"])).sort_by([("order_id", "ascending"), ("guest_id", "ascending")])
    first = known.group_by("order_id", use_threads=False).aggregate(
        [(name, "first") for name in ("guest_id", "check", "discount")]
    )
    return first.rename_columns(["order_id", "guest_id", "check", "discount"])


def _with_checks(lake: Lake, used: Frame) -> Frame:
    """Redemptions beside the guest, the business date and the amount before the discount of their checks."""
    if not lake.has("orders"):
        return completed(used, _NO_CHECK)
    orders = lake.scan("orders").select(
        "order_id",
        check_guest=nw.col("guest_id"),
        check_day=nw.col("business_date"),
        check=nw.col("amount_minor") + nw.col("discount_minor").fill_null(0),
        discount=nw.col("discount_minor").fill_null(0),
    )
    return used.join(orders, on="order_id", how="left")


def _days(lake: Lake, instants: pa.ChunkedArray) -> pa.Array:
    """The trading day of each instant by the workspace's own clock."""
    clock = StoreClock(lake.settings.zone, lake.settings.day_closes_at)
    return trading_day(instants.combine_chunks(), np.zeros(len(instants), np.int64), [clock]).business_date


def _filled(cost: pa.ChunkedArray, offer: pa.ChunkedArray) -> np.ndarray:
    """Costs, those unknown as the mean of their offer, else of all, else NaN; shape (n,)."""
    known = np.array(pc.fill_null(cost, np.nan).to_numpy(zero_copy_only=False), dtype=float)
    has_cost = ~np.isnan(known)
    codes = np.unique(offer.to_numpy(zero_copy_only=False).astype(str), return_inverse=True)[1]
    count, total = (np.bincount(codes, weights=w, minlength=1) for w in (has_cost, np.where(has_cost, known, 0.0)))
    overall = total.sum() / count.sum() if count.sum() else np.nan
    mean = np.divide(total, count, out=np.full(len(total), overall), where=count > 0)
    return np.where(has_cost, known, mean[codes]) if len(known) else known
