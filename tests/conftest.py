"""What all tests share: real data where it is reachable, and a small lake."""

import datetime as dt
import importlib.util
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import regulars as rg
from regulars.tables.engines import open_engine

pytest_plugins = ["frames", "shops", "databases", "houses"]

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--whole", action="store_true", help="run long suites in full: storms, kills, the ledger's model")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of a file share a process and what they set up; all that ask Spark share one, whose session is dear."""
    for item in items:
        asks = {*getattr(item, "fixturenames", ()), *re.split(r"[\[\]-]", item.name)}
        item.add_marker(pytest.mark.xdist_group("spark" if "spark" in asks else item.location[0]))


@pytest.fixture
def is_whole(request: pytest.FixtureRequest) -> bool:
    """Whether long suites run in full."""
    return bool(request.config.getoption("--whole"))


def lacking(kind: str, reason: str) -> None:
    """Skip, or fail where REGULARS_REQUIRE names the kind."""
    if kind in os.environ.get("REGULARS_REQUIRE", "").split(","):
        pytest.fail(f"required here: {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """The folder of a development data set, such as shared_data("hillstrom")."""

    def folder(name: str) -> Path:
        root = Path(os.environ.get("REGULARS_DATA", Path(__file__).parents[2] / "shared" / "data"))
        if not (root / name).is_dir():
            lacking("data", f"no {name} data; set REGULARS_DATA to the folder that holds {name}/")
        return root / name

    return folder


@pytest.fixture(scope="session")
def wheel_file() -> Callable[[str, str], Path]:
    """A data file inside an installed package, found without importing it."""

    def path(package: str, name: str) -> Path:
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            lacking("data", f"no {package}; `make install` brings it")
            raise AssertionError
        return Path(spec.submodule_search_locations[0]) / name

    return path


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One Spark session for all tests, set for many small queries; engines opened in the tests run in it."""
    if shutil.which("java") is None or importlib.util.find_spec("pyspark") is None:
        lacking("spark", "no Java or no PySpark; `apt-get install openjdk-17-jre-headless; make install` brings them")
    session = open_engine("local[2]", memory="1GB", scratch=tmp_path_factory.mktemp("spark")).session
    for name, value in {
        "adaptive.enabled": "false",
        "shuffle.partitions": "2",
        "codegen.wholeStage": "false",
        "codegen.factoryMode": "NO_CODEGEN",
    }.items():
        session.conf.set(f"spark.sql.{name}", value)
    yield session
    session.stop()


@pytest.fixture
def lake(tmp_path: Path) -> rg.Lake:
    """A workspace in New York with the stores S1 (New York) and S2 (Shanghai)."""
    lake = rg.Lake.create(tmp_path / "workspace", currency="USD", zone="America/New_York")
    stores = {"store_id": ["S1", "S2"], "zone": ["America/New_York", "Asia/Shanghai"]}
    lake.load("stores", pa.table(stores), now=NOW)
    return lake
