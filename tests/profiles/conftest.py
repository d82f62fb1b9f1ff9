"""The CDNOW orders: the customers of a music shop who first bought early in 1997, the data the papers print their figures for."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest


@pytest.fixture(scope="session")
def cdnow(wheel_file: Callable[[str, str], Path]) -> pl.DataFrame:
    """The 1/10 sample as orders, 1997-01-01 to 1998-06-30."""
    lines = wheel_file("lifetimes", "datasets/CDNOW_sample.txt").read_text().splitlines()
    rows = [line.split() for line in lines]
    return pl.DataFrame(
        {
            "order_id": [str(number) for number in range(len(rows))],
            "guest_id": [row[1] for row in rows],
            "store_id": ["cdnow"] * len(rows),
            "business_date": [date(int(row[2][:4]), int(row[2][4:6]), int(row[2][6:])) for row in rows],
            "hour": [12] * len(rows),
            "amount_minor": [round(float(row[4]) * 100) for row in rows],
        }
    )
