"""Facts: what is known of every guest on a date, and what he brought in a window after it."""

import datetime as dt

import narwhals as nw
import pyarrow as pa

from regulars.errors import DataError
from regulars.profiles import build
from regulars.tables import Lake
from regulars.tables.engines import Frame

_NO_FEATURES = frozenset({"guest_id", "as_of"})


def profiles_as_of(lake: Lake, as_of: dt.date) -> Frame:
    """The profile of every guest who had ordered by the end of a business date."""
    lines = [nw.to_native(lake.scan(t)) if lake.has(t) else None for t in ("order_items", "menu_items")]
    rate = lake.settings.margin_rate
    return nw.from_native(build(nw.to_native(lake.scan("orders")), *lines, as_of=as_of, margin_rate=rate)).lazy()


def window_outcomes(lake: Lake, first: dt.date, days: int) -> pa.Table:
    """What each guest brought in `days` business dates from `first` on: guest_id, orders, amount_minor, margin_minor.

    margin_minor: the margin of the order where it is known, the workspace's margin rate of its amount elsewhere.
    """
    day = nw.col("business_date")
    orders = lake.scan("orders").filter(
        day >= first, day < first + dt.timedelta(days=days), ~nw.col("guest_id").is_null()
    )
    margin = nw.col("margin_minor").cast(nw.Float64)
    stated = nw.col("amount_minor").cast(nw.Float64) * lake.settings.margin_rate
    sums = orders.with_columns(nw.when(margin.is_null()).then(stated).otherwise(margin).alias("margin_minor"))
    return lake.collect(
        sums.group_by("guest_id").agg(
            (~nw.col("is_refund")).cast(nw.Int64).sum().cast(nw.Int64).alias("orders"),
            nw.col("amount_minor").sum().cast(nw.Int64),
            nw.col("margin_minor").sum(),
        )
    )


def last_business_date(lake: Lake) -> dt.date:
    """The latest business date of any order. Raises DataError where there is no order."""
    latest: dt.date | None = lake.collect(lake.scan("orders").select(nw.col("business_date").max()))[0][0].as_py()
    if latest is None:
        raise DataError("the lake holds no orders yet; `regulars load orders FILE` brings them")
    return latest


def feature_names(profiles: pa.Table) -> list[str]:
    """The columns of a profile that a model may learn from: every number in it, no names and no dates."""
    kinds = {field.name: field.type for field in profiles.schema if field.name not in _NO_FEATURES}
    return [name for name, kind in kinds.items() if pa.types.is_integer(kind) or pa.types.is_floating(kind)]
