"""The two databases for the records, so that one test body runs on both.

A test that takes `database` runs once on SQLite and once on PostgreSQL, on a database of its own with all tables and no rows;
everything in it is committed for real, so threads and other processes see it.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock
from urllib.parse import urlsplit, urlunsplit

import django
import psycopg
import pytest
from django.core.management import call_command
from django.db import connections

POSTGRES = os.environ.get("REGULARS_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432/test")
SECRET = "a secret only for tests, long enough to be one"

_FOR_SETTINGS = {"DATABASE_URL": "sqlite:///:memory:", "REGULARS_SECRET_KEY": SECRET, "REGULARS_LOG_LEVEL": "warning"}
os.environ["DJANGO_SETTINGS_MODULE"] = "regulars.settings"
with mock.patch.dict(os.environ, _FOR_SETTINGS):
    django.setup()

from regulars.settings import database as read_address  # noqa: E402  (the settings are read once, as set above)


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database for one test. address: as DATABASE_URL has it; environment: what another process needs to use it."""

    kind: str
    address: str

    @property
    def environment(self) -> dict[str, str]:
        return {"DATABASE_URL": self.address, "REGULARS_SECRET_KEY": SECRET}


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Django's default database is the one at `address`, in this thread and in those that begin now."""
    connections["default"].close()
    del connections["default"]
    before = connections.settings["default"]
    connections.settings["default"] = connections.configure_settings({"default": read_address(address)})["default"]
    try:
        yield
    finally:
        connections["default"].close()
        del connections["default"]
        connections.settings["default"] = before


def migrate(address: str) -> None:
    with connected(address):
        call_command("migrate", verbosity=0)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with all tables and no rows."""
    file = tmp_path_factory.mktemp("template") / "records.sqlite3"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_address() -> Iterator[str]:
    """A database of this process on the test server, with all tables."""
    from conftest import lacking

    name = f"regulars_test_{os.getpid()}"
    try:
        server = psycopg.connect(POSTGRES, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        lacking("postgres", f"no PostgreSQL at {POSTGRES}; `apt-get install postgresql`, or set REGULARS_TEST_POSTGRES")
        raise AssertionError from None
    with server:
        server.execute(f'drop database if exists "{name}" with (force)')
        server.execute(f'create database "{name}"')
        address = urlunsplit(urlsplit(POSTGRES)._replace(path=f"/{name}"))
        migrate(address)
        yield address
        server.execute(f'drop database if exists "{name}" with (force)')
    server.close()


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        file = tmp_path / "records.sqlite3"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), file)
        address = f"sqlite:///{file}"
    else:
        address = request.getfixturevalue("postgres_address")
        empty(address)
    with connected(address):
        yield Database(kind=request.param, address=address)


on_one = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""For what has nothing to do with the database: once is enough."""


def empty(address: str) -> None:
    """Take out all rows of ours, and send away who an earlier test left connected."""
    with psycopg.connect(address, autocommit=True) as server:
        server.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        )
        rows = server.execute(
            "select quote_ident(tablename) from pg_tables where schemaname = 'public' and tablename <> 'django_migrations'"
        )
        tables = ", ".join(row[0] for row in rows)
        if tables:
            server.execute(f"truncate {tables} restart identity cascade")
