"""Every kind of frame a caller may bring, made from one Arrow table, and read back as one; and the CDNOW orders.

CDNOW: the customers of a music shop who first bought early in 1997, the data the papers print their figures for.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

Maker = Callable[[pa.Table], Any]

MAKERS: dict[str, Maker] = {
    "duckdb": duckdb.from_arrow,
    "polars": pl.from_arrow,
    "polars lazy": lambda table: pl.from_arrow(table).lazy(),
    "pandas": lambda table: table.to_pandas(),
    "pandas with arrow types": lambda table: table.to_pandas(types_mapper=pd.ArrowDtype),
    "arrow": lambda table: table,
}


@pytest.fixture(params=[*MAKERS, "spark"])
def as_frame(request: pytest.FixtureRequest) -> Maker:
    if request.param == "spark":
        return request.getfixturevalue("spark").createDataFrame  # type: ignore[no-any-return]
    return MAKERS[request.param]


def rows_of(frame: Any) -> list[dict[str, Any]]:
    """The rows of any frame by guest, dates as dates and every kind of nothing as None."""
    known = nw.from_native(frame)
    eager = known.collect("pyarrow") if isinstance(known, nw.LazyFrame) else known
    dates = [name for name, dtype in eager.schema.items() if isinstance(dtype, nw.Datetime)]
    table = pa.table(eager.to_arrow())
    for name in dates:
        table = table.set_column(table.column_names.index(name), name, table[name].cast(pa.date32()))
    return sorted(
        ({key: None if value != value else value for key, value in row.items()} for row in table.to_pylist()),
        key=lambda row: str(row.get("guest_id")),
    )


@pytest.fixture
def read() -> Callable[[Any], list[dict[str, Any]]]:
    return rows_of


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
