"""Every kind of frame a caller may bring, made from one Arrow table, and read back as rows."""

from collections.abc import Callable
from typing import Any

import duckdb
import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

Maker = Callable[[pa.Table], Any]
Reader = Callable[[Any], list[dict[str, Any]]]

MAKERS: dict[str, Maker] = {
    "duckdb": duckdb.from_arrow,
    "polars": pl.from_arrow,
    "polars lazy": lambda table: pl.from_arrow(table).lazy(),
    "pandas": lambda table: table.to_pandas(date_as_object=False),
    "pandas with arrow types": lambda table: table.to_pandas(types_mapper=pd.ArrowDtype),
    "arrow": lambda table: table,
}


@pytest.fixture(scope="session", params=[*MAKERS, "spark"])
def as_frame(request: pytest.FixtureRequest) -> Maker:
    if request.param == "spark":
        return request.getfixturevalue("spark").createDataFrame  # type: ignore[no-any-return]
    return MAKERS[request.param]


@pytest.fixture(scope="session")
def read() -> Reader:
    return rows_of


def rows_of(frame: Any) -> list[dict[str, Any]]:
    """The rows of any frame by guest, dates as dates and every kind of nothing as None."""
    known = nw.from_native(frame)
    eager = known.collect("pyarrow") if isinstance(known, nw.LazyFrame) else known
    dates = [name for name, dtype in eager.schema.items() if isinstance(dtype, nw.Datetime)]
    table = pa.table(eager.to_arrow()).select(eager.columns)
    for name in dates:
        table = table.set_column(table.column_names.index(name), name, table[name].cast(pa.date32()))
    return sorted(
        ({key: None if value != value else value for key, value in row.items()} for row in table.to_pylist()),
        key=lambda row: str(row.get("guest_id")),
    )
