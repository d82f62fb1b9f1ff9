"""Draws the pictures of these pages from data that every developer has, or that are made up here: `make docs`."""

import datetime as dt
import importlib.util
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from regulars.charts.guests import foretold_visits
from regulars.charts.theme import Chart
from regulars.profiles import build, lifetime
from regulars.profiles.lifetime import HoldoutCheck
from regulars.quality import Names, servings, watch
from regulars.quality.control_charts import of_servings
from regulars.wording import Voice

IMAGES = Path(__file__).with_name("images")
CALIBRATED_UNTIL, HELD_OUT_UNTIL = dt.date(1997, 9, 30), dt.date(1998, 6, 30)


def cdnow() -> pl.DataFrame:
    """The orders of the CDNOW sample (Fader, Hardie & Lee 2005), as they come with the package lifetimes."""
    package = importlib.util.find_spec("lifetimes")
    assert package is not None
    assert package.submodule_search_locations is not None
    lines = (Path(package.submodule_search_locations[0]) / "datasets" / "CDNOW_sample.txt").read_text().splitlines()
    rows = [line.split() for line in lines]
    return pl.DataFrame({
        "order_id": [str(place) for place in range(len(rows))], "guest_id": [row[1] for row in rows],
        "store_id": ["cdnow"] * len(rows), "hour": [12] * len(rows),
        "business_date": [dt.datetime.strptime(row[2], "%Y%m%d").date() for row in rows],
        "amount_minor": [round(float(row[4]) * 100) for row in rows],
    })  # fmt: skip


def cdnow_check() -> HoldoutCheck:
    """Fitted on 39 weeks, held against the 39 weeks after."""
    orders = cdnow()
    profiles = build(orders, as_of=CALIBRATED_UNTIL)
    days = (HELD_OUT_UNTIL - CALIBRATED_UNTIL).days
    expected = lifetime.outlook(profiles, lifetime.fit_visits(profiles), horizons=[days])
    later = orders.filter(pl.col("business_date") > CALIBRATED_UNTIL).group_by("guest_id")
    both = expected.join(later.agg(made=pl.col("business_date").n_unique()), on="guest_id", how="left")
    return lifetime.holdout_check(both[f"expected_visits_{days}"], both["made"].fill_null(0))


def slow_soup() -> Chart:
    """A made-up soup of three stores, one of which gets slower; its control chart."""
    draw, n, first = np.random.default_rng(0), 6_000, dt.date(2025, 1, 1)
    day, store = np.sort(draw.integers(0, 500, n)), draw.integers(1, 4, n)
    ids = [f"O{i}" for i in range(n)]
    orders = pa.table({
        "order_id": ids, "guest_id": [f"G{g}" for g in draw.integers(0, 600, n)], "store_id": [f"S{s}" for s in store],
        "hour": draw.integers(11, 22, n), "business_date": [first + dt.timedelta(days=int(d)) for d in day],
    })  # fmt: skip
    items = pa.table({"order_id": ids, "line": [1] * n, "item_id": ["soup"] * n, "amount_minor": [900] * n})
    seconds = np.exp(draw.normal(6, 0.3, n) + 0.5 * ((day > 350) & (store == 2)))
    served = servings(orders, items, pa.table({"order_id": ids, "line": [1] * n, "prep_seconds": seconds}))
    stream = of_servings(served, "prep_seconds")
    found = watch(stream, baseline_until=first + dt.timedelta(days=300), levels=(("item",),))
    return found.changes[0].plot(names=Names({"soup": "Beef soup"}))


def main() -> None:
    slow_soup().properties(background="white").save(IMAGES / "quality.png", ppi=144)
    check = cdnow_check()
    tenths = [(tenth.predicted, tenth.actual) for tenth in check.tenths]
    chart = foretold_visits(tenths, "CDNOW: visits in the 39 weeks held out", Voice())
    chart.save(IMAGES / "cdnow.png", ppi=144)
    print(f"predicted {check.predicted:.0f}, made {check.actual:.0f}, ratio {check.ratio:.3f}")
    for place, tenth in enumerate(check.tenths, 1):
        print(f"{place:>3} {tenth.guests:>4} {tenth.predicted:6.2f} {tenth.actual:6.2f}")


if __name__ == "__main__":
    main()
