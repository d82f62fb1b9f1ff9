"""The doctor: what is wrong with a workspace, and the mend."""

import datetime as dt
from typing import Literal, NamedTuple

import narwhals as nw

from regulars.tables import CONTRACTS, Lake
from regulars.tables.engines import Frame

MANY_FILES = 200
OLD_DATA = dt.timedelta(days=35)


class Finding(NamedTuple):
    """One thing that was looked at. state: good, worth a look, or wrong."""

    state: Literal["good", "look", "wrong"]
    subject: str
    words: str


def examine(lake: Lake, now: dt.datetime) -> list[Finding]:
    """Everything worth knowing of a workspace, the tables in the order they are loaded."""
    findings = [_tables(lake, table) for table in CONTRACTS]
    if lake.has("orders"):
        findings += [_unnamed(lake), _freshness(lake, now), _trading_days(lake)]
    if lake.has("exposures"):
        findings.append(_randomisation(lake))
    findings.append(_rejects(lake))
    if leftovers := [path for path in lake.workspace.scratch.glob("load-*") if path.is_dir()]:
        words = f"{len(leftovers)} half-done loads lie in {lake.workspace.scratch}; delete them while nothing runs"
        findings.append(Finding("look", "scratch", words))
    return findings


def _count(lake: Lake, frame: Frame) -> int:
    return int(lake.collect(frame.select(nw.len().cast(nw.Int64).alias("n")))["n"][0].as_py())


def _tables(lake: Lake, table: str) -> Finding:
    if not lake.has(table):
        needed = table in ("stores", "orders")
        return Finding("wrong" if needed else "look", table, f"empty; `regulars load {table} FILE` brings them")
    rows, files = _count(lake, lake.scan(table)), lake.file_count(table)
    if files > MANY_FILES:
        return Finding(
            "look", table, f"{rows:,} rows in {files:,} small files, which makes reading slow; load less often"
        )
    return Finding("good", table, f"{rows:,} rows, version {lake.version(table)}")


def _unnamed(lake: Lake) -> Finding:
    orders = lake.scan("orders")
    total, unnamed = _count(lake, orders), _count(lake, orders.filter(nw.col("guest_id").is_null()))
    share = unnamed / total if total else 0.0
    words = f"{share:.0%} of the orders name no guest"
    return Finding("good" if share < 0.5 else "look", "guests known", words)


def _freshness(lake: Lake, now: dt.datetime) -> Finding:
    latest = lake.collect(lake.scan("orders").select(nw.col("ordered_at").max().alias("at")))["at"][0].as_py()
    words = f"the latest order is of {latest:%Y-%m-%d}"
    if now - latest > OLD_DATA:
        return Finding(
            "look",
            "freshness",
            f"{words}, {(now - latest).days:,} days ago; profiles of today would call everybody lost",
        )
    return Finding("good", "freshness", words)


def _trading_days(lake: Lake) -> Finding:
    """Orders whose trading day lies further from their instant than any zone allows: their store's zone was changed."""
    day = nw.col("ordered_at").dt.date()
    gap = (nw.col("business_date") > day.dt.offset_by("1d")) | (nw.col("business_date") < day.dt.offset_by("-2d"))
    odd = _count(lake, lake.scan("orders").filter(gap))
    if odd:
        return Finding(
            "wrong", "trading days", f"{odd:,} orders have a trading day that cannot be; load the orders again"
        )
    return Finding("good", "trading days", "every order lies on the trading day of its store")


def _randomisation(lake: Lake) -> Finding:
    exposures = lake.scan("exposures")
    total, unlogged = _count(lake, exposures), _count(lake, exposures.filter(nw.col("propensity").is_null()))
    if unlogged:
        words = f"{unlogged:,} of {total:,} past exposures have no logged propensity: what offers change is then observational"
        return Finding("look", "past campaigns", words)
    return Finding("good", "past campaigns", f"all {total:,} past exposures have a logged propensity")


def _rejects(lake: Lake) -> Finding:
    rejected = _count(lake, lake.rejects())
    if rejected:
        return Finding("look", "rejects", f"{rejected:,} rows wait to be mended; `regulars rejects` shows them")
    return Finding("good", "rejects", "no row was rejected")
