"""The lake lies in whatever folder its owner likes."""

from pathlib import Path

import pyarrow as pa
import pytest

import regulars as rg
from conftest import NOW


@pytest.mark.parametrize("name", ["my workspace", "it's", "顾客", "50% off", "a+b", "what? *", "#1"])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    lake = rg.Lake.create(tmp_path / name)
    for zone in ("UTC", "Asia/Shanghai"):
        lake.load("stores", pa.table({"store_id": ["S1"], "zone": [zone]}), now=NOW)
    assert rg.Lake.open(tmp_path / name).read("stores")["zone"].to_pylist() == ["Asia/Shanghai"]
    assert {path.name for path in tmp_path.iterdir()} == {name}


def test_a_derived_table_may_change_its_columns(lake: rg.Lake) -> None:
    import narwhals as nw

    lake.write("profiles", lake.scan("stores").select("store_id"))
    lake.write("profiles", lake.scan("stores").select("store_id", nw.lit(1).alias("visits")))
    assert lake.read("profiles").column_names == ["store_id", "visits"]
