"""Orders made ready for counting: of known guests, up to a date, with refunds signed and margins filled in."""

from datetime import date
from typing import Any

import narwhals as nw
from narwhals.typing import IntoFrame

from regulars.profiles.checks import holds_dates, is_of_a_lake, refuse_odd_orders, without_nobody
from regulars.profiles.frames import checked, opened

_DAY_CLOSES = "-4h"
_READY = (
    "order_id", "guest_id", "store_id", "business_date", "hour",
    "amount_minor", "discount_minor", "margin_minor", "is_refund", "covers",
)  # fmt: skip


def ready_orders(orders: IntoFrame, *, as_of: date) -> nw.LazyFrame[Any]:
    """The orders of known guests until the end of `as_of`, with every column of `_READY`.

    Columns a frame may lack: `business_date` and `hour` are read off the clock that `ordered_at` shows (its own time
    zone; in DuckDB the session's), the trading day closing at 04:00; `discount_minor` is 0; `margin_minor` and `covers`
    are unknown; `is_refund` is true where the amount is negative. Refunds come out with a negative amount whatever sign
    they had. Where `ordered_at` has dates without times, each order is of its date, and no hour is known.
    Raises DataError for a frame with an order twice or an amount that is no whole number of minor units; tables of a lake were
    checked when they were loaded.
    """
    known = nw.from_native(orders)
    names = known.collect_schema().names()
    needs: tuple[str, ...] = ("order_id", "guest_id", "store_id", "amount_minor")
    if "business_date" not in names or "hour" not in names:
        needs = (*needs, "ordered_at")
    known = checked(known.to_native(), needs=needs, name="orders")
    if not is_of_a_lake(known):
        refuse_odd_orders(known)
        known = without_nobody(known)
    is_date = "ordered_at" in needs and holds_dates(known)
    if "ordered_at" in needs and known.collect_schema()["ordered_at"] != nw.Date:
        known = known.with_columns(nw.col("ordered_at").dt.replace_time_zone(None))
    frame = opened(known.to_native(), needs=needs, name="orders")
    filled = frame.with_columns(**_defaults(names, is_date=is_date) | {"business_date": _business_date(names, is_date)})
    counted = filled.filter(~nw.col("guest_id").is_null() & (nw.col("business_date") <= as_of))
    return _signed(counted.select(_READY))


def _business_date(names: list[str], is_date: bool) -> nw.Expr:
    if "business_date" in names:
        return nw.col("business_date").cast(nw.Date)
    if is_date:
        return nw.col("ordered_at").cast(nw.Date)
    return nw.col("ordered_at").dt.offset_by(_DAY_CLOSES).dt.date()


def _defaults(names: list[str], *, is_date: bool) -> dict[str, nw.Expr]:
    defaults = {
        "hour": nw.lit(None, dtype=nw.Int64) if is_date else nw.col("ordered_at").dt.hour(),
        "discount_minor": nw.lit(0),
        "margin_minor": nw.lit(None, dtype=nw.Int64),
        "is_refund": nw.col("amount_minor") < 0,
        "covers": nw.lit(None, dtype=nw.Int64),
    }
    return {name: value for name, value in defaults.items() if name not in names}


def _signed(orders: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    amount, discount, margin = (
        nw.col(name).cast(nw.Int64) for name in ("amount_minor", "discount_minor", "margin_minor")
    )
    is_refund = nw.col("is_refund").fill_null(False)
    return orders.with_columns(
        amount_minor=nw.when(is_refund).then(-amount.abs()).otherwise(amount),
        discount_minor=nw.when(is_refund).then(-discount.abs()).otherwise(discount).fill_null(0),
        margin_minor=nw.when(is_refund & (amount > 0)).then(-margin).otherwise(margin),
        is_refund=is_refund,
    )


def with_margins(
    orders: nw.LazyFrame[Any], lines: nw.LazyFrame[Any] | None, margin_rate: float | None
) -> nw.LazyFrame[Any]:
    """Ready orders with `margin_minor`, what each left after its discount, or unknown.

    It is that of the order itself; else the amount paid less what its dishes cost; else `margin_rate` of the price before the
    discount, less the discount. So a discount is in it once, whichever of them is known.
    lines: order lines with `quantity` and `cost_minor`, or None where the menu has no costs. The cost of an order is
    known only if that of each of its lines is. A refund without a margin of its own loses all it pays back: what was
    cooked is gone.
    """
    amount, discount, is_refund = nw.col("amount_minor"), nw.col("discount_minor"), nw.col("is_refund")
    sources = [nw.col("margin_minor"), nw.when(is_refund).then(amount)]
    if lines is not None:
        orders = orders.join(_costs(lines), on="order_id", how="left")
        sources.append(amount - nw.col("order_cost_minor"))
    if margin_rate is not None:
        sources.append(half_up((amount + discount) * margin_rate) - discount)
    return orders.with_columns(margin_minor=nw.coalesce(*sources))


def _costs(lines: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    costed = lines.select(
        "order_id",
        cost=nw.col("quantity") * nw.col("cost_minor"),
        is_unknown=nw.col("cost_minor").is_null().cast(nw.Int64),
    )
    summed = costed.group_by("order_id").agg(nw.col("cost").sum(), nw.col("is_unknown").sum())
    cost = nw.when(nw.col("is_unknown") == 0).then(half_up(nw.col("cost")))
    return summed.select("order_id", order_cost_minor=cost)


def half_up(amount: nw.Expr) -> nw.Expr:
    """Whole minor units; written out because engines round a half each in their own way."""
    return (amount + 0.5).floor().cast(nw.Int64)
