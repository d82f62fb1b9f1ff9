"""Snapshots: one state of the database is read, and nobody who writes waits for it."""

import threading

import pytest
from django.db import connection

from databases import Database
from regulars.access.stores import add_store, clocks
from regulars.records import rooms
from regulars.records.snapshots import snapshot


def add_elsewhere(store_id: str) -> None:
    """In a thread of its own, which has a connection of its own."""
    errors: list[BaseException] = []

    def add() -> None:
        try:
            add_store(store_id, "UTC")
        except BaseException as error:  # noqa: BLE001  (it is raised below)
            errors.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=add)
    thread.start()
    thread.join(5)
    assert not thread.is_alive(), "whoever writes waits for whoever reads"
    if errors:
        raise errors[0]


def test_others_write_while_a_snapshot_is_read_and_it_does_not_change(database: Database) -> None:
    add_store("S1", "UTC")
    with snapshot():
        assert set(clocks()) == {"S1"}
        add_elsewhere("S2")
        assert set(clocks()) == {"S1"}
    assert set(clocks()) == {"S1", "S2"}
    add_store("S3", "UTC")  # and this connection writes again as before


def test_tills_go_on_while_records_are_reconciled(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def drifts() -> list[rooms.Drift]:
        assert set(clocks()) == set()
        add_elsewhere("S1")
        return []

    (first, *_) = rooms.rooms()
    monkeypatch.setattr(first, "drifts", drifts)
    assert rooms.reconcile() == []
    assert set(clocks()) == {"S1"}
