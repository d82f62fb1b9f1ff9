"""Habits: how often, when and where a guest comes, and what they leave; one row for each guest."""

from datetime import date
from typing import Any

import narwhals as nw

from regulars.clock import WEEKDAYS
from regulars.profiles.columns import DAYPARTS

_MONEY = ("amount_minor", "discount_minor", "margin_minor")
_A_MONDAY = 1  # 0001-01-01
_DAYS = 10_000_000  # more than there are days in a calendar
_COUNTS = ("orders", "timed", "discounted", "covered", "covers", *DAYPARTS, *_MONEY, "unknown_margins")


def habits(orders: nw.LazyFrame[Any], *, as_of: date) -> nw.LazyFrame[Any]:
    """Profile facts from ready orders, all but the home store and the life cycle."""
    guests = _totals(orders).join(_visits(orders), on="guest_id", how="left")
    known = guests.with_columns(visits=nw.col("visits").fill_null(0), as_of=nw.lit(as_of, dtype=nw.Date))
    return known.with_columns(**_facts())


def home_stores(orders: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """`home_store`, the visits there, and the number of stores of each guest; of equals the one visited last is home.

    Two small aggregates and a join: quicker than to sort the stores of each guest.
    """
    sales = orders.filter(~nw.col("is_refund"))
    days = sales.group_by("guest_id", "store_id", "business_date").agg(nw.len().alias("orders_that_day"))
    pairs = days.group_by("guest_id", "store_id").agg(
        nw.len().cast(nw.Int64).alias("home_visits"), nw.col("business_date").max().alias("last_ordered_on")
    )
    rank = nw.col("home_visits") * _DAYS + day_number(nw.col("last_ordered_on"))
    ranked = pairs.select("guest_id", "store_id", "home_visits", rank=rank)
    most = ranked.group_by("guest_id").agg(nw.col("rank").max().alias("most"), nw.len().cast(nw.Int64).alias("stores"))
    first = ranked.join(most, on="guest_id").filter(nw.col("rank") == nw.col("most"))
    homes = first.group_by("guest_id").agg(
        nw.col("store_id").min(), nw.col("home_visits").max(), nw.col("stores").max()
    )
    return homes.rename({"store_id": "home_store"})


def day_number(day: nw.Expr) -> nw.Expr:
    """The proleptic Gregorian day, as `date.toordinal()`: the one way to subtract dates that all engines share."""
    year = day.dt.year().cast(nw.Int64) - 1
    return year * 365 + year // 4 - year // 100 + year // 400 + day.dt.ordinal_day().cast(nw.Int64)


def _sums(names: tuple[str, ...]) -> list[nw.Expr]:
    return [nw.col(name).sum().cast(nw.Int64) for name in names]


def _totals(orders: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Orders, dayparts and money of each guest."""
    sale = ~nw.col("is_refund")
    covers = nw.when(sale & (nw.col("covers") > 0)).then(nw.col("covers").cast(nw.Int64))
    marked = orders.with_columns(
        orders=sale.cast(nw.Int64),
        timed=(sale & ~nw.col("hour").is_null()).cast(nw.Int64),
        discounted=(sale & (nw.col("discount_minor") > 0)).cast(nw.Int64),
        covered=(~covers.is_null()).cast(nw.Int64),
        covers=covers,
        unknown_margins=nw.col("margin_minor").is_null().cast(nw.Int64),
        **{part: (sale & nw.col("hour").is_in(hours)).cast(nw.Int64) for part, hours in DAYPARTS.items()},
    )
    return marked.group_by("guest_id").agg(*_sums(_COUNTS))


def _visits(orders: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Visits, their weekdays, and the gaps from one to the next."""
    sales = orders.filter(~nw.col("is_refund"))
    dates = sales.group_by("guest_id", "business_date").agg(nw.len().alias("orders_that_day"))
    numbered = dates.with_columns(day=day_number(nw.col("business_date")))
    gap = nw.col("day") - nw.col("day").shift(1).over("guest_id", order_by="day")
    weekday = (nw.col("day") - _A_MONDAY) % 7  # dt.weekday() calls a Sunday 0 on Spark
    marked = numbered.with_columns(
        gap=gap, **{name: (weekday == place).cast(nw.Int64) for place, name in enumerate(WEEKDAYS)}
    ).with_columns(gap_squared=nw.col("gap") * nw.col("gap"))
    return marked.group_by("guest_id").agg(
        nw.len().cast(nw.Int64).alias("visits"),
        nw.col("business_date").min().alias("first_ordered_on"),
        nw.col("business_date").max().alias("last_ordered_on"),
        nw.col("gap").median().alias("gap_days"),
        *_sums(("gap", "gap_squared", *WEEKDAYS)),
    )


def _gap_deviation() -> nw.Expr:
    """The sample standard deviation from sums of whole numbers: the same to the last bit in whatever order they come."""
    gaps = nw.col("visits") - 1
    scatter = gaps * nw.col("gap_squared") - nw.col("gap") * nw.col("gap")
    return ratio(scatter, gaps * (gaps - 1)).sqrt()


def _facts() -> dict[str, nw.Expr]:
    spend, discount = nw.col("amount_minor"), nw.col("discount_minor")
    today = day_number(nw.col("as_of"))
    return {
        "recency_days": today - day_number(nw.col("last_ordered_on")),
        "tenure_days": today - day_number(nw.col("first_ordered_on")),
        "gap_deviation_days": _gap_deviation(),
        "spend_minor": spend,
        "average_order_minor": ratio(spend, nw.col("orders")),
        "discount_share": ratio(discount, spend + discount),
        "discounted_share": ratio(nw.col("discounted"), nw.col("orders")),
        "average_covers": ratio(nw.col("covers"), nw.col("covered")),
        "margin_minor": nw.when(nw.col("unknown_margins") == 0).then(nw.col("margin_minor")),
        **{f"{day}_share": ratio(nw.col(day), nw.col("visits")) for day in WEEKDAYS},
        **{f"{part}_share": ratio(nw.col(part), nw.col("timed")) for part in DAYPARTS},
    }


def ratio(part: nw.Expr, whole: nw.Expr) -> nw.Expr:
    """`part / whole`, and nothing where there is no whole."""
    return part.cast(nw.Float64) / nw.when(whole > 0).then(whole.cast(nw.Float64))
