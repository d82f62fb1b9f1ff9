"""How hard to storm: a small form in every run of the tests, the whole with `make storms`."""

import pytest

from conftest import lacking
from storms.test_storms import Size

SERVER = "postgresql://postgres@127.0.0.1:5432"
SEEDS = 50


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "storm_seed" in metafunc.fixturenames:
        metafunc.parametrize("storm_seed", range(SEEDS if metafunc.config.getoption("--whole") else 1))


@pytest.fixture
def storm_size(is_whole: bool) -> Size:
    return Size(16, 64, 2, 2) if is_whole else Size(4, 8, 8, 2)


@pytest.fixture(scope="session")
def postgresql() -> str:
    """The address of a server whose databases may be made and dropped."""
    psycopg = pytest.importorskip("psycopg")
    try:
        psycopg.connect(f"{SERVER}/postgres", connect_timeout=3).close()
    except psycopg.OperationalError:
        lacking("postgres", "no PostgreSQL at 127.0.0.1:5432; start it, with trust for the user postgres")
    return SERVER
