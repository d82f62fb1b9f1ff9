"""Cohorts: of those who first came in one month, how many came again in each month after."""

from datetime import date, timedelta
from typing import Any, NamedTuple

import narwhals as nw
from narwhals.typing import IntoFrame

from regulars.profiles.frames import in_turn
from regulars.profiles.orders import ready_orders


class CohortMonth(NamedTuple):
    """One cell of the retention triangle. `is_complete` is false for a month that as_of lies within."""

    first_month: date
    months_later: int
    guests: int
    returned: int
    share: float
    is_complete: bool


@in_turn
def cohorts(orders: IntoFrame, *, as_of: date) -> tuple[CohortMonth, ...]:
    """The retention triangle by calendar months of the business date, from first month to `as_of`, without gaps.

    guests is the size of the cohort, returned how many of it came in that month. Orders as `build` takes them; refunds,
    orders without a guest and orders after `as_of` are not counted. A guest's first month is the first these orders show.

    >>> import pyarrow as pa
    >>> days = [date(2026, 1, 5), date(2026, 1, 9), date(2026, 3, 1)]
    >>> orders = pa.table({"order_id": ["1", "2", "3"], "guest_id": ["ann", "bob", "ann"], "store_id": ["S1"] * 3,
    ...                    "business_date": days, "hour": [12, 12, 12], "amount_minor": [900, 900, 900]})
    >>> [(cell.months_later, cell.returned, cell.guests) for cell in cohorts(orders, as_of=date(2026, 3, 31))]
    [(0, 2, 2), (1, 0, 2), (2, 1, 2)]
    """
    counted = _counted(orders, as_of)
    sizes = {first: guests for first, month, guests in counted if first == month}
    returned = {(first, month): guests for first, month, guests in counted}
    this_month = _month_number(as_of)
    ends_today = _month_number(as_of + timedelta(days=1)) > this_month
    return tuple(
        CohortMonth(
            date(first // 12, first % 12 + 1, 1),
            month - first,
            guests,
            returned.get((first, month), 0),
            returned.get((first, month), 0) / guests,
            month < this_month or ends_today,
        )
        for first, guests in sorted(sizes.items())
        for month in range(first, this_month + 1)
    )


def _counted(orders: IntoFrame, as_of: date) -> list[tuple[Any, ...]]:
    """(first month, month, guests) as month numbers."""
    day = nw.col("business_date")
    month = day.dt.year().cast(nw.Int64) * 12 + day.dt.month().cast(nw.Int64) - 1
    sales = ready_orders(orders, as_of=as_of).filter(~nw.col("is_refund"))
    months = sales.select("guest_id", month=month).group_by("guest_id", "month").agg(nw.len().alias("orders"))
    firsts = months.with_columns(first=nw.col("month").min().over("guest_id"))
    return firsts.group_by("first", "month").agg(nw.len().cast(nw.Int64).alias("guests")).collect("pyarrow").rows()


def _month_number(day: date) -> int:
    return day.year * 12 + day.month - 1
