"""A restore takes the place of the records whole or not at all: whatever speaks against it is found before they are touched."""

import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import connection

from databases import Database, connected
from regulars.access.stores import add_store
from regulars.errors import DataError
from regulars.records.rooms import reconcile
from regulars.service import restoration_postgresql, restoration_sqlite, schema
from regulars.service.backups import back_up
from regulars.service.restoration import restore
from service.servers import environment_of
from service.test_commands import drop_postgres, fresh_postgres
from service.test_upgrade import EARLIER, ROWS, _fill


def contents() -> dict[str, list[str]]:
    """Every row of every table there is."""
    with connection.cursor() as cursor:
        found = {}
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'select * from "{table}"')  # noqa: S608
            found[table] = sorted(map(repr, cursor.fetchall()))
    connection.close()
    return found


def stores() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("select store_id from access_store order by 1")
        found = [row[0] for row in cursor.fetchall()]
    connection.close()
    return found


@contextmanager
def step_taken(app: str, name: str) -> Iterator[None]:
    """As a newer version would leave it, for a while."""
    with connection.cursor() as cursor:
        cursor.execute("insert into django_migrations (app, name, applied) values (%s, %s, '2030-01-01')", [app, name])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("delete from django_migrations where app = %s and name = %s", [app, name])


@pytest.fixture
def backup(database: Database, tmp_path: Path) -> Path:
    """Of records with the store OLD; those that are there now have NEW beside it."""
    add_store("OLD", "UTC")
    back_up(tmp_path / "good.backup")
    add_store("NEW", "UTC")
    connection.close()
    return tmp_path / "good.backup"


def test_a_backup_takes_the_place_of_what_is_there_when_it_is_told_to(backup: Path) -> None:
    with pytest.raises(DataError, match="--force"):
        restore(backup)
    assert stores() == ["NEW", "OLD"]
    assert restore(backup, is_forced=True) == []
    assert stores() == ["OLD"]
    add_store("LATER", "UTC")
    assert stores() == ["LATER", "OLD"]


@pytest.mark.parametrize("step", [("offers", "9999_later"), ("delivery", "0001_initial")])
def test_a_backup_of_a_newer_version_is_refused_before_anything_is_touched(
    database: Database, tmp_path: Path, step: tuple[str, str]
) -> None:
    with step_taken(*step):
        back_up(tmp_path / "newer.backup")
    add_store("HERE", "UTC")
    before = contents()
    with pytest.raises(DataError, match="newer version"):
        restore(tmp_path / "newer.backup", is_forced=True)
    assert contents() == before


def test_records_of_a_newer_version_give_way_to_a_backup_of_this_one(backup: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute("create table delivery_message (id integer)")
        cursor.execute(
            "insert into django_migrations (app, name, applied) values ('delivery', '0001_initial', '2030-01-01')"
        )
    connection.close()
    assert restore(backup, is_forced=True) == []
    assert "delivery_message" not in contents()
    assert schema.unapplied() == []


class Place(NamedTuple):
    """Somewhere else on the same kind of database."""

    address: str
    execute: Callable[[str], Any]


@pytest.fixture
def elsewhere(database: Database, tmp_path: Path) -> Iterator[Place]:
    """Another database, with nothing in it."""
    if database.kind == "sqlite":
        file = tmp_path / "elsewhere.sqlite3"

        def execute(statement: str) -> None:
            with closing(sqlite3.connect(file)) as opened, opened:
                opened.execute(statement)

        yield Place(f"sqlite:///{file}", execute)
        return
    address, name = fresh_postgres("regulars_elsewhere")

    def execute_there(statement: str) -> None:
        with psycopg.connect(address, autocommit=True) as opened:
            opened.execute(statement)

    yield Place(address, execute_there)
    drop_postgres(name)


def test_a_backup_of_another_program_is_refused(database: Database, elsewhere: Place, tmp_path: Path) -> None:
    elsewhere.execute("create table django_migrations (id integer, app text, name text, applied text)")
    elsewhere.execute("insert into django_migrations values (1, 'shop', '0001_initial', '2030-01-01')")
    with connected(elsewhere.address):
        back_up(tmp_path / "other.backup")
    add_store("HERE", "UTC")
    before = contents()
    with pytest.raises(DataError, match="no offers"):
        restore(tmp_path / "other.backup", is_forced=True)
    assert contents() == before


def test_a_database_of_another_program_is_not_taken_for_an_empty_one(
    backup: Path, elsewhere: Place, database: Database
) -> None:
    elsewhere.execute("create table album (title text)")
    elsewhere.execute("insert into album values ('Blue')")
    with connected(elsewhere.address):
        for is_forced in (False, True):
            with pytest.raises(DataError, match="another program"):
                restore(backup, is_forced=is_forced)
        assert [table for table in contents() if table != "django_migrations"] == ["album"]


def test_a_backup_of_the_earlier_version_is_brought_to_this_one(
    database: Database, elsewhere: Place, tmp_path: Path
) -> None:
    kind = "postgres" if database.kind == "postgres" else "sqlite"
    with connected(elsewhere.address):
        _fill((EARLIER / f"{kind}.sql").read_text(encoding="utf-8"))
        back_up(tmp_path / "earlier.backup")
    add_store("HERE", "UTC")
    connection.close()
    assert restore(tmp_path / "earlier.backup", is_forced=True) == []
    assert stores() == sorted(row["store_id"] for row in ROWS["offers_store"])
    assert schema.unapplied() == []
    assert reconcile() == []
    assert not [table for table in contents() if table.startswith("before_")]


def test_records_that_are_in_use_are_not_replaced(backup: Path, database: Database) -> None:
    before = contents()
    with another_user(database), pytest.raises(DataError, match="stop"):
        restore(backup, is_forced=True)
    assert contents() == before
    assert restore(backup, is_forced=True) == []


@contextmanager
def another_user(database: Database) -> Iterator[None]:
    """As an idle server is connected."""
    if database.kind == "sqlite":
        with closing(sqlite3.connect(urlsplit(database.address).path[1:])) as opened:
            opened.execute("select count(*) from access_store").fetchone()
            yield
    else:
        with psycopg.connect(database.address, application_name="regulars"):
            yield


def test_what_fails_in_the_middle_leaves_the_records_as_they_were(
    backup: Path, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = contents()
    way = restoration_sqlite if database.kind == "sqlite" else restoration_postgresql
    for room, step in ((schema, "migrate"), (way, "reconcile")):
        with monkeypatch.context() as broken:
            broken.setattr(room, step, stopped)
            with pytest.raises(KeyboardInterrupt):
                restore(backup, is_forced=True)
        assert contents() == before
    assert not [file for file in tmp_path.iterdir() if "restoring" in file.name]
    assert restore(backup, is_forced=True) == []


def stopped() -> None:
    raise KeyboardInterrupt


def test_a_backup_that_was_cut_off_is_refused(backup: Path) -> None:
    whole, before = backup.read_bytes(), contents()
    for part in (len(whole) // 3, len(whole) - 900):
        backup.write_bytes(whole[:part])
        with pytest.raises(DataError):
            restore(backup, is_forced=True)
        assert contents() == before


on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@on_sqlite
def test_a_full_disk_is_seen_before_and_survived_if_it_fills_meanwhile(
    backup: Path, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = contents()
    with monkeypatch.context() as small:
        small.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9 - 1000, 1000))  # type: ignore[attr-defined]
        with pytest.raises(DataError, match="make room"):
            restore(backup, is_forced=True)
    assert contents() == before
    for size in (backup.stat().st_size // 3, backup.stat().st_size - 4_096):
        done = run_where_files_are_at_most(size, database, "restore", str(backup), "--force")
        assert done.returncode == 1, size
        assert "nothing was changed" in done.stderr
        assert contents() == before
    assert not [file for file in tmp_path.iterdir() if "restoring" in file.name]


def run_where_files_are_at_most(size: int, database: Database, *words: str) -> "subprocess.CompletedProcess[str]":
    """The command line in a process in which no file grows beyond so many bytes, as on a disk that fills."""
    code = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size})); from regulars.cli import main; main()"
    environment = environment_of(database.environment | {"COLUMNS": "400"})
    return subprocess.run(
        [sys.executable, "-c", code, *words], env=environment, capture_output=True, text=True, check=False
    )


@on_sqlite
def test_damaged_records_give_way_to_a_backup(backup: Path, database: Database) -> None:
    file = Path(urlsplit(database.address).path[1:])
    for damage in (b"\xff" * file.stat().st_size, b"SQLite format 3\0" + b"\xff" * 100_000):
        file.write_bytes(damage)
        if damage[:1] == b"\xff":
            with pytest.raises(DataError, match="is no database"):
                restore(backup, is_forced=True)
            assert file.read_bytes() == damage
        else:
            with pytest.raises(DataError, match="cannot be read"):
                restore(backup)
            assert restore(backup, is_forced=True) == []
            assert stores() == ["OLD"]
            assert stat.S_IMODE(file.stat().st_mode) == 0o600


@on_sqlite
def test_the_records_are_no_backup_of_themselves(backup: Path, database: Database) -> None:
    file = Path(urlsplit(database.address).path[1:])
    with pytest.raises(DataError, match="the records themselves"):
        restore(file, is_forced=True)
    assert stores() == ["NEW", "OLD"]


@on_sqlite
def test_a_backup_on_a_full_disk_is_refused_in_a_sentence(backup: Path, database: Database) -> None:
    done = run_where_files_are_at_most(
        backup.stat().st_size // 2, database, "backup", str(backup.parent / "more.backup")
    )
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert not list(backup.parent.glob("*more*"))
