"""Shares of categories in one pass over the lines are those of the sums by guest: over losses, ties and shared columns."""

from typing import Any

import duckdb
import narwhals as nw
import numpy as np
import polars as pl
import pytest

from regulars.profiles.categories import category_shares, category_spend, shares_in_one_pass

MENU = ["Drinks", "drinks", "pizza", "soup", "主菜"]


def bought() -> pl.DataFrame:
    """Few guests and small amounts, so that ties and guests without a gain are many."""
    draw = np.random.default_rng(2)
    guests, names = draw.integers(0, 60, 200), np.array(MENU)[draw.integers(0, 4, 200)]
    return pl.DataFrame({"guest_id": guests, "category": names, "amount_minor": draw.integers(-2, 4, 200)})


def rows(frame: nw.LazyFrame[Any]) -> list[tuple[Any, ...]]:
    table = frame.collect("pyarrow").to_arrow()
    return sorted(zip(*(table[name].to_pylist() for name in sorted(table.column_names)), strict=True), key=repr)


@pytest.mark.parametrize("top", [[], ["pizza"], ["soup", "Drinks", "drinks"], MENU])
@pytest.mark.parametrize("kind", ["polars", "duckdb"])
def test_one_pass_finds_what_sums_by_guest_find(kind: str, top: list[str]) -> None:
    lines = bought()
    frame = nw.from_native(lines.lazy() if kind == "polars" else duckdb.connect().from_arrow(lines.to_arrow()))
    found = rows(shares_in_one_pass(frame, MENU, top))
    assert found == rows(category_shares(category_spend(frame), top))
    favourites = [row[-2] for row in found]
    assert len(found) > 50
    assert favourites.count(None) > 5
